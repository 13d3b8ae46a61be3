-- A run over the trails of a month: how far it is and what it has counted. The deals that it missed a balance of are a fact.
create table trail_run (
  id uuid primary key,
  month date not null check (extract(day from month) = 1),
  vertical_id uuid not null references vertical,
  agreement_id uuid references agreement,
  state text not null check (state in ('open', 'done', 'failed')),
  due bigint not null default 0,
  calculated bigint not null default 0,
  changed bigint not null default 0,
  missing bigint not null default 0,
  stopped bigint not null default 0,
  last_deal_id uuid,
  fault_code text,
  fault_detail text,
  created_by uuid not null,
  created_at timestamptz not null,
  finished_at timestamptz,
  constraint trail_run_adds_up check (due = calculated + missing and (state = 'open') = (finished_at is null))
);
grant select, insert, update (state, due, calculated, changed, missing, stopped, last_deal_id, fault_code, fault_detail, finished_at)
  on trail_run to flip360_writer;
grant select on trail_run to flip360_reader;
call guard_by('trail_run', 'false');

create table trail_run_missing (
  run_id uuid not null references trail_run,
  deal_id uuid not null references deal,
  primary key (run_id, deal_id)
);
grant select, insert on trail_run_missing to flip360_writer;
grant select on trail_run_missing to flip360_reader;
call make_append_only('trail_run_missing');
call guard_by('trail_run_missing', 'false');

-- A run goes through the deals of a version in the order of their ids.
create index deal_by_version on deal (agreement_id, version_number, id) where agreement_id is not null;
-- The last calculation of each month of a trail.
create index calculation_by_period on calculation (deal_id, period, known_at) where period is not null;
