-- What was blanked is gone: digests of outsiders' words that are blank cannot be checked any more, and their checks are not.
drop function erase_words_of_outsiders(uuid, uuid[], date);
drop trigger of_the_living on stripe_event;
drop function blank_of_erased();
drop trigger blanked_only on stripe_event;
drop trigger blanked_only on bank_return;
drop trigger blanked_only on bank_document;
drop trigger blanked_only on bank_statement_line;
drop trigger append_only on stripe_event;
drop trigger append_only on bank_return;
drop trigger append_only on bank_document;
drop trigger append_only on bank_statement_line;
drop procedure let_be_blanked(regclass, text[]);
drop function only_blanked();
drop function refuse_change_but_blanking();
call make_append_only('stripe_event');
call make_append_only('bank_return');
call make_append_only('bank_document');
call make_append_only('bank_statement_line');
drop index stripe_event_by_account;
alter table bank_statement_line drop constraint bank_statement_line_erased, drop column erased_at;
alter table bank_document drop constraint bank_document_hash, drop column erased_at,
  add constraint bank_document_hash check (sha256 = sha256(bytes)) not valid;
alter table bank_return drop constraint bank_return_hash, drop column erased_at,
  add constraint bank_return_hash check (sha256 = sha256(bytes)) not valid;
alter table stripe_event drop constraint stripe_event_erased, drop column erased_sha256;
