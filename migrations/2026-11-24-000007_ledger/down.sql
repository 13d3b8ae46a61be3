drop table commission_line, ledger_posting, ledger_entry, ledger_head, ledger_balance, ledger_account;
drop function refuse_empty_entry();
drop function refuse_unlogged();
drop function refuse_unbalanced();
