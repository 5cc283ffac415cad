/** What every thread hears after a round of review, and which are resolved: those where code sees that something was done. */
import type { EffectDraft, Ref } from "../../domain/effect.ts";
import type { ThreadReport } from "../../domain/handoff.ts";
import { render } from "../../platform/template.ts";
import { looked } from "../conversation/outputs.ts";
import { verified } from "../outputs.ts";
import type { StepContext } from "../step.ts";
import { changeOf } from "../take-change.ts";
import { addressed, amended, type TakenThread } from "./outputs.ts";

const testWords = { passed: "✅ passed", failed: "🔴 failed", not_run: "🟡 not run" } as const;

/** Why a thread that is said to be fixed is left open, in the words of the template; empty when it can be resolved. */
export function doubtAbout(
  thread: TakenThread,
  facts: {
    readonly changed: ReadonlySet<string>;
    readonly testsPassed: boolean;
    readonly unmet: ReadonlySet<string>;
  },
): "" | "tests" | "elsewhere" | "unmet" {
  if (!facts.testsPassed) return "tests";
  const paths = [thread.path, thread.oldPath].filter((path) => path !== null);
  if (paths.length > 0 && !paths.some((path) => facts.changed.has(path))) return "elsewhere";
  return facts.unmet.has(thread.asked) ? "unmet" : "";
}

/** Those of the threads that are still there, and whether people have said more in them since. */
async function standing(
  context: StepContext,
  threads: readonly TakenThread[],
): Promise<ReadonlyMap<string, { readonly more: boolean }>> {
  const { mergeRequest } = context.output(looked);
  const at = { repository: context.run.target.repository, iid: mergeRequest.iid };
  const now = await context.services.reviews.listThreads(at);
  const known = new Map(threads.map(({ id, noteId }) => [id, noteId]));
  return new Map(
    now
      .filter(({ id }) => known.has(id))
      .map((thread) => {
        const last = thread.notes.findLast(({ marker }) => marker === null);
        return [thread.id, { more: last?.id !== known.get(thread.id) }];
      }),
  );
}

/** One reply per thread, and the threads to resolve. `commit`: what was pushed, or null. */
export async function replies(
  context: StepContext,
  commit: Ref | null,
): Promise<{ effects: readonly EffectDraft[]; resolved: readonly string[] }> {
  const { threads, reports } = context.output(addressed);
  const { hindrance } = context.output(amended);
  const { tests, proof } = context.output(verified);
  const { mergeRequest } = context.output(looked);
  const at = { repository: context.run.target.repository, iid: mergeRequest.iid };
  const facts = {
    changed: new Set(changeOf(context).changed.map(({ path }) => path)),
    testsPassed: tests.status === "passed",
    unmet: new Set(proof.filter(({ verdict }) => verdict === "not_met").map(({ criterion }) => criterion)),
  };
  const there = await standing(context, threads);
  const effects: EffectDraft[] = [];
  const resolved: string[] = [];
  for (const [index, thread] of threads.entries()) {
    const now = there.get(thread.id);
    // Somebody deleted it: there is nobody to answer.
    if (now === undefined) continue;
    const report: ThreadReport | null = reports.find((one) => one.thread === index + 1) ?? null;
    const isPushed = report?.outcome === "fixed" && commit !== null;
    const doubt = isPushed ? doubtAbout(thread, facts) : "";
    const body = render("gitlab/addressed.md", {
      report,
      commit,
      hindrance,
      testWords: testWords[tests.status],
      doubt,
      others: reports.length > 0,
    });
    effects.push({
      name: `reply-${index + 1}`,
      // Named by the note that is answered: an answer to a later one is a note of its own, below it.
      effect: {
        kind: "gitlab.note",
        ...at,
        discussionId: thread.id,
        subject: `address:${thread.id}:${thread.noteId}`,
        body,
        mentions: [],
      },
    });
    if (!isPushed || doubt !== "" || now.more) continue;
    resolved.push(thread.id);
    effects.push({
      name: `resolve-${index + 1}`,
      effect: { kind: "gitlab.resolve", ...at, discussionId: thread.id },
    });
  }
  return { effects, resolved };
}
