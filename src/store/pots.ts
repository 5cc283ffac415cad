/**
 * SQL of `ticketsmith.pots`, `ticketsmith.reservations` and `ticketsmith.raises`: what is spent, what is held, who allowed more.
 *
 * Every statement that changes pots locks them in the order of `potKinds`, and after the run's row where it needs both: so no two
 * of them can wait for each other. Days and months are those of the database's clock, in UTC.
 */
import type { Pot, PotKind } from "../domain/budget.ts";
import type { Run } from "../domain/run.ts";
import type { Database, Queryable, Rows } from "./queryable.ts";

const columns = `name, kind, usd::float8 as usd, tokens::float8 as tokens, turns, reserved_usd::float8 as "reservedUsd",
  reserved_tokens::float8 as "reservedTokens", raised_usd::float8 as "raisedUsd",
  (extract(epoch from closes_at - now()) * 1000)::float8 as "opensInMs"`;

interface Row {
  readonly name: string;
  readonly kind: PotKind;
  readonly usd: number;
  readonly tokens: number;
  readonly turns: number;
  readonly reservedUsd: number;
  readonly reservedTokens: number;
  readonly raisedUsd: number;
  readonly opensInMs: number | null;
}

const inOrder = `array_position(array['run', 'ticket', 'project', 'total'], split_part(name, ' ', 1)), name`;

function toPot(row: Row): Pot {
  return {
    name: row.name,
    kind: row.kind,
    spent: { usd: row.usd, tokens: row.tokens, turns: row.turns },
    reserved: { usd: row.reservedUsd, tokens: row.reservedTokens },
    raisedUsd: row.raisedUsd,
    opensInMs: row.opensInMs === null ? null : Math.max(0, row.opensInMs),
  };
}

/** The four pots of a run as they are called now; `run.ticket` and `run.project` as parameters $1 to $3. */
const potsOfRun = `(select now() at time zone 'utc' as utc) moment, lateral (values
    ('run ' || $1, 'run', null::timestamptz),
    ('ticket ' || $2, 'ticket', null),
    ('project ' || $3 || ' ' || to_char(utc, 'YYYY-MM-DD'), 'project', (date_trunc('day', utc) + interval '1 day') at time zone 'utc'),
    ('total ' || to_char(utc, 'YYYY-MM'), 'total', (date_trunc('month', utc) + interval '1 month') at time zone 'utc')
  ) as pot (name, kind, closes_at)`;

/** What is held for one call. */
export interface Reservation {
  readonly id: string;
  /** Names of the pots that it is held in: it is settled there, even if midnight has passed. */
  readonly pots: readonly string[];
}

/** The statements of this file that every call of a model needs; a server keeps them parsed and planned. */
function ask<R>(db: Queryable | Database, name: string, sql: string, params: readonly unknown[]): Promise<Rows<R>> {
  return "prepared" in db ? db.prepared<R>(name, sql, params) : db.query<R>(sql, params);
}

/**
 * Holds an amount in the four pots of a run, whether there is room or not: look at what comes back, and settle it with nothing, or
 * roll the transaction back, when there is none. In a transaction the pots are locked until it ends.
 * @returns the reservation, and the pots as they were without it; null when the run's lease is no longer ours
 */
export async function reserve(
  db: Queryable | Database,
  run: Run,
  amount: { readonly usd: number; readonly tokens: number },
): Promise<{ reservation: Reservation; pots: Pot[] } | null> {
  const { rows } = await ask<Row & { reservation: string }>(
    db,
    "reserve",
    `with held as (
       insert into ticketsmith.pots as old (name, kind, closes_at, reserved_usd, reserved_tokens)
       select pot.name, pot.kind, pot.closes_at, $4::numeric, $5::bigint from ${potsOfRun}
       where exists (select 1 from ticketsmith.runs where id = $1 and epoch = $6 and state = 'running')
       on conflict (name) do update set reserved_usd = old.reserved_usd + excluded.reserved_usd,
                                        reserved_tokens = old.reserved_tokens + excluded.reserved_tokens
       returning old.*
     ), made as (
       insert into ticketsmith.reservations (run_id, pots, usd, tokens)
       select $1, array_agg(name), $4::numeric, $5::bigint from held having count(*) > 0
       returning id
     )
     select reservation, ${columns} from (
       select made.id as reservation, name, kind, usd, tokens, turns, raised_usd, closes_at,
              reserved_usd - $4::numeric as reserved_usd, reserved_tokens - $5::bigint as reserved_tokens
       from held, made
     ) before order by ${inOrder}`,
    [run.id, run.target.ticket, run.target.project, amount.usd, amount.tokens, run.epoch],
  );
  const [first] = rows;
  if (first === undefined) return null;
  return { reservation: { id: first.reservation, pots: rows.map((row) => row.name) }, pots: rows.map(toPot) };
}

/**
 * Replaces a reservation by what the call really cost, in the pots and on the run. Money spent is spent: neither a lost lease nor a
 * reservation that was released meanwhile changes that. A call that was not made has `turns` 0.
 * @returns the pots afterwards
 */
