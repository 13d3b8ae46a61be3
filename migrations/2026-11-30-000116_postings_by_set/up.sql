-- That a posting has its entry and its account is looked at for all postings of a statement at once, by triggers that look
-- at both anyway: foreign keys do it row by row, and were most of the time that it takes to post. Neither entries nor
-- accounts are ever deleted, so nothing has to be looked at from the other side.
create or replace function refuse_unbalanced() returns trigger language plpgsql set search_path = public, pg_temp set enable_seqscan = off as $$
begin
  if exists (
    select from added p
    left join lateral (select c.currency from ledger_account c where c.id = p.account_id limit 1) a on true
    group by p.entry_seq, a.currency having sum(p.amount_minor) <> 0 or count(*) < 2 or a.currency is null
  ) then
    raise exception 'an entry does not balance' using errcode = 'check_violation', constraint = 'ledger_entry_balances';
  end if;
  return null;
end $$;

create or replace function refuse_late_posting() returns trigger language plpgsql set search_path = public, pg_temp set enable_seqscan = off as $$
begin
  -- The entry of a posting is written by the same transaction: its row is there, and no older than that.
  if exists (
    select from (select distinct entry_seq from added) p
    left join lateral (select e.xmin as written_by from ledger_entry e where e.seq = p.entry_seq limit 1) e on true
    where e.written_by is null or e.written_by <> pg_current_xact_id()::xid
  ) then
    raise exception 'an entry that is written takes no more postings' using errcode = 'check_violation', constraint = 'ledger_posting_in_time';
  end if;
  return null;
end $$;

alter table ledger_posting drop constraint ledger_posting_entry_seq_fkey, drop constraint ledger_posting_account_id_fkey;
