/** The facts about an event on a merge request, and what is done in the transaction of its verdict. */
import { Permanent } from "../domain/errors.ts";
import type { Person } from "../domain/merge-request.ts";
import type { CodeReader, ReviewReader } from "../domain/ports.ts";
import type { Policy } from "../platform/policy.ts";
import { raiseBudget } from "../runs/raise.ts";
import { startRun } from "../runs/start.ts";
import type { Workflows } from "../runs/workflow.ts";
import { countAnswers, listRunsAbout } from "../store/conversations.ts";
import type { Database, Queryable } from "../store/queryable.ts";
import { findActiveRun, findCausedRun, requestCancel, retryRun } from "../store/runs.ts";
import { parseCommand } from "./command.ts";
import {
  type Alongside,
  isOwnBranch,
  type MergeRequestDecision,
  type MergeRequestFacts,
  type OnMergeRequest,
  ticketOfBranch,
} from "./merge-request-facts.ts";
import { routeMergeRequest } from "./route-merge-request.ts";
import { groupsFor } from "./who-may.ts";

export interface Registrar {
  readonly database: Database;
  readonly policy: Policy;
  readonly workflows: Workflows;
  readonly code: Pick<CodeReader, "findMergeRequest"> & Pick<ReviewReader, "readPerson" | "isInGroup">;
  /** User id of the bot in GitLab. */
  readonly self: string;
}

/** Who somebody is in a project; null when there is no such account. */
async function personOf({ code }: Registrar, repository: string, userId: string): Promise<Person | null> {
  try {
    return await code.readPerson({ repository, userId });
  } catch (error) {
    if (error instanceof Permanent && error.status === 404) return null;
    throw error;
  }
}

/** Those of the groups of a command that somebody is in. Nothing is asked where the policy names none. */
async function groupsOf({ code, policy }: Registrar, body: string, userId: string): Promise<string[]> {
  const command = parseCommand(body, { aliases: policy.mergeRequests.aliases });
  if (command === null || "unknown" in command) return [];
  const found: string[] = [];
  for (const group of groupsFor(command.name, policy)) {
    if (await code.isInGroup({ group, userId })) found.push(group);
  }
  return found;
}

async function factsOf(registrar: Registrar, event: OnMergeRequest): Promise<MergeRequestFacts> {
  const { database, self, code } = registrar;
  const { repository } = event;
  const branch = event.type === "pipeline.changed" ? event.ref : event.sourceBranch;
  const lookUp = event.iid === null && isOwnBranch(branch);
  const open = lookUp ? await code.findMergeRequest({ repository, sourceBranch: branch }) : null;
  const iid = event.iid ?? open?.iid ?? null;
  const isComment = event.type === "mr.commented";
  const userId = isComment ? (event.actor?.id ?? null) : null;
  const ticket = ticketOfBranch(branch);
  const runs = iid === null ? [] : await listRunsAbout(database, { repository, iid, ticket });
  const onThis = runs.filter(({ target }) => target.mergeRequest !== undefined);
  const discussionId = isComment ? event.discussionId : null;
  return {
    self,
    startedRun: isComment ? await findCausedRun(database, `gitlab:note:${event.noteId}`) : null,
    person: userId === null ? null : await personOf(registrar, repository, userId),
    groups: isComment && userId !== null ? await groupsOf(registrar, event.body, userId) : [],
    busy: iid === null ? null : await findActiveRun(database, `${repository}!${iid}`),
    runs,
    answers: iid === null ? { thread: 0, hour: 0 } : await countAnswers(database, { repository, iid, discussionId }),
    reviewed: onThis.some(({ workflow, state }) => workflow === "review" && state === "done"),
    openRequest: open?.iid ?? null,
    repairs: onThis.filter(({ workflow, state }) => workflow === "heal" && state === "done").length,
  };
}

/** Decides about an event on a merge request. @throws Retryable while the facts cannot be read */
export async function decideOnMergeRequest(registrar: Registrar, event: OnMergeRequest): Promise<MergeRequestDecision> {
  return routeMergeRequest(event, await factsOf(registrar, event), registrar.policy);
}

interface Done {
  /** Ids of runs to ring. */
  readonly ring: readonly string[];
  /** Why it did not happen. */
  readonly refused?: string;
}

/** A run that broke off goes on at its step; one that came to its end with something left for a person begins anew. */
async function retry(
  tx: Queryable,
  workflows: Workflows,
  { run, by }: Extract<Alongside, { kind: "retry" }>,
): Promise<Done> {
  const { id, workflow, target, state } = run;
  if (state !== "needs_human") {
    if (await retryRun(tx, id)) return { ring: [id] };
  } else {
    const anew = await startRun(tx, workflows, { workflow, target, requestedBy: by });
    if (anew !== null) return { ring: [anew.id] };
  }
  return { ring: [], refused: "busy" };
}

/** What comes with an answer. */
async function doAlongside(tx: Queryable, workflows: Workflows, alongside: Alongside): Promise<Done> {
  switch (alongside.kind) {
    case "cancel":
      for (const id of alongside.runIds) await requestCancel(tx, id, alongside.reason);
      return { ring: alongside.runIds };
    case "raise": {
      const raised = await raiseBudget(tx, alongside);
      return "refused" in raised ? { ring: [], refused: raised.refused } : { ring: [alongside.runId] };
    }
    case "retry":
      return retry(tx, workflows, alongside);
  }
}

const failures = { cancel: "nothing_to_stop", raise: "not_raised", retry: "nothing_to_retry" } as const;

/** What became of a delivery: its verdict's words, the run that it is about, and the runs that must be rung. */
export interface Outcome {
  readonly verdict: "handled" | "ignored";
  readonly reason: string;
  readonly runId?: string;
  /** Milliseconds from now before which that run does nothing. */
  readonly delayMs?: number;
  /** Ids of other runs. */
  readonly ring?: readonly string[];
}

/** Starts the run of a decision, and does what comes with it. */
export async function carryOutStart(
  { workflows }: Pick<Registrar, "workflows">,
  tx: Queryable,
  decision: Extract<MergeRequestDecision, { kind: "start" }>,
): Promise<Outcome> {
  const { alongside, target } = decision;
  const done: Done = alongside === undefined ? { ring: [] } : await doAlongside(tx, workflows, alongside);
  const { refused } = done;
  const answer =
    refused === undefined || target.answer === undefined
      ? target
      : { ...target, answer: { ...target.answer, about: failures[alongside?.kind ?? "cancel"], detail: refused } };
  const run = await startRun(tx, workflows, { ...decision, target: answer });
  if (run === null) return { verdict: "ignored", reason: "a run was started for this already" };
  const what = target.answer === undefined ? run.workflow : `${run.workflow}: ${target.answer.about}`;
  const delay = decision.delayMs === undefined ? {} : { delayMs: decision.delayMs };
  return { verdict: "handled", reason: `started ${what}`, runId: run.id, ring: done.ring, ...delay };
}
