-- Versions for strong ETags, and what bounds guessing: consecutive failures and the lock that follows.
alter table api_client add column version integer not null default 1;
alter table app_user add column failures integer not null default 0 check (failures >= 0);
alter table app_user add column locked_until_at timestamptz;
grant select (version) on api_client to flip360_reader;
