/** What a command may change, seen by the diff: only tests, only documentation, only the changelog. Pure. */
import { isTestFile } from "../../domain/test-file.ts";
import type { RuleFinding } from "../change/diff-policy.ts";
import type { FileChange } from "../change/file-change.ts";
import type { ChangeCommand } from "../conversation/command.ts";
import { onlyCommentsDiffer } from "./comments.ts";

const proseNames = /\.(?:md|mdx|markdown|rst|adoc|asciidoc|org|textile|pod)$/i;
/** Plain text is prose where it is kept with prose; elsewhere it may be `requirements.txt`. */
const plainProse =
  /(?:^|\/)(?:docs?|documentation)\/(?:.*\/)?[^/]+\.txt$|(?:^|\/)(?:README|CHANGELOG|CONTRIBUTING|INSTALL|NEWS|AUTHORS)(?:\.txt)?$/i;

/** Whether a file holds nothing but prose. */
export function isProse(path: string): boolean {
  return proseNames.test(path) || plainProse.test(path);
}

const changelogName = /^(?:CHANGELOG|CHANGES|HISTORY|NEWS|RELEASE[-_]?NOTES)(?:\.(?:md|markdown|rst|adoc|txt|org))?$/i;
/** One file per change: changesets, towncrier, reno, GitLab's own. */
const fragment =
  /^(?:\.changeset\/[^/]+\.md|(?:changelog\.d|changes\.d|newsfragments|news\.d)\/[^/]+|changelogs\/unreleased\/[^/]+|releasenotes\/notes\/[^/]+\.ya?ml)$/i;

/** Whether a file is a changelog, or an entry of one that is kept in files of their own. */
export function isChangelog(path: string): boolean {
  return changelogName.test(path.split("/").at(-1) ?? "") || fragment.test(path);
}

type Problem = Pick<RuleFinding, "path" | "problem">;

function aboutTests(file: FileChange): Problem[] {
  return isTestFile(file.path) && isTestFile(file.oldPath) ? [] : [{ path: file.path, problem: "is no test" }];
}

function aboutDocs(file: FileChange): Problem[] {
  const { path, before, after } = file;
  if (isProse(path) && isProse(file.oldPath)) return [];
  if (file.kind !== "modified" || before === null || after === null) return [{ path, problem: "is no documentation" }];
  return onlyCommentsDiffer(path, before, after) ? [] : [{ path, problem: "is changed in more than its comments" }];
}

function aboutChangelog(file: FileChange): Problem[] {
  const { path } = file;
  if (!isChangelog(path)) return [{ path, problem: "is no changelog" }];
  if (file.kind === "deleted") return [{ path, problem: "is deleted" }];
  const removed = file.removed.filter(({ text }) => text.trim() !== "");
  return removed.length > 0 ? [{ path, problem: "loses entries that were there" }] : [];
}

function problems(command: ChangeCommand, files: readonly FileChange[]): Problem[] {
  switch (command) {
    case "test":
      return files.flatMap(aboutTests);
    case "docs":
      return files.flatMap(aboutDocs);
    case "changelog": {
      const more = files.length > 1 ? [{ path: "", problem: `changes ${files.length} files instead of one` }] : [];
      return [...files.flatMap(aboutChangelog), ...more];
    }
    case "fix":
    case "conflicts":
      return [];
  }
}

/** What a change has in it that its command does not ask for: it is not pushed. */
export function scopeFindings(command: ChangeCommand | null, files: readonly FileChange[]): RuleFinding[] {
  if (command === null) return [];
  return problems(command, files).map((found) => ({ rule: "scope", action: "refuse", ...found }));
}
