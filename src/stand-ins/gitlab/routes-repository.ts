/** Branches, commits and files. */
import type { Route } from "../server.ts";
import { createCommit } from "./commits-api.ts";
import { diffFiles } from "./diffs.ts";
import { rulesFor } from "./protection.ts";
import { afterPush } from "./pushes.ts";
import { isBranchName } from "./repository.ts";
import { bool, inProject, notFound, type ProjectCall, paginate, Refusal, requireParams, text } from "./request.ts";
import { branchShape, commitShape } from "./shapes.ts";
import type { World } from "./world.ts";

const ok = (body: unknown, status = 200) => ({ status, body });
const project = "/api/v4/projects/:id";

/** Routes of the repository itself. */
export function repositoryRoutes(world: World): Route[] {
  const shape = async (call: ProjectCall, name: string, id: string) => {
    const [commit] = await call.project.repository.log(id, { limit: 1 });
    if (commit === undefined) throw notFound("Commit");
    return branchShape(world, call.project, call.user, name, commit);
  };
  return [
    [
      "GET",
      `${project}/repository/branches`,
      inProject(world, 20, async (call) => {
        const search = text(call.params, "search") ?? "";
        const names = [...(await call.project.repository.branches())].filter(([name]) => name.includes(search));
        return paginate(call, await Promise.all(names.map(([name, id]) => shape(call, name, id))));
      }),
    ],
    ["POST", `${project}/repository/branches`, inProject(world, 30, createBranch(world, shape))],
    [
      "GET",
      `${project}/repository/branches/:branch`,
      inProject(world, 20, async (call) => {
        const name = call.route.branch ?? "";
        const id = (await call.project.repository.branches()).get(name);
        if (id === undefined) throw notFound("Branch");
        return ok(await shape(call, name, id));
      }),
    ],
    [
      "DELETE",
      `${project}/repository/branches/:branch`,
      inProject(world, 30, async ({ project, user, route }) => {
        const name = route.branch ?? "";
        const before = await project.repository.branches();
        if (!before.has(name)) throw notFound("Branch");
        if (rulesFor(project, name).length > 0) {
          throw new Refusal(403, { message: "Protected branch cannot be removed" });
        }
        await project.repository.setBranch(name, null);
        await afterPush(world, project, user, before);
        return { status: 204 };
      }),
    ],
    [
      "GET",
      `${project}/repository/commits`,
      inProject(world, 20, async (call) => {
        const { repository, defaultBranch } = call.project;
        const range = text(call.params, "ref_name") ?? defaultBranch;
        const path = text(call.params, "path");
        const id = range.includes("..") ? range : await repository.resolve(range);
        if (id === null) throw notFound("Commit");
        const commits = await repository.log(id, { limit: 1000, ...(path === undefined ? {} : { path }) });
        return paginate(
          call,
          commits.map((commit) => commitShape(world, call.project, commit)),
        );
      }),
    ],
    ["POST", `${project}/repository/commits`, inProject(world, 30, createCommit(world))],
    [
      "GET",
      `${project}/repository/commits/:sha`,
      inProject(world, 20, async (call) => {
        const [commit] = await call.project.repository.log(await resolved(call, call.route.sha), { limit: 1 });
        if (commit === undefined) throw notFound("Commit");
        const last = call.project.pipelines.findLast((pipeline) => pipeline.sha === commit.id);
        return ok({ ...commitShape(world, call.project, commit), status: last?.status ?? null });
      }),
    ],
    [
      "GET",
      `${project}/repository/commits/:sha/diff`,
      inProject(world, 20, async (call) => {
        const [commit] = await call.project.repository.log(await resolved(call, call.route.sha), { limit: 1 });
        const parent = commit?.parents[0];
        if (commit === undefined) throw notFound("Commit");
        return paginate(call, parent === undefined ? [] : await diffFiles(call.project.repository, parent, commit.id));
      }),
    ],
    [
      "GET",
      `${project}/repository/tree`,
      inProject(world, 20, async (call) => {
        const id = await resolved(call, text(call.params, "ref"));
        const entries = await call.project.repository.tree(
          id,
          text(call.params, "path"),
          bool(call.params, "recursive"),
        );
        if (entries.length === 0 && text(call.params, "path") !== undefined) throw notFound("invalid revision or path");
        return paginate(
          call,
          entries.map((entry) => ({ ...entry, name: entry.path.split("/").at(-1) })),
        );
      }),
    ],
    [
      "GET",
      `${project}/repository/compare`,
      inProject(world, 20, async (call) => {
        requireParams(call.params, "from", "to");
        const { repository } = call.project;
        const [from, to] = [
          await resolved(call, text(call.params, "from")),
          await resolved(call, text(call.params, "to")),
        ];
        const base = bool(call.params, "straight") === true ? from : ((await repository.mergeBase(from, to)) ?? from);
        const commits = (await repository.log(`${base}..${to}`)).map((commit) =>
          commitShape(world, call.project, commit),
        );
        return ok({
          commit: commits[0] ?? null,
          commits: commits.reverse(),
          diffs: await diffFiles(repository, base, to),
          compare_timeout: false,
          compare_same_ref: from === to,
        });
      }),
    ],
    [
      "GET",
      `${project}/repository/files/:path/raw`,
      inProject(world, 20, async (call) => {
        const { content } = await readFile(call);
        return { status: 200, headers: { "content-type": "text/plain; charset=utf-8" }, body: content };
      }),
    ],
    [
      "GET",
      `${project}/repository/files/:path`,
      inProject(world, 20, async (call) => {
        requireParams(call.params, "ref");
        const { content, path, commitId } = await readFile(call);
        return ok({
          file_name: path.split("/").at(-1),
          file_path: path,
          size: content.length,
          encoding: "base64",
          content: content.toString("base64"),
          ref: text(call.params, "ref"),
          commit_id: commitId,
          last_commit_id: commitId,
        });
      }),
    ],
  ];
}

async function resolved(call: ProjectCall, ref: string | undefined): Promise<string> {
  const id = await call.project.repository.resolve(
    ref === undefined || ref === "HEAD" ? call.project.defaultBranch : ref,
  );
  if (id === null) throw notFound("Commit");
  return id;
}

async function readFile(call: ProjectCall): Promise<{ content: Buffer; path: string; commitId: string }> {
  const path = call.route.path ?? "";
  const commitId = await resolved(call, text(call.params, "ref"));
  const content = await call.project.repository.readBlob(commitId, path);
  if (content === null) throw notFound("File");
  return { content, path, commitId };
}

function createBranch(world: World, shape: (call: ProjectCall, name: string, id: string) => Promise<unknown>) {
  return async (call: ProjectCall) => {
    requireParams(call.params, "branch", "ref");
    const { repository } = call.project;
    const name = text(call.params, "branch") ?? "";
    const before = await repository.branches();
    if (before.has(name)) throw new Refusal(400, { message: "Branch already exists" });
    if (!(await isBranchName(name))) throw new Refusal(400, { message: "Branch name is invalid" });
    const id = await repository.resolve(text(call.params, "ref") ?? "");
    if (id === null) throw new Refusal(400, { message: `Invalid reference name: ${text(call.params, "ref")}` });
    await repository.setBranch(name, id);
    await afterPush(world, call.project, call.user, before);
    return ok(await shape(call, name, id), 201);
  };
}
