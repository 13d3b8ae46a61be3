-- What an act changed: canonical JSON of the changed fields before and after, without personal data.
-- Older records have names of fields only, and no kind of actor.
alter table audit_record
  add column actor_kind text constraint audit_actor_kind check (actor_kind in ('user', 'api_client', 'service')),
  add column object_name text,
  add column before text,
  add column after text,
  add constraint audit_before_is_an_object check (jsonb_typeof(before::jsonb) = 'object'),
  add constraint audit_after_is_an_object check (jsonb_typeof(after::jsonb) = 'object');
create index audit_by_object on audit_record (object_id, id);
create index audit_by_actor on audit_record (actor_id, id);
create index audit_by_request on audit_record (request_id, id);
