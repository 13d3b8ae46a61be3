drop table payee_bank_change;
alter table deal_import drop column format;
