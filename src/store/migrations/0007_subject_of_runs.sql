-- What a run is about: a ticket, a merge request, or one note on it. Several runs on merge requests of one ticket may be active at once.
alter table ticketsmith.runs add column subject text;
update ticketsmith.runs set subject = ticket;
alter table ticketsmith.runs alter column subject set not null;
drop index ticketsmith.runs_one_active_per_ticket;
create unique index runs_one_active_per_subject on ticketsmith.runs (subject) where state in ('queued', 'running', 'waiting');
create index runs_of_merge_request on ticketsmith.runs ((target ->> 'repository'), ((target -> 'mergeRequest' ->> 'iid')), created_at)
  where target ? 'mergeRequest';
