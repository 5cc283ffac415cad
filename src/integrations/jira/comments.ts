/** Comments of a ticket: reading all of them, and keeping exactly one per marker. */
import type { Ensured } from "../../domain/effect.ts";
import { Permanent, Retryable } from "../../domain/errors.ts";
import type { TicketWriter } from "../../domain/ports.ts";
import { type AdfDoc, sameAdf, toAdf } from "./adf.ts";
import { type Comment, CommentPage, Nothing, Property, Written } from "./answers.ts";
import { checkedKey, type Site } from "./site.ts";

/** Comment property that holds our marker. People do not see it and an edit of the text does not touch it. */
export const markerProperty = "ticketsmith";

/** Jira's own maximum for this endpoint is 5000; bodies may be long. */
const pageSize = 100;

/**
 * All comments of a ticket, oldest first, with their properties where Jira sends them.
 * Read from the issue and never through search, which lags behind.
 */
export async function readComments(site: Site, ticket: string): Promise<Comment[]> {
  const found = new Map<string, Comment>();
  for (let startAt = 0; ; ) {
    const page = await site.call(`read comments of ${ticket}`, CommentPage, () =>
      site.jira.issueComments.getComments({
        issueIdOrKey: ticket,
        startAt,
        maxResults: pageSize,
        orderBy: "created",
        expand: "properties",
      }),
    );
    for (const comment of page.comments) found.set(comment.id, comment);
    // Jira may answer with fewer than we asked for, so the next page starts after what really came.
    startAt += page.comments.length;
    if (page.comments.length === 0 || startAt >= (page.total ?? startAt)) return [...found.values()];
  }
}

function markerIn(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !("marker" in value)) return undefined;
  return typeof value.marker === "string" ? value.marker : undefined;
}

/** `expand=properties` works on Cloud but is not documented; where it did not, the property is asked for. */
async function markerOf(site: Site, comment: Comment): Promise<string | undefined> {
  if (comment.properties) {
    return markerIn(comment.properties.find((property) => property.key === markerProperty)?.value);
  }
  try {
    const property = await site.call(`read marker of comment ${comment.id}`, Property, () =>
      site.jira.issueCommentProperties.getCommentProperty({ commentId: comment.id, propertyKey: markerProperty }),
    );
    return markerIn(property.value);
  } catch (error) {
    if (error instanceof Permanent && error.status === 404) return undefined;
    throw error;
  }
}

async function ownWithMarker(site: Site, ticket: string, marker: string): Promise<Comment[]> {
  const me = await site.identity();
  const own = (await readComments(site, ticket)).filter((comment) => comment.author?.accountId === me.id);
  const marked: Comment[] = [];
  for (const comment of own) if ((await markerOf(site, comment)) === marker) marked.push(comment);
  // Ids grow with time; the oldest is the one that people have already linked to.
  return marked.sort((a, b) => Number(a.id) - Number(b.id));
}

async function create(site: Site, ticket: string, body: AdfDoc, properties: object[]): Promise<string> {
  const made = await site.write(ticket, `comment on ${ticket}`, Written, () =>
    // Always ADF: given a string, jira.js 6.2 makes two requests and drops the properties.
    site.jira.issueComments.addComment({ issueIdOrKey: ticket, body: body as never, properties: properties as never }),
  );
  return made.id;
}

/** Somebody may delete a comment between our look and our write: the next attempt sees the new state. */
async function gone<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Permanent && error.status === 404) throw new Retryable(`${what} is gone`, { cause: error });
    throw error;
  }
}

/**
 * One comment of ours with this marker, with this text. Duplicates (two attempts that overlapped) are reduced to the oldest.
 * Throws Retryable or Permanent; after Retryable the comment may exist, and calling again finds it.
 */
export async function ensureComment(site: Site, input: Parameters<TicketWriter["ensureComment"]>[0]): Promise<Ensured> {
  const ticket = checkedKey(input.ticket);
  const body = toAdf(input.body);
  const properties = [{ key: markerProperty, value: { marker: input.marker } }];
  const address = await site.browse(ticket);
  const answer = (outcome: Ensured["outcome"], id: string): Ensured => ({
    outcome,
    ref: { id, url: `${address}?focusedCommentId=${id}` },
  });

  const [kept, ...surplus] = await ownWithMarker(site, ticket, input.marker);
  if (kept === undefined) return answer("created", await create(site, ticket, body, properties));

  const { id } = kept;
  const isSame = sameAdf(kept.body, body);
  if (!isSame) {
    const update = site.write(ticket, `edit comment ${id} of ${ticket}`, Written, () =>
      // The properties go along although Jira keeps them by itself: without the marker the comment would be lost to us.
      site.jira.issueComments.updateComment({
        issueIdOrKey: ticket,
        id,
        body: { body: body as never, properties: properties as never },
      }),
    );
    await gone(`Comment ${id} of ${ticket}`, update);
  }
  for (const { id: extra } of surplus) {
    const removal = site.write(ticket, `delete duplicate comment ${extra} of ${ticket}`, Nothing, () =>
      site.jira.issueComments.deleteComment({ issueIdOrKey: ticket, id: extra }),
    );
    await gone(`Comment ${extra} of ${ticket}`, removal);
  }
  return answer(isSame && surplus.length === 0 ? "unchanged" : "updated", id);
}
