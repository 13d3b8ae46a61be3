alter table app_user drop column totp_last_step;
alter table app_user drop column totp_confirmed_at;
alter table app_user drop column totp_sealed;
drop index organisation_suspended;
drop table access_revocation;
drop table refresh_token;
drop table refresh_family;
