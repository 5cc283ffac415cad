-- Whether a comment has been told of, and acted on: asked for each command, by the reconciler and before it is acted on.
create index deliveries_of_comment on ticketsmith.deliveries ((event ->> 'commentId'))
  where event ->> 'type' = 'ticket.commented';
