-- Declarations of imports, and who may read keys and what registers them.
create table import_declaration (
  id uuid primary key,
  organisation_id uuid not null references organisation,
  kid text not null,
  file_sha256 bytea not null check (length(file_sha256) = 32),
  payload_sha256 bytea not null constraint import_declaration_seen unique check (length(payload_sha256) = 32),
  envelope_sha256 bytea not null constraint import_declaration_envelope_taken unique check (length(envelope_sha256) = 32),
  created_at timestamptz not null
);
create index import_declaration_by_organisation on import_declaration (organisation_id, id);
call make_append_only('import_declaration');
grant select, insert on import_declaration to flip360_writer;
grant select on import_declaration to flip360_reader;
call guard_by('import_declaration', 'organisation_id = any ((select viewer_parties())::uuid[])');

create index signing_key_by_member on signing_key (member_id) where member_id is not null;
create index handshake_statement_by_kid on handshake_statement (kid);
-- A key is seen by its owner and by whoever takes part in a handshake that it signed: both need it to verify.
call guard_by('signing_key', 'organisation_id = any ((select viewer_parties())::uuid[]) or member_id = any ((select viewer_parties())::uuid[])
  or exists (select from handshake_statement s where s.kid = signing_key.kid)');

-- Whoever sees a key sees what registered it.
alter policy seen on chain_secret using ((select viewer_sees_all())
  or exists (select from deal d where d.id = subject_id)
  or subject_id = any ((select viewer_parties())::uuid[])
  or exists (select from signing_key k where k.id = source_id));
