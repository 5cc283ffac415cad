/** SQL of `ticketsmith.runs`. Every change of a running run carries its epoch: a worker whose lease was taken over changes nothing. */
import { Gate, mayMove, type Run, type RunState, Target } from "../domain/run.ts";
import { redact } from "../platform/redact.ts";
import { toJson, toText } from "./json.ts";
import type { Queryable } from "./queryable.ts";

/** The lease was lost to another worker (or the run was ended meanwhile): stop quietly, somebody else goes on. */
export class LeaseLost extends Error {
  override readonly name = "LeaseLost";
}

export const runColumns = `id, workflow, target, state, step, epoch, lease_until as "leaseUntil", not_before as "notBefore",
  waiting_for as "waitingFor", starts, requested_by as "requestedBy", cancel_requested as "cancelRequested", reason,
  cost_usd as "costUsd", tokens, worked_ms::float8 as "workedMs", tries, created_at as "createdAt", updated_at as "updatedAt", ended_at as "endedAt"`;

export type RunRow = Omit<Run, "tokens" | "target" | "waitingFor"> & {
  tokens: string;
  target: unknown;
  waitingFor: unknown;
};

export function toRun(row: RunRow): Run {
  return {
    ...row,
    tokens: Number(row.tokens),
    target: Target.parse(row.target),
    waitingFor: row.waitingFor === null ? null : Gate.parse(row.waitingFor),
  };
}

/** SQL: milliseconds from one time to another; 0 when either is not known. */
function msSince(later: string, earlier: string): string {
  return `coalesce(greatest(extract(epoch from ${later} - ${earlier}) * 1000, 0), 0)::bigint`;
}

/**
 * Starts a run in state queued. Null when there is an active one with the same subject, or when `cause` started one before.
 * @param run.subject what it is about, see `subjectOf`; absent: the ticket
 * @param run.delayMs nobody starts it earlier
 * @param run.cause names what asked for the run; no two runs have the same
 */
export async function insertRun(
  tx: Queryable,
  run: {
    id: string;
    workflow: string;
    target: Target;
    subject?: string | undefined;
    step: string;
    requestedBy: string;
    cause?: string | undefined;
    delayMs?: number | undefined;
  },
): Promise<Run | null> {
  const { rows } = await tx.query<RunRow>(
    `insert into ticketsmith.runs (id, workflow, ticket, subject, target, state, step, requested_by, cause, not_before)
     values ($1, $2, $3, $4, $5, 'queued', $6, $7, $8, now() + $9::float8 * interval '1 millisecond')
     on conflict do nothing
     returning ${runColumns}`,
    [
      run.id,
      run.workflow,
      run.target.ticket,
      run.subject ?? run.target.ticket,
      toJson(run.target),
      run.step,
      run.requestedBy,
      run.cause ?? null,
      run.delayMs ?? null,
    ],
  );
  return rows[0] === undefined ? null : toRun(rows[0]);
}

export async function findRun(db: Queryable, id: string): Promise<Run | null> {
  const { rows } = await db.query<RunRow>(`select ${runColumns} from ticketsmith.runs where id = $1`, [id]);
  return rows[0] === undefined ? null : toRun(rows[0]);
}

/** The run that is queued, running or waiting for a ticket, or for another subject (see `subjectOf`). */
export async function findActiveRun(db: Queryable, subject: string): Promise<Run | null> {
  const { rows } = await db.query<RunRow>(
    `select ${runColumns} from ticketsmith.runs where subject = $1 and state in ('queued', 'running', 'waiting')`,
    [subject],
  );
  return rows[0] === undefined ? null : toRun(rows[0]);
}

/** Id of the run that a cause started, or null. */
export async function findCausedRun(db: Queryable, cause: string): Promise<string | null> {
  const { rows } = await db.query<{ id: string }>(`select id from ticketsmith.runs where cause = $1`, [cause]);
  return rows[0]?.id ?? null;
}

/** The newest runs, newest first. */
export async function listRuns(db: Queryable, limit: number): Promise<Run[]> {
  const { rows } = await db.query<RunRow>(
    `select ${runColumns} from ticketsmith.runs order by created_at desc limit $1`,
    [limit],
  );
  return rows.map(toRun);
}

/**
 * Takes the lease of a run that is due: queued and past `not_before`, or running with a lease that ran out.
 * Null when it is not due or somebody else has it.
 * @param mostDeaths leave it when more workers than that died while they were at its current step
 */
