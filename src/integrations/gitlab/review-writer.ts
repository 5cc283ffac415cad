/** Our part in the conversation of a merge request. */
import type { ReviewWriter } from "../../domain/ports.ts";
import { createNoteWriter } from "./notes.ts";
import { createPipelineAccess } from "./pipelines.ts";
import type { Account, Resource } from "./resource.ts";
import { createReviews } from "./reviews.ts";
import { createStateAccess } from "./state.ts";

/** Throws as all of the adapter does: Retryable or Permanent. */
export function createReviewWriter(resource: Resource, account: Account): ReviewWriter {
  const { ensureDescription, ensureReady, ensureMerged } = createStateAccess(resource);
  const { ensureRetried } = createPipelineAccess(resource);
  return {
    ensureDescription,
    ensureReady,
    ensureMerged,
    ensureRetried,
    ...createNoteWriter(resource, account),
    ...createReviews(resource, account),
  };
}
