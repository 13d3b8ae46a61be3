-- What was asked of a simulation; its job says how far it is. What is asked is canonical JSON, with the content of every
-- candidate as it was then.
create table simulation (
  id uuid primary key,
  job_id uuid not null constraint simulation_job_taken unique references job,
  asked bytea not null,
  created_by uuid not null,
  created_at timestamptz not null
);
call make_append_only('simulation');

-- What it found, once it has ended well.
create table simulation_report (
  simulation_id uuid primary key references simulation,
  report bytea not null,
  finished_at timestamptz not null
);
call make_append_only('simulation_report');

-- The deals that change most, that one first; lines and traces are worked out again when asked for.
create table simulation_change (
  simulation_id uuid not null references simulation,
  rank integer not null check (rank > 0),
  deal_id uuid not null,
  occurrence integer not null check (occurrence >= 0),
  -- What stays for participants, by scenario, the active one first; lines that are others, by candidate; where running
  -- totals stood, as JSON, null where there are none.
  net_minor bigint[] not null,
  changed_lines bigint[] not null,
  counters text,
  primary key (simulation_id, rank)
);
call make_append_only('simulation_change');

grant select, insert on simulation, simulation_report, simulation_change to flip360_writer;
grant select on simulation, simulation_report, simulation_change to flip360_reader;
-- They name members of everybody: only those who see everything.
call guard_by('simulation', 'false');
call guard_by('simulation_report', 'false');
call guard_by('simulation_change', 'false');

-- Changed deals are kept for 90 days, reports for ever. Only the owner can lift the guard, and only for what is old.
create function forget_simulation_changes(today date) returns void language plpgsql security definer set search_path = public as $$
begin
  if today > current_date + 2 then
    raise exception 'that day is yet to come' using errcode = 'check_violation', constraint = 'keep_partitions_today';
  end if;
  if exists (select from simulation s where s.created_at < today - 90 and exists (select from simulation_change c where c.simulation_id = s.id)) then
    alter table simulation_change disable trigger append_only;
    delete from simulation_change c using simulation s where s.id = c.simulation_id and s.created_at < today - 90;
    alter table simulation_change enable trigger append_only;
  end if;
end $$;
revoke all on function forget_simulation_changes(date) from public;
grant execute on function forget_simulation_changes(date) to flip360_writer;
