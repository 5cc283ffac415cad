/** Changes for tests: contents before and after, turned into what `parsePatch` gives. */
import type { FileChange } from "../../../src/steps/change/file-change.ts";

/** `[before, after]` per path; null where there is no file. */
export type Contents = Readonly<Record<string, readonly [before: string | null, after: string | null]>>;

/** Lines of `text` that are not in `other`, each as often as it is missing there. */
function only(text: string | null, other: string | null): { number: number; text: string }[] {
  const left = (other ?? "").split("\n");
  return (text ?? "").split("\n").flatMap((line, index) => {
    const at = left.indexOf(line);
    if (at < 0) return [{ number: index + 1, text: line }];
    left.splice(at, 1);
    return [];
  });
}

export function changes(contents: Contents): FileChange[] {
  return Object.entries(contents).map(([path, [before, after]]) => ({
    path,
    oldPath: path,
    kind: before === null ? "added" : after === null ? "deleted" : "modified",
    oldMode: before === null ? null : "100644",
    newMode: after === null ? null : "100644",
    binary: false,
    added: only(after, before),
    removed: only(before, after),
    text: "",
    before,
    after,
  }));
}
