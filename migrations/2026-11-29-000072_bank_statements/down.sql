drop table bank_line_match, bank_statement_line, bank_statement, bank_document;
alter table bank_account drop column csv_profile, drop column settle_after_days;
