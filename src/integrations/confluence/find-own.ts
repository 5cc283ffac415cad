/** Finding our page again: by title, by label, among the newest and among the children of its parent. */

import { z } from "zod";
import type { Marker } from "../../domain/ports.ts";
import type { ConfluenceApi, RemotePage } from "./api.ts";
import { ownBlockIn } from "./own-block.ts";

/** Key of the content property, and the label that every page of ours carries. */
export const ownKey = "ticketsmith";

/** Value of the content property. */
export const Written = z.object({
  marker: z.string(),
  /** Digest of the content as last written. */
  sha256: z.string(),
  /** Title as last written, and the one that was asked for then (they differ when the first was taken). */
  title: z.string(),
  wanted: z.string(),
});
export type Written = z.infer<typeof Written>;

/** A value for a CQL string. */
export function quote(text: string): string {
  return `"${text.replace(/[\\"]/g, "\\$&")}"`;
}

/**
 * Whether a page is the one with this marker: made by our account, and marked in its body or, where a person removed the anchors,
 * by its property. A copy that somebody made has another author and is not ours.
 */
async function isOwn(api: ConfluenceApi, page: RemotePage, marker: Marker, me: string): Promise<boolean> {
  if (page.authorId !== me) return false;
  const block = ownBlockIn(page.storage);
  if (block !== null) return block.marker === marker;
  const written = Written.safeParse((await api.property(page.id, ownKey))?.value);
  return written.success && written.data.marker === marker;
}

/** The first of the pages that is ours. Oldest first, so that two workers agree. */
export async function pickOwn(
  api: ConfluenceApi,
  pages: readonly RemotePage[],
  marker: Marker,
  me: string,
): Promise<RemotePage | null> {
  for (const page of [...pages].sort((a, b) => Number(a.id) - Number(b.id))) {
    if (await isOwn(api, page, marker, me)) return page;
  }
  return null;
}

/**
 * Our page when it does not have the title that we would give it now. Search may lag behind, so the newest pages of the space (what a
 * lost answer left) and the children of the parent are looked at as well.
 */
export async function findRenamed(
  api: ConfluenceApi,
  where: { space: string; spaceId: string; parentId: string | null },
  marker: Marker,
  me: string,
): Promise<RemotePage | null> {
  const newest = await pickOwn(api, await api.newestPages(where.spaceId, 50), marker, me);
  if (newest !== null) return newest;
  const cql = `space = ${quote(where.space)} AND type = page AND label = ${quote(ownKey)} order by created desc`;
  const labelled = await pickOwn(api, await api.pagesById(await api.search(cql, 250)), marker, me);
  if (labelled !== null || where.parentId === null) return labelled;
  return pickOwn(api, await api.pagesById(await api.childIds(where.parentId)), marker, me);
}
