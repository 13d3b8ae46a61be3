alter table deal_import drop column format;
