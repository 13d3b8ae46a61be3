-- Who may do what.
create table app_user (
  id uuid primary key,
  password_hash text not null,
  roles text[] not null,
  organisation_id uuid references organisation,
  member_id uuid references member,
  disabled_at timestamptz,
  created_at timestamptz not null,
  version integer not null default 1
);

create table api_client (
  id uuid primary key,
  name text not null,
  secret_sha256 bytea not null check (length(secret_sha256) = 32),
  roles text[] not null,
  organisation_id uuid references organisation,
  member_id uuid references member,
  created_at timestamptz not null,
  revoked_at timestamptz
);
