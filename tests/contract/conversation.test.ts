/**
 * Every verb of reading and taking part in merge requests, called so that each kind of request is made: they keep to GitLab's
 * description, and the stand-in knows them all.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ReviewReader, ReviewWriter } from "../../src/domain/ports.ts";
import { createGitLab } from "../../src/integrations/gitlab/gitlab.ts";
import { silentLog } from "../../src/platform/log.ts";
import { parseMarkdown } from "../../src/platform/markdown.ts";
import type { GitLabStandIn } from "../../src/stand-ins/gitlab/gitlab.ts";
import { startGitLab } from "../../src/stand-ins/gitlab/gitlab.ts";
import { loadContracts } from "./spec.ts";

type Client = ReviewReader & ReviewWriter;

const repository = "acme/shop";
const at = { repository, iid: 1 };
const bot = { id: 900, username: "ticketsmith", token: "glpat-bot", accessLevels: { [repository]: 40 } };
const mia = { id: 11, username: "mia", token: "glpat-mia", accessLevels: { [repository]: 40 } };
const text = parseMarkdown("It **works**.\n\n```suggestion:-0+0\nconst one = 1;\n```");

/** What the verbs are called with. */
interface Scene {
  readonly sha: string;
  readonly pipelineId: number;
  readonly jobId: number;
  readonly noteId: number;
  readonly discussionId: string;
}

/** A verb that is missing here does not compile. */
const deeds: { readonly [Verb in keyof Client]-?: (gitlab: Client, scene: Scene) => Promise<unknown> } = {
  readMergeRequest: (gitlab) => gitlab.readMergeRequest(at),
  readDiff: (gitlab) => gitlab.readDiff(at),
  listThreads: (gitlab) => gitlab.listThreads(at),
  readPipeline: (gitlab, { pipelineId }) => gitlab.readPipeline({ repository, pipelineId }),
  newestPipeline: (gitlab) => gitlab.newestPipeline({ repository, ref: "feature" }),
  readTrace: (gitlab, { jobId }) => gitlab.readTrace({ repository, jobId, maxBytes: 1000 }),
  readPerson: (gitlab) => gitlab.readPerson({ repository, userId: "11" }),
  isInGroup: (gitlab) => gitlab.isInGroup({ group: "acme", userId: "11" }),
  readRules: (gitlab) => gitlab.readRules({ repository, branch: "main" }),
  readApprovals: (gitlab) => gitlab.readApprovals(at),
  ensureAward: (gitlab, { noteId }) => gitlab.ensureAward({ ...at, noteId, name: "eyes" }),
  ensureNote: async (gitlab, { discussionId }) => {
    for (const place of [discussionId, null]) {
      const note = { ...at, discussionId: place, marker: `note:${place}`, body: text };
      await gitlab.ensureNote(note);
      await gitlab.ensureNote({ ...note, body: parseMarkdown("Changed.") });
    }
  },
  ensureReview: async (gitlab) => {
    const { refs } = await gitlab.readMergeRequest(at);
    if (refs === null) throw new Error("no refs");
    const finding = (name: string, line: number) => ({
      marker: `finding:${name}`,
      position: { path: "src/one & two.js", oldPath: "src/one & two.js", line, oldLine: null },
      body: text,
    });
    await gitlab.ensureReview({ ...at, refs, findings: [finding("a", 1), finding("nowhere", 99)] });
    await gitlab.ensureReview({ ...at, refs, findings: [finding("a", 1), finding("b", 2)] });
  },
  ensureResolved: (gitlab, { discussionId }) => gitlab.ensureResolved({ ...at, discussionId }),
  ensureDescription: (gitlab) => gitlab.ensureDescription({ ...at, marker: "description:1", body: text }),
  ensureRetried: (gitlab, { pipelineId, jobId }) => gitlab.ensureRetried({ repository, pipelineId, jobId }),
  ensureReady: (gitlab, { sha }) => gitlab.ensureReady({ ...at, sha }),
  ensureMerged: (gitlab, { sha }) => gitlab.ensureMerged({ ...at, sha }),
};

const contracts = loadContracts();

describe.skipIf(contracts === null)("the requests on merge requests (skipped without ../shared/specs)", () => {
  let gitlab: GitLabStandIn;

  beforeAll(async () => {
    gitlab = await startGitLab({
      projects: [{ path: repository, files: { "README.md": "# Shop\n" } }],
      users: [mia],
      bot,
      pipelineTickMs: 1,
      // Everything is too large: the whole text is asked for, too.
      diffLimits: { collapse: 1, tooLarge: 1000 },
      pipeline: () => ({ status: "failed", jobs: [{ name: "test", status: "failed" }] }),
    });
  });
  afterAll(() => gitlab.close());

  // biome-ignore lint/suspicious/noExplicitAny: picked apart at once
  async function asMia(method: string, path: string, body: unknown): Promise<any> {
    const response = await fetch(`${gitlab.url}/api/v4/projects/acme%2Fshop/${path}`, {
      method,
      headers: { "private-token": mia.token, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect(response.ok).toBe(true);
    return response.json();
  }

  async function setScene(): Promise<Scene> {
    const commit = await asMia("POST", "repository/commits", {
      branch: "feature",
      start_branch: "main",
      commit_message: "One",
      actions: [
        { action: "create", file_path: "src/one & two.js", content: "const one = 0;\nconst two = 2;\n" },
        { action: "create", file_path: ".gitlab-ci.yml", content: "test: {}\n" },
      ],
    });
    const request = { title: "Draft: One", source_branch: "feature", target_branch: "main" };
    await asMia("POST", "merge_requests", request);
    const { id, notes } = await asMia("POST", "merge_requests/1/discussions", { body: "@ticketsmith help" });
    await gitlab.idle();
    const pipeline = gitlab.project(repository).pipelines[0];
    const jobId = pipeline?.jobs[0]?.id ?? 0;
    return { sha: commit.id, pipelineId: pipeline?.id ?? 0, jobId, noteId: notes[0].id, discussionId: id };
  }

  test("keep to GitLab's description, and the stand-in knows them all", async () => {
    const scene = await setScene();
    const client = createGitLab({ baseUrl: gitlab.url, token: bot.token, log: silentLog });
    for (const deed of Object.values(deeds)) await deed(client, scene);
    const own = gitlab.requests.filter(({ headers }) => headers["private-token"] === bot.token);
    expect(own.length).toBeGreaterThan(50);
    expect([...new Set(own.flatMap((request) => contracts?.check("gitlab", request) ?? []))]).toEqual([]);
    expect(gitlab.unknown).toEqual([]);
    expect(gitlab.mergeRequests(repository)[0]?.state).toBe("merged");
  });
});
