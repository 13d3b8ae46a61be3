-- Keys give way to the next or are revoked; deals are handed over from partner to partner.

-- A key that another one gave way to: its id is the source of the rotation's leaf.
alter table signing_key
  add column replaces_id uuid references signing_key constraint signing_key_replaces_once unique,
  add column first_id uuid references signing_key,
  add column rotations smallint not null default 0 check (rotations >= 0),
  add constraint signing_key_succession check ((replaces_id is null) = (first_id is null) and (replaces_id is null) = (rotations = 0));
create index signing_key_by_first on signing_key (first_id) where first_id is not null;

-- The end of a key: once, for ever. Of a rotation the source of the leaf is the key that it gave way to.
create table signing_key_end (
  key_id uuid primary key references signing_key,
  kind text not null check (kind in ('rotation', 'revocation')),
  source_id uuid not null constraint signing_key_end_source_taken unique,
  kid text not null,
  assurance text not null check (assurance in ('self', 'custodial', 'attested')),
  reason text check (reason in ('compromised', 'lost', 'retired')),
  payload_sha256 bytea not null constraint signing_key_end_seen unique check (length(payload_sha256) = 32),
  created_at timestamptz not null,
  check ((kind = 'revocation') = (reason is not null))
);
call make_append_only('signing_key_end');
grant select, insert on signing_key_end to flip360_writer;
grant select on signing_key_end to flip360_reader;
call guard_by('signing_key_end', 'exists (select from signing_key k where k.id = key_id)');

-- Whose signatures are proved by the events of a succession: its own keys', and those of keys that one of them revoked.
-- Whoever sees such a signature needs the succession to verify it.
create index signing_key_end_by_signer on signing_key_end (kid);
create function proved_by_succession(first uuid) returns text[] language sql stable security definer set search_path = public as $$
  with own as (select kid from signing_key where id = first or first_id = first)
  select array_agg(kid) from (
    select kid from own
    union select k.kid from signing_key_end e join signing_key k on k.id = e.key_id
      where e.kind = 'revocation' and e.kid in (select kid from own)) proved
$$;
revoke all on function proved_by_succession(uuid) from public;
grant execute on function proved_by_succession(uuid) to flip360_reader;
alter policy seen on signing_key using ((select viewer_sees_all())
  or organisation_id = any ((select viewer_parties())::uuid[]) or member_id = any ((select viewer_parties())::uuid[])
  or exists (select from handshake_statement s where s.kid = any (proved_by_succession(coalesce(first_id, signing_key.id)))));

-- How the party of each statement stands behind it; statements of before follow their handshake.
alter table handshake_statement add column assurance text check (assurance in ('self', 'custodial', 'attested'));

-- A hand-over: which handshake, from whom to whom.
alter table handshake
  add column previous_id uuid references handshake,
  add column from_organisation_id uuid references organisation,
  add column to_organisation_id uuid references organisation,
  add constraint handshake_hop_is_whole check (num_nulls(previous_id, from_organisation_id, to_organisation_id) = case hop when 0 then 3 else 0 end);
create index handshake_by_previous on handshake (previous_id) where previous_id is not null;
create index handshake_by_partner on handshake (to_organisation_id, id) where to_organisation_id is not null;

-- Between whom a deal is handed over see that handshake, though not the deal.
alter policy seen on handshake using ((select viewer_sees_all())
  or exists (select from deal d where d.id = deal_id)
  or from_organisation_id = any ((select viewer_parties())::uuid[]) or to_organisation_id = any ((select viewer_parties())::uuid[]));

-- They may know where the deal stands.
create function stage_of_handshake(wanted uuid) returns text language sql stable security definer set search_path = public as $$
  select d.stage from handshake h join deal d on d.id = h.deal_id
  where h.id = wanted and ((select viewer_sees_all()) or d.visible_to && (select viewer_parties())
    or h.from_organisation_id = any ((select viewer_parties())::uuid[]) or h.to_organisation_id = any ((select viewer_parties())::uuid[]))
$$;
revoke all on function stage_of_handshake(uuid) from public;
grant execute on function stage_of_handshake(uuid) to flip360_reader;

-- Whoever sees a statement or the end of a key sees its envelope.
alter policy seen on chain_secret using ((select viewer_sees_all())
  or exists (select from deal d where d.id = subject_id)
  or subject_id = any ((select viewer_parties())::uuid[])
  or exists (select from signing_key k where k.id = source_id)
  or exists (select from signing_key_end e where e.source_id = chain_secret.source_id)
  or kind = 'envelope' and exists (select from handshake_statement s where s.id = source_id));
