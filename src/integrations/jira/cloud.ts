/** Jira Cloud behind our ports, on jira.js 6.2. */
import { createCloudClient } from "jira.js";
import type { Ensured } from "../../domain/effect.ts";
import { Permanent, Retryable } from "../../domain/errors.ts";
import type { TicketReader, TicketSearch, TicketWriter } from "../../domain/ports.ts";
import type { Ticket } from "../../domain/ticket.ts";
import type { Log } from "../../platform/log.ts";
import { registerSecret } from "../../platform/redact.ts";
import { fromAdf } from "./adf.ts";
import { actorOf, Issue, IssueLabels, Nothing, RemoteLinks, Written } from "./answers.ts";
import { createCall, createDriftLog } from "./calls.ts";
import { ensureComment, readComments } from "./comments.ts";
import { createTicketSearch } from "./labelled.ts";
import { readMembership } from "./membership.ts";
import { checkedKey, createSite, type Site } from "./site.ts";
import { ensureTransition } from "./transitions.ts";

const ticketFields = [
  "summary",
  "description",
  "status",
  "issuetype",
  "project",
  "labels",
  "reporter",
  "assignee",
  "updated",
];

async function readTicket(site: Site, key: string): Promise<Ticket> {
  const ticket = checkedKey(key);
  await site.identity();
  const issue = await site.call(`read ${ticket}`, Issue, () =>
    site.jira.issues.getIssue({ issueIdOrKey: ticket, fields: ticketFields }),
  );
  const comments = await readComments(site, ticket);
  const { fields } = issue;
  return {
    key: issue.key,
    id: issue.id,
    project: fields.project.key,
    url: await site.browse(issue.key),
    type: fields.issuetype.name,
    summary: fields.summary ?? "",
    description: fromAdf(fields.description),
    status: fields.status.name,
    statusCategory: fields.status.statusCategory?.key ?? "",
    labels: fields.labels ?? [],
    reporter: fields.reporter ? actorOf(fields.reporter) : null,
    assignee: fields.assignee ? actorOf(fields.assignee) : null,
    comments: comments.map((comment) => ({
      id: comment.id,
      author: actorOf(comment.author),
      body: fromAdf(comment.body),
      createdAt: comment.created,
    })),
    updatedAt: fields.updated,
  };
}

async function readLabels(site: Site, ticket: string): Promise<Set<string>> {
  const issue = await site.call(`read labels of ${ticket}`, IssueLabels, () =>
    site.jira.issues.getIssue({ issueIdOrKey: ticket, fields: ["labels"] }),
  );
  return new Set(issue.fields.labels ?? []);
}

async function ensureLabels(site: Site, input: Parameters<TicketWriter["ensureLabels"]>[0]): Promise<Ensured> {
  const ticket = checkedKey(input.ticket);
  const spaced = input.add.find((label) => /\s/.test(label) || label === "");
  if (spaced !== undefined) throw new Permanent(`Jira knows no labels with spaces: ${JSON.stringify(spaced)}`);
  const ref = { id: ticket, url: await site.browse(ticket) };
  const present = await readLabels(site, ticket);
  const missing = [...new Set(input.add)].filter((label) => !present.has(label));
  const unwanted = [...new Set(input.remove)].filter((label) => present.has(label));
  const changes = [...missing.map((add) => ({ add })), ...unwanted.map((remove) => ({ remove }))];
  if (changes.length === 0) return { outcome: "unchanged", ref };
  await site.write(ticket, `change labels of ${ticket}`, Nothing, () =>
    // `fields.labels` would replace the labels that people set meanwhile.
    site.jira.issues.editIssue({ issueIdOrKey: ticket, update: { labels: changes } }),
  );
  // jira.js takes any 2xx for a success here, a proxy's page included.
  const after = await readLabels(site, ticket);
  if (after.size === present.size && [...after].every((label) => present.has(label))) {
    throw new Retryable(`Jira accepted to change the labels of ${ticket}, but they are the same`);
  }
  return { outcome: "updated", ref };
}

async function ensureRemoteLink(site: Site, input: Parameters<TicketWriter["ensureRemoteLink"]>[0]): Promise<Ensured> {
  const { url, title, relationship, globalId } = input;
  const ticket = checkedKey(input.ticket);
  const links = await site.call(`read links of ${ticket}`, RemoteLinks, () =>
    site.jira.issueRemoteLinks.getRemoteIssueLinks({ issueIdOrKey: ticket }),
  );
  const present = links.find((link) => link.globalId === globalId);
  if (
    present !== undefined &&
    present.object.url === url &&
    present.object.title === title &&
    (present.relationship ?? "") === relationship
  ) {
    return { outcome: "unchanged", ref: { id: present.id, url } };
  }
  // Jira upserts by the global id, so a repeated attempt cannot make a second link.
  const written = await site.write(ticket, `link ${ticket} to ${url}`, Written, () =>
    site.jira.issueRemoteLinks.createOrUpdateRemoteIssueLink({
      issueIdOrKey: ticket,
      globalId,
      relationship,
      object: { url, title },
    }),
  );
  return { outcome: present === undefined ? "created" : "updated", ref: { id: written.id, url } };
}

/**
 * Tickets of one Jira Cloud site. `baseUrl` is the site (`https://acme.atlassian.net`) or, for scoped tokens and service
 * accounts, the gateway (`https://api.atlassian.com/ex/jira/<cloudId>`). `timeoutMs` bounds each request (default 30 000).
 * All methods throw Retryable or Permanent (see `createCall`) and never repeat a request by themselves.
 */
export function createJiraCloud(options: {
  baseUrl: string;
  email: string;
  apiToken: string;
  timeoutMs?: number;
  log: Log;
}): TicketReader & TicketSearch & TicketWriter {
  registerSecret(options.apiToken);
  registerSecret(Buffer.from(`${options.email}:${options.apiToken}`).toString("base64"));
  const jira = createCloudClient({
    host: options.baseUrl,
    auth: { type: "basic", email: options.email, apiToken: options.apiToken },
    onSchemaMismatch: createDriftLog(options.log),
    // No `retry`: jira.js would repeat POSTs too, and a comment that got lost on the way back would be there twice.
  });
  const site = createSite({ jira, call: createCall(options.timeoutMs ?? 30_000), baseUrl: options.baseUrl });
  return {
    whoAmI: () => site.whoAmI(),
    readTicket: (key) => readTicket(site, key),
    readMembership: (accountId, project) => readMembership(site, accountId, project),
    ...createTicketSearch(site),
    ensureComment: (input) => ensureComment(site, input),
    ensureTransition: (input) => ensureTransition(site, input),
    ensureLabels: (input) => ensureLabels(site, input),
    ensureRemoteLink: (input) => ensureRemoteLink(site, input),
  };
}
