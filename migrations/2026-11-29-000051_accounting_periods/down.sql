drop trigger open_period on ledger_entry;
drop function refuse_closed_period();
alter table ledger_entry drop column moved_from_on;
drop trigger closed on ledger_head;
drop function refuse_closing_without_period();
alter table ledger_head drop column closed_through_on;
drop table accounting_period_step, accounting_period;
drop function refuse_lonely_closing();
