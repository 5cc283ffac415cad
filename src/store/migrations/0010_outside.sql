-- How outside systems answer and whether webhooks are sent, as found by our processes: each has its own breakers, and one of them looks at
-- webhooks. A system that answers has no row.
create table ticketsmith.outside (
  kind     text not null check (kind in ('system', 'webhook')),
  -- GitLab, or the repository of a webhook.
  name     text not null,
  -- Which process found it; empty for webhooks.
  finder   text not null,
  state    text not null,
  reason   text not null,
  since    timestamptz,
  found_at timestamptz not null,
  primary key (kind, name, finder)
);
