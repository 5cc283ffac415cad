/** The parts of GitLab's answers that we rely on (REST v4). Everything else in them is ignored. */
import { z } from "zod";
import { Retryable } from "../../domain/errors.ts";
import type { MergeRequest } from "../../domain/ticket.ts";

export const UserAnswer = z.object({ id: z.number().int(), username: z.string(), name: z.string() });

export const ProjectId = z.object({ id: z.number().int() });

export const ProjectAnswer = z.object({
  id: z.number().int(),
  path_with_namespace: z.string(),
  /** null or absent while the repository has no commit. */
  default_branch: z.string().nullish(),
  web_url: z.string(),
});

/** `access_level` of a blocked or not yet admitted member counts for nothing. */
export const MemberAnswer = z.object({
  access_level: z.number().int(),
  state: z.string().optional(),
  membership_state: z.string().optional(),
});

export const MergeRequestAnswer = z.object({
  iid: z.number().int(),
  title: z.string(),
  description: z.string().nullable(),
  state: z.enum(["opened", "closed", "locked", "merged"]),
  draft: z.boolean(),
  source_branch: z.string(),
  target_branch: z.string(),
  source_project_id: z.number().int().nullable(),
  target_project_id: z.number().int(),
  sha: z.string().nullish(),
  labels: z.array(z.string()),
  author: z.object({ id: z.number().int() }),
  web_url: z.string(),
});
export type MergeRequestAnswer = z.infer<typeof MergeRequestAnswer>;

/**
 * Checks an answer. Throws Retryable naming the field that is not as GitLab's documentation says: it comes from somebody between us
 * and GitLab, or from a GitLab in trouble, and whatever was asked for may have happened.
 */
export function checked<T>(schema: z.ZodType<T>, answer: unknown, what: string): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const place = issue === undefined || issue.path.length === 0 ? "" : ` at ${issue.path.join(".")}`;
  throw new Retryable(`GitLab's ${what} is not in the expected shape${place}: ${issue?.message ?? "unreadable"}`);
}

/** A merge request in our words. */
export function toMergeRequest(answer: MergeRequestAnswer): MergeRequest {
  return {
    iid: answer.iid,
    url: answer.web_url,
    title: answer.title,
    body: answer.description ?? "",
    state: answer.state,
    draft: answer.draft,
    sourceBranch: answer.source_branch,
    targetBranch: answer.target_branch,
    sha: answer.sha ?? null,
    labels: answer.labels,
    authorId: String(answer.author.id),
  };
}
