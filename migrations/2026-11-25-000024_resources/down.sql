revoke update (name, version) on product from flip360_writer;
alter table product drop column version;
drop policy only_pending on deal_import_row;
drop policy only_uploads on deal_import;
revoke delete on deal_import, deal_import_row from flip360_writer;
drop index member_payee_one_a_day;
