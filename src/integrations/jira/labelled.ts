/** Finding tickets by label, and who put a label on them. */
import { z } from "zod";
import { Retryable } from "../../domain/errors.ts";
import type { TicketSearch } from "../../domain/ports.ts";
import type { LabelChange, LabelledTicket } from "../../domain/ticket.ts";
import { actorOf, time, User } from "./answers.ts";
import { checkedKey, type Site } from "./site.ts";

/** Tickets per page of a search; Jira gives up to 5,000 where few fields are asked for. */
const pageSize = 100;

/** More than anybody labels within a week, and a bound against a server whose last page never comes. */
const mostPages = 100;

const FoundPage = z.looseObject({
  issues: z
    .array(
      z.looseObject({
        id: z.string(),
        key: z.string(),
        fields: z.looseObject({
          project: z.looseObject({ key: z.string() }),
          labels: z.array(z.string()).nullish(),
          creator: User.nullish(),
          created: time,
        }),
      }),
    )
    .nullish(),
  nextPageToken: z.string().nullish(),
});

/** Jira calls the new text `toString`: as an own property it makes every `String(item)` throw, so it is renamed at once. */
const Item = z.preprocess(
  (item) => {
    const own = (name: string): unknown =>
      typeof item === "object" && item !== null && Object.hasOwn(item, name)
        ? (item as Record<string, unknown>)[name]
        : undefined;
    return { field: own("field"), fieldId: own("fieldId"), before: own("fromString"), after: own("toString") };
  },
  z.object({
    field: z.string().nullish(),
    fieldId: z.string().nullish(),
    before: z.string().nullish(),
    after: z.string().nullish(),
  }),
);

const Changelog = z.looseObject({
  values: z
    .array(
      z.looseObject({
        id: z.union([z.string(), z.number()]).transform(String),
        author: User.nullish(),
        created: time,
        items: z.array(Item).nullish(),
      }),
    )
    .nullish(),
  total: z.number().nullish(),
  isLast: z.boolean().nullish(),
});
type Entry = NonNullable<z.infer<typeof Changelog>["values"]>[number];

/** A text in JQL. Quotes and backslashes are escaped by a backslash (support.atlassian.com, "JQL: reserved characters"). */
function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

async function findLabelled(
  site: Site,
  { projects, labels, minutes }: Parameters<TicketSearch["findLabelled"]>[0],
): Promise<LabelledTicket[]> {
  if (projects.length === 0 || labels.length === 0) return [];
  // To a dead token Jira answers what strangers see: nothing.
  await site.identity();
  const list = (texts: readonly string[]): string => texts.map(quoted).join(", ");
  // Relative, since Jira reads a date in the time zone of the account's profile.
  const within = `updated >= "-${Math.max(1, Math.ceil(minutes))}m"`;
  const jql = `project in (${list(projects)}) AND labels in (${list(labels)}) AND ${within} ORDER BY created ASC`;
  const found: LabelledTicket[] = [];
  let nextPageToken: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const answer = await site.call("search for labelled tickets", FoundPage, () =>
      // There is a POST for longer queries; a GET cannot be taken for a write, by nobody on the way.
      site.jira.issueSearch.searchAndReconsileIssuesUsingJql({
        jql,
        fields: ["project", "labels", "creator", "created"],
        maxResults: pageSize,
        ...(nextPageToken === undefined ? {} : { nextPageToken }),
      }),
    );
    for (const { id, key, fields } of answer.issues ?? []) {
      found.push({
        id,
        key,
        project: fields.project.key,
        labels: fields.labels ?? [],
        creator: fields.creator ? actorOf(fields.creator) : null,
        createdAt: fields.created,
      });
    }
    if (!answer.nextPageToken) return found;
    nextPageToken = answer.nextPageToken;
  }
  throw new Retryable(`Jira's search for labelled tickets has more than ${mostPages} pages`);
}

/** Labels are written as one text, separated by spaces (a label cannot hold one). */
function words(text: string | null | undefined): string[] {
  return (text ?? "").split(/\s+/).filter((word) => word !== "");
}

function toLabelChange(entry: Entry): LabelChange | null {
  // Where there is an id, the name may be translated, or that of a custom field that somebody called "Labels".
  const item = entry.items?.find(({ field, fieldId }) =>
    fieldId ? fieldId === "labels" : field?.toLowerCase() === "labels",
  );
  if (item === undefined) return null;
  const [before, after] = [words(item.before), words(item.after)];
  return {
    id: entry.id,
    at: entry.created,
    actor: entry.author ? actorOf(entry.author) : null,
    added: after.filter((label) => !before.includes(label)),
    removed: before.filter((label) => !after.includes(label)),
  };
}

async function readLabelChanges(site: Site, ticket: { key: string; id: string }): Promise<LabelChange[]> {
  const key = checkedKey(ticket.key);
  await site.identity();
  const changes: LabelChange[] = [];
  let startAt = 0;
  for (let page = 0; page < mostPages; page += 1) {
    const answer = await site.call(`read changes of ${key}`, Changelog, () =>
      site.jira.issues.getChangeLogs({ issueIdOrKey: key, startAt, maxResults: pageSize }),
    );
    const entries = answer.values ?? [];
    changes.push(...entries.map(toLabelChange).filter((change) => change !== null));
    startAt += entries.length;
    if (entries.length === 0 || answer.isLast === true || startAt >= (answer.total ?? 0)) break;
  }
  return changes.sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

/** The searching half of the adapter. Throws as all of it does: Retryable or Permanent. */
export function createTicketSearch(site: Site): TicketSearch {
  return {
    findLabelled: (input) => findLabelled(site, input),
    readLabelChanges: (ticket) => readLabelChanges(site, ticket),
  };
}
