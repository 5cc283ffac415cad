/** Third-party packages that a repository's lock file names. */

/** none: there is no lock file, or it names nothing. missing: tests have to do without, `reason` says why, for people. */
export type DependencyState =
  | { readonly kind: "none" }
  | { readonly kind: "installed"; readonly file: string }
  | { readonly kind: "missing"; readonly file: string; readonly reason: string };

export interface Dependencies {
  /**
   * Sees to it that commands on this tree, and on every tree with the same lock file, find the packages that it names. Runs no code of
   * the repository or of a package. Throws the signal's reason when aborted; what cannot be installed is a state.
   */
  install(input: { directory: string; signal: AbortSignal }): Promise<DependencyState>;
}
