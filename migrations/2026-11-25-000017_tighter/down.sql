drop function keep_partitions(date);
alter function keep_partitions_of(date) rename to keep_partitions;
grant execute on function keep_partitions(date) to flip360_writer;
drop trigger in_time on ledger_posting;
drop function refuse_late_posting();
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
  return null;
end $$;
