-- Pots: how much of each limit is used. Named by kind, what it is for, and its day or month in UTC, e.g. `project SHOP 2026-03-31`.
-- Limits are policy and not kept here. Numeric, so that what is reserved and given back leaves exactly nothing.
create table ticketsmith.pots (
  name            text primary key,
  kind            text not null check (kind in ('run', 'ticket', 'project', 'total')),
  usd             numeric not null default 0,
  tokens          bigint not null default 0,
  turns           integer not null default 0,
  reserved_usd    numeric not null default 0,
  reserved_tokens bigint not null default 0,
  raised_usd      numeric not null default 0,
  -- When a new pot takes its place; null: never.
  closes_at       timestamptz
);

-- Reservations: one row per call of a model that is under way. Without a foreign key, which would lock the run's row after the pots.
create table ticketsmith.reservations (
  id         bigint generated always as identity primary key,
  run_id     text not null,
  pots       text[] not null,
  usd        numeric not null,
  tokens     bigint not null,
  created_at timestamptz not null default clock_timestamp()
);
create index reservations_of_run on ticketsmith.reservations (run_id);

-- Raises: who allowed how much more. The same comment, told of twice, raises once.
create table ticketsmith.raises (
  cause     text not null,
  pot       text not null,
  usd       numeric not null,
  raised_by text not null,
  raised_at timestamptz not null default now(),
  primary key (cause, pot)
);

-- Time at work: closed leases in worked_ms, the lease that is held since leased_at.
alter table ticketsmith.runs add column worked_ms bigint not null default 0;
alter table ticketsmith.runs add column leased_at timestamptz;
create index runs_to_wake on ticketsmith.runs (not_before) where state = 'waiting';

-- What was spent before there were pots.
insert into ticketsmith.pots (name, kind, usd, tokens, turns, closes_at)
select pot.name, pot.kind, sum(turn.cost_usd::numeric), sum(turn.input_tokens + turn.output_tokens), count(*), pot.closes_at
from ticketsmith.turns turn
join ticketsmith.runs run on run.id = turn.run_id
cross join lateral (select turn.created_at at time zone 'utc' as utc) moment
cross join lateral (values
  ('run ' || run.id, 'run', null::timestamptz),
  ('ticket ' || run.ticket, 'ticket', null),
  ('project ' || (run.target ->> 'project') || ' ' || to_char(utc, 'YYYY-MM-DD'), 'project',
   (date_trunc('day', utc) + interval '1 day') at time zone 'utc'),
  ('total ' || to_char(utc, 'YYYY-MM'), 'total', (date_trunc('month', utc) + interval '1 month') at time zone 'utc')
) as pot (name, kind, closes_at)
group by pot.name, pot.kind, pot.closes_at;
