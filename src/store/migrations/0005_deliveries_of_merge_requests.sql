-- The reconciler asks what it was told of a merge request and of a pipeline.
create index deliveries_of_merge_request on ticketsmith.deliveries ((event ->> 'repository'), (event ->> 'iid'), id)
  where event ->> 'type' = 'mr.changed';
create index deliveries_of_pipeline on ticketsmith.deliveries ((event ->> 'pipelineId'), (event ->> 'status'))
  where event ->> 'type' = 'pipeline.changed';
