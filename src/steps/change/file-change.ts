import type { ChangedFile } from "./patch.ts";

/** A changed file with its contents on both sides; null where there is none, or it is no text. */
export type FileChange = ChangedFile & { readonly before: string | null; readonly after: string | null };

/** One thing that makes the tests say less, in words for people. */
export interface Weakening {
  readonly path: string;
  readonly problem: string;
}
