drop index member_suspended;
alter table app_user drop column oidc_subject_sha256;
alter table app_user drop column oidc_issuer_id;
drop table oidc_issuer;
