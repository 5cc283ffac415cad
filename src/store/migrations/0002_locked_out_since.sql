-- Since when a run waits for nothing but a new token; null when its last pause had another reason.
alter table ticketsmith.runs add column locked_out_since timestamptz;
