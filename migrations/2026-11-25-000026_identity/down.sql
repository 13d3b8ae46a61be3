alter table refresh_family drop column methods;
drop table user_totp;
drop table used_assertion;
drop table api_client_key;
