/** Third step of healing: the developer mends the code, or our last repair is taken back. */
import type { z } from "zod";
import { capped, dataSection } from "../../agents/data.ts";
import { developer } from "../../agents/developer.ts";
import type { ChangeClaim } from "../../domain/handoff.ts";
import { render } from "../../platform/template.ts";
import { diffSection } from "../advice/diff-text.ts";
import { develop, openHead, unchanged } from "../amend/develop.ts";
import { parsePatch } from "../change/patch.ts";
import { looked } from "../conversation/outputs.ts";
import { groundOf } from "../ground.ts";
import { guideSection } from "../rules/guide.ts";
import type { Step, StepContext } from "../step.ts";
import { diagnosed, type FailedJob, repaired } from "./outputs.ts";
import { type Attempt, readPast } from "./past.ts";

type Repaired = z.infer<typeof repaired.output>;

const bytes = { logs: 30_000, patch: 4_000 } as const;

/** Why a job failed, and the end of its log, for the developer. */
function jobSection({ name, class: kind, cause, evidence, tail }: FailedJob, share: number): string {
  const known = [cause, evidence].filter((text) => text !== "").join("\n");
  const title = `Job ${name.replace(/\s+/g, " ").slice(0, 100)}`;
  if (kind !== "ours") return dataSection(`${title}, not to be mended (${kind})`, known || "-");
  return dataSection(`${title}, to be mended`, `${known}\n\nEnd of its log:\n${capped(tail, share)}`.trim());
}

/** What was tried before and did not do. */
function triedSection(tries: readonly Attempt[]): string {
  const made = tries.toReversed().flatMap(({ made, commit }) => (made === null ? [] : [{ ...made, commit }]));
  const texts = made.map(({ kind, title, summary, patch, commit }) => {
    const fate =
      kind === "rollback" ? "a repair was taken back" : commit === null ? "not pushed" : "pushed, and it is still red";
    return `${title} (${fate})\n${summary}\n${capped(patch, bytes.patch)}`.trim();
  });
  return texts.length === 0 ? "" : dataSection("Tried before", texts.join("\n\n"));
}

async function mend(context: StepContext): Promise<Repaired> {
  const { failed } = context.output(diagnosed);
  const { mergeRequest, repository, ticket } = context.output(looked);
  const past = await readPast(context, mergeRequest.sha);
  const diff = await context.services.reviews.readDiff({ repository: repository.path, iid: mergeRequest.iid });
  const ours = failed.filter((job) => job.class === "ours");
  const share = Math.floor(bytes.logs / Math.max(1, ours.length));
  const workspace = await openHead(context);
  const { developed } = await develop(context, {
    agent: developer,
    workspace,
    task: ({ tests, packages }) =>
      render("prompts/tasks/heal-repair.md", {
        key: ticket.key,
        tests,
        packages,
        jobs: failed.map((job) => jobSection(job, share)).join("\n\n"),
        tried: triedSection(past.tries),
        diff: diffSection(diff),
        guide: guideSection(context),
      }),
    wanted: {
      summary: render("prompts/tasks/heal-wanted.md", { job: null }).trim(),
      kind: "bug",
      acceptanceCriteria: ours
        .slice(0, 12)
        .map(({ name }) => render("prompts/tasks/heal-wanted.md", { job: name.slice(0, 200) }).trim()),
      outOfScope: [],
      questions: [],
    },
  });
  return { ...developed, kind: "repair" };
}

/** The patch that leads from our last repair to what was there before it. */
async function takeBack(context: StepContext): Promise<Repaired> {
  const { worse } = context.output(diagnosed);
  const { repository, base } = groundOf(context);
  const { last } = await readPast(context, base);
  if (last?.made == null) throw new Error("there is no repair that could be taken back");
  const patch = await context.services.workspaces.compare({ project: repository, from: base, to: last.base });
  const words = render("gitlab/heal-rollback.md", { title: last.made.title, worse }).trim();
  const [title = "", ...summary] = words.split("\n");
  const files = parsePatch(patch);
  const claim: ChangeClaim = {
    title: title.slice(0, 120),
    summary: summary.join("\n").trim(),
    files: files.map(({ path }) => path).slice(0, 200),
    tests: [],
    shownBy: [],
    contradicted: [],
  };
  const letters = { added: "A", deleted: "D", modified: "M" } as const;
  const changed = files.map(({ path, kind }) => ({ path, status: letters[kind] }));
  return { ...unchanged(claim), patch, changed, kind: "rollback" };
}

export const repair: Step<Repaired> = {
  ...repaired,

  async execute(context) {
    const isRollback = context.output(diagnosed).verdict === "rollback";
    const output = await (isRollback ? takeBack(context) : mend(context));
    return { output, effects: [], next: { kind: "continue" } };
  },
};
