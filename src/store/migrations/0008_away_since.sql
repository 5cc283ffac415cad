-- Since when a run waits for an outside system that is away, be it down or refusing our token; null when its last pause had another reason.
alter table ticketsmith.runs rename column locked_out_since to away_since;
