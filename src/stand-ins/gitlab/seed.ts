/** What a stand-in starts with: people, groups, projects with a first commit. */
import { join } from "node:path";
import { createRepository, type Repository, readSeed } from "./repository.ts";
import type { Group, Project, ProjectSettings, ProtectedBranch, User, World } from "./world.ts";

export interface GitLabSeedProject {
  /** e.g. `acme/shop` */
  readonly path: string;
  /** Default `main`; it is protected (push and merge for Maintainers, no force push). */
  readonly defaultBranch?: string;
  /** First commit, by path. Neither these nor a directory: an empty repository. */
  readonly files?: Readonly<Record<string, string>>;
  /** First commit from a directory, without `.git` and `node_modules`. */
  readonly seedDirectory?: string;
  /** Path of a project before this one in the list: this one starts with its branches, and merge requests go there. */
  readonly forkOf?: string;
  readonly settings?: Partial<ProjectSettings>;
  /** Besides the default branch, e.g. `{ name: "release/*", pushLevel: 40 }`. */
  readonly protectedBranches?: readonly (Pick<ProtectedBranch, "name"> & Partial<Omit<ProtectedBranch, "id">>)[];
}

export interface GitLabSeedUser {
  readonly id: number;
  readonly username: string;
  readonly name?: string;
  readonly token: string;
  /** Default `<username>@example.com`. */
  readonly email?: string;
  /** GitLab access level per project path. */
  readonly accessLevels?: Readonly<Record<string, number>>;
  /** GitLab access level per group path. */
  readonly groups?: Readonly<Record<string, number>>;
  /** The account of a project or group token, or a service account. */
  readonly bot?: boolean;
}

export function seedUser(user: GitLabSeedUser): User {
  return {
    id: user.id,
    username: user.username,
    name: user.name ?? user.username,
    token: user.token,
    email: user.email ?? `${user.username}@example.com`,
    accessLevels: { ...user.accessLevels },
    groupLevels: { ...user.groups },
    bot: user.bot ?? false,
    state: "active",
  };
}

/** Every group that somebody is in or a project lies in, and the ones above them. */
export function seedGroups(world: World): Group[] {
  const places = world.projects.map(({ path }) => path.split("/").slice(0, -1).join("/"));
  const named = [...places, ...world.users.flatMap((user) => Object.keys(user.groupLevels))];
  const withAbove = named.flatMap((path) => path.split("/").map((_part, i, parts) => parts.slice(0, i + 1).join("/")));
  return [...new Set(withAbove)].filter((path) => path !== "").map((path) => ({ id: world.nextId(), path }));
}

async function firstCommit(repository: Repository, defaultBranch: string, seed: GitLabSeedProject): Promise<void> {
  const changes =
    seed.seedDirectory === undefined
      ? Object.entries(seed.files ?? {}).map(([path, content]) => ({ kind: "write" as const, path, content }))
      : await readSeed(seed.seedDirectory);
  if (changes.length === 0) return;
  // A fixed moment: the same seed is the same commit.
  const author = { name: "Acme Engineering", email: "engineering@example.com", date: "2026-01-05T09:00:00Z" };
  await repository.commit({ branch: defaultBranch, parent: null, message: "Initial commit\n", author, changes });
}

/** A project with its repository below `directory`. Throws for a fork of what is not there. */
export async function seedProject(world: World, directory: string, seed: GitLabSeedProject): Promise<Project> {
  const upstream = world.projects.find(({ path }) => path === seed.forkOf) ?? null;
  if (seed.forkOf !== undefined && upstream === null) throw new Error(`the stand-in has no project ${seed.forkOf} yet`);
  const defaultBranch = seed.defaultBranch ?? upstream?.defaultBranch ?? "main";
  const repository = await createRepository(join(directory, `${seed.path}.git`), defaultBranch);
  if (upstream !== null) {
    await repository.run(["fetch", "--quiet", upstream.repository.directory, "+refs/heads/*:refs/heads/*"]);
  }
  await firstCommit(repository, defaultBranch, seed);
  const rule = (more: Pick<ProtectedBranch, "name"> & Partial<ProtectedBranch>): ProtectedBranch => ({
    id: world.nextId(),
    pushLevel: 40,
    pushUserIds: [],
    mergeLevel: 40,
    allowForcePush: false,
    ...more,
  });
  return {
    id: world.nextId(),
    path: seed.path,
    name: seed.path.split("/").at(-1) ?? seed.path,
    defaultBranch,
    repository,
    createdAt: new Date(),
    labels: [],
    mergeRequests: [],
    pipelines: [],
    statuses: [],
    hooks: [],
    protectedBranches: [rule({ name: defaultBranch }), ...(seed.protectedBranches ?? []).map(rule)],
    forkOf: upstream,
    settings: {
      archived: false,
      mergeRequestsEnabled: true,
      pushRule: null,
      approvalsRequired: 0,
      authorMayApprove: true,
      pipelineMustSucceed: false,
      threadsMustBeResolved: false,
      resolveOutdatedThreads: false,
      ...seed.settings,
    },
    pushes: Promise.resolve(),
  };
}