export async function settleReservation(
  db: Queryable | Database,
  runId: string,
  reservation: Reservation,
  cost: { readonly usd: number; readonly tokens: number; readonly turns: number },
): Promise<Pot[]> {
  const { rows } = await ask<Row>(
    db,
    "settle",
    `with run as (
       update ticketsmith.runs set cost_usd = cost_usd + $4::float8, tokens = tokens + $5::bigint where id = $1 returning 1
     ), gone as (
       delete from ticketsmith.reservations where id = $2 returning usd, tokens
     ), first as (
       select (select count(*) from run) as runs, coalesce(sum(usd), 0) as usd, coalesce(sum(tokens), 0) as tokens from gone
     ), spent as (
       insert into ticketsmith.pots as old (name, kind, usd, tokens, turns, reserved_usd, reserved_tokens)
       select name, split_part(name, ' ', 1), $4::numeric, $5::bigint, $6::int, -first.usd, -first.tokens
       from unnest($3::text[]) as name, first order by ${inOrder}
       on conflict (name) do update set usd = old.usd + excluded.usd, tokens = old.tokens + excluded.tokens,
         turns = old.turns + excluded.turns, reserved_usd = old.reserved_usd + excluded.reserved_usd,
         reserved_tokens = old.reserved_tokens + excluded.reserved_tokens
       returning old.*
     )
     select ${columns} from spent order by ${inOrder}`,
    [runId, reservation.id, reservation.pots, cost.usd, cost.tokens, cost.turns],
  );
  return rows.map(toPot);
}

/**
 * Gives back what is held for calls that nobody makes any more: their run is not at work, or was taken over since by another worker.
 * @param runId only this run's; absent: all
 */
export async function releaseReservations(db: Queryable, runId?: string): Promise<void> {
  await db.query(
    `with gone as (
       delete from ticketsmith.reservations held using ticketsmith.runs run
       where run.id = held.run_id and (run.state <> 'running' or run.leased_at > held.created_at)
         and ($1::text is null or held.run_id = $1)
       returning held.pots, held.usd, held.tokens
     )
     insert into ticketsmith.pots as old (name, kind, reserved_usd, reserved_tokens)
     select name, split_part(name, ' ', 1), -sum(usd), -sum(tokens) from gone, unnest(gone.pots) as name
     group by name order by ${inOrder}
     on conflict (name) do update set reserved_usd = old.reserved_usd + excluded.reserved_usd,
                                      reserved_tokens = old.reserved_tokens + excluded.reserved_tokens`,
    [runId ?? null],
  );
}

/** The four pots of a run now. A pot that nothing was taken from yet is empty. */
export async function readPotsOf(db: Queryable, run: Run): Promise<Pot[]> {
  const { rows } = await db.query<Row>(
    `select ${columns} from (
       select pot.name, pot.kind, pot.closes_at, coalesce(usd, 0) as usd, coalesce(tokens, 0) as tokens, coalesce(turns, 0) as turns,
              coalesce(reserved_usd, 0) as reserved_usd, coalesce(reserved_tokens, 0) as reserved_tokens,
              coalesce(raised_usd, 0) as raised_usd
       from ${potsOfRun} left join ticketsmith.pots kept on kept.name = pot.name
     ) pots order by ${inOrder}`,
    [run.id, run.target.ticket, run.target.project],
  );
  return rows.map(toPot);
}

/**
 * What a person looks at: the pots of this month, of today's projects, and of runs that have not ended, with their tickets.
 * Largest kind first.
 * @param projects Jira keys; a project's pot is listed before anything was taken from it
 */
export async function listOpenPots(db: Queryable, projects: readonly string[]): Promise<Pot[]> {
  const { rows } = await db.query<Row>(
    `with shown as (
       select 'total ' || to_char(now() at time zone 'utc', 'YYYY-MM') as name,
              (date_trunc('month', now() at time zone 'utc') + interval '1 month') at time zone 'utc' as closes_at
       union select 'project ' || project || ' ' || to_char(now() at time zone 'utc', 'YYYY-MM-DD'),
              (date_trunc('day', now() at time zone 'utc') + interval '1 day') at time zone 'utc' from unnest($1::text[]) as project
       union select unnest(array['ticket ' || ticket, 'run ' || id]), null from ticketsmith.runs
             where state in ('queued', 'running', 'waiting')
     )
     select ${columns} from (
       select shown.name, split_part(shown.name, ' ', 1) as kind, shown.closes_at, coalesce(usd, 0) as usd,
              coalesce(tokens, 0) as tokens, coalesce(turns, 0) as turns, coalesce(reserved_usd, 0) as reserved_usd,
              coalesce(reserved_tokens, 0) as reserved_tokens, coalesce(raised_usd, 0) as raised_usd
       from shown left join ticketsmith.pots kept on kept.name = shown.name
     ) pots
     order by array_position(array['total', 'project', 'ticket', 'run'], kind), name limit 1000`,
    [projects],
  );
  return rows.map(toPot);
}

/**
 * Adds dollars to the limits of pots, once per cause.
 * @param raise.cause what asked for it, e.g. a comment
 * @param raise.by stable id of who allowed it
 * @returns false when the same cause has raised them already
 */
export async function raisePots(
  tx: Queryable,
  pots: readonly string[],
  raise: { readonly cause: string; readonly usd: number; readonly by: string },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `with new as (
       insert into ticketsmith.raises (cause, pot, usd, raised_by)
       select $2, pot, $3::numeric, $4 from unnest($1::text[]) as pot
       where not exists (select 1 from ticketsmith.raises where cause = $2)
       on conflict do nothing returning pot as name
     )
     insert into ticketsmith.pots as old (name, kind, raised_usd)
     select name, split_part(name, ' ', 1), $3::numeric from new order by ${inOrder}
     on conflict (name) do update set raised_usd = old.raised_usd + excluded.raised_usd`,
    [pots, raise.cause, raise.usd, raise.by],
  );
  return (rowCount ?? 0) > 0;
}
