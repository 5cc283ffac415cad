/** What a repository asks of whoever pushes and merges. */
import { Branches, MergeRequestApprovals, ProjectPushRules, Projects, ProtectedBranches } from "@gitbeaker/rest";
import { z } from "zod";
import { Permanent } from "../../domain/errors.ts";
import type { RepositoryRules } from "../../domain/merge-request.ts";
import type { ReviewReader } from "../../domain/ports.ts";
import type { createPeople } from "./people.ts";
import { type Account, allPages, type Resource } from "./resource.ts";
import { checked } from "./schemas.ts";

/** `merge_requests_enabled` is what older servers say, `merge_requests_access_level` the newer word. */
const ProjectAnswer = z.object({
  archived: z.boolean().nullish(),
  merge_requests_enabled: z.boolean().nullish(),
  merge_requests_access_level: z.string().nullish(),
});

const PushRuleAnswer = z.object({
  branch_name_regex: z.string().nullish(),
  author_email_regex: z.string().nullish(),
  commit_message_regex: z.string().nullish(),
  commit_message_negative_regex: z.string().nullish(),
  reject_unsigned_commits: z.boolean().nullish(),
  member_check: z.boolean().nullish(),
  /** Megabytes. */
  max_file_size: z.number().nullish(),
});

/** One of `access_level` (a role; 0 is nobody), `user_id` and `group_id` says who may push. */
const ProtectedBranchAnswer = z.object({
  name: z.string(),
  push_access_levels: z.array(
    z.object({
      access_level: z.number().int().nullish(),
      user_id: z.number().int().nullish(),
      group_id: z.number().int().nullish(),
      deploy_key_id: z.number().int().nullish(),
    }),
  ),
});
type ProtectedBranchAnswer = z.infer<typeof ProtectedBranchAnswer>;

const BranchAnswer = z.object({
  protected: z.boolean(),
  can_push: z.boolean(),
  developers_can_push: z.boolean(),
});

const UserAnswer = z.object({ user: z.object({ id: z.number().int(), username: z.string() }) });

/** Without approval rules (Free tier) there is no `approvals_left`. */
const ApprovalsAnswer = z.object({
  approvals_left: z.number().int().nullish(),
  approved_by: z.array(UserAnswer).nullish(),
});

const NOBODY = 60;
const DEVELOPER = 30;
const MAINTAINER = 40;

/** What the call gives, or null where GitLab says that there is none (404) or that it is not for us (403). */
async function ifThere<T>(call: Promise<T>): Promise<T | null> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof Permanent && (error.status === 404 || error.status === 403)) return null;
    throw error;
  }
}

/** GitLab's wildcards: `*` stands for any characters, slashes included (docs.gitlab.com, "Protected branches"). */
export function matchesBranch(pattern: string, branch: string): boolean {
  const source = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${source.join(".*")}$`, "s").test(branch);
}

/** An empty expression is none. */
const orNull = (text: string | null | undefined): string | null => (text == null || text === "" ? null : text);

/** Throws as all of the adapter does: Retryable or Permanent. */
export function createRuleReader(
  resource: Resource,
  account: Account,
  people: ReturnType<typeof createPeople>,
): Pick<ReviewReader, "readRules" | "readApprovals"> {
  const projects = new Projects(resource);
  const pushRules = new ProjectPushRules(resource);
  const protectedBranches = new ProtectedBranches(resource);
  const branches = new Branches(resource);
  const approvals = new MergeRequestApprovals(resource);

  async function readPushRules(repository: string): Promise<RepositoryRules["pushRules"]> {
    const answer: unknown = await ifThere(pushRules.show(repository));
    // Where push rules exist but nobody set one, the answer is `null`.
    const rule = checked(PushRuleAnswer.nullable(), answer, "push rules");
    return rule === null
      ? null
      : {
          branchName: orNull(rule.branch_name_regex),
          authorEmail: orNull(rule.author_email_regex),
          commitMessage: orNull(rule.commit_message_regex),
          commitMessageNot: orNull(rule.commit_message_negative_regex),
          signedCommits: rule.reject_unsigned_commits ?? false,
          memberCheck: rule.member_check ?? false,
          maxFileMb: rule.max_file_size ?? 0,
        };
  }

  /** Level that one rule asks of us. A right given to our account or a group of ours needs no level. */
  async function levelFor(rule: ProtectedBranchAnswer, ourId: string): Promise<number> {
    const levels = await Promise.all(
      rule.push_access_levels.map(async (entry) => {
        if (entry.user_id != null) return String(entry.user_id) === ourId ? 0 : NOBODY;
        if (entry.group_id != null) {
          return (await people.isInGroup({ group: String(entry.group_id), userId: ourId })) ? 0 : NOBODY;
        }
        if (entry.deploy_key_id != null) return NOBODY;
        return entry.access_level == null || entry.access_level === 0 ? NOBODY : entry.access_level;
      }),
    );
    return Math.min(NOBODY, ...levels);
  }

  async function readProtection(repository: string, branch: string, ourId: string) {
    const answers: unknown = await ifThere(protectedBranches.all(repository, allPages));
    if (answers !== null) {
      const rules = checked(ProtectedBranchAnswer.array(), answers, "list of protected branches");
      const matching = rules.filter(({ name }) => matchesBranch(name, branch));
      if (matching.length === 0) return null;
      // Of several rules the most permissive one counts (docs.gitlab.com, "When a branch matches multiple rules").
      return { pushLevel: Math.min(...(await Promise.all(matching.map((rule) => levelFor(rule, ourId))))) };
    }
    // Some servers show the rules to maintainers only; an existing branch tells how it is protected.
    const answer: unknown = await ifThere(branches.show(repository, branch));
    const found = checked(BranchAnswer.nullable(), answer, "branch");
    if (found === null || !found.protected) return null;
    return { pushLevel: found.can_push ? 0 : found.developers_can_push ? DEVELOPER : MAINTAINER };
  }

  return {
    async readRules({ repository, branch }) {
      const me = await account.me();
      const [answer, level, rules, protection] = await Promise.all([
        projects.show(repository) as Promise<unknown>,
        people.readAccessLevel({ repository, userId: me.id }),
        readPushRules(repository),
        readProtection(repository, branch, me.id),
      ]);
      const project = checked(ProjectAnswer, answer, "project");
      return {
        archived: project.archived ?? false,
        mergeRequestsEnabled:
          project.merge_requests_enabled !== false && project.merge_requests_access_level !== "disabled",
        pushRules: rules,
        protection,
        level,
      };
    },

    async readApprovals({ repository, iid }) {
      const answer: unknown = await ifThere(approvals.showConfiguration(repository, { mergerequestIId: iid }));
      const found = checked(ApprovalsAnswer.nullable(), answer, "approvals");
      return {
        left: found?.approvals_left ?? 0,
        by: (found?.approved_by ?? []).map(({ user }) => ({ id: String(user.id), name: user.username })),
      };
    },
  };
}
