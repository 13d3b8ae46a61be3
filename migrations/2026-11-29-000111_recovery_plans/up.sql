-- By how much a run sets off clawbacks of a payee at most: proposed by one person, approved by another.
create table recovery_plan (
  id uuid primary key,
  payee_id uuid not null references payee,
  max_share_ppm bigint check (max_share_ppm between 1 and 1000000),
  max_minor bigint check (max_minor > 0),
  from_on date not null,
  reason text not null check (length(reason) between 1 and 500),
  state text not null check (state in ('proposed', 'approved', 'rejected')),
  proposed_by uuid not null,
  proposed_at timestamptz not null,
  decided_by uuid,
  decided_at timestamptz,
  ended_on date,
  ended_by uuid,
  ended_at timestamptz,
  version integer not null,
  constraint recovery_plan_limits check (max_share_ppm is not null or max_minor is not null),
  constraint recovery_plan_decided check ((state = 'proposed') = (decided_by is null) and (decided_by is null) = (decided_at is null)),
  constraint recovery_plan_two_people check (decided_by <> proposed_by or state = 'rejected'),
  constraint recovery_plan_ends check (
    (ended_on is null) = (ended_by is null) and (ended_by is null) = (ended_at is null) and (ended_on is null or state = 'approved'))
);
create index recovery_plan_by_payee on recovery_plan (payee_id, id);
call guard_by('recovery_plan', 'exists (select from payee p where p.id = payee_id)');
grant select, insert, update (state, decided_by, decided_at, ended_on, ended_by, ended_at, version) on recovery_plan to flip360_writer;
grant select on recovery_plan to flip360_reader;
