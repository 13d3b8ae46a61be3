-- Tax papers are logged (ADR-37): what the leaf of each commits to, and how far they are logged. Papers from before have
-- none, and a program of before writes none: whoever issues after it logs what it left out.
create table tax_document_envelope (
  document_id uuid primary key references tax_document (id),
  envelope bytea not null
);
call make_append_only('tax_document_envelope');
alter table tax_head
  add column logged_seq bigint,
  add constraint tax_head_logged check (logged_seq between 1 and last_seq);

-- Every statement of a paper has its pending leaf, inserted first.
create function refuse_unlogged_paper() returns trigger language plpgsql set search_path = public, pg_temp set enable_seqscan = off as $$
declare missing bigint;
begin
  select count(*) into missing from added
    left join lateral (select q.source_id from chain_pending q where q.source_id = added.document_id and q.kind = 'tax_document' limit 1) p on true
    where p.source_id is null;
  if missing > 0 then
    raise exception '% tax papers have no pending leaf', missing using errcode = 'check_violation', constraint = 'tax_document_is_logged';
  end if;
  return null;
end $$;
create trigger logged after insert on tax_document_envelope referencing new table as added
  for each statement execute function refuse_unlogged_paper();

call guard_by('tax_document_envelope', 'exists (select from tax_document d where d.id = document_id)');
grant select, insert on tax_document_envelope to flip360_writer;
grant select on tax_document_envelope to flip360_reader;
