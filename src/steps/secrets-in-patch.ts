/** Secrets that a change would bring into the repository. Once pushed they are public to everybody who can read it, for ever. */
import { findSecrets, type SecretFinding } from "../platform/redact.ts";

export interface PatchSecret {
  /** As git names it. */
  readonly path: string;
  /** Line in the new file, from 1; 0 for the path itself. */
  readonly line: number;
  /** What it is, without any part of it. */
  readonly kind: string;
  /** False for what a person should look at, without more. */
  readonly certain: boolean;
}

/** Lines that a patch adds side by side. In one piece, since keys have many lines. */
interface Block {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

/** `"b/na\303\257ve.txt"` and `b/plain.txt` without their decoration. */
function plainPath(header: string): string {
  return header.replace(/^"?b\//, "").replace(/"?\t?$/, "");
}

interface Sections {
  readonly added: readonly Block[];
  readonly removed: string;
}

/** Takes git's patch text apart. What it says about binary files is passed over. */
function readPatch(patch: string): Sections {
  const added: Block[] = [];
  const removed: string[] = [];
  let path = "";
  let line = 0;
  let block: string[] = [];
  /** Lines of the hunk at hand that are still to come, before and after the change: a line `--- x` inside of it is no header. */
  let [before, after] = [0, 0];
  const close = (): void => {
    if (block.length > 0) added.push({ path, line: line - block.length, text: block.join("\n") });
    block = [];
  };
  for (const text of patch.split("\n")) {
    if (before <= 0 && after <= 0) {
      close();
      const hunk = /^@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(text);
      if (hunk !== null) [before, line, after] = [Number(hunk[1] ?? 1), Number(hunk[2]), Number(hunk[3] ?? 1)];
      else if (text.startsWith("+++ ")) {
        path = plainPath(text.slice(4));
        if (path !== "/dev/null") added.push({ path, line: 0, text: path });
      } else if (text.startsWith("rename to ")) added.push({ path: text.slice(10), line: 0, text: text.slice(10) });
    } else if (text.startsWith("+")) {
      block.push(text.slice(1));
      line += 1;
      after -= 1;
    } else if (text.startsWith("-")) {
      removed.push(text.slice(1));
      before -= 1;
    } else if (!text.startsWith("\\")) {
      close();
      line += 1;
      before -= 1;
      after -= 1;
    }
  }
  close();
  return { added, removed: removed.join("\n") };
}

/**
 * What the added lines of a patch (git's text format) hold. A secret that the patch also removes was there before and is only moved,
 * unless it is one of our own.
 */
export function secretsInPatch(patch: string): PatchSecret[] {
  const { added, removed } = readPatch(patch);
  const isNew = (text: string, { index, length, own }: SecretFinding): boolean =>
    own || !removed.includes(text.slice(index, index + length));
  return added.flatMap(({ path, line, text }) =>
    findSecrets(text)
      .filter((finding) => isNew(text, finding))
      .map(({ kind, index, certain }) => {
        const lines = text.slice(0, index).split("\n").length - 1;
        return { path, line: line === 0 ? 0 : line + lines, kind, certain };
      }),
  );
}
