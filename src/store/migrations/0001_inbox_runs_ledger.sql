-- Deliveries: every authentic webhook request, for ever. `verdict` is pending until the event was decided on.
create table ticketsmith.deliveries (
  id           bigint generated always as identity primary key,
  key          text not null unique,
  sender       text not null,
  kind         text not null,
  body         text not null,
  event        jsonb,
  verdict      text not null default 'pending' check (verdict in ('pending', 'handled', 'ignored', 'rejected', 'unsupported')),
  reason       text not null default '',
  run_id       text,
  received_at  timestamptz not null default now(),
  decided_at   timestamptz
);
create index deliveries_pending on ticketsmith.deliveries (id) where verdict = 'pending';

-- Runs: see src/domain/run.ts for what is true in each state.
create table ticketsmith.runs (
  id               text primary key,
  workflow         text not null,
  ticket           text not null,
  target           jsonb not null,
  state            text not null check (state in ('queued', 'running', 'waiting', 'done', 'cancelled', 'needs_human', 'failed', 'timed_out', 'over_budget')),
  step             text not null,
  epoch            integer not null default 0,
  lease_until      timestamptz,
  not_before       timestamptz,
  waiting_for      jsonb,
  starts           integer not null default 0,
  tries            integer not null default 0,
  requested_by     text not null,
  cancel_requested boolean not null default false,
  reason           text,
  cost_usd         double precision not null default 0,
  tokens           bigint not null default 0,
  created_at       timestamptz not null default now(),
  updated_at       timestamptz not null default now(),
  ended_at         timestamptz
);
-- One ticket is worked on by one run at a time.
create unique index runs_one_active_per_ticket on ticketsmith.runs (ticket) where state in ('queued', 'running', 'waiting');
create index runs_to_ring on ticketsmith.runs (updated_at) where state in ('queued', 'running');
create index runs_newest on ticketsmith.runs (created_at desc);

-- Steps: one row per started step. announced -> produced (output and effects are committed) -> done (effects are settled).
create table ticketsmith.steps (
  run_id     text not null references ticketsmith.runs (id) on delete cascade,
  step       text not null,
  state      text not null check (state in ('started', 'produced', 'done')),
  output     jsonb,
  next       jsonb,
  started_at timestamptz not null default now(),
  ended_at   timestamptz,
  primary key (run_id, step)
);

-- Effects: the ledger. The key is run/step/name; a row exists before the outside is touched.
create table ticketsmith.effects (
  key         text primary key,
  run_id      text not null references ticketsmith.runs (id) on delete cascade,
  step        text not null,
  name        text not null,
  position    integer not null,
  effect      jsonb not null,
  fingerprint text not null,
  state       text not null default 'planned' check (state in ('planned', 'sent', 'settled', 'failed')),
  outcome     text,
  ref         jsonb,
  attempts    integer not null default 0,
  epoch       integer not null default 0,
  error       text,
  planned_at  timestamptz not null default now(),
  sent_at     timestamptz,
  settled_at  timestamptz
);
create index effects_of_run on ticketsmith.effects (run_id, planned_at, position);
create index effects_unsettled on ticketsmith.effects (sent_at) where state = 'sent';

-- Turns: the transcript of every agent, one row per model call.
create table ticketsmith.turns (
  id         bigint generated always as identity primary key,
  run_id     text not null references ticketsmith.runs (id) on delete cascade,
  step       text not null,
  agent      text not null,
  turn       integer not null,
  record     jsonb not null,
  model      text not null,
  input_tokens  bigint not null,
  cached_tokens bigint not null,
  output_tokens bigint not null,
  cost_usd   double precision not null,
  created_at timestamptz not null default now()
);
create index turns_of_run on ticketsmith.turns (run_id, id);

-- Progress: what a person watching a run wants to know, in order.
create table ticketsmith.progress (
  id         bigint generated always as identity primary key,
  run_id     text not null references ticketsmith.runs (id) on delete cascade,
  kind       text not null,
  data       jsonb not null,
  created_at timestamptz not null default now()
);
create index progress_of_run on ticketsmith.progress (run_id, id);
