import { readdirSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { Event, type Parsed } from "../../src/domain/event.ts";
import { parseGitLab } from "../../webhooks/gitlab/parse.ts";
import { fixture } from "./requests.ts";

const mina = { id: "87", name: "mokafor" };
const repository = "harbour/web/timetable";
const branch = "ticketsmith/FERRY-128";
const head = "4f2d8c1be07a96d35b1e0a7c92f4d6e8b3a5c701";
const before = "a90c3e7715d2f84b6ce1a0b9d47f52c8e6013d92";
const discussionId = "6a9c1750b37d513a43987b574953fceb50b03ce7";
const onRequest = { repository, iid: 42, actor: mina, sourceBranch: branch };

const table: Record<string, Parsed> = {
  note_on_merge_request: {
    event: {
      type: "mr.commented",
      ...onRequest,
      noteId: 77310,
      discussionId,
      body: "@ticketsmith fix the failing test",
      sha: head,
      thread: false,
    },
  },
  note_on_a_line_from_a_server_before_16_11: {
    event: {
      type: "mr.commented",
      ...onRequest,
      noteId: 77311,
      discussionId,
      body: "/ticketsmith ask why not a constant?",
      sha: head,
      thread: true,
    },
  },
  note_edited_on_a_server_before_16_11: { ignored: "an edited note: commands are read once, when written" },
  note_edited: { ignored: "an edited note: commands are read once, when written" },
  note_written_by_the_system: { ignored: "a system note: nobody wrote it" },
  internal_note_on_merge_request: { ignored: "an internal note: our answers would be public" },
  note_on_a_commit: { ignored: "a note that is not on a merge request" },
  merge_request_opened: { event: { type: "mr.changed", ...onRequest, action: "open", sha: head, pushed: false } },
  merge_request_got_new_commits: {
    event: { type: "mr.changed", ...onRequest, action: "update", sha: head, pushed: true },
  },
  merge_request_merged: { event: { type: "mr.changed", ...onRequest, action: "merge", sha: head, pushed: false } },
  pipeline_of_merge_request_failed: {
    event: {
      type: "pipeline.changed",
      repository,
      actor: mina,
      pipelineId: 9931,
      status: "failed",
      ref: branch,
      sha: head,
      iid: 42,
    },
  },
  pipeline_of_branch_succeeded: {
    event: {
      type: "pipeline.changed",
      repository,
      actor: mina,
      pipelineId: 9940,
      status: "success",
      ref: branch,
      sha: head,
      iid: null,
    },
  },
  pipeline_of_a_parent: { ignored: "a child pipeline: its parent tells the result" },
  branch_pushed: { event: { type: "branch.pushed", repository, actor: mina, ref: branch, before, after: head } },
  branch_deleted: { ignored: "a deleted branch" },
  member_added_to_group: { ignored: "user_add_to_group is about the running of GitLab" },
};

const read = (name: string): Record<string, unknown> => JSON.parse(fixture("gitlab", name));

describe("what GitLab's messages mean", () => {
  test("the table has every fixture", () => {
    const files = readdirSync(new URL("../../webhooks/gitlab/fixtures", import.meta.url));
    expect(files.map((file) => file.replace(".json", "")).sort()).toEqual(Object.keys(table).sort());
  });

  test.each(Object.entries(table))("%s", (name, expected) => {
    const parsed = parseGitLab({}, read(name));
    expect(parsed).toEqual(expected);
    if ("event" in parsed) expect(Event.parse(parsed.event)).toEqual(parsed.event);
  });

  test.each([
    ["issue", "issues live in Jira"],
    ["work_item", "issues live in Jira"],
    ["build", "jobs are read with their pipeline"],
    ["deployment", "deployments are not our business"],
    ["release", "releases are not our business"],
    ["wiki_page", "wiki pages are not our business"],
    ["emoji", "emoji are not commands"],
    ["feature_flag", "feature flags are not our business"],
    ["access_token", "tokens that expire are reported by our own check"],
    ["tag_push", "tags are not our business"],
  ])("%s is known and not needed", (kind, ignored) => {
    expect(parseGitLab({}, { object_kind: kind })).toEqual({ ignored });
  });

  test("a system hook is told apart by its header, whatever it holds", () => {
    const headers = { "x-gitlab-event": "System Hook" };
    expect(parseGitLab(headers, read("merge_request_opened"))).toMatchObject({
      ignored: expect.stringMatching(/^a system hook/),
    });
  });

  test.each(["refs/tags/v1.0", "refs/keep-around/1", "main"])("a push to %s is not to a branch", (ref) => {
    const body = { ...read("branch_pushed"), ref };
    expect(parseGitLab({}, body)).toEqual({ ignored: "a push that is not to a branch" });
  });

  test("a branch deleted in a repository with SHA-256 is deleted as well", () => {
    const body = { ...read("branch_pushed"), after: "0".repeat(64) };
    expect(parseGitLab({}, body)).toEqual({ ignored: "a deleted branch" });
  });

  test("the pipeline of a tag is not that of a branch with the same name", () => {
    const body = read("pipeline_of_branch_succeeded");
    Object.assign(body.object_attributes as object, { tag: true });
    expect(parseGitLab({}, body)).toEqual({ ignored: "the pipeline of a tag" });
  });

  test("a user name made of digits is nobody's id", () => {
    const body = { ...read("merge_request_opened"), user: { username: "1", name: "Not Root" } };
    expect(parseGitLab({}, body)).toMatchObject({ event: { actor: null } });
  });

  test.each([
    [null, "object_kind: the message has no name"],
    ["note", "object_kind: the message has no name"],
    [{ object_kind: "moon_phase" }, "moon_phase is not a message we know"],
    [{ object_kind: "__proto__" }, "__proto__ is not a message we know"],
    [{ object_kind: "note", project: {} }, /^project\.path_with_namespace: /],
    [{ object_kind: "pipeline" }, /^project: /],
  ])("%j is unsupported", (body, reason) => {
    expect(parseGitLab({}, body)).toEqual({
      unsupported: reason instanceof RegExp ? expect.stringMatching(reason) : reason,
    });
  });
});
