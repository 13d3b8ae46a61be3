-- Who was shown what it takes to act as an API client: by making it, by giving it a secret or a key. Where two
-- people must decide, they are one person with it. Clients from before have none.
create table api_client_holder (
  client_id uuid not null references api_client,
  holder_id uuid not null,
  since_at timestamptz not null,
  primary key (client_id, holder_id)
);
call make_append_only('api_client_holder');
grant select, insert on api_client_holder to flip360_writer;
call guard_by('api_client_holder', 'false');

-- A first answer belongs to a caller as it acted for an organisation, live or in the sandbox. Empty: kept before
-- that was told apart.
alter table idempotency_record add column tenant text not null default '';
alter table idempotency_record drop constraint idempotency_record_pkey;
alter table idempotency_record add primary key (caller, key, tenant, created_on);
-- The version that the answer showed, as its header said it.
alter table idempotency_record add column etag text;

-- What the token of a page did; and what somebody tried who did not prove who they are.
alter table audit_record add column embed boolean not null default false;
alter table audit_record drop constraint audit_actor_kind;
alter table audit_record add constraint audit_actor_kind check (actor_kind in ('user', 'api_client', 'service', 'unknown'));

-- Who answers for an endpoint: who made it, or last chose its types or enabled it. Endpoints from before have nobody.
alter table webhook_endpoint add column owner_id uuid;
create index webhook_endpoint_by_owner on webhook_endpoint (owner_id) where status = 'enabled';
alter table webhook_endpoint drop constraint webhook_endpoint_disabled_reason_check;
alter table webhook_endpoint add constraint webhook_endpoint_disabled_reason_check
  check (disabled_reason in ('by_hand', 'gone', 'failing', 'owner_gone'));
grant select (owner_id) on webhook_endpoint to flip360_reader;
