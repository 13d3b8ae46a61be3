-- Keys with which API clients sign their assertions: public halves only.
create table api_client_key (
  id uuid primary key,
  client_id uuid not null references api_client,
  public_key bytea not null check (length(public_key) = 32),
  created_at timestamptz not null,
  constraint api_client_key_taken unique (client_id, public_key)
);

-- Assertions that were used, until they expire by themselves: each is good once, in whichever process.
create table used_assertion (
  issuer_id uuid not null,
  sha256 bytea not null check (length(sha256) = 32),
  until_at timestamptz not null,
  primary key (issuer_id, sha256)
);
create index used_assertion_by_end on used_assertion (until_at);

-- Secrets of one-time codes, sealed. `last_step` is the newest time step whose code was taken.
create table user_totp (
  user_id uuid primary key references app_user,
  secret bytea not null,
  last_step bigint not null default 0,
  created_at timestamptz not null,
  confirmed_at timestamptz,
  version integer not null
);

-- How the login proved who it is: kept over refreshes.
alter table refresh_family add column methods text[] not null default '{pwd}';

grant select, insert, delete on api_client_key, used_assertion, user_totp to flip360_writer;
grant update on user_totp to flip360_writer;
grant select on api_client_key to flip360_reader;
call guard_by('api_client_key', 'exists (select from api_client c where c.id = client_id)');
call guard_by('used_assertion', 'false');
call guard_by('user_totp', 'false');
