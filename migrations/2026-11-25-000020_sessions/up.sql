-- Sessions of people: a family of refresh tokens that rotate, and what ended tokens before their time.
create table refresh_family (
  id uuid primary key,
  user_id uuid not null references app_user,
  -- The version of the user when it logged in: any change of the user ends the family.
  user_version integer not null,
  scopes text[] not null,
  began_at timestamptz not null,
  ended_at timestamptz
);
create index refresh_family_by_user on refresh_family (user_id) where ended_at is null;
create index refresh_family_by_age on refresh_family (began_at);

create table refresh_token (
  sha256 bytea primary key check (length(sha256) = 32),
  family_id uuid not null references refresh_family on delete cascade,
  issued_at timestamptz not null,
  used_at timestamptz
);
create index refresh_token_by_family on refresh_token (family_id);

-- Tokens of a user or client whose version is below the one named are good no more; a single token is
-- named by its own id. Every process reads the rows whose time is not over.
create table access_revocation (
  id bigint generated always as identity primary key,
  token_or_subject_id uuid not null,
  below_version integer not null,
  until_at timestamptz not null
);
create index access_revocation_by_end on access_revocation (until_at);

-- Who may not come in, for the same look: tokens of suspended organisations.
create index organisation_suspended on organisation (id) where status = 'suspended';

grant select, insert, delete on refresh_family, refresh_token, access_revocation to flip360_writer;
grant update (ended_at) on refresh_family to flip360_writer;
grant update (used_at) on refresh_token to flip360_writer;
grant usage on all sequences in schema public to flip360_writer;
grant select on access_revocation to flip360_reader;
call guard_by('access_revocation', 'false');
call guard_by('refresh_family', 'false');
call guard_by('refresh_token', 'false');
