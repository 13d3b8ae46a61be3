-- What providers say that they paid: mappings, statements, lines, what became of them, exceptions, write-offs, funding.
-- All of it is the operator's own.

-- How a provider's file reads; a new version replaces the one before for files that come later.
create table statement_mapping (
  provider_id uuid not null references organisation,
  version integer not null check (version > 0),
  content bytea not null,
  created_by uuid not null,
  created_at timestamptz not null,
  primary key (provider_id, version)
);
call make_append_only('statement_mapping');
call guard_by('statement_mapping', 'false');
grant select, insert on statement_mapping to flip360_writer;
grant select on statement_mapping to flip360_reader;

create table provider_statement (
  id uuid primary key,
  provider_id uuid not null references organisation,
  bank_account_id uuid not null references bank_account,
  mapping_version integer not null,
  state text not null check (state in ('received', 'posted', 'failed')),
  period_from date not null,
  period_to date not null,
  paid_on date not null,
  payment_reference text not null,
  total_minor bigint not null,
  file_sha256 bytea not null check (length(file_sha256) = 32),
  file_bytes bigint not null,
  line_count bigint not null check (line_count > 0),
  fault_code text,
  fault_detail text,
  created_by uuid not null,
  created_at timestamptz not null,
  posted_at timestamptz,
  foreign key (provider_id, mapping_version) references statement_mapping,
  constraint provider_statement_file_taken unique (provider_id, file_sha256),
  constraint provider_statement_period check (period_from <= period_to),
  constraint provider_statement_fault check ((state = 'failed') = (fault_code is not null))
);
call guard_by('provider_statement', 'false');
grant select, insert, update (state, fault_code, fault_detail, posted_at) on provider_statement to flip360_writer;
grant select on provider_statement to flip360_reader;

-- A line as the provider says it; cents, what is taken back is negative.
create table provider_statement_line (
  id uuid primary key,
  statement_id uuid not null references provider_statement,
  line bigint not null check (line > 0),
  reference text not null,
  kind text not null check (kind in ('upfront', 'trail', 'clawback')),
  dated_on date not null,
  month date not null check (extract(day from month) = 1),
  amount_minor bigint not null,
  gst_minor bigint not null,
  product text,
  constraint provider_statement_line_taken unique (statement_id, line)
);
call make_append_only('provider_statement_line');
call guard_by('provider_statement_line', 'false');
grant select, insert on provider_statement_line to flip360_writer;
grant select on provider_statement_line to flip360_reader;

-- Each posting of a line, from 0; later ones move on what was unapplied. Cash = applied + GST + rounding + unapplied.
create table provider_line_step (
  line_id uuid not null references provider_statement_line,
  n integer not null check (n >= 0),
  deal_id uuid references deal,
  period date check (extract(day from period) = 1),
  side text check (side in ('earned', 'clawed_back')),
  applied_minor bigint not null,
  gst_minor bigint not null,
  rounding_minor bigint not null check (rounding_minor between -1 and 1),
  unapplied_minor bigint not null,
  entry_id uuid,
  at timestamptz not null,
  constraint provider_line_step_once primary key (line_id, n),
  constraint provider_line_step_item check ((deal_id is null) = (side is null) and (deal_id is not null or (applied_minor = 0 and gst_minor = 0 and rounding_minor = 0 and period is null))),
  constraint provider_line_step_moves check (n = 0 or applied_minor + gst_minor + rounding_minor + unapplied_minor = 0)
);
create unique index provider_line_step_entry on provider_line_step (entry_id) where entry_id is not null;
create index provider_line_step_by_deal on provider_line_step (deal_id) where deal_id is not null;
call make_append_only('provider_line_step');
call guard_by('provider_line_step', 'false');
grant select, insert on provider_line_step to flip360_writer;
grant select on provider_line_step to flip360_reader;

