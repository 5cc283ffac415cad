/** What a scripted model knows of the work it is given, and the calls that turn one tree into another. */
import type { WrittenTurn } from "../scenario.ts";

/** Text files by path, relative to the root of the repository. */
export type Files = Readonly<Record<string, string>>;

export interface Work {
  readonly title: string;
  readonly criteria: readonly string[];
  /** The command that runs the repository's tests, as a list. */
  readonly test: readonly string[];
  /** The repository as it is before the work. */
  readonly start: Files;
  /** Files of a right answer, to be laid over `start`; null where nobody has written one down. */
  readonly solution: Files | null;
  /** Tests of the criteria and the command that runs them: for whoever plays a QA that is worth its name. */
  readonly check: { readonly files: Files; readonly command: readonly string[] };
  /** Files of an answer that looks right and is not. */
  readonly wrong: Files | null;
  /** Files of an answer that is made for the tests. */
  readonly sabotage: Files | null;
}

export type Call = NonNullable<WrittenTurn["calls"]>[number];

/** Paths of `answer` that differ from the start, sorted. */
export function changedPaths(start: Files, answer: Files): string[] {
  return Object.keys(answer)
    .filter((path) => start[path] !== answer[path])
    .sort();
}

/** Whether a path looks like a file of tests, by the habits of the languages that tasks are in. */
export function isTest(path: string): boolean {
  return /(^|\/)(tests?|spec|__tests__)\//.test(path) || /(^|\/)test_[^/]*$|[._-](test|spec)\.\w+$/.test(path);
}

export function call(tool: string, args: Readonly<Record<string, unknown>>): Call {
  return { tool, arguments: { ...args } };
}

function occurrences(text: string, part: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) count += 1;
  return count;
}

/** The one piece of `before` that has to be replaced to get `after`, grown by whole lines until it is there only once. */
function pieceBetween(before: string, after: string): { old: string; new: string } {
  const old = before.split(/(?<=\n)/);
  const now = after.split(/(?<=\n)/);
  const shorter = Math.min(old.length, now.length);
  let head = 0;
  while (head < shorter && old[head] === now[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && old[old.length - 1 - tail] === now[now.length - 1 - tail]) tail += 1;
  const piece = (): { old: string; new: string } => ({
    old: old.slice(head, old.length - tail).join(""),
    new: now.slice(head, now.length - tail).join(""),
  });
  for (let grown = piece(); ; grown = piece()) {
    if (grown.old !== "" && occurrences(before, grown.old) === 1) return grown;
    if (head > 0) head -= 1;
    else if (tail > 0) tail -= 1;
    else return grown;
  }
}

/** The call that brings one file from `before` (undefined: it is new) to `after`. */
export function change(path: string, before: string | undefined, after: string): Call {
  if (before === undefined || before === "") return call("write_file", { path, content: after });
  return call("edit_file", { path, ...pieceBetween(before, after) });
}
