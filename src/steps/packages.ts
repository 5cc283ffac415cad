/** The packages that a repository's tests need: there before anybody works on it, or said not to be. */
import type { DependencyState } from "../domain/dependencies.ts";
import type { StepContext } from "./step.ts";

/** Has the packages of a tree installed, once per lock file. Throws the signal's reason when aborted. */
export function installPackages(context: StepContext, directory: string): Promise<DependencyState> {
  return context.services.dependencies.install({ directory, signal: context.signal });
}

/** Words for people about packages that are not there; empty when nothing is missing. */
export function missingPackages(state: DependencyState): string {
  return state.kind === "missing" ? `the packages of ${state.file} are not installed: ${state.reason}` : "";
}
