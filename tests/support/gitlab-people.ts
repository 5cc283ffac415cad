/** People who use Acme's GitLab through its API, as their browsers do. */
import { expect } from "vitest";
import { isEnd, type Run } from "../../src/domain/run.ts";
import type { Acme } from "../../src/stand-ins/acme/acme.ts";
import type { Discussion, MergeRequest, Note } from "../../src/stand-ins/gitlab/world.ts";
import type { Database } from "../../src/store/queryable.ts";
import { listRuns } from "../../src/store/runs.ts";

export interface GitLabPerson {
  /** One call; throws when it is refused. */
  call<Answer>(method: string, path: string, body?: object): Promise<Answer>;
  /** Commits to a branch, which is made from `main` when it is not there. @returns the commit's id */
  push(branch: string, files: Readonly<Record<string, string>>, message?: string): Promise<string>;
  open(sourceBranch: string, more?: object): Promise<{ iid: number }>;
  /** Says something on a merge request, in a thread where one is named. @returns the note's id */
  say(iid: number, body: string, discussionId?: string): Promise<number>;
  /** Begins a thread on an added line of the newest diff. @returns its id */
  begin(iid: number, body: string, at: { path: string; line: number }): Promise<string>;
}

const repository = "acme/shop";

/** Somebody with that token in Acme's GitLab. */
export function gitlabPerson(acme: Acme, token: string): GitLabPerson {
  const project = `/projects/${encodeURIComponent(repository)}`;
  const person: GitLabPerson = {
    async call<Answer>(method: string, path: string, body?: object) {
      const response = await fetch(`${acme.gitlab.baseUrl}/api/v4${path}`, {
        method,
        headers: { "PRIVATE-TOKEN": token, "Content-Type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return (text === "" ? null : JSON.parse(text)) as Answer;
    },
    async push(branch, files, message = "Change something") {
      const { repository: git } = acme.gitlab.project(repository);
      const branches = await git.branches();
      const there = branches.has(branch);
      const actions = [];
      for (const [path, content] of Object.entries(files)) {
        const known = (await git.readBlob(branches.get(there ? branch : "main") ?? "", path)) !== null;
        actions.push({ action: known ? "update" : "create", file_path: path, content });
      }
      const start = there ? {} : { start_branch: "main" };
      const commit = { branch, ...start, commit_message: message, actions };
      return (await person.call<{ id: string }>("POST", `${project}/repository/commits`, commit)).id;
    },
    open: (sourceBranch, more = {}) =>
      person.call("POST", `${project}/merge_requests`, {
        source_branch: sourceBranch,
        target_branch: "main",
        title: "Round prices",
        ...more,
      }),
    async say(iid, body, discussionId) {
      const place = discussionId === undefined ? "" : `/discussions/${discussionId}`;
      return (await person.call<{ id: number }>("POST", `${project}/merge_requests/${iid}${place}/notes`, { body })).id;
    },
    async begin(iid, body, { path, line }) {
      const { diff_refs: refs } = await person.call<{ diff_refs: Record<string, string> }>(
        "GET",
        `${project}/merge_requests/${iid}`,
      );
      const position = { position_type: "text", ...refs, old_path: path, new_path: path, new_line: line };
      const thread = { body, position };
      return (await person.call<{ id: string }>("POST", `${project}/merge_requests/${iid}/discussions`, thread)).id;
    },
  };
  return person;
}

/** A merge request as the stand-in has it. */
export function requestOf(acme: Acme, iid: number): MergeRequest {
  const found = acme.gitlab.mergeRequests(repository).find((one) => one.iid === iid);
  if (found === undefined) throw new Error(`there is no !${iid}`);
  return found;
}

/** The thread that holds a note. */
export function threadOf(acme: Acme, iid: number, noteId: number): Discussion {
  const found = requestOf(acme, iid).discussions.find(({ notes }) => notes.some(({ id }) => id === noteId));
  if (found === undefined) throw new Error(`there is no note ${noteId} on !${iid}`);
  return found;
}

/** The run that a note started, once it has ended. */
export async function runOf(database: Database, noteId: number): Promise<Run> {
  const find = async (): Promise<Run | undefined> =>
    (await listRuns(database, 200)).find(({ target }) => target.request?.noteId === noteId);
  await expect.poll(async () => isEnd((await find())?.state ?? "queued"), { timeout: 60_000 }).toBe(true);
  const run = await find();
  if (run === undefined) throw new Error(`the run of note ${noteId} is gone`);
  return run;
}

/** The bot's last word in the thread of a note, without its hidden marker; empty when there is none. */
export function answerTo(acme: Acme, iid: number, noteId: number): string {
  const ours = threadOf(acme, iid, noteId).notes.findLast(({ authorId }) => authorId === 900);
  return ours?.body.replace(/<!--[\s\S]*?-->/g, "").trim() ?? "";
}

/** What the bot has said on a merge request, oldest first, without its hidden markers. */
export function botNotes(acme: Acme, iid: number): (Pick<Note, "id" | "type"> & { body: string })[] {
  const notes = requestOf(acme, iid).discussions.flatMap((thread) => thread.notes);
  return notes
    .filter(({ authorId, system }) => authorId === 900 && !system)
    .sort((a, b) => a.id - b.id)
    .map(({ id, type, body }) => ({ id, type, body: body.replace(/<!--[\s\S]*?-->/g, "").trim() }));
}
