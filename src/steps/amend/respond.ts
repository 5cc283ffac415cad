/** Last step of a run that changes a merge request: whoever asked is told what was done, with facts. */
import type { z } from "zod";
import type { EffectDraft, Ref } from "../../domain/effect.ts";
import { render } from "../../platform/template.ts";
import { checkList } from "../check-list.ts";
import { answer } from "../conversation/answer.ts";
import { commandOf } from "../conversation/command.ts";
import { looked } from "../conversation/outputs.ts";
import { mergeOf } from "../developed.ts";
import { verified } from "../outputs.ts";
import type { Next, Step, StepContext } from "../step.ts";
import { changeOf } from "../take-change.ts";
import { addressed, amended, type Hindrance, responded } from "./outputs.ts";
import { replies } from "./replies.ts";

/** A longer patch is not shown where it was not pushed. */
const mostShown = 4000;

/** The commit that was pushed; null when there is none. */
export function pushed(context: StepContext): Ref | null {
  const ref = context.ref(amended.name, "branch");
  if (ref === null) return null;
  return { id: ref.id, url: `${context.output(looked).repository.url}/-/commit/${ref.id}` };
}

/** What a person may want to look at: doubts of code about the developer's words, and what may be a secret. */
function remarks(context: StepContext): string[] {
  const { disagreements, suspicions } = changeOf(context);
  return [...disagreements.map(({ path, problem }) => `${path}: ${problem}`), ...suspicions];
}

/** The patch that did not get to the branch, for whoever wants to take it from there. What a rule forbids is shown nowhere. */
function shownPatch(context: StepContext, hindrance: Hindrance | null): string {
  const { patch } = changeOf(context);
  const isShown = hindrance !== null && !["nothing", "refused"].includes(hindrance.kind) && mergeOf(context) === null;
  if (!isShown || patch.length > mostShown) return "";
  const fence = "`".repeat(Math.max(3, ...[...patch.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  return `${fence}diff\n${patch.trimEnd()}\n${fence}`;
}

/** What is common to the words about a change. */
function facts(context: StepContext) {
  const { proof, tests } = context.output(verified);
  const { claim } = changeOf(context);
  return {
    claim: { title: claim.title, summary: claim.summary },
    proof,
    checks: checkList(context),
    remarks: remarks(context),
    minutes: context.minutes,
    costUsd: context.spent().costUsd,
    runId: context.run.id,
    tests,
  };
}

function told(context: StepContext, hindrance: Hindrance | null): string {
  const common = facts(context);
  const wasTested = hindrance === null || !["nothing", "refused"].includes(hindrance.kind);
  return render("gitlab/amended.md", {
    ...common,
    remarks: hindrance?.kind === "nothing" ? [] : common.remarks,
    proof: wasTested ? common.proof : [],
    tests: wasTested ? common.tests : null,
    hindrance,
    commit: pushed(context),
    command: commandOf(context) ?? "address",
    merge: mergeOf(context),
    patch: shownPatch(context, hindrance),
  });
}

/** Our own merge request says in its description what its newest commit is. */
function description(context: StepContext): EffectDraft[] {
  const { mergeRequest } = context.output(looked);
  const commit = pushed(context);
  if (!mergeRequest.own || commit === null) return [];
  const body = render("gitlab/body-since.md", { ...facts(context), commit });
  return [
    {
      name: "description",
      effect: {
        kind: "gitlab.description",
        repository: context.run.target.repository,
        iid: mergeRequest.iid,
        subject: "since",
        body,
      },
    },
  ];
}

/** How the run ends: somebody has to act where nothing could be pushed. */
function ending(hindrance: Hindrance | null): Next {
  if (hindrance === null || hindrance.kind === "nothing") return { kind: "continue" };
  const reason = render("gitlab/not-pushed.txt", { kind: hindrance.kind }).trim();
  return { kind: "end", state: "needs_human", reason };
}

export const respond: Step<z.infer<typeof responded.output>> = {
  ...responded,

  async execute(context) {
    const { hindrance } = context.output(amended);
    const isReview = context.has(addressed);
    const { effects, resolved } = isReview
      ? await replies(context, pushed(context))
      : { effects: [answer(context, told(context, hindrance))], resolved: [] };
    return {
      output: { resolved: [...resolved] },
      effects: [...effects, ...description(context)],
      next: ending(hindrance),
    };
  },
};
