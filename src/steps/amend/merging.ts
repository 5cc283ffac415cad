/**
 * The merge of a target branch as a change: what git could merge by itself is not the developer's, and is neither judged nor touched.
 * Judged are the files that were in conflict, and against both sides: what one of them brings is no fault of whoever put them together.
 */
import type { Workspace } from "../../domain/ports.ts";
import { isTestFile } from "../../domain/test-file.ts";
import { NotThere } from "../../workspace/paths.ts";
import { deleteInside, readInside, writeInside } from "../../workspace/tree.ts";
import type { RuleFinding } from "../change/diff-policy.ts";
import type { FileChange, Weakening } from "../change/file-change.ts";
import { testLanguage } from "../change/languages.ts";
import { parsePatch } from "../change/patch.ts";
import { readTests } from "../change/test-cases.ts";
import type { Merging } from "../outputs.ts";

/** A version of a conflict: where its lines begin or end. The middle mark is left out, since headings are underlined like that. */
const marker = /^(?:<{7}|\|{7}|>{7})(?: |$)/;

/**
 * The developer's tree as a patch, with everything outside of the conflicts as git merged it. `strays` are paths in which something
 * else was changed and is taken back.
 */
export function withinMerge(merge: Merging, patch: string): { patch: string; strays: readonly string[] } {
  const inConflict = new Set(merge.conflicts.map(({ path }) => path));
  const made = parsePatch(patch);
  const given = parsePatch(merge.patch).filter(({ path }) => !inConflict.has(path));
  const before = new Map(given.map(({ path, text }) => [path, text]));
  const after = new Map(made.filter(({ path }) => !inConflict.has(path)).map(({ path, text }) => [path, text]));
  const strays = [...new Set([...before.keys(), ...after.keys()])].filter(
    (path) => before.get(path) !== after.get(path),
  );
  const kept = made.filter(({ path }) => inConflict.has(path));
  return { patch: [...given, ...kept].map(({ text }) => text).join(""), strays };
}

/** Marks of a conflict that are still there, as findings that forbid the push. A mark that one of the sides has, too, is text. */
export function leftMarkers(files: readonly FileChange[], theirs: readonly FileChange[]): RuleFinding[] {
  return files.flatMap((file) => {
    const other = theirs.find(({ path }) => path === file.path);
    const known = new Set([file.before, other?.before].flatMap((text) => text?.split("\n") ?? []));
    const lines = (file.after ?? "").split("\n");
    const left = lines.flatMap((line, index) => (marker.test(line) && !known.has(line) ? [index + 1] : []));
    return left.slice(0, 3).map((number) => ({
      rule: "scope" as const,
      action: "refuse" as const,
      path: file.path,
      problem: `line ${number} still has a conflict marker`,
    }));
  });
}

/** Findings that hold against both sides. */
export function onBothSides(ours: readonly RuleFinding[], theirs: readonly RuleFinding[]): RuleFinding[] {
  const key = ({ rule, path, problem }: RuleFinding): string => `${rule} ${path} ${problem}`;
  const known = new Set(theirs.map(key));
  return ours.filter((finding) => known.has(key(finding)));
}

/** Weakenings on the way from one side to the merge that the other side did not bring about. */
export function notByOther(weakened: readonly Weakening[], byOther: readonly Weakening[]): Weakening[] {
  const known = new Set(byOther.map(({ path, problem }) => `${path} ${problem}`));
  return weakened.filter(({ path, problem }) => !known.has(`${path} ${problem}`));
}

/** Names of the tests in a file, as far as its language is known. */
function testNames(path: string, text: string | null): ReadonlySet<string> {
  const language = testLanguage(path);
  if (language === null || text === null || !isTestFile(path)) return new Set();
  return new Set(readTests(text, language).cases.map(({ name }) => name));
}

/**
 * Tests that one side had, that the other did not take away, and that the merge lacks. Elsewhere a test may get another name; to put two
 * sides together is no reason for that.
 * @param files from that side to the merge
 * @param byOther from where both come from to the other side
 */
export function lostTests(files: readonly FileChange[], byOther: readonly FileChange[]): Weakening[] {
  return files.flatMap((file) => {
    const now = testNames(file.path, file.after);
    const other = byOther.find(({ path }) => path === file.path);
    const kept = testNames(file.path, other?.after ?? null);
    const given = testNames(file.path, other?.before ?? null);
    const isLost = (name: string): boolean => !now.has(name) && !(given.has(name) && !kept.has(name));
    const lost = [...testNames(file.path, file.before)].filter((name) => name !== "" && isLost(name));
    return lost.map((name) => ({ path: file.path, problem: `the test "${name}" is lost in the merge` }));
  });
}

/** Puts the solved files of `from` into a checkout of another commit. */
export async function copyConflicts(merge: Merging, from: string, to: Workspace): Promise<void> {
  for (const { path } of merge.conflicts) {
    try {
      const text = (await readInside(from, path, Number.MAX_SAFE_INTEGER)).toString("utf8");
      await writeInside(to.root, path, text);
    } catch (error) {
      if (!(error instanceof NotThere)) throw error;
      await deleteInside(to.root, path).catch((gone: unknown) => {
        if (!(gone instanceof NotThere)) throw gone;
      });
    }
  }
}
