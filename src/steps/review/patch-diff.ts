/** Git's own patch in the form in which GitLab tells of a difference. */
import type { FileDiff } from "../../domain/merge-request.ts";
import type { ChangedFile } from "../change/patch.ts";

/** The files of a patch of ours. */
export function diffOfPatch(files: readonly ChangedFile[]): FileDiff[] {
  return files.map(({ path, oldPath, kind, binary, text }) => {
    const start = /^@@ /m.exec(text)?.index;
    return {
      oldPath,
      newPath: path,
      status: kind,
      patch: binary || start === undefined ? "" : text.slice(start),
      withheld: false,
    };
  });
}
