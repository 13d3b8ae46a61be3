-- Moving money.
create table bank_account (
  id uuid primary key,
  name text not null,
  bsb text not null,
  account_number text not null,
  bank_code text not null,
  user_name text not null,
  user_number text not null,
  self_balancing boolean not null,
  created_at timestamptz not null
);

create table payout_run (
  id uuid primary key,
  bank_account_id uuid not null references bank_account,
  state text not null check (state in ('previewed', 'proposed', 'approved', 'executed', 'rejected', 'cancelled')),
  cut_off_on date not null,
  content bytea not null,
  content_sha256 bytea not null constraint payout_run_content_hash check (content_sha256 = sha256(content)),
  total_minor bigint not null check (total_minor >= 0),
  payout_count integer not null check (payout_count >= 0),
  created_by uuid not null,
  created_at timestamptz not null,
  proposed_by uuid,
  proposed_at timestamptz,
  approved_by uuid,
  approved_at timestamptz,
  approved_sha256 bytea,
  executed_by uuid,
  executed_at timestamptz,
  aba bytea,
  aba_sha256 bytea check (aba_sha256 = sha256(aba)),
  version integer not null default 1,
  constraint payout_run_two_people check (approved_by is null or approved_by <> proposed_by),
  constraint payout_run_approved_content check (approved_sha256 is null or approved_sha256 = content_sha256)
);

create table payout (
  id uuid primary key,
  run_id uuid not null references payout_run,
  payee_id uuid not null references payee,
  state text not null check (state in ('in_transit', 'settled', 'returned')),
  amount_minor bigint not null check (amount_minor > 0),
  gross_minor bigint not null,
  recovered_minor bigint not null check (recovered_minor >= 0),
  reference text not null constraint payout_reference_taken unique,
  visible_to uuid[] not null,
  created_at timestamptz not null,
  constraint payout_once_a_run unique (run_id, payee_id)
);

create table payout_line (
  payout_id uuid not null references payout,
  line_id uuid not null references commission_line,
  amount_minor bigint not null check (amount_minor <> 0),
  primary key (payout_id, line_id)
);
create index payout_line_by_line on payout_line (line_id);
call make_append_only('payout_line');
