/** What the tests of GitLab share: a seeded stand-in, REST calls as a person, and git as a person. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { onTestFinished } from "vitest";
import { type GitLabStandIn, type GitLabStandInOptions, startGitLab } from "../../../src/stand-ins/gitlab/gitlab.ts";

export const shop = "acme/shop";
export const bot = { id: 7, username: "ticketsmith", name: "Ticketsmith", token: "token-of-the-bot" };
export const dana = {
  id: 11,
  username: "dana",
  name: "Dana Developer",
  token: "token-of-dana",
  accessLevels: { [shop]: 30 },
};
export const mary = {
  id: 12,
  username: "mary",
  name: "Mary Maintainer",
  token: "token-of-mary",
  accessLevels: { [shop]: 40 },
};
export const rita = {
  id: 13,
  username: "rita",
  name: "Rita Reporter",
  token: "token-of-rita",
  accessLevels: { [shop]: 20 },
};
export const olaf = { id: 14, username: "olaf", name: "Olaf Outsider", token: "token-of-olaf" };

export const files = {
  "README.md": "# Shop\n\nA small shop.\n",
  "src/cart.ts": "export function total(prices: number[]): number {\n  return prices.reduce((a, b) => a + b, 0);\n}\n",
};

/** A temporary directory that goes with the test. */
export async function scratch(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "gitlab-test-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** A stand-in with `acme/shop` and everybody above; closed, checked for unknown calls and deleted with the test. */
export async function openGitLab(more: Partial<GitLabStandInOptions> = {}): Promise<GitLabStandIn> {
  const gitlab = await startGitLab({
    projects: [{ path: shop, files }],
    users: [dana, mary, rita, olaf],
    bot,
    directory: await scratch(),
    pipelineTickMs: 1,
    ...more,
  });
  onTestFinished(() => gitlab.close());
  return gitlab;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: answers are picked apart in assertions
  readonly body: any;
}

/** A REST call on `acme/shop` (paths starting with `/` are below the API's root). */
export async function api(
  gitlab: GitLabStandIn,
  who: { token: string },
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const place = path.startsWith("/") ? path : `/projects/acme%2Fshop${path === "" ? "" : `/${path}`}`;
  const response = await fetch(`${gitlab.baseUrl}/api/v4${place}`, {
    method,
    headers: { "private-token": who.token, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await response.text();
  const isJson = (response.headers.get("content-type") ?? "").includes("json");
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

const run = promisify(execFile);

/** Runs git as a person, the token in an environment variable as it should be. Rejects with git's stderr in the message. */
export async function git(who: { token: string }, directory: string, ...args: string[]): Promise<string> {
  const authorization = `Authorization: Basic ${Buffer.from(`oauth2:${who.token}`).toString("base64")}`;
  const { stdout, stderr } = await run("git", args, {
    cwd: directory,
    env: {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      HOME: directory,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_TERMINAL_PROMPT: "0",
      GIT_AUTHOR_NAME: "Dana Developer",
      GIT_AUTHOR_EMAIL: "dana@example.com",
      GIT_COMMITTER_NAME: "Dana Developer",
      GIT_COMMITTER_EMAIL: "dana@example.com",
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "http.extraHeader",
      GIT_CONFIG_VALUE_0: authorization,
    },
  });
  return `${stdout}${stderr}`;
}

/** A branch with one changed file, made through the API. Gives its head. */
export async function branchWithChange(
  gitlab: GitLabStandIn,
  branch = "ticketsmith/SHOP-1",
  change: Record<string, string> = { "src/tax.ts": "export const rate = 0.19;\n" },
): Promise<string> {
  const actions = Object.entries(change).map(([path, content]) => ({
    action: path in files ? "update" : "create",
    file_path: path,
    content,
  }));
  const answer = await api(gitlab, bot, "POST", "repository/commits", {
    branch,
    start_branch: "main",
    commit_message: "SHOP-1 Add the tax rate",
    actions,
  });
  if (answer.status !== 201) throw new Error(`no branch: ${answer.status} ${JSON.stringify(answer.body)}`);
  return String(answer.body.id);
}

/** A branch with one changed file, and Dana's merge request for it, `!1` of the project. Gives its head. */
export async function openMergeRequest(
  gitlab: GitLabStandIn,
  change: Record<string, string> = { "src/tax.ts": "export const rate = 0.19;\n" },
  more: Record<string, unknown> = {},
): Promise<string> {
  const branch = "feature/tax";
  const head = await branchWithChange(gitlab, branch, change);
  const body = { title: "Taxes", source_branch: branch, target_branch: "main", ...more };
  const answer = await api(gitlab, dana, "POST", "merge_requests", body);
  if (answer.status !== 201) throw new Error(`no merge request: ${answer.status} ${JSON.stringify(answer.body)}`);
  return head;
}

/** One more commit on a branch, by Dana through the API. Gives its id. */
export async function commit(
  gitlab: GitLabStandIn,
  branch: string,
  actions: readonly Record<string, unknown>[],
  message = "More",
): Promise<string> {
  const answer = await api(gitlab, dana, "POST", "repository/commits", { branch, commit_message: message, actions });
  if (answer.status !== 201) throw new Error(`no commit: ${answer.status} ${JSON.stringify(answer.body)}`);
  return String(answer.body.id);
}
