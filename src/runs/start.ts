/** How a run begins. */
import { randomBytes } from "node:crypto";
import { UserError } from "../domain/errors.ts";
import { type Run, subjectOf, type Target } from "../domain/run.ts";
import type { Queryable } from "../store/queryable.ts";
import { insertRun } from "../store/runs.ts";
import type { Workflows } from "./workflow.ts";

/** Sorts by time, is short enough to type, and safe in file names and branch names. */
function newRunId(): string {
  return `r${Date.now().toString(36)}${randomBytes(3).toString("hex")}`;
}

/**
 * Inserts a queued run in the caller's transaction; ring the bell after the commit.
 * @returns null when there is an active run with the same subject already, or when `cause` started one before
 * @throws UserError when there is no such workflow
 */
export async function startRun(
  tx: Queryable,
  workflows: Workflows,
  request: {
    workflow: string;
    target: Target;
    requestedBy: string;
    cause?: string | undefined;
    delayMs?: number | undefined;
  },
): Promise<Run | null> {
  const first = workflows.get(request.workflow)?.steps[0];
  if (first === undefined) {
    const known = [...workflows.keys()].join(", ");
    throw new UserError(`there is no workflow "${request.workflow}" (there are: ${known})`);
  }
  const { workflow, target, requestedBy, cause, delayMs } = request;
  return insertRun(tx, {
    id: newRunId(),
    step: first.name,
    workflow,
    target,
    subject: subjectOf(workflow, target),
    requestedBy,
    cause,
    delayMs,
  });
}
