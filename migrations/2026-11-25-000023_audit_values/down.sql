drop index audit_by_request;
drop index audit_by_actor;
drop index audit_by_object;
alter table audit_record
  drop column after,
  drop column before,
  drop column object_name,
  drop column actor_kind;
