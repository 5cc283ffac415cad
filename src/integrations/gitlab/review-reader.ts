/** Merge requests and what is said and done on them, read. */
import type { ReviewReader } from "../../domain/ports.ts";
import type { Log } from "../../platform/log.ts";
import { createDiffReader } from "./diffs.ts";
import { createPeople } from "./people.ts";
import { createPipelineAccess } from "./pipelines.ts";
import type { Account, Resource } from "./resource.ts";
import { createRuleReader } from "./rules.ts";
import { createStateAccess } from "./state.ts";
import { createThreadReader } from "./threads.ts";

/** Throws as all of the adapter does: Retryable or Permanent. */
export function createReviewReader(resource: Resource, account: Account, log: Log): ReviewReader {
  const people = createPeople(resource);
  const { readMergeRequest } = createStateAccess(resource);
  const { readPipeline, newestPipeline, readTrace } = createPipelineAccess(resource);
  const { readPerson, isInGroup } = people;
  return {
    readMergeRequest,
    readPipeline,
    newestPipeline,
    readTrace,
    readPerson,
    isInGroup,
    ...createDiffReader(resource, log),
    ...createThreadReader(resource, account),
    ...createRuleReader(resource, account, people),
  };
}
