alter table ledger_posting
  add constraint ledger_posting_entry_seq_fkey foreign key (entry_seq) references ledger_entry,
  add constraint ledger_posting_account_id_fkey foreign key (account_id) references ledger_account;

create or replace function refuse_late_posting() returns trigger language plpgsql as $$
begin
  -- The entry of a posting is written by the same transaction: its row is no older than that.
  if exists (select from added join ledger_entry e on e.seq = added.entry_seq where e.xmin <> pg_current_xact_id()::xid) then
    raise exception 'an entry that is written takes no more postings' using errcode = 'check_violation', constraint = 'ledger_posting_in_time';
  end if;
  return null;
end $$;

create or replace function refuse_unbalanced() returns trigger language plpgsql set enable_seqscan = off as $$
begin
  if exists (
    select from added p
    join lateral (select c.currency from ledger_account c where c.id = p.account_id limit 1) a on true
    group by p.entry_seq, a.currency having sum(p.amount_minor) <> 0 or count(*) < 2
  ) then
    raise exception 'an entry does not balance' using errcode = 'check_violation', constraint = 'ledger_entry_balances';
  end if;
  return null;
end $$;
