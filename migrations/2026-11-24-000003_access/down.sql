drop table api_client, app_user;
