-- Versions for strong ETags, and what bounds guessing: consecutive failures and the lock that follows.
alter table api_client add column version integer not null default 1;
alter table app_user add column failures integer not null default 0 check (failures >= 0);
alter table app_user add column locked_until_at timestamptz;
grant select (version) on api_client to flip360_reader;

-- What a caller calls an organisation. A reader sees its own organisation, a member the one it belongs to.
alter table organisation add column external_ref text constraint organisation_external_ref_taken unique;
call guard_by('organisation', 'id = any ((select viewer_parties())::uuid[]) or exists (select from member m where m.organisation_id = organisation.id and m.id = any ((select viewer_parties())::uuid[]))');

-- Who is paid to a payee.
create index member_payee_by_payee on member_payee (payee_id);
