/** Merge requests and what is said and done on them, read. */
import type { ReviewReader } from "../../domain/ports.ts";
import type { createRequester } from "./requester.ts";

/** What gitbeaker's resources are made with. */
export interface Resource {
  readonly host: string;
  readonly token: string;
  readonly requesterFn: ReturnType<typeof createRequester>;
  readonly queryTimeout: null;
}

const later = (): never => {
  throw new Error("not there yet");
};

/** Throws as all of the adapter does: Retryable or Permanent. */
export function createReviewReader(_resource: Resource): ReviewReader {
  return {
    readMergeRequest: later,
    readDiff: later,
    listThreads: later,
    readPipeline: later,
    readTrace: later,
    readPerson: later,
    isInGroup: later,
    readRules: later,
    readApprovals: later,
  };
}
