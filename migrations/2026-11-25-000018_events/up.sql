-- Events: written beside their effect into `outbox`, numbered after the commit into `event`.
-- The outbox holds what is not numbered yet and is nearly empty, so it needs no partitions; the event
-- log is kept for ever and keyed by its sequence, like the ledger.
drop table outbox;
create table outbox (
  id bigint generated always as identity primary key,
  event_id uuid not null,
  type text not null,
  subject_id uuid not null,
  data bytea not null,
  visible_to uuid[] not null,
  occurred_at timestamptz not null
);

create table event (
  sequence bigint primary key check (sequence > 0),
  id uuid not null constraint event_id_taken unique,
  type text not null,
  subject_id uuid not null,
  data bytea not null,
  visible_to uuid[] not null,
  occurred_at timestamptz not null
);
create index event_by_subject on event (subject_id, sequence);
create index event_by_type on event (type, sequence);
call make_append_only('event');

create table event_head (
  singleton boolean primary key default true check (singleton),
  last_sequence bigint not null
);
insert into event_head (last_sequence) values (0);

grant select, insert, delete on outbox to flip360_writer;
grant usage on all sequences in schema public to flip360_writer;
grant select, insert on event to flip360_writer;
grant select, update on event_head to flip360_writer;
grant select on event, event_head to flip360_reader;
-- How long the queue is, for those who look after the service; not what stands in it.
grant select (id) on outbox to flip360_reader;
call guard_by('outbox', 'false');
call guard_by('event', 'visible_to && (select viewer_parties())');

create or replace function keep_partitions_of(today date) returns void language plpgsql security definer set search_path = public as $$
declare day date; month date; old record;
begin
  for day in select generate_series(today, today + 3, interval '1 day')::date loop
    execute format('create table if not exists %I partition of idempotency_record for values from (%L) to (%L)',
      'idempotency_record_' || to_char(day, 'YYYYMMDD'), day, day + 1);
  end loop;
  for month in select generate_series(date_trunc('month', today), date_trunc('month', today) + interval '2 months', interval '1 month')::date loop
    execute format('create table if not exists %I partition of audit_record for values from (%L) to (%L)',
      'audit_record_' || to_char(month, 'YYYYMM'), month::timestamptz, (month + interval '1 month')::timestamptz);
  end loop;
  for old in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'idempotency_record'::regclass and c.relname ~ '_[0-9]{8}$'
      and to_date(right(c.relname, 8), 'YYYYMMDD') < today - 30 loop
    execute format('drop table %I', old.relname);
  end loop;
end $$;
