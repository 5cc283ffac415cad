/** What is asked of the stand-in's memory all the time. */
import type { DiffVersion, Hook, Label, MergeRequest, Project, User, World } from "./world.ts";

/** Lets work go on after the answer; `idle()` waits for it. A failure of it is reported, since nobody may be waiting. */
export function inBackground(world: World, work: Promise<unknown>): void {
  const tracked = work
    .catch((error: unknown) => world.report(`background work failed: ${String(error)}`))
    .finally(() => world.background.delete(tracked));
  world.background.add(tracked);
}

export function userOf(world: World, id: number): User {
  const user = world.users.find((candidate) => candidate.id === id);
  if (user === undefined) throw new Error(`the stand-in has no user ${id}`);
  return user;
}

/** Access level that groups give in a place below them (a project or a subgroup), or in the group itself. */
export function groupLevelOf(user: User, path: string): number {
  const above = Object.entries(user.groupLevels).filter(([group]) => path === group || path.startsWith(`${group}/`));
  return user.state === "active" ? Math.max(0, ...above.map(([, level]) => level)) : 0;
}

/** GitLab's access level of a user in a project, inherited ones included; 0 without membership. */
export function levelOf(user: User, project: Project): number {
  if (user.state !== "active") return 0;
  return Math.max(user.accessLevels[project.path] ?? 0, groupLevelOf(user, project.path));
}

/** Whether the server is at least that old, e.g. `17.9`. */
export function isSince(world: World, version: string): boolean {
  const [major = 0, minor = 0] = world.version.split(".").map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = version.split(".").map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** The project that a merge request's branch lies in. */
export function sourceOf(world: World, project: Project, mergeRequest: MergeRequest): Project {
  return world.projects.find(({ id }) => id === mergeRequest.sourceProjectId) ?? project;
}

/** The newest diff version. */
export function headOf(mergeRequest: MergeRequest): DiffVersion {
  const version = mergeRequest.versions.at(-1);
  if (version === undefined) throw new Error(`!${mergeRequest.iid} has no version`);
  return version;
}

/** GitLab's rule for draft titles. */
export function isDraft(mergeRequest: MergeRequest): boolean {
  return /^\s*(?:\[draft\]|\(draft\)|draft:)/i.test(mergeRequest.title);
}

/** The label of a name, made when the project has none. */
export function labelOf(world: World, project: Project, name: string): Label {
  const known = project.labels.find((label) => label.name === name);
  if (known !== undefined) return known;
  const label = { id: world.nextId(), name, color: "#6699cc", description: null };
  project.labels.push(label);
  return label;
}

/** Whether GitLab keeps a webhook from being sent, after failures. */
export function isOff({ offUntil }: Hook): boolean {
  return offUntil === "ever" || (offUntil !== null && offUntil.getTime() > Date.now());
}
