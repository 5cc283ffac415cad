/** A merge request itself: what it is now, its description, its draft state, and merging it. */
import { MergeRequests } from "@gitbeaker/rest";
import { z } from "zod";
import type { Ensured } from "../../domain/effect.ts";
import { Permanent, Retryable } from "../../domain/errors.ts";
import type { MergeRequestState } from "../../domain/merge-request.ts";
import type { ReviewReader, ReviewWriter } from "../../domain/ports.ts";
import { sameNewlines, withBlock } from "./description.ts";
import type { OnMergeRequest, Resource } from "./resource.ts";
import { checked, MergeRequestAnswer, toMergeRequest } from "./schemas.ts";
import { bareTitle } from "./title.ts";

const PipelineAnswer = z.object({ id: z.number().int(), status: z.string(), sha: z.string(), web_url: z.string() });

/** `head_pipeline` is that of the newest commit; `diff_refs` is null, or has nulls in it, until GitLab has looked at the commits. */
const StateAnswer = MergeRequestAnswer.extend({
  author: z.object({ id: z.number().int(), username: z.string() }),
  diff_refs: z
    .object({ base_sha: z.string().nullish(), start_sha: z.string().nullish(), head_sha: z.string().nullish() })
    .nullish(),
  has_conflicts: z.boolean().nullish(),
  detailed_merge_status: z.string().nullish(),
  head_pipeline: PipelineAnswer.nullish(),
});
type StateAnswer = z.infer<typeof StateAnswer>;

/** GitLab has not found out yet whether it can be merged (docs.gitlab.com/api/merge_requests, "Merge status"). */
const undecided = new Set(["checking", "unchecked", "preparing", "approvals_syncing"]);

const CHECK_AGAIN_MS = 3000;

/** One look at a merge request, as GitLab describes it. */
export async function showMergeRequest(
  mergeRequests: MergeRequests,
  { repository, iid }: OnMergeRequest,
): Promise<MergeRequestState> {
  return toState(checked(StateAnswer, await mergeRequests.show(repository, iid), "merge request"));
}

function toState(answer: StateAnswer): MergeRequestState {
  const { author, diff_refs: refs, head_pipeline: pipeline } = answer;
  const [base, start, head] = [refs?.base_sha, refs?.start_sha, refs?.head_sha];
  return {
    ...toMergeRequest(answer),
    author: { id: String(author.id), name: author.username },
    refs: base == null || start == null || head == null ? null : { base, start, head },
    fork: answer.source_project_id !== answer.target_project_id,
    hasConflicts: answer.has_conflicts ?? false,
    mergeStatus: answer.detailed_merge_status ?? "",
    pipeline:
      pipeline == null ? null : { id: pipeline.id, status: pipeline.status, sha: pipeline.sha, url: pipeline.web_url },
  };
}

type StateAccess = Pick<ReviewReader, "readMergeRequest"> &
  Pick<ReviewWriter, "ensureDescription" | "ensureReady" | "ensureMerged">;

/** Throws as all of the adapter does: Retryable or Permanent. */
export function createStateAccess(resource: Resource): StateAccess {
  const mergeRequests = new MergeRequests(resource);
  const show = (at: OnMergeRequest): Promise<MergeRequestState> => showMergeRequest(mergeRequests, at);
  const done = (outcome: Ensured["outcome"], { iid, url }: { iid: number; url: string }): Ensured => ({
    outcome,
    ref: { id: String(iid), url },
  });

  return {
    readMergeRequest: show,

    async ensureDescription({ repository, iid, marker, body }) {
      const found = await show({ repository, iid });
      const current = sameNewlines(found.body);
      const description = withBlock(current, marker, body);
      if (description.trim() === current.trim()) return done("unchanged", found);
      await mergeRequests.edit(repository, iid, { description });
      return done("updated", found);
    },

    async ensureReady({ repository, iid, sha }) {
      const found = await show({ repository, iid });
      requireHead(found, sha);
      if (!found.draft) return done("unchanged", found);
      requireOpen(found);
      await mergeRequests.edit(repository, iid, { title: bareTitle(found.title) });
      return done("updated", found);
    },

    async ensureMerged({ repository, iid, sha }) {
      const found = await show({ repository, iid });
      requireHead(found, sha);
      if (found.state === "merged") return done("unchanged", found);
      requireOpen(found);
      if (undecided.has(found.mergeStatus)) {
        throw new Retryable(`GitLab is still checking whether !${iid} can be merged`, { afterMs: CHECK_AGAIN_MS });
      }
      const answer: unknown = await mergeRequests.merge(repository, iid, { sha }).catch(mayNotMerge);
      const { state } = checked(MergeRequestAnswer, answer, "merge request");
      // Somewhere between our call and its answer: the next look tells.
      if (state !== "merged") throw new Retryable(`!${iid} is being merged`, { afterMs: CHECK_AGAIN_MS });
      return done("updated", found);
    },
  };
}

/** Here a 401 is no dead token: GitLab says so to accounts that may not merge into the branch (docs.gitlab.com, "Merge a merge request"). */
function mayNotMerge(error: unknown): never {
  if (!(error instanceof Permanent) || error.status !== 401) throw error;
  throw new Permanent("the account of the bot may not merge into this branch", { status: 403, cause: error });
}

/** 409 is what GitLab itself answers to a merge with an old commit. */
export function requireHead({ iid, sha: head }: Pick<MergeRequestState, "iid" | "sha">, sha: string): void {
  if (head === sha) return;
  throw new Permanent(`the newest commit of !${iid} is ${head?.slice(0, 12) ?? "unknown"}, not ${sha.slice(0, 12)}`, {
    status: 409,
  });
}

function requireOpen({ iid, state }: MergeRequestState): void {
  // `locked` is a merge that is under way.
  if (state === "locked") throw new Retryable(`!${iid} is being merged`, { afterMs: CHECK_AGAIN_MS });
  if (state !== "opened") throw new Permanent(`!${iid} is ${state}`, { status: 405 });
}
