/** GitLab as the flow sees it: who is who, projects, and one merge request per branch. Commits travel over git, not over this. */
import { MergeRequests, ProjectHooks, Projects } from "@gitbeaker/rest";
import type { Ensured } from "../../domain/effect.ts";
import { Permanent, UserError } from "../../domain/errors.ts";
import type { CodeReader, CodeSearch, CodeWriter, HookKeeper, ReviewReader, ReviewWriter } from "../../domain/ports.ts";
import type { Log } from "../../platform/log.ts";
import { registerSecret } from "../../platform/redact.ts";
import { hasMarker, printBlock, sameNewlines, withBlock } from "./description.ts";
import { createHookKeeper } from "./hooks.ts";
import { createPeople } from "./people.ts";
import { createRequester } from "./requester.ts";
import { createAccount } from "./resource.ts";
import { createReviewReader } from "./review-reader.ts";
import { createReviewWriter } from "./review-writer.ts";
import { checked, MergeRequestAnswer, ProjectAnswer, toMergeRequest } from "./schemas.ts";
import { createCodeSearch } from "./standings.ts";
import { printTitle, wantedTitle } from "./title.ts";

type MergeRequestInput = Parameters<CodeWriter["ensureMergeRequest"]>[0];

export interface GitLabOptions {
  /** Address of the instance. Plain http and a path (relative URL installation) are fine. */
  readonly baseUrl: string;
  /** Personal, project or group access token with scope `api`. */
  readonly token: string;
  /** Per call, body included. Default 30 000. */
  readonly timeoutMs?: number;
  readonly log: Log;
}

/**
 * Reader and writer for one GitLab. Every method makes single attempts and throws Retryable or Permanent (see requester.ts).
 * Throws UserError at once when the address or the token cannot be meant.
 */
export function createGitLab(
  options: GitLabOptions,
): CodeReader & CodeSearch & CodeWriter & HookKeeper & ReviewReader & ReviewWriter {
  const baseUrl = readBaseUrl(options.baseUrl);
  const token = readToken(options.token);
  const { log } = options;
  const resource = {
    host: baseUrl,
    token,
    requesterFn: createRequester({ timeoutMs: options.timeoutMs ?? 30_000, log }),
    // The requester has the one timeout.
    queryTimeout: null,
  };
  const account = createAccount(resource);
  const projects = new Projects(resource);
  const mergeRequests = new MergeRequests(resource);

  /** Open merge requests of a branch of the project itself: a fork's branch of the same name is not ours. */
  async function listOpen(repository: string, sourceBranch: string): Promise<MergeRequestAnswer[]> {
    const answers: unknown = await mergeRequests.all({
      projectId: repository,
      sourceBranch,
      state: "opened",
      // One page: GitLab allows one open merge request per source and target branch, so there are few.
      page: 1,
      perPage: 100,
    });
    return checked(MergeRequestAnswer.array(), answers, "list of merge requests").filter(
      (found) => found.source_branch === sourceBranch && found.source_project_id === found.target_project_id,
    );
  }

  async function create(input: MergeRequestInput): Promise<Ensured> {
    const answer: unknown = await mergeRequests.create(
      input.repository,
      input.sourceBranch,
      input.targetBranch,
      printTitle(input.title, input.draft),
      {
        description: printBlock(input.marker, input.body),
        labels: input.labels.join(","),
        removeSourceBranch: true,
      },
    );
    return ensured("created", checked(MergeRequestAnswer, answer, "merge request"));
  }

  async function bringUpToDate(input: MergeRequestInput, found: MergeRequestAnswer): Promise<Ensured> {
    const title = wantedTitle(found.title, input.title, input.draft);
    const current = sameNewlines(found.description ?? "");
    const description = withBlock(current, input.marker, input.body);
    const missing = input.labels.filter((label) => !found.labels.includes(label));
    const edit = {
      ...(title !== found.title ? { title } : {}),
      ...(description.trim() !== current.trim() ? { description } : {}),
      ...(missing.length > 0 ? { addLabels: missing.join(",") } : {}),
    };
    if (Object.keys(edit).length === 0) return ensured("unchanged", found);
    const answer: unknown = await mergeRequests.edit(input.repository, found.iid, edit);
    return ensured("updated", checked(MergeRequestAnswer, answer, "merge request"));
  }

  return {
    ...createCodeSearch(mergeRequests),
    ...createHookKeeper(new ProjectHooks(resource), projects),
    ...createReviewReader(resource, account, log),
    ...createReviewWriter(resource, account),

    whoAmI: account.whoAmI,
    readAccessLevel: createPeople(resource).readAccessLevel,

    async readProject(path) {
      const project = checked(ProjectAnswer, await projects.show(path), "project");
      if (project.default_branch === null || project.default_branch === undefined || project.default_branch === "") {
        throw new UserError(`The repository ${path} is empty. It needs a first commit before I can work in it.`);
      }
      return {
        id: project.id,
        path: project.path_with_namespace,
        defaultBranch: project.default_branch,
        url: project.web_url,
        // Not GitLab's http_url_to_repo: the token goes only to the host that the operator named.
        cloneUrl: `${baseUrl}/${project.path_with_namespace}.git`,
      };
    },

    async findMergeRequest({ repository, sourceBranch }) {
      const [found] = await listOpen(repository, sourceBranch);
      return found === undefined ? null : toMergeRequest(found);
    },

    async ensureMergeRequest(input) {
      const found = choose(await listOpen(input.repository, input.sourceBranch), input);
      if (found !== undefined) return bringUpToDate(input, found);
      try {
        return await create(input);
      } catch (error) {
        // Somebody opened it between our look and our call, or the list lags behind.
        if (!(error instanceof Permanent) || error.status !== 409) throw error;
        const iid = /!(\d+)/.exec(error.message)?.[1];
        log.info("A merge request for the branch exists already", { branch: input.sourceBranch, iid });
        const other =
          iid === undefined
            ? choose(await listOpen(input.repository, input.sourceBranch), input)
            : checked(MergeRequestAnswer, await mergeRequests.show(input.repository, Number(iid)), "merge request");
        if (other === undefined) throw error;
        return bringUpToDate(input, other);
      }
    },
  };
}

/** Ours by its marker, else the one with the wanted target, else any: a branch has one merge request as far as we are concerned. */
function choose(open: readonly MergeRequestAnswer[], input: MergeRequestInput): MergeRequestAnswer | undefined {
  return (
    open.find((found) => hasMarker(found.description ?? "", input.marker)) ??
    open.find((found) => found.target_branch === input.targetBranch) ??
    open[0]
  );
}

function ensured(outcome: Ensured["outcome"], answer: MergeRequestAnswer): Ensured {
  return { outcome, ref: { id: String(answer.iid), url: answer.web_url } };
}

function readBaseUrl(text: string): string {
  const url = URL.parse(text.trim());
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== "" || url.password !== "") {
    throw new UserError(
      "GITLAB_BASE_URL must be a plain http or https address without credentials, e.g. https://gitlab.example.com",
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, "");
}

/** A stray newline would make the HTTP client quote the whole header, token included, in its error. */
function readToken(text: string): string {
  const token = text.trim();
  registerSecret(token);
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new UserError("GITLAB_TOKEN is empty or holds characters that no GitLab token has");
  return token;
}