export async function claimRun(db: Queryable, id: string, leaseMs: number, mostDeaths?: number): Promise<Run | null> {
  const { rows } = await db.query<RunRow>(
    `update ticketsmith.runs
     set state = 'running', epoch = epoch + 1, starts = starts + 1, updated_at = now(), leased_at = now(),
         -- How long a worker that died was at it is not known: until its lease ran out, at most.
         worked_ms = worked_ms + case when state = 'running' then ${msSince("lease_until", "leased_at")} else 0 end,
         lease_until = now() + $2 * interval '1 millisecond'
     where id = $1 and ((state = 'queued' and (not_before is null or not_before <= now()))
                     or (state = 'running' and lease_until < now()))
       and starts <= $3
     returning ${runColumns}`,
    [id, leaseMs, mostDeaths ?? 2_147_483_647],
  );
  return rows[0] === undefined ? null : toRun(rows[0]);
}

/** Prolongs the lease. @throws LeaseLost @returns whether a cancellation was asked for, and why */
export async function renewLease(
  db: Queryable,
  run: Run,
  leaseMs: number,
): Promise<{ cancelRequested: boolean; reason: string | null }> {
  const { rows } = await db.query<{ cancelRequested: boolean; reason: string | null }>(
    `update ticketsmith.runs set lease_until = now() + $3 * interval '1 millisecond'
     where id = $1 and epoch = $2 and state = 'running' returning cancel_requested as "cancelRequested", reason`,
    [run.id, run.epoch, leaseMs],
  );
  const row = rows[0];
  if (row === undefined) throw new LeaseLost(`run ${run.id} is no longer ours`);
  return row;
}

/** Locks the run's row for this transaction and makes sure that the lease is still ours. @throws LeaseLost */
export async function holdLease(tx: Queryable, run: Run): Promise<void> {
  const { rows } = await tx.query(
    `select 1 from ticketsmith.runs where id = $1 and epoch = $2 and state = 'running' for update`,
    [run.id, run.epoch],
  );
  if (rows.length === 0) throw new LeaseLost(`run ${run.id} is no longer ours`);
}

/** What becomes of a run when its worker lets go of it. */
export interface Handover {
  readonly state: Exclude<RunState, "running">;
  readonly step?: string;
  readonly reason?: string | null;
  /** Milliseconds from now before which nobody should start it. */
  readonly delayMs?: number | undefined;
  readonly waitingFor?: Gate | null;
  /** A step was finished: crash counter and retry counter begin anew. */
  readonly progressed?: boolean;
  /**
   * Why a run that made no progress is put back. `fault`: something of its own went wrong, which counts as a try; the default.
   * `away`: an outside system is. `handed_back`: nothing is wrong, its worker stops. Neither counts, however often it happens.
   */
  readonly cause?: "fault" | "away" | "handed_back";
}

/**
 * Gives the lease back. Only once: a worker that did not hear that it had (its commit went through, the answer was lost) must not
 * take a run back from its gate or its end. @throws LeaseLost
 */
export async function handOver(tx: Queryable, run: Run, to: Handover): Promise<void> {
  if (!mayMove("running", to.state)) throw new Error(`a run at work may not become ${to.state}`);
  const { rowCount } = await tx.query(
    `update ticketsmith.runs
     set state = $3::text, step = coalesce($4, step), reason = coalesce($5, case when cancel_requested then reason end), waiting_for = $6, lease_until = null, updated_at = now(),
         worked_ms = worked_ms + ${msSince("now()", "leased_at")},
         not_before = case when $7::float8 is null then null else now() + $7::float8 * interval '1 millisecond' end,
         starts = case when $8 then 0 when $3::text = 'queued' then greatest(starts - 1, 0) else starts end,
         tries = case when $8 then 0 when $9::text = 'fault' then tries + 1 else tries end,
         away_since = case when $8 or $9::text = 'fault' then null when $9::text = 'away' then coalesce(away_since, now()) else away_since end,
         ended_at = case when $3::text in ('queued', 'running', 'waiting') then null else now() end
     where id = $1 and epoch = $2 and state = 'running'`,
    [
      run.id,
      run.epoch,
      to.state,
      to.step ?? null,
      to.reason === undefined || to.reason === null ? null : toText(redact(to.reason)),
      to.waitingFor === undefined || to.waitingFor === null ? null : toJson(to.waitingFor),
      to.delayMs ?? null,
      to.progressed ?? false,
      to.cause ?? "fault",
    ],
  );
  if (rowCount === 0) throw new LeaseLost(`run ${run.id} is no longer ours`);
}

