/** Before anything is paid for: whether the repository would take the branch, the commit and the merge request at all. */
import { z } from "zod";
import type { RepositoryRules } from "../domain/merge-request.ts";
import { matchesRe2 } from "../platform/re2.ts";
import { render } from "../platform/template.ts";
import { branchOf } from "./publish.ts";
import { statusComment } from "./status.ts";
import type { Step, StepContext } from "./step.ts";

/** GitLab's access levels (docs.gitlab.com, "Members API"). */
const developer = 30;

/** Nobody has this address, whatever GitLab they are on. */
const noAddress = /@localhost\.localdomain$/;

/** Something that stands in the way; the words are in the template. */
export interface Obstacle {
  readonly kind:
    | ("archived" | "requests" | "level" | "protected" | "nobody" | "signed")
    | ("branch" | "author" | "message" | "forbidden" | "member");
  /** What it is about: a branch, an address, an expression. */
  readonly about: string;
  /** The expression that is not met. */
  readonly pattern: string;
}

/** What would be pushed. */
export interface Planned {
  readonly branch: string;
  readonly email: string;
  readonly message: string;
}

/** Everything that the rules have against what would be pushed. What cannot be known is no obstacle. */
export function obstaclesTo({ branch, email, message }: Planned, rules: RepositoryRules): Obstacle[] {
  const found: Obstacle[] = [];
  const add = (kind: Obstacle["kind"], about = "", pattern = ""): number => found.push({ kind, about, pattern });
  if (rules.archived) add("archived");
  if (!rules.mergeRequestsEnabled) add("requests");
  if (rules.level < developer) add("level", String(rules.level));
  const pushLevel = rules.protection?.pushLevel ?? 0;
  if (pushLevel > 50) add("nobody", branch);
  else if (pushLevel > rules.level) add("protected", branch, String(pushLevel));
  const push = rules.pushRules;
  if (push === null) return found;
  const breaks = (pattern: string | null, text: string, multiline = false): pattern is string =>
    pattern !== null && matchesRe2(pattern, text, { multiline }) === false;
  if (breaks(push.branchName, branch)) add("branch", branch, push.branchName);
  if (breaks(push.authorEmail, email)) add("author", email, push.authorEmail);
  if (breaks(push.commitMessage, message, true)) add("message", message.split("\n")[0], push.commitMessage);
  const { commitMessageNot: forbidden } = push;
  if (forbidden !== null && matchesRe2(forbidden, message, { multiline: true }) === true) {
    add("forbidden", message.split("\n")[0], forbidden);
  }
  if (push.signedCommits) add("signed");
  if (push.memberCheck && noAddress.test(email)) add("member", email);
  return found;
}

/** The commit as it will be, but for the words that are still to be found. */
async function planOf(context: StepContext): Promise<Planned> {
  const { run, services } = context;
  const ticket = await services.tickets.readTicket(run.target.ticket);
  const { key, url, summary } = ticket;
  const message = render("gitlab/commit-message.txt", {
    ticket: { key, url },
    title: summary.slice(0, 120),
    summary,
    runId: run.id,
  });
  return { branch: branchOf(run.target.ticket), email: services.policy.author.email, message };
}

export const preflight: Step<{ obstacles: string[] }> = {
  name: "preflight",
  output: z.object({ obstacles: z.array(z.string()) }),

  async execute(context) {
    const { repository, ticket } = context.run.target;
    const planned = await planOf(context);
    const rules = await context.services.reviews.readRules({ repository, branch: planned.branch });
    const found = obstaclesTo(planned, rules);
    const output = { obstacles: found.map(({ kind }) => kind) };
    if (found.length === 0) return { output, effects: [], next: { kind: "continue" } };
    const [first, ...others] = found.map((obstacle) => render("jira/preflight.md", { obstacle, repository }).trim());
    const body = statusComment(context, {
      state: "needs_human",
      headline: "GitLab would not take my work, so I have not begun",
      needs: first ?? null,
      hints: others.length === 0 ? null : others.map((text) => `- ${text}`).join("\n"),
    });
    return {
      output,
      effects: [{ name: "refused", effect: { kind: "jira.status", ticket, body } }],
      next: { kind: "end", state: "needs_human", reason: [first, ...others].join(" ") },
    };
  },
};
