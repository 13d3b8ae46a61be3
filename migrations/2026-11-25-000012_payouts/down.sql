drop index ledger_account_by_party;
drop index ledger_entry_by_recorded;
drop policy seen on ledger_account;
create policy seen on ledger_account for select to flip360_reader
  using ((select viewer_sees_all()) or visible_to && (select viewer_parties()));
drop table payout_recovery;
drop index payout_by_payee;
alter table payout drop constraint payout_amounts_agree, drop column bank_details_id;
drop trigger executed_is_final on payout_run;
drop function refuse_change_of_executed();
drop table payout_run_step;
drop index payout_run_by_state;
alter table payout_run drop constraint payout_run_executed_is_whole, drop constraint payout_run_not_own_approval,
  drop column file_date_on, drop column voided_reason;
alter table bank_account drop constraint bank_account_taken, drop column item_limit, drop column header_date,
  drop column description, drop column remitter, drop column account_title;
alter table payee_bank_details drop column salt;
alter table commission_line drop column set_off_minor;
