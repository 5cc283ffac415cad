/** Commits made through the API, without git. */
import { mayPush } from "./protection.ts";
import { judgePush } from "./push-rules.ts";
import { afterPush } from "./pushes.ts";
import type { FileChange } from "./repository.ts";
import { bool, forbidden, notFound, type ProjectCall, Refusal, requireParams, text } from "./request.ts";
import { commitShape } from "./shapes.ts";
import type { World } from "./world.ts";

/** `POST /projects/:id/repository/commits`: all actions or none. */
export function createCommit(world: World) {
  return async (call: ProjectCall) => {
    const { params, project, user } = call;
    requireParams(params, "branch", "commit_message", "actions");
    const branch = text(params, "branch") ?? "";
    if (project.settings.archived || !mayPush(project, user, branch))
      throw forbidden("You are not allowed to push into this branch");
    const before = await project.repository.branches();
    const start = text(params, "start_sha") ?? text(params, "start_branch");
    const existing = before.get(branch);
    if (existing !== undefined && start !== undefined && bool(params, "force") !== true) {
      throw new Refusal(400, {
        message: `A branch called '${branch}' already exists. Switch to that branch in order to make changes`,
      });
    }
    const parent = start === undefined ? existing : await project.repository.resolve(start);
    if (parent === undefined || parent === null)
      throw new Refusal(400, { message: "You can only create or edit files when you are on a branch" });
    const author = {
      name: text(params, "author_name") ?? user.name,
      email: text(params, "author_email") ?? user.email,
      date: new Date().toISOString(),
    };
    const message = text(params, "commit_message") ?? "";
    const changes = await readActions(call, parent);
    checkPushRule(call, branch, { message, authorEmail: author.email, committerEmail: author.email }, changes);
    const id = await project.repository.commit({ branch, parent, message, author, changes });
    await afterPush(world, project, user, before);
    const [commit] = await project.repository.log(id, { limit: 1 });
    if (commit === undefined) throw notFound("Commit");
    return { status: 201, body: commitShape(world, project, commit) };
  };
}

/** Push rules hold for the API too; commits made there are not signed. */
function checkPushRule(
  { world, project }: ProjectCall,
  branch: string,
  commit: { message: string; authorEmail: string; committerEmail: string },
  changes: readonly FileChange[],
): void {
  const rule = project.settings.pushRule;
  if (world.tier === "free" || rule === null) return;
  const reason = judgePush(rule, {
    branch,
    isDefaultBranch: branch === project.defaultBranch,
    commits: [{ ...commit, signed: false }],
    files: changes.flatMap((change) =>
      change.kind === "write" ? [{ path: change.path, bytes: Buffer.byteLength(change.content) }] : [],
    ),
    knownEmails: world.users.map(({ email }) => email),
  });
  if (reason !== null) throw new Refusal(400, { message: reason });
}

async function readActions(call: ProjectCall, parent: string): Promise<FileChange[]> {
  const actions = call.params.actions;
  if (!Array.isArray(actions)) throw new Refusal(400, { error: "actions is invalid" });
  const changes: FileChange[] = [];
  for (const raw of actions as unknown[]) {
    const action = typeof raw === "object" && raw !== null ? (raw as Record<string, unknown>) : {};
    const path = text(action, "file_path") ?? "";
    const encoded = text(action, "content") ?? "";
    const content = text(action, "encoding") === "base64" ? Buffer.from(encoded, "base64") : encoded;
    const exists = (await call.project.repository.readBlob(parent, path)) !== null;
    switch (text(action, "action")) {
      case "create":
        if (exists) throw new Refusal(400, { message: "A file with this name already exists" });
        changes.push({ kind: "write", path, content });
        break;
      case "update":
        if (!exists) throw new Refusal(400, { message: "A file with this name doesn't exist" });
        changes.push({ kind: "write", path, content });
        break;
      case "delete":
        if (!exists) throw new Refusal(400, { message: "A file with this name doesn't exist" });
        changes.push({ kind: "delete", path });
        break;
      case "move":
        changes.push({ kind: "move", from: text(action, "previous_path") ?? "", path });
        if (action.content !== undefined) changes.push({ kind: "write", path, content });
        break;
      default:
        throw new Refusal(400, { error: "actions[0][action] does not have a valid value" });
    }
  }
  return changes;
}
