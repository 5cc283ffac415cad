/** What a run says on its merge request: one note per request, in the thread where it was asked, edited in place. */
import type { EffectDraft } from "../../domain/effect.ts";
import type { StepContext } from "../step.ts";

/** Where a run about a merge request talks. Throws for a run about a ticket. */
function placeOf({ run }: StepContext): { repository: string; iid: number } {
  const { repository, mergeRequest } = run.target;
  if (mergeRequest === undefined) throw new Error(`run ${run.id} is not about a merge request`);
  return { repository, iid: mergeRequest.iid };
}

/**
 * The effect that answers a run's request; said again in a later step it replaces what was said before. A run that nobody asked for has
 * one note per workflow on its merge request, whatever number of such runs there are.
 * @param body Markdown
 * @param unasked subject of the note where nobody asked; default: the workflow
 */
export function answer(
  context: StepContext,
  body: string,
  name = "answer",
  unasked = context.run.workflow,
): EffectDraft {
  const { target } = context.run;
  const { request } = target;
  return {
    name,
    effect: {
      kind: "gitlab.note",
      ...placeOf(context),
      discussionId: request?.discussionId ?? null,
      subject: request === undefined ? unasked : `answer:${request.noteId}`,
      body,
      mentions: [],
    },
  };
}

/** An emoji on the note of the request; none for a run that nobody asked for. */
export function acknowledge(context: StepContext, emoji = "eyes"): EffectDraft[] {
  const { request } = context.run.target;
  if (request === undefined) return [];
  return [{ name: emoji, effect: { kind: "gitlab.award", ...placeOf(context), noteId: request.noteId, emoji } }];
}