-- What a line has come to: a projection of its steps.
create table provider_line_result (
  line_id uuid primary key references provider_statement_line,
  statement_id uuid not null references provider_statement,
  line bigint not null,
  provider_id uuid not null references organisation,
  touched_by uuid not null references provider_statement,
  result text not null check (result in ('matched', 'short_paid', 'over_paid', 'unexpected', 'nothing')),
  deal_id uuid references deal,
  period date,
  side text,
  unapplied_minor bigint not null,
  constraint provider_line_result_taken unique (statement_id, line)
);
create index provider_line_result_unapplied on provider_line_result (provider_id, line_id) where unapplied_minor <> 0;
create index provider_line_result_unsettled on provider_line_result (touched_by) where result in ('short_paid', 'over_paid', 'unexpected');
call guard_by('provider_line_result', 'false');
grant select, insert, update (touched_by, result, deal_id, period, side, unapplied_minor) on provider_line_result to flip360_writer;
grant select on provider_line_result to flip360_reader;

-- A shortfall that is to be accepted by a second person.
create table write_off (
  id uuid primary key,
  provider_id uuid not null references organisation,
  deal_id uuid not null references deal,
  period date check (extract(day from period) = 1),
  amount_minor bigint not null check (amount_minor > 0),
  reason text not null,
  exception_id uuid,
  state text not null check (state in ('proposed', 'approved', 'rejected')),
  proposed_by uuid not null,
  proposed_at timestamptz not null,
  decided_by uuid,
  decided_at timestamptz,
  version integer not null,
  constraint write_off_two_people check (decided_by is null or decided_by <> proposed_by),
  constraint write_off_decided check ((state = 'proposed') = (decided_by is null) and (decided_by is null) = (decided_at is null))
);
create index write_off_by_deal on write_off (deal_id) where state = 'approved';
call guard_by('write_off', 'false');
grant select, insert, update (state, decided_by, decided_at, version) on write_off to flip360_writer;
grant select on write_off to flip360_reader;

create table provider_exception (
  id uuid primary key,
  provider_id uuid not null references organisation,
  statement_id uuid not null references provider_statement,
  last_statement_id uuid not null references provider_statement,
  kind text not null check (kind in ('short_paid', 'over_paid', 'missing', 'unexpected', 'silently_stopped_trail')),
  line_id uuid references provider_statement_line,
  deal_id uuid references deal,
  period date,
  side text,
  expected_minor bigint not null,
  received_minor bigint not null,
  status text not null check (status in ('open', 'waiting', 'resolved')),
  owner_id uuid references app_user,
  resolution text check (resolution in ('accept_difference', 'wait', 'corrected_fact', 'ours_is_wrong', 'received')),
  wait_until date,
  note text,
  write_off_id uuid references write_off,
  opened_at timestamptz not null,
  resolved_at timestamptz,
  resolved_by uuid,
  version integer not null,
  constraint provider_exception_about check ((kind in ('over_paid', 'unexpected')) = (line_id is not null) and (line_id is not null or deal_id is not null)),
  constraint provider_exception_ends check ((status = 'resolved') = (resolved_at is not null) and (status = 'open') = (resolution is null))
);
create unique index provider_exception_of_line on provider_exception (line_id) where line_id is not null;
create unique index provider_exception_of_item on provider_exception (deal_id, period, side) nulls not distinct
  where line_id is null and status <> 'resolved';
create index provider_exception_by_statement on provider_exception (statement_id, id);
create index provider_exception_by_last on provider_exception (last_statement_id, id);
create index provider_exception_open on provider_exception (provider_id, id) where status <> 'resolved';
call guard_by('provider_exception', 'false');
grant select, insert, update (last_statement_id, kind, expected_minor, received_minor, status, owner_id, resolution, wait_until, note, write_off_id, resolved_at, resolved_by, version)
  on provider_exception to flip360_writer;
grant select on provider_exception to flip360_reader;

-- How much of a line the provider has paid for, and how much of it was released for that.
create table line_funding (
  line_id uuid primary key references commission_line,
  funded_minor bigint not null check (funded_minor >= 0),
  released_minor bigint not null default 0 check (released_minor >= 0)
);
call guard_by('line_funding', 'false');
grant select, insert, update (funded_minor, released_minor) on line_funding to flip360_writer;
grant select on line_funding to flip360_reader;
create index commission_line_awaits_receipt on commission_line (payable_on) where accrued_minor > 0 and funding_rule = 'on_receipt';

-- What fell due of a provider in a time.
create index deal_by_provider_settled on deal (provider_id, settled_on) where settled_on is not null;
