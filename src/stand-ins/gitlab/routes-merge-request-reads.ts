/** What can be read about a merge request besides itself: differences, versions, commits, pipelines, approvals. */
import type { Route } from "../server.ts";
import { approvalStateShape, approvalsShape } from "./approvals.ts";
import { diffFiles } from "./diffs.ts";
import { diffsOf, limited, rawDiffOf } from "./limits.ts";
import { headOf, isSince } from "./lookups.ts";
import { mergeRequestShape } from "./merge-request-shapes.ts";
import { pipelineShape } from "./pipeline-shapes.ts";
import { pipelinesOf } from "./pipelines.ts";
import { bool, type MergeRequestCall, notFound, onMergeRequest, paginate } from "./request.ts";
import { commitShape } from "./shapes.ts";
import type { DiffVersion, MergeRequest, World } from "./world.ts";

const one = "/api/v4/projects/:id/merge_requests/:iid";

/** Routes that only read. */
export function mergeRequestReadRoutes(world: World): Route[] {
  const shownDiffs = ({ project, mergeRequest }: MergeRequestCall) => diffsOf(world, project, mergeRequest);
  const commitsOf = ({ project, mergeRequest }: MergeRequestCall) =>
    project.repository.log(`${headOf(mergeRequest).baseSha}..${headOf(mergeRequest).headSha}`);
  const versionShape = (mergeRequest: MergeRequest, version: DiffVersion) => ({
    id: version.id,
    head_commit_sha: version.headSha,
    base_commit_sha: version.baseSha,
    start_commit_sha: version.startSha,
    created_at: version.createdAt.toISOString(),
    merge_request_id: mergeRequest.id,
    state: "collected",
    real_size: "1",
  });
  return [
    ["GET", `${one}/diffs`, onMergeRequest(world, 20, async (call) => paginate(call, await shownDiffs(call)))],
    [
      "GET",
      `${one}/raw_diffs`,
      onMergeRequest(world, 20, async ({ project, mergeRequest }) => {
        if (!isSince(world, "17.9")) throw notFound();
        const headers = { "content-type": "text/plain" };
        return { status: 200, headers, body: await rawDiffOf(project, mergeRequest) };
      }),
    ],
    [
      "GET",
      `${one}/changes`,
      onMergeRequest(world, 20, async (call) => ({
        status: 200,
        body: {
          ...mergeRequestShape(world, call.project, call.mergeRequest),
          // Gone from newer servers, where it changes nothing.
          changes:
            bool(call.params, "access_raw_diffs") === true && !isSince(world, "18.0")
              ? await diffFiles(
                  call.project.repository,
                  headOf(call.mergeRequest).baseSha,
                  headOf(call.mergeRequest).headSha,
                )
              : await shownDiffs(call),
          overflow: false,
        },
      })),
    ],
    [
      "GET",
      `${one}/commits`,
      onMergeRequest(world, 20, async (call) =>
        paginate(
          call,
          (await commitsOf(call)).map((commit) => commitShape(world, call.project, commit)),
        ),
      ),
    ],
    [
      "GET",
      `${one}/versions`,
      onMergeRequest(world, 20, (call) =>
        paginate(call, call.mergeRequest.versions.map((version) => versionShape(call.mergeRequest, version)).reverse()),
      ),
    ],
    [
      "GET",
      `${one}/versions/:version`,
      onMergeRequest(world, 20, async ({ project, mergeRequest, route }) => {
        const version = mergeRequest.versions.find((candidate) => String(candidate.id) === route.version);
        if (version === undefined) throw notFound();
        const diffs = limited(world, await diffFiles(project.repository, version.baseSha, version.headSha));
        return { status: 200, body: { ...versionShape(mergeRequest, version), commits: [], diffs } };
      }),
    ],
    [
      "GET",
      `${one}/pipelines`,
      onMergeRequest(world, 20, (call) =>
        paginate(
          call,
          pipelinesOf(call.project, call.mergeRequest.iid).map((found) => pipelineShape(world, call.project, found)),
        ),
      ),
    ],
    [
      "GET",
      `${one}/approvals`,
      onMergeRequest(world, 20, ({ project, user, mergeRequest }) => ({
        status: 200,
        body: approvalsShape(world, project, user, mergeRequest),
      })),
    ],
    [
      "GET",
      `${one}/approval_state`,
      onMergeRequest(world, 20, ({ project, mergeRequest }) => {
        if (world.tier === "free") throw notFound();
        return { status: 200, body: approvalStateShape(world, project, mergeRequest) };
      }),
    ],
  ];
}
