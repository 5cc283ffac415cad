/** Where merge requests stand, for those who were not told. */
import type { MergeRequests } from "@gitbeaker/rest";
import { z } from "zod";
import type { CodeSearch } from "../../domain/ports.ts";
import { checked } from "./schemas.ts";

const RequestAnswer = z.object({
  iid: z.number().int(),
  state: z.enum(["opened", "closed", "locked", "merged"]),
  source_branch: z.string(),
  sha: z.string().nullish(),
  updated_at: z.string(),
});

/** `head_pipeline` is that of the newest commit; null while there is none. */
const HeadAnswer = z.object({
  head_pipeline: z
    .object({
      id: z.number().int(),
      status: z.string(),
      ref: z.string(),
      sha: z.string(),
      updated_at: z.string().nullish(),
    })
    .nullish(),
});

/** Throws as all of the adapter does: Retryable or Permanent. */
export function createCodeSearch(mergeRequests: MergeRequests): CodeSearch {
  async function newestPipeline(repository: string, iid: number) {
    // Lists of merge requests leave the pipeline out.
    const answer: unknown = await mergeRequests.show(repository, iid);
    const { head_pipeline: found } = checked(HeadAnswer, answer, "merge request");
    if (found == null) return null;
    const { id, status, ref, sha, updated_at: updatedAt } = found;
    return { id, status, ref, sha, updatedAt: updatedAt ?? new Date(0).toISOString() };
  }

  return {
    async listStandings({ repository, authorId, since }) {
      const of = { projectId: repository, authorId: Number(authorId), page: 1, perPage: 100 } as const;
      // A pipeline that ends does not touch its merge request, so the open ones are listed whenever they changed.
      const open: unknown = await mergeRequests.all({ ...of, state: "opened" });
      const changed: unknown = await mergeRequests.all({ ...of, updatedAfter: since });
      const all = [open, changed].flatMap((list) => checked(RequestAnswer.array(), list, "list of merge requests"));
      const byNumber = new Map(all.map((answer) => [answer.iid, answer]));
      return Promise.all(
        [...byNumber.values()].map(async ({ iid, state, source_branch: sourceBranch, sha, updated_at: updatedAt }) => {
          const pipeline = state === "opened" ? await newestPipeline(repository, iid) : null;
          return { iid, state, sourceBranch, sha: sha ?? null, updatedAt, pipeline };
        }),
      );
    },
  };
}
