/**
 * Our part of a page. It stands between two anchors that show nothing; what people write outside them is theirs and stays.
 * The first anchor also carries a digest of what we wrote, in the same write as the text itself: whatever was lost in between, the
 * page alone tells whose it is and whether it is up to date.
 */
import { createHash } from "node:crypto";
import { XMLValidator } from "fast-xml-parser";
import type { Marker } from "../../domain/ports.ts";

export interface OwnBlock {
  readonly marker: Marker;
  /** Digest of the content at our last write. */
  readonly digest: string;
}

/** Digest of a block's content: the first 16 hex digits of its SHA-256. */
export function digestOf(content: string): string {
  return createHash("sha256").update(content).digest("hex").slice(0, 16);
}

const anchors =
  /<ac:structured-macro\b[^>]*\bac:name="anchor"[^>]*>\s*<ac:parameter\b[^>]*>\s*ticketsmith\.(?<side>begin|end)\.(?<marker>[^.<\s]+)(?:\.(?<digest>[0-9a-f]{16}))?\s*<\/ac:parameter>\s*<\/ac:structured-macro>/g;

interface Anchor {
  readonly side: string;
  readonly marker: Marker;
  readonly digest: string;
  readonly start: number;
  readonly end: number;
}

function encode(marker: Marker): string {
  return encodeURIComponent(marker).replaceAll(".", "%2E");
}

/** Code blocks may show anchors without being any: same text, same length, CDATA blanked out. */
function withoutCdata(storage: string): string {
  return storage.replace(/<!\[CDATA\[[\s\S]*?\]\]>/g, (section) => " ".repeat(section.length));
}

function anchorsIn(storage: string): Anchor[] {
  return [...withoutCdata(storage).matchAll(anchors)].flatMap((match) => {
    const { side = "", marker = "", digest = "" } = match.groups ?? {};
    try {
      const start = match.index;
      return [{ side, marker: decodeURIComponent(marker), digest, start, end: start + match[0].length }];
    } catch {
      return [];
    }
  });
}

function anchor(name: string): string {
  const parameter = `<ac:parameter ac:name="">ticketsmith.${name}</ac:parameter>`;
  return `<p><ac:structured-macro ac:name="anchor">${parameter}</ac:structured-macro></p>`;
}

/** The first of our blocks on a page, or null. */
export function ownBlockIn(storage: string): OwnBlock | null {
  const begin = anchorsIn(storage).find(({ side, digest }) => side === "begin" && digest !== "");
  return begin === undefined ? null : { marker: begin.marker, digest: begin.digest };
}

/** The content with its anchors: what a new page consists of. */
export function wrap(marker: Marker, content: string): string {
  return `${anchor(`begin.${encode(marker)}.${digestOf(content)}`)}${content}${anchor(`end.${encode(marker)}`)}`;
}

/** Where the paragraph around an anchor begins and ends; the anchor itself when it is in none. People may have typed next to it. */
function paragraphAround(storage: string, { start, end }: Anchor): { start: number; end: number } {
  const open = Math.max(storage.lastIndexOf("<p>", start), storage.lastIndexOf("<p ", start));
  const close = storage.indexOf("</p>", end);
  const isInside = open >= 0 && close >= 0 && !storage.slice(open, start).includes("</p>");
  return isInside ? { start: open, end: close + "</p>".length } : { start, end };
}

function isWellFormed(storage: string): boolean {
  // Named entities of HTML are no matter of structure.
  return XMLValidator.validate(`<storage>${withoutCdata(storage).replace(/&\w+;/g, "")}</storage>`) === true;
}

/**
 * The page with our content replaced and everything outside our anchors untouched. `lost` is true when the anchors are gone or no
 * longer enclose a piece of the page: then our block goes on top and all that was there stays below it.
 */
export function replaceOwnBlock(storage: string, marker: Marker, content: string): { storage: string; lost: boolean } {
  const ours = anchorsIn(storage).filter((found) => found.marker === marker);
  const begin = ours.find(({ side }) => side === "begin");
  const end = ours.findLast(({ side }) => side === "end");
  if (begin !== undefined && end !== undefined && begin.end <= end.start) {
    const from = paragraphAround(storage, begin).end;
    const to = paragraphAround(storage, end).start;
    const head =
      storage.slice(0, begin.start) + storage.slice(begin.start, begin.end).replace(begin.digest, digestOf(content));
    const next = `${head}${storage.slice(begin.end, from)}${content}${storage.slice(to)}`;
    if (begin.digest !== "" && from <= to && isWellFormed(storage.slice(from, to)) && isWellFormed(next)) {
      return { storage: next, lost: false };
    }
  }
  let rest = storage;
  for (const { start, end: stop } of ours.toReversed()) rest = rest.slice(0, start) + rest.slice(stop);
  return { storage: wrap(marker, content) + rest, lost: true };
}
