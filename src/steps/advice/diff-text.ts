/** The diff of a merge request as agents that only read are shown it. */
import { dataSection } from "../../agents/data.ts";
import type { FileDiff } from "../../domain/merge-request.ts";

/** Longest part of a diff that is put into a task, characters; the rest can be read with tools. */
const most = 24_000;

const heading = ({ status, oldPath, newPath, withheld }: FileDiff): string => {
  const path = oldPath === newPath || status === "added" ? newPath : `${oldPath} -> ${newPath}`;
  return `${status} ${status === "deleted" ? oldPath : path}${withheld ? " (not shown by GitLab)" : ""}`;
};

/** A section with the list of files first, then as many whole patches as fit. */
export function diffSection(files: readonly FileDiff[]): string {
  let text = files.map(heading).join("\n");
  let left = 0;
  for (const file of files) {
    const patch = `\n\n${heading(file)}\n${file.patch}`;
    if (file.patch === "") continue;
    if (text.length + patch.length > most) left += 1;
    else text += patch;
  }
  if (left > 0) text += `\n\n(${left} more patches are too long to be shown: read the files)`;
  return dataSection("Diff", text);
}
