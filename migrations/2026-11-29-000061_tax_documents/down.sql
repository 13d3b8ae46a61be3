drop function erase_tax_papers(uuid, uuid[]);
drop table tax_remittance, tax_document_line, tax_document_content, tax_document, tax_number, tax_head;
