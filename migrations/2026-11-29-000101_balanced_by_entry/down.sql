create or replace function refuse_unbalanced() returns trigger language plpgsql as $$
begin
  if exists (
    select from (select distinct entry_seq from added) touched
    join ledger_posting p using (entry_seq) join ledger_account a on a.id = p.account_id
    group by p.entry_seq, a.currency having sum(p.amount_minor) <> 0 or count(*) < 2
  ) then
    raise exception 'an entry does not balance' using errcode = 'check_violation', constraint = 'ledger_entry_balances';
  end if;
  return null;
end $$;
