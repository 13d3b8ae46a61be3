-- Months of the books (Sydney). They are closed one after another: everything up to the end of the last closed one is shut.
create table accounting_period (
  id uuid primary key,
  month date not null constraint accounting_period_taken unique check (extract(day from month) = 1),
  state text not null check (state in ('open', 'closing', 'closed', 'reopening')),
  content bytea,
  content_sha256 bytea constraint accounting_period_hash check (content_sha256 = sha256(content)),
  reason text check (length(reason) between 1 and 500),
  proposed_by uuid,
  proposed_at timestamptz,
  decided_by uuid,
  decided_at timestamptz,
  asked_by uuid,
  asked_at timestamptz,
  version integer not null default 1,
  constraint accounting_period_has_content check (state = 'open' or content is not null),
  constraint accounting_period_asked check (
    (state = 'open') = (proposed_by is null) and (state in ('closed', 'reopening')) = (decided_by is not null) and (state = 'reopening') = (asked_by is not null)),
  constraint accounting_period_two_people check (decided_by <> proposed_by)
);
grant select, insert, update (state, content, content_sha256, reason, proposed_by, proposed_at, decided_by, decided_at, asked_by, asked_at, version)
  on accounting_period to flip360_writer;
grant select on accounting_period to flip360_reader;
call guard_by('accounting_period', 'false');

create table accounting_period_step (
  period_id uuid not null references accounting_period,
  n integer not null check (n > 0),
  step text not null check (step in ('close_proposed', 'closed', 'close_rejected', 'reopen_proposed', 'reopened', 'reopen_rejected')),
  actor_id uuid not null,
  at timestamptz not null,
  content_sha256 bytea,
  last_seq bigint not null,
  reason text,
  primary key (period_id, n)
);
-- What one person asked for another approves.
create function refuse_lonely_closing() returns trigger language plpgsql as $$
begin
  if exists (
    select from added a left join accounting_period_step p on p.period_id = a.period_id and p.n = a.n - 1
    where a.step in ('closed', 'reopened') and (p.actor_id is null or p.actor_id = a.actor_id
      or p.step <> case a.step when 'closed' then 'close_proposed' else 'reopen_proposed' end)
  ) then
    raise exception 'a period is closed and reopened by two people' using errcode = 'check_violation', constraint = 'accounting_period_two_people';
  end if;
  return null;
end $$;
create trigger two_people after insert on accounting_period_step referencing new table as added
  for each statement execute function refuse_lonely_closing();
call make_append_only('accounting_period_step');
grant select, insert on accounting_period_step to flip360_writer;
grant select on accounting_period_step to flip360_reader;
call guard_by('accounting_period_step', 'false');

-- The last day that is shut, beside the head that every writer of the ledger locks last.
alter table ledger_head add column closed_through_on date;

create function refuse_closing_without_period() returns trigger language plpgsql as $$
begin
  if (select closed_through_on from ledger_head)
     is distinct from (select (max(month) + interval '1 month' - interval '1 day')::date from accounting_period where state in ('closed', 'reopening')) then
    raise exception 'what is shut is what the periods say' using errcode = 'check_violation', constraint = 'ledger_head_closed_by_periods';
  end if;
  return null;
end $$;
create trigger closed after update of closed_through_on on ledger_head
  for each statement execute function refuse_closing_without_period();

-- A closed period takes no entry. Where an entry would have stood there, its first date is kept.
alter table ledger_entry add column moved_from_on date,
  add constraint ledger_entry_moved_forward check (moved_from_on < effective_on);
create function refuse_closed_period() returns trigger language plpgsql as $$
begin
  if exists (select from added, ledger_head h where added.effective_on <= h.closed_through_on) then
    raise exception 'the period is closed' using errcode = 'check_violation', constraint = 'ledger_period_is_closed';
  end if;
  return null;
end $$;
create trigger open_period after insert on ledger_entry referencing new table as added
  for each statement execute function refuse_closed_period();
