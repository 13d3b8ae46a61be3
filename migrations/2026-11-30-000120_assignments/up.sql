-- What is wholly unpaid of a payee and becomes another's: proposed by one person, moved when another approves its digest.
create table assignment (
  id uuid primary key,
  from_payee_id uuid not null references payee,
  to_payee_id uuid not null references payee,
  organisation_id uuid not null references organisation,
  member_id uuid references member,
  deed_reference text not null check (length(deed_reference) between 1 and 200),
  reason text not null check (length(reason) between 1 and 500),
  content bytea not null,
  content_sha256 bytea not null constraint assignment_hash check (content_sha256 = sha256(content)),
  line_count integer not null check (line_count > 0),
  total_minor bigint not null check (total_minor > 0),
  left_out_count integer not null check (left_out_count >= 0),
  left_out_minor bigint not null check (left_out_minor >= 0),
  state text not null check (state in ('proposed', 'approved', 'rejected')),
  proposed_by uuid not null,
  proposed_at timestamptz not null,
  decided_by uuid,
  decided_at timestamptz,
  decision text check (length(decision) between 1 and 500),
  version integer not null,
  -- Whose lines went, once they have.
  member_ids uuid[] not null default '{}',
  constraint assignment_of_two check (from_payee_id <> to_payee_id),
  constraint assignment_decided check (
    (state = 'proposed') = (decided_by is null) and (decided_by is null) = (decided_at is null) and (state = 'rejected') = (decision is not null)),
  constraint assignment_two_people check (decided_by <> proposed_by or state = 'rejected')
);
create index assignment_from on assignment (from_payee_id, id);
create index assignment_to on assignment (to_payee_id, id);
-- Both payees' money of several members: their organisation reads it, no member does.
call guard_by('assignment', 'organisation_id = any ((select viewer_parties())::uuid[])');
grant select, insert, update (state, decided_by, decided_at, decision, version, member_ids) on assignment to flip360_writer;
grant select on assignment to flip360_reader;

-- A payee holds the money of several members also when lines of another one went to it.
create or replace function payee_is_shared(payee uuid) returns boolean language sql stable security definer set search_path = public, pg_temp as $$
  select count(distinct m.member_id) > 1 from (
    select member_id from member_payee where payee_id = payee
    union all select unnest(member_ids) from assignment where to_payee_id = payee and state = 'approved') m
$$;
