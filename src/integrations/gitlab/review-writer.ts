/** Our part in the conversation of a merge request. */
import type { ReviewWriter } from "../../domain/ports.ts";
import type { Resource } from "./review-reader.ts";

const later = (): never => {
  throw new Error("not there yet");
};

/** Throws as all of the adapter does: Retryable or Permanent. */
export function createReviewWriter(_resource: Resource): ReviewWriter {
  return {
    ensureAward: later,
    ensureNote: later,
    ensureReview: later,
    ensureResolved: later,
    ensureDescription: later,
    ensureReady: later,
    ensureMerged: later,
    ensureRetried: later,
  };
}
