-- What every context writes beside its effect: events, audit, first answers, jobs; and the guarantees.
create table outbox (
  id bigint generated always as identity,
  event_id uuid not null,
  type text not null,
  subject_id uuid not null,
  body bytea not null,
  visible_to uuid[] not null,
  occurred_at timestamptz not null,
  primary key (id, occurred_at)
) partition by range (occurred_at);
create table outbox_default partition of outbox default;

create table audit_record (
  id bigint generated always as identity,
  at timestamptz not null,
  actor_id uuid not null,
  action text not null,
  object_id uuid not null,
  changed text[] not null,
  request_id text not null,
  primary key (id, at)
) partition by range (at);
create table audit_record_default partition of audit_record default;
call make_append_only('audit_record');

create table idempotency_record (
  caller uuid not null,
  key text not null,
  created_on date not null,
  fingerprint bytea not null check (length(fingerprint) = 32),
  status smallint not null,
  content_type text not null,
  location text,
  body bytea not null,
  primary key (caller, key, created_on)
) partition by range (created_on);
create table idempotency_record_default partition of idempotency_record default;

-- Makes the partitions of the coming days and months, drops first answers older than 30 days.
-- Owned by the owner: the service may call it, and can do no other DDL.
create function keep_partitions(today date) returns void language plpgsql security definer set search_path = public as $$
declare day date; month date; old record;
begin
  for day in select generate_series(today, today + 3, interval '1 day')::date loop
    execute format('create table if not exists %I partition of idempotency_record for values from (%L) to (%L)',
      'idempotency_record_' || to_char(day, 'YYYYMMDD'), day, day + 1);
  end loop;
  for month in select generate_series(date_trunc('month', today), date_trunc('month', today) + interval '2 months', interval '1 month')::date loop
    execute format('create table if not exists %I partition of outbox for values from (%L) to (%L)',
      'outbox_' || to_char(month, 'YYYYMM'), month::timestamptz, (month + interval '1 month')::timestamptz);
    execute format('create table if not exists %I partition of audit_record for values from (%L) to (%L)',
      'audit_record_' || to_char(month, 'YYYYMM'), month::timestamptz, (month + interval '1 month')::timestamptz);
  end loop;
  for old in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'idempotency_record'::regclass and c.relname ~ '_[0-9]{8}$'
      and to_date(right(c.relname, 8), 'YYYYMMDD') < today - 30 loop
    execute format('drop table %I', old.relname);
  end loop;
end $$;
revoke all on function keep_partitions(date) from public;

create table job (
  id uuid primary key,
  kind text not null,
  subject_id uuid not null,
  organisation_id uuid,
  state text not null check (state in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
  progress_done bigint not null default 0,
  progress_total bigint,
  result_path text,
  fault_code text,
  fault_detail text,
  attempts integer not null default 0,
  leased_until_at timestamptz,
  created_by uuid not null,
  visible_to uuid[] not null,
  created_at timestamptz not null,
  finished_at timestamptz
);
create index job_open on job (created_at) where state in ('queued', 'running');

create table guarantee_run (
  id uuid primary key,
  holds boolean not null,
  report bytea not null,
  checkpoint_size bigint not null,
  created_by uuid not null,
  created_at timestamptz not null
);
call make_append_only('guarantee_run');
