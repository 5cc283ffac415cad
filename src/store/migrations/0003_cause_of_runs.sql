-- What asked for a run, e.g. jira:10442 for a change of a ticket: two messages about one change start one run.
alter table ticketsmith.runs add column cause text;
create unique index runs_one_per_cause on ticketsmith.runs (cause) where cause is not null;

-- Whether a change has been told of: the reconciler asks for each that it meets.
create index deliveries_of_change on ticketsmith.deliveries ((event ->> 'changeId')) where event ->> 'changeId' is not null;

-- Looks: what is looked for now and then, by whichever process comes first. Everything before seen_until has been seen.
create table ticketsmith.looks (
  name       text primary key,
  taken_at   timestamptz not null,
  seen_until timestamptz
);
