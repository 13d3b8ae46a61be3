alter policy seen on chain_secret using ((select viewer_sees_all())
  or exists (select from deal d where d.id = subject_id)
  or subject_id = any ((select viewer_parties())::uuid[])
  or exists (select from signing_key k where k.id = source_id));
drop function stage_of_handshake(uuid);
alter policy seen on handshake using ((select viewer_sees_all()) or exists (select from deal d where d.id = deal_id));
drop index handshake_by_partner;
drop index handshake_by_previous;
alter table handshake drop constraint handshake_hop_is_whole, drop column to_organisation_id, drop column from_organisation_id, drop column previous_id;
alter table handshake_statement drop column assurance;
alter policy seen on signing_key using ((select viewer_sees_all())
  or organisation_id = any ((select viewer_parties())::uuid[]) or member_id = any ((select viewer_parties())::uuid[])
  or exists (select from handshake_statement s where s.kid = signing_key.kid));
drop function proved_by_succession(uuid);
drop table signing_key_end;
drop index signing_key_by_first;
alter table signing_key drop constraint signing_key_succession, drop column rotations, drop column first_id, drop column replaces_id;
