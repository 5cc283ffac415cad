-- To compress a body with pglz takes as long as everything else that is done to store it. lz4 is several times faster; a server that
-- was built without it (PGlite, for one) keeps bodies as they are. Old rows stay as they were written.
do $$
begin
  alter table ticketsmith.deliveries alter column body set compression lz4;
exception when feature_not_supported then
  alter table ticketsmith.deliveries alter column body set storage external;
end
$$;
