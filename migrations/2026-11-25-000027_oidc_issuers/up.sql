-- Outside issuers whose ID tokens log people in, and whom they know under which name.
create table oidc_issuer (
  id uuid primary key,
  issuer text not null,
  audience text not null,
  organisation_id uuid references organisation,
  created_at timestamptz not null,
  constraint oidc_issuer_taken unique (issuer, audience)
);

-- The name under which an issuer knows somebody may be an address: its digest is enough to recognise it.
alter table app_user add column oidc_issuer_id uuid references oidc_issuer;
alter table app_user add column oidc_subject_sha256 bytea check (length(oidc_subject_sha256) = 32);
alter table app_user add constraint app_user_oidc_whole check ((oidc_issuer_id is null) = (oidc_subject_sha256 is null));
alter table app_user add constraint app_user_oidc_taken unique (oidc_issuer_id, oidc_subject_sha256);

grant select, insert, delete on oidc_issuer to flip360_writer;
grant select on oidc_issuer to flip360_reader;
grant select (oidc_issuer_id, oidc_subject_sha256) on app_user to flip360_reader;
call guard_by('oidc_issuer', 'organisation_id = any ((select viewer_parties())::uuid[])');

-- Who may not come in, for the same look as suspended organisations: tokens of suspended members.
create index member_suspended on member (id) where status = 'suspended';
