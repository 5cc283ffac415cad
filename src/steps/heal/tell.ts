/** Last step of healing: the merge request hears what was pushed, or why nothing was. */
import { z } from "zod";
import { render } from "../../platform/template.ts";
import { looked } from "../conversation/outputs.ts";
import type { Step } from "../step.ts";
import { diagnosed, proved, repaired } from "./outputs.ts";
import { readPast } from "./past.ts";
import { healNote, type Outcome, ticketNote } from "./words.ts";

const told = { name: "tell", output: z.object({ pushed: z.boolean() }) };

export const tell: Step<z.infer<typeof told.output>> = {
  ...told,

  async execute(context) {
    const diagnosis = context.output(diagnosed);
    const past = await readPast(context, context.output(looked).mergeRequest.sha);
    const outcome: Outcome = {
      ...context.output(proved),
      kind: context.output(repaired).kind,
      commit: context.ref(proved.name, "branch")?.id ?? null,
    };
    const { hindrance } = outcome;
    const note = healNote(context, diagnosis, past, outcome);
    if (hindrance === null) return { output: { pushed: true }, effects: [note], next: { kind: "continue" } };
    const reason = render("gitlab/heal-why.md", { hindrance }).trim();
    if (hindrance.kind === "moved") {
      return { output: { pushed: false }, effects: [note], next: { kind: "end", state: "cancelled", reason } };
    }
    // Nothing was pushed, so no pipeline will bring us back: a person has to.
    const effects = [note, ...ticketNote(context, diagnosis, past, outcome)];
    return { output: { pushed: false }, effects, next: { kind: "end", state: "needs_human", reason } };
  },
};
