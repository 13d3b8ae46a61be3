alter table app_user drop column locked_until_at;
alter table app_user drop column failures;
alter table api_client drop column version;
