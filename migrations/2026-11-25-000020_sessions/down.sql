drop index organisation_suspended;
drop table access_revocation;
drop table refresh_token;
drop table refresh_family;
