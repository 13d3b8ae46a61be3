update webhook_endpoint set disabled_reason = 'by_hand' where disabled_reason = 'owner_gone';
alter table webhook_endpoint drop constraint webhook_endpoint_disabled_reason_check;
alter table webhook_endpoint add constraint webhook_endpoint_disabled_reason_check
  check (disabled_reason in ('by_hand', 'gone', 'failing'));
drop index webhook_endpoint_by_owner;
alter table webhook_endpoint drop column owner_id;

alter table audit_record drop constraint audit_actor_kind;
alter table audit_record add constraint audit_actor_kind check (actor_kind in ('user', 'api_client', 'service')) not valid;
alter table audit_record drop column embed;

alter table idempotency_record drop column etag;
alter table idempotency_record drop constraint idempotency_record_pkey;
-- One answer to a key: the oldest tenant's stays.
delete from idempotency_record r using idempotency_record o
  where r.caller = o.caller and r.key = o.key and r.created_on = o.created_on and r.tenant > o.tenant;
alter table idempotency_record add primary key (caller, key, created_on);
alter table idempotency_record drop column tenant;

drop table api_client_holder;
