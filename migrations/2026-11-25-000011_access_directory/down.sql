drop index member_payee_by_payee;
drop policy written on organisation;
drop policy seen on organisation;
alter table organisation disable row level security;
alter table organisation drop column external_ref;
alter table app_user drop column locked_until_at;
alter table app_user drop column failures;
alter table api_client drop column version;
