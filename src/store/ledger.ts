/** SQL of `ticketsmith.effects`, the ledger. */
import { createHash } from "node:crypto";
import { Effect, type EffectDraft, type Ensured, type LedgerRow, Ref } from "../domain/effect.ts";
import { Permanent } from "../domain/errors.ts";
import type { Run } from "../domain/run.ts";
import { redact } from "../platform/redact.ts";
import { toJson, toText } from "./json.ts";
import type { Queryable } from "./queryable.ts";
import { LeaseLost } from "./runs.ts";

const columns = `key, run_id as "runId", step, name, position, effect, state, outcome, ref, attempts, error`;

function toRow(row: LedgerRow): LedgerRow {
  return { ...row, effect: Effect.parse(row.effect), ref: row.ref === null ? null : Ref.parse(row.ref) };
}

function fingerprint(effect: Effect): string {
  return createHash("sha256").update(toJson(effect)).digest("hex");
}

/**
 * Writes planned rows for the effects of a step. A row that is there already is kept when it plans the same.
 * @throws Permanent (ledger conflict) when the same key was planned with other content
 */
export async function planEffects(
  tx: Queryable,
  run: Run,
  step: string,
  drafts: readonly EffectDraft[],
): Promise<void> {
  for (const [position, draft] of drafts.entries()) {
    const key = `${run.id}/${step}/${draft.name}`;
    const mark = fingerprint(draft.effect);
    await tx.query(
      `insert into ticketsmith.effects (key, run_id, step, name, position, effect, fingerprint)
       values ($1, $2, $3, $4, $5, $6, $7) on conflict (key) do nothing`,
      [key, run.id, step, draft.name, position, toJson(draft.effect), mark],
    );
    const { rows } = await tx.query<{ fingerprint: string }>(
      `select fingerprint from ticketsmith.effects where key = $1`,
      [key],
    );
    if (rows[0]?.fingerprint !== mark) {
      throw new Permanent(`ledger conflict: effect ${key} was planned before with other content`);
    }
  }
}

/** All rows of a run in the order in which they were planned. */
export async function listEffects(db: Queryable, runId: string): Promise<LedgerRow[]> {
  const { rows } = await db.query<LedgerRow>(
    `select ${columns} from ticketsmith.effects where run_id = $1 order by planned_at, position`,
    [runId],
  );
  return rows.map(toRow);
}

/** Rows of one step that are not settled yet, in order. */
export async function listUnsettled(db: Queryable, runId: string, step: string): Promise<LedgerRow[]> {
  const { rows } = await db.query<LedgerRow>(
    `select ${columns} from ticketsmith.effects where run_id = $1 and step = $2 and state <> 'settled'
     order by planned_at, position`,
    [runId, step],
  );
  return rows.map(toRow);
}

/**
 * The row, of whichever run, that wrote last to an object or is at it now.
 * @param object the parts of the effect that name the object
 */
export async function newestOn(db: Queryable, object: Partial<Effect>): Promise<LedgerRow | null> {
  const { rows } = await db.query<LedgerRow>(
    `select ${columns} from ticketsmith.effects
     where effect @> $1::jsonb and (state = 'sent' or (state = 'settled' and outcome in ('created', 'updated', 'unchanged')))
     order by planned_at desc, position desc limit 1`,
    [toJson(object)],
  );
  return rows[0] === undefined ? null : toRow(rows[0]);
}

/** Whether a commit was put on a branch by one of our effects. */
export async function isCommitOf(
  db: Queryable,
  { repository, branch, sha }: { readonly repository: string; readonly branch: string; readonly sha: string },
): Promise<boolean> {
  const { rows } = await db.query(
    `select 1 from ticketsmith.effects
     where effect @> $1::jsonb and state = 'settled' and outcome <> 'dry_run' and ref ->> 'id' = $2 limit 1`,
    [toJson({ kind: "gitlab.branch", repository, branch }), sha],
  );
  return rows.length > 0;
}

/** planned | sent -> sent, if the run's lease is still ours. @throws LeaseLost */
export async function markSent(db: Queryable, run: Run, key: string): Promise<void> {
  const { rowCount } = await db.query(
    `update ticketsmith.effects set state = 'sent', sent_at = now(), attempts = attempts + 1, epoch = $3
     where key = $1 and state in ('planned', 'sent', 'failed')
       and exists (select 1 from ticketsmith.runs where id = $2 and epoch = $3 and state = 'running')`,
    [key, run.id, run.epoch],
  );
  if (rowCount === 0) throw new LeaseLost(`run ${run.id} is no longer ours`);
}

/**
 * sent -> settled. Not fenced by the lease: it has happened, and every attempt finds the same object.
 * @returns false when it was settled already, by another worker
 */
export async function settle(
  db: Queryable,
  key: string,
  result: { outcome: Ensured["outcome"] | "dry_run"; ref: Ref },
): Promise<boolean> {
  const { rowCount } = await db.query(
    `update ticketsmith.effects set state = 'settled', outcome = $2, ref = $3, error = null, settled_at = now()
     where key = $1 and state <> 'settled'`,
    [key, result.outcome, toJson(result.ref)],
  );
  return rowCount === 1;
}

/**
 * Settles every status of the ticket that the run planned before `row` and has not settled: `row` says it all by now. That includes
 * one that was sent, since all of them are texts of the same comment.
 */
export async function supersedeOlderStatuses(db: Queryable, row: LedgerRow): Promise<void> {
  await db.query(
    `update ticketsmith.effects old set state = 'settled', outcome = 'superseded', error = null, settled_at = now()
     from ticketsmith.effects new
     where new.key = $1 and old.run_id = new.run_id and old.state <> 'settled' and old.effect ->> 'kind' = 'jira.status'
       and old.effect ->> 'ticket' = new.effect ->> 'ticket' and (old.planned_at, old.position) < (new.planned_at, new.position)`,
    [row.key],
  );
}

/**
 * Notes why an attempt went wrong; `forGood` when the other side refused it. What was settled meanwhile stays settled.
 * @throws LeaseLost when another worker took over: what the row says is for that one to write
 */
export async function noteFailure(
  db: Queryable,
  run: Run,
  key: string,
  message: string,
  forGood: boolean,
): Promise<void> {
  const { rows } = await db.query(
    `with held as (
       select 1 from ticketsmith.runs where id = $2 and epoch = $3 and state = 'running' for update),
     noted as (
       update ticketsmith.effects set error = $4, state = case when $5 then 'failed' else state end
       where key = $1 and state <> 'settled' and exists (select 1 from held))
     select 1 from held`,
    [key, run.id, run.epoch, toText(redact(message)), forGood],
  );
  if (rows.length === 0) throw new LeaseLost(`run ${run.id} is no longer ours`);
}