/** How often a run has been put back, and how long it has been waiting for an outside system. */
export interface Pauses {
  /** How often the current step was put back because of a passing fault. */
  readonly tries: number;
  /** Milliseconds since the run was first put back because an outside system was away; 0 when that was not its last reason. */
  readonly awayMs: number;
}

export async function readPauses(db: Queryable, id: string): Promise<Pauses> {
  const { rows } = await db.query<Pauses>(
    `select tries, coalesce(extract(epoch from now() - away_since) * 1000, 0)::float8 as "awayMs"
     from ticketsmith.runs where id = $1`,
    [id],
  );
  return rows[0] ?? { tries: 0, awayMs: 0 };
}

/**
 * Asks for cancellation. A run that nobody has worked on yet ends at once; any other when a worker hears of it, so that the ticket,
 * which knows of the run, is told. Ring for it when it comes back queued.
 */
export async function requestCancel(db: Queryable, id: string, reason: string): Promise<Run | null> {
  const { rows } = await db.query<RunRow>(
    `update ticketsmith.runs
     set cancel_requested = true, reason = $2, updated_at = now(),
         state = case when state = 'running' then state when epoch = 0 then 'cancelled' else 'queued' end,
         not_before = case when state = 'running' then not_before end,
         waiting_for = case when state = 'running' then waiting_for end,
         ended_at = case when state <> 'running' and epoch = 0 then now() end
     where id = $1 and state in ('queued', 'running', 'waiting') returning ${runColumns}`,
    [id, toText(redact(reason))],
  );
  return rows[0] === undefined ? null : toRun(rows[0]);
}

/**
 * Queues a run that waits, to go on with its step. Its budget was raised, an answer came, or the like.
 * @returns false when it does not wait any more
 */
export async function resumeRun(tx: Queryable, id: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update ticketsmith.runs set state = 'queued', not_before = null, waiting_for = null, reason = null, updated_at = now()
     where id = $1 and state = 'waiting'`,
    [id],
  );
  return rowCount === 1;
}

/**
 * Queues a run that stopped, to try the step again at which it did. What it had planned to say at its end is said; its crash and retry
 * counters begin anew. @returns false when it did not stop, or another run with its subject is at work
 */
export async function retryRun(tx: Queryable, id: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update ticketsmith.runs run
     set state = 'queued', not_before = null, waiting_for = null, reason = null, starts = 0, tries = 0, cancel_requested = false,
         away_since = null, ended_at = null, updated_at = now()
     where id = $1 and state in ('failed', 'needs_human', 'timed_out', 'over_budget')
       and not exists (select 1 from ticketsmith.runs other where other.subject = run.subject and other.id <> run.id
                       and other.state in ('queued', 'running', 'waiting'))`,
    [id],
  );
  return rowCount === 1;
}

/** Queues runs whose gate has had its time, to go on or, where `waiting_for` is left, to end. @returns their ids */
export async function wakeRuns(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `update ticketsmith.runs
     set state = 'queued', not_before = null, updated_at = now(),
         waiting_for = case when waiting_for ->> 'afterwards' = 'resume' then null else waiting_for end,
         reason = case when waiting_for ->> 'afterwards' = 'resume' then null else reason end
     where state = 'waiting' and not_before <= now() returning id`,
  );
  return rows.map((row) => row.id);
}

/** The run, its row locked for this transaction. */
export async function lockRun(tx: Queryable, id: string): Promise<Run | null> {
  const { rows } = await tx.query<RunRow>(`select ${runColumns} from ticketsmith.runs where id = $1 for update`, [id]);
  return rows[0] === undefined ? null : toRun(rows[0]);
}

/** Adds what a model call cost. Not fenced: money spent is spent, whoever holds the lease. */
export async function addCost(db: Queryable, id: string, costUsd: number, tokens: number): Promise<void> {
  await db.query(`update ticketsmith.runs set cost_usd = cost_usd + $2, tokens = tokens + $3 where id = $1`, [
    id,
    costUsd,
    tokens,
  ]);
}

/** Ids of runs that are due but that nobody has touched for a while: their job was lost. */
export async function listDue(db: Queryable, quietMs: number): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select id from ticketsmith.runs
     where (state = 'queued' and coalesce(not_before, updated_at) < now() - $1 * interval '1 millisecond')
        or (state = 'running' and lease_until < now())
     order by updated_at limit 1000`,
    [quietMs],
  );
  return rows.map((row) => row.id);
}
