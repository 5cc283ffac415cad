/** First step of every run about a merge request: see what it is now, and whether there is anything to do. */
import type { z } from "zod";
import { Permanent } from "../../domain/errors.ts";
import type { MergeRequestState, Thread } from "../../domain/merge-request.ts";
import { changesCode, ticketOf } from "../../domain/run.ts";
import type { Ticket } from "../../domain/ticket.ts";
import { render } from "../../platform/template.ts";
import { readGuide, readRules } from "../rules/guide.ts";
import type { Step, StepContext } from "../step.ts";
import { acknowledge, answer } from "./answer.ts";
import { looked } from "./outputs.ts";
import { threadText } from "./thread-text.ts";

type Looked = z.infer<typeof looked.output>;

/** Why there is nothing to do, as a name that the template knows; null: go on. */
function obstacle(context: StepContext, found: MergeRequestState): string | null {
  const { workflow, target } = context.run;
  if (found.state !== "opened") return "closed";
  if (found.refs === null || found.sha === null) return "preparing";
  if (target.sha !== undefined && target.sha !== found.sha) return "moved";
  if (found.fork && changesCode(workflow)) return "fork";
  return null;
}

/** The ticket of a run; null when it has none, or it is not there (any more). */
async function readTicket(context: StepContext): Promise<Ticket | null> {
  const key = ticketOf(context.run.target);
  if (key === null) return null;
  try {
    return await context.services.tickets.readTicket(key);
  } catch (error) {
    if (error instanceof Permanent && (error.status === 404 || error.status === 403)) return null;
    throw error;
  }
}

async function threadOfRequest(context: StepContext, iid: number): Promise<Thread | null> {
  const { repository, request } = context.run.target;
  if (request?.discussionId == null) return null;
  const threads = await context.services.reviews.listThreads({ repository, iid });
  return threads.find(({ id }) => id === request.discussionId) ?? null;
}

async function see(context: StepContext, found: MergeRequestState): Promise<Looked> {
  const { run, services } = context;
  const { repository: path, request } = run.target;
  const { refs, sha } = found;
  if (refs === null || sha === null) throw new Error("a merge request that is being prepared was not stopped at");
  const repository = await services.code.readProject(path);
  const self = await services.code.whoAmI();
  const ticket = await readTicket(context);
  const thread = await threadOfRequest(context, found.iid);
  const workspace = await services.workspaces.open({ runId: run.id, project: repository, base: sha });
  const rules = await readRules(context, repository, { workspace, branch: found.sourceBranch });
  const wish = [request?.command ?? run.workflow, request?.argument ?? ""].join(" ").trim();
  return {
    understanding: {
      summary: wish.slice(0, 2000),
      kind: "feature",
      acceptanceCriteria: [wish.slice(0, 300)],
      outOfScope: [],
      questions: [],
    },
    ticket:
      ticket === null
        ? { key: run.target.ticket, url: found.url, summary: found.title }
        : { key: ticket.key, url: ticket.url, summary: ticket.summary },
    repository,
    targetBranch: found.targetBranch,
    base: sha,
    rules,
    guide: await readGuide(workspace),
    mergeRequest: {
      iid: found.iid,
      url: found.url,
      title: found.title,
      body: found.body,
      author: found.author,
      sourceBranch: found.sourceBranch,
      targetBranch: found.targetBranch,
      sha,
      draft: found.draft,
      own: found.author.id === self.id,
    },
    refs,
    ticketText: ticket === null ? null : `${ticket.summary}\n\n${ticket.description}`.trim(),
    threadText: threadText(thread?.notes ?? []),
    selection: thread?.position ?? null,
  };
}

/** What `looked` has of a run that ended at once. */
function nothingSeen(context: StepContext, found: MergeRequestState): Looked {
  const { run } = context;
  const sha = found.sha ?? "";
  return {
    understanding: {
      summary: run.workflow,
      kind: "chore",
      acceptanceCriteria: [run.workflow],
      outOfScope: [],
      questions: [],
    },
    ticket: { key: run.target.ticket, url: found.url, summary: found.title },
    repository: { id: 0, path: run.target.repository, url: found.url, cloneUrl: "", defaultBranch: found.targetBranch },
    targetBranch: found.targetBranch,
    base: sha,
    rules: { instructions: "", ignored: [] },
    guide: "",
    mergeRequest: { ...found, sha, body: "", own: false },
    refs: { base: "", start: "", head: sha },
    ticketText: null,
    threadText: "",
    selection: null,
  };
}

export const look: Step<Looked> = {
  ...looked,

  async announce(context) {
    return acknowledge(context);
  },

  async execute(context) {
    const { repository, mergeRequest, request } = context.run.target;
    if (mergeRequest === undefined) throw new Error("there is no merge request to look at");
    const found = await context.services.reviews.readMergeRequest({ repository, iid: mergeRequest.iid });
    const why = obstacle(context, found);
    if (why === null) return { output: await see(context, found), effects: [], next: { kind: "continue" } };
    const words = render("gitlab/obstacle.md", { why }).trim();
    return {
      output: nothingSeen(context, found),
      // Nobody waits for a word on what nobody asked for.
      effects: request === undefined ? [] : [answer(context, words)],
      next: { kind: "end", state: "cancelled", reason: words },
    };
  },
};
