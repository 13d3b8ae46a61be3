-- Tighter: an entry names the hash of the one before; nothing is added to an entry that is written;
-- partitions cannot be dropped by naming a day to come; the private cluster's service has a login of its own.
create or replace function refuse_unlogged() returns trigger language plpgsql as $$
declare missing bigint; first_seq bigint; last_seq bigint; added_count bigint;
begin
  select count(*) into missing from added left join chain_pending p on p.source_id = added.id where p.source_id is null;
  if missing > 0 then
    raise exception '% ledger entries have no pending leaf', missing using errcode = 'check_violation', constraint = 'ledger_entry_is_logged';
  end if;
  select min(seq), max(seq), count(*) into first_seq, last_seq, added_count from added;
  if added_count > 0 and (last_seq - first_seq + 1 <> added_count
     or (first_seq > 1 and not exists (select from ledger_entry where seq = first_seq - 1))) then
    raise exception 'the entry sequence would have a gap' using errcode = 'check_violation', constraint = 'ledger_entry_is_dense';
  end if;
  if exists (select from added join ledger_entry before on before.seq = added.seq - 1 where before.sha256 <> added.previous_sha256) then
    raise exception 'an entry does not name the hash of the one before' using errcode = 'check_violation', constraint = 'ledger_entry_follows';
  end if;
  return null;
end $$;

create function refuse_late_posting() returns trigger language plpgsql as $$
begin
  -- The entry of a posting is written by the same transaction: its row is no older than that.
  if exists (select from added join ledger_entry e on e.seq = added.entry_seq where e.xmin <> pg_current_xact_id()::xid) then
    raise exception 'an entry that is written takes no more postings' using errcode = 'check_violation', constraint = 'ledger_posting_in_time';
  end if;
  return null;
end $$;
create trigger in_time after insert on ledger_posting referencing new table as added
  for each statement execute function refuse_late_posting();

alter function keep_partitions(date) rename to keep_partitions_of;
revoke all on function keep_partitions_of(date) from public, flip360_writer;
create function keep_partitions(today date) returns void language plpgsql security definer set search_path = public as $$
begin
  if today > current_date + 2 then
    raise exception 'that day is yet to come' using errcode = 'check_violation', constraint = 'keep_partitions_today';
  end if;
  perform keep_partitions_of(today);
end $$;
revoke all on function keep_partitions(date) from public;
grant execute on function keep_partitions(date) to flip360_writer;

-- Only where the owner may make roles: elsewhere the login comes from whoever runs the server.
do $$
begin
  if not exists (select from pg_roles where rolname = 'flip360_service') then
    create role flip360_service login noinherit in role flip360_writer, flip360_reader;
    alter role flip360_service set lc_messages = 'C';
  end if;
exception when insufficient_privilege then
  raise notice 'no login flip360_service: this owner makes no roles';
end $$;
