drop table tax_document_envelope;
drop function refuse_unlogged_paper();
alter table tax_head drop column logged_seq;
