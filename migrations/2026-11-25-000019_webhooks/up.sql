-- Webhooks: where events are sent to, what is sent, and how each attempt went (ADR-14).
create table webhook_endpoint (
  id uuid primary key,
  -- None: the operator's own.
  organisation_id uuid references organisation,
  url text not null check (length(url) <= 2048),
  description text,
  -- '{*}' is every type that the scopes let through.
  event_types text[] not null check (cardinality(event_types) > 0),
  -- What whoever chose the types might read: an endpoint never learns more than that.
  scopes text[] not null,
  signing text not null check (signing in ('v1', 'v1a')),
  -- Sealed under a key that is not in the database; emptied when the endpoint is deleted.
  secret bytea not null,
  public_key bytea check (length(public_key) = 32),
  previous_secret bytea,
  previous_until_at timestamptz,
  status text not null check (status in ('enabled', 'disabled', 'deleted')),
  disabled_reason text check (disabled_reason in ('by_hand', 'gone', 'failing')),
  disabled_at timestamptz,
  -- The first failure since the last success.
  failing_since_at timestamptz,
  -- Events up to here are not sent: the endpoint did not listen yet.
  after_sequence bigint not null,
  created_at timestamptz not null,
  version integer not null,
  constraint webhook_endpoint_disabled_why check ((status = 'disabled') = (disabled_reason is not null)),
  constraint webhook_endpoint_previous check ((previous_secret is null) = (previous_until_at is null)),
  constraint webhook_endpoint_key check (signing = 'v1' or public_key is not null)
);
create index webhook_endpoint_by_organisation on webhook_endpoint (organisation_id);
create index webhook_endpoint_enabled on webhook_endpoint (id) where status = 'enabled';

-- One event to one endpoint. The time of the event is the partition's key, so that the pair is unique.
create table webhook_delivery (
  id uuid not null,
  endpoint_id uuid not null,
  sequence bigint not null,
  event_id uuid not null,
  type text not null,
  subject_id uuid not null,
  occurred_at timestamptz not null,
  status text not null check (status in ('pending', 'delivered', 'given_up')),
  -- Pending: when it is sent next; while it is being sent, when whoever sends it counts as lost.
  due_at timestamptz not null,
  -- Waits for earlier events of its subject, and keeps later ones waiting; not when it was sent again by hand.
  in_order boolean not null,
  -- Failures of this round, and attempts in all.
  failures integer not null,
  attempts integer not null,
  -- Whoever claims it last records its end.
  claims integer not null,
  created_at timestamptz not null,
  finished_at timestamptz,
  primary key (id, occurred_at),
  constraint webhook_delivery_once unique (endpoint_id, sequence, occurred_at)
) partition by range (occurred_at);
create table webhook_delivery_default partition of webhook_delivery default;
create index webhook_delivery_due on webhook_delivery (endpoint_id, due_at, sequence) where status = 'pending';
create index webhook_delivery_waiting on webhook_delivery (endpoint_id, subject_id, sequence) where status = 'pending';
create index webhook_delivery_by_endpoint on webhook_delivery (endpoint_id, id);

create table webhook_attempt (
  delivery_id uuid not null,
  claim integer not null,
  at timestamptz not null,
  duration_ms integer not null,
  status smallint,
  error text,
  body bytea not null check (length(body) <= 4096),
  primary key (delivery_id, claim, at),
  constraint webhook_attempt_outcome check ((status is null) <> (error is null))
) partition by range (at);
create table webhook_attempt_default partition of webhook_attempt default;
call make_append_only('webhook_attempt');

-- Up to which event deliveries were made.
create table webhook_cursor (
  singleton boolean primary key default true check (singleton),
  last_sequence bigint not null
);
insert into webhook_cursor (last_sequence) select last_sequence from event_head;

grant select, insert, update on webhook_endpoint, webhook_delivery to flip360_writer;
grant select, insert on webhook_attempt to flip360_writer;
grant select, update on webhook_cursor to flip360_writer;
-- Everything but the secrets.
grant select (id, organisation_id, url, description, event_types, scopes, signing, public_key, previous_until_at, status,
  disabled_reason, disabled_at, failing_since_at, after_sequence, created_at, version) on webhook_endpoint to flip360_reader;
grant select on webhook_delivery, webhook_attempt to flip360_reader;
call guard_by('webhook_endpoint', 'organisation_id = any ((select viewer_parties())::uuid[])');
call guard_by('webhook_delivery', 'exists (select from webhook_endpoint e where e.id = endpoint_id)');
call guard_by('webhook_attempt', 'exists (select from webhook_delivery d where d.id = delivery_id)');

-- Makes the partitions of the coming months, drops deliveries and attempts older than a quarter. A month of which rows
-- lie in the default partition already, because nobody asked in time, stays there.
create function keep_webhook_partitions(today date) returns void language plpgsql security definer set search_path = public as $$
declare parent text; moment text; month date; old record; oldest date := date_trunc('month', today) - interval '3 months';
begin
  if today > current_date + 2 then
    raise exception 'that day is yet to come' using errcode = 'check_violation', constraint = 'keep_partitions_today';
  end if;
  for parent, moment in values ('webhook_delivery', 'occurred_at'), ('webhook_attempt', 'at') loop
    for month in select generate_series(date_trunc('month', today), date_trunc('month', today) + interval '2 months', interval '1 month')::date loop
      begin
        execute format('create table if not exists %I partition of %I for values from (%L) to (%L)',
          parent || '_' || to_char(month, 'YYYYMM'), parent, month::timestamptz, (month + interval '1 month')::timestamptz);
      exception when check_violation then
        raise notice '% of % stays in the default partition', month, parent;
      end;
    end loop;
    for old in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = parent::regclass and c.relname ~ '_[0-9]{6}$' and to_date(right(c.relname, 6), 'YYYYMM') < oldest loop
      execute format('drop table %I', old.relname);
    end loop;
    execute format('delete from %I where %I < %L', parent || '_default', moment, oldest);
  end loop;
end $$;
revoke all on function keep_webhook_partitions(date) from public;
grant execute on function keep_webhook_partitions(date) to flip360_writer;
