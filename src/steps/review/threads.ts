/** The threads that earlier reviews opened: what became of their lines, and what people said to them. Pure, but for who may dismiss. */
import type { Thread, ThreadNote } from "../../domain/merge-request.ts";
import { type Severity, severities } from "../../domain/review.ts";
import { isDismissal } from "./dismissals.ts";
import { type Identity, lineKeys, pathKey, readIdentity } from "./identity.ts";
import type { Side } from "./lines.ts";
import type { Lines } from "./place.ts";

/**
 * What became of the line of a thread:
 *   same     it is there, and so are its neighbours
 *   touched  it is there, but not its neighbours
 *   gone     no line of the file reads like it, or the file is no part of the change any more
 */
export type LineState = "same" | "touched" | "gone";

export interface OwnThread {
  readonly id: string;
  readonly identity: Identity;
  readonly severity: Severity;
  /** Waits for somebody: can be resolved and is not. */
  readonly open: boolean;
  /** Path in the newest diff; null when the file is no part of it. */
  readonly path: string | null;
  readonly side: Side;
  readonly state: LineState;
  /** Number of the line now; null when it is gone. */
  readonly line: number | null;
  /** What we said. Markdown. */
  readonly body: string;
  /** Somebody said, or showed by resolving it, that this is no fault. */
  readonly dismissed: boolean;
  /** We closed it once. Somebody who opens it again has their reasons. */
  readonly closedByUs: boolean;
}

/** Name of the note that says why a thread of ours was closed. */
export function closingSubject(threadId: string): string {
  return `closed:${threadId}`;
}

/** The first words of a finding of ours say how grave it is (templates/gitlab/finding.md). */
function severityOf(body: string): Severity {
  const word = /\*\*\S*\s*(\w+)/.exec(body)?.[1]?.toLowerCase();
  return severities.find((severity) => severity === word) ?? "minor";
}

interface Found {
  readonly state: LineState;
  readonly line: number | null;
}

/** Looks for the line of an identity; of several equal ones the one nearest to where it was. */
export function locate(identity: Identity, lines: readonly string[] | null, before: number | null): Found {
  if (lines === null) return { state: "gone", line: null };
  const hits: { line: number; same: boolean }[] = [];
  for (let number = 1; number <= lines.length; number += 1) {
    const keys = lineKeys(lines, number);
    if (keys.line === identity.line) hits.push({ line: number, same: keys.around === identity.around });
  }
  const near = before ?? 0;
  const [best] = hits.sort(
    (a, b) => Number(b.same) - Number(a.same) || Math.abs(a.line - near) - Math.abs(b.line - near),
  );
  return best === undefined
    ? { state: "gone", line: null }
    : { state: best.same ? "same" : "touched", line: best.line };
}

function saidByPeople(thread: Thread, selfId: string): ThreadNote[] {
  return thread.notes.filter(({ author }) => author.id !== selfId);
}

/** Who said in a thread of ours that the finding is none: their right to do so has to be looked up. */
export function dismissersOf(threads: readonly Thread[], selfId: string): string[] {
  const notes = threads
    .filter((thread) => readIdentity(thread.notes[0]?.marker ?? null) !== null)
    .flatMap((thread) => saidByPeople(thread, selfId));
  return [...new Set(notes.filter(({ body }) => isDismissal(body)).map(({ author }) => author.id))];
}

export interface Seen {
  readonly selfId: string;
  /** Paths of the newest diff, as they are now. */
  readonly paths: readonly string[];
  readonly linesOf: Lines;
  /** Accounts whose word counts. */
  readonly mayDismiss: ReadonlySet<string>;
}

function readThread(thread: Thread, seen: Seen): OwnThread[] {
  const [first] = thread.notes;
  const identity = readIdentity(first?.marker ?? null);
  if (identity === null || first === undefined) return [];
  const { position } = thread;
  const side: Side = position !== null && position.line === null ? "old" : "new";
  const path = seen.paths.find((one) => pathKey(one) === identity.path) ?? null;
  const before = position === null ? null : (position.line ?? position.oldLine);
  const found = locate(identity, path === null ? null : seen.linesOf(path, side), before);
  const said = saidByPeople(thread, seen.selfId).some(
    ({ author, body }) => seen.mayDismiss.has(author.id) && isDismissal(body),
  );
  const byPerson = thread.resolved && thread.resolvedBy !== null && thread.resolvedBy.id !== seen.selfId;
  return [
    {
      id: thread.id,
      identity,
      severity: severityOf(first.body),
      open: thread.resolvable && !thread.resolved,
      path,
      side,
      ...found,
      body: first.body,
      dismissed: said || (byPerson && found.state === "same"),
      closedByUs: thread.notes.some(({ marker }) => marker === `note:${closingSubject(thread.id)}`),
    },
  ];
}

/** Our findings among the threads of a merge request. */
export function ownThreads(threads: readonly Thread[], seen: Seen): OwnThread[] {
  return threads.flatMap((thread) => readThread(thread, seen));
}
