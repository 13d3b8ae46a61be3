-- An entry sums to zero. What a statement adds to an entry must balance by itself, so what was there before it need not
-- be read: as a join with all postings this was planned while they were few, and read every one of them for each batch.
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
