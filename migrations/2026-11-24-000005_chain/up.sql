-- The attribution log. Leaves, tiles and checkpoints are append-only; pending leaves move into them.

-- One lane per subject (a deal, a payee, an organisation …); locked before a leaf is added to it.
create table chain_lane (
  subject_id uuid primary key,
  lane bytea not null constraint chain_lane_taken unique check (length(lane) = 32),
  next_n bigint not null check (next_n >= 0),
  last_leaf_sha256 bytea check (length(last_leaf_sha256) = 32)
);

-- What an erasure takes away: lane secrets and envelopes (which hold the salts).
create table chain_secret (
  source_id uuid primary key,
  subject_id uuid not null,
  kind text not null check (kind in ('lane', 'envelope')),
  secret bytea not null
);
create index chain_secret_by_subject on chain_secret (subject_id);
call make_append_only('chain_secret');

create table chain_pending (
  id bigint generated always as identity primary key,
  source_id uuid not null constraint chain_pending_source_taken unique,
  kind text not null,
  lane bytea not null check (length(lane) = 32),
  n bigint not null check (n >= 0),
  leaf bytea not null,
  created_at timestamptz not null
);

create table chain_leaf (
  index bigint primary key check (index >= 0),
  source_id uuid not null constraint chain_leaf_source_taken unique,
  kind text not null,
  lane bytea not null check (length(lane) = 32),
  n bigint not null check (n >= 0),
  leaf bytea not null,
  leaf_sha256 bytea not null check (leaf_sha256 = sha256('\x00'::bytea || leaf)),
  constraint chain_leaf_lane_taken unique (lane, n)
);
call make_append_only('chain_leaf');

create table chain_tile (
  level smallint not null check (level >= 0),
  n bigint not null check (n >= 0),
  hashes bytea not null check (length(hashes) = 8192),
  primary key (level, n)
);
call make_append_only('chain_tile');

create table chain_head (
  singleton boolean primary key default true check (singleton),
  size bigint not null check (size >= 0),
  root bytea not null check (length(root) = 32)
);

create table chain_checkpoint (
  size bigint primary key check (size >= 0),
  root bytea not null check (length(root) = 32),
  body bytea not null,
  created_at timestamptz not null
);
call make_append_only('chain_checkpoint');

create table chain_checkpoint_note (
  size bigint primary key references chain_checkpoint,
  note bytea not null
);
call make_append_only('chain_checkpoint_note');

-- A leaf can be had only once, pending or integrated.
create function refuse_logged_twice() returns trigger language plpgsql as $$
begin
  if exists (select from added join chain_leaf using (source_id)) then
    raise exception 'a source is logged already' using errcode = 'unique_violation', constraint = 'chain_leaf_source_taken';
  end if;
  return null;
end $$;
create trigger logged_once after insert on chain_pending referencing new table as added
  for each statement execute function refuse_logged_twice();
