alter policy seen on chain_secret using ((select viewer_sees_all())
  or exists (select from deal d where d.id = subject_id)
  or subject_id = any ((select viewer_parties())::uuid[]));
drop policy seen on signing_key;
drop policy written on signing_key;
alter table signing_key disable row level security;
drop index handshake_statement_by_kid;
drop index signing_key_by_member;
drop table import_declaration;
