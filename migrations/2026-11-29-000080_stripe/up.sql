-- Payees' accounts at Stripe, transfers to them, what Stripe told us, and its own book of our balance.

-- What was last seen of the account. A payee has one; it stands without Stripe's id from the moment in which Stripe was
-- asked until it has answered.
create table stripe_account (
  payee_id uuid primary key references payee,
  account text constraint stripe_account_taken unique check (account ~ '^acct_[A-Za-z0-9]{1,64}$'),
  transfers text not null default 'inactive' check (transfers in ('active', 'inactive', 'pending')),
  payouts_enabled boolean not null default false,
  disabled_reason text,
  seen_at timestamptz not null,
  created_at timestamptz not null
);
grant select, insert, update (account, transfers, payouts_enabled, disabled_reason, seen_at) on stripe_account to flip360_writer;
grant select on stripe_account to flip360_reader;
call guard_by('stripe_account', 'exists (select from payee p where p.id = payee_id)');

-- Where the sending of a payout stands: which transfer it became, how often it was tried, when it is tried again.
create table stripe_sending (
  payout_id uuid primary key references payout,
  transfer text constraint stripe_transfer_taken unique check (transfer ~ '^tr_[A-Za-z0-9]{1,64}$'),
  attempts integer not null default 0 check (attempts >= 0),
  refusals integer not null default 0 check (refusals >= 0),
  outcome text check (outcome in ('made', 'again', 'unknown', 'insufficient_funds', 'refused')),
  detail text,
  next_at timestamptz,
  leased_until timestamptz,
  reversed_minor bigint not null default 0 check (reversed_minor >= 0)
);
create index stripe_sending_due on stripe_sending (next_at) where next_at is not null;
grant select, insert, update (transfer, attempts, refusals, outcome, detail, next_at, leased_until, reversed_minor) on stripe_sending to flip360_writer;
grant select on stripe_sending to flip360_reader;
call guard_by('stripe_sending', 'false');

-- What reversals of transfers took back of which line: into `available`, or against what was to be got back.
create table stripe_reversed (
  payout_id uuid not null references payout,
  up_to_minor bigint not null check (up_to_minor > 0),
  line_id uuid not null references commission_line,
  amount_minor bigint not null check (amount_minor > 0),
  recovered_minor bigint not null check (recovered_minor between 0 and amount_minor),
  at timestamptz not null,
  primary key (payout_id, up_to_minor, line_id)
);
create index stripe_reversed_by_line on stripe_reversed (line_id);
grant select, insert on stripe_reversed to flip360_writer;
grant select on stripe_reversed to flip360_reader;
call guard_by('stripe_reversed', 'exists (select from payout p where p.id = payout_id)');
call make_append_only('stripe_reversed');

-- Webhooks as they came, once each; and what became of them.
create table stripe_event (
  id text primary key check (id ~ '^evt_[A-Za-z0-9]{1,64}$'),
  type text not null,
  account text,
  body bytea not null,
  created_at timestamptz not null,
  received_at timestamptz not null
);
grant select, insert on stripe_event to flip360_writer;
grant select on stripe_event to flip360_reader;
call guard_by('stripe_event', 'false');
call make_append_only('stripe_event');

create table stripe_event_work (
  event_id text primary key references stripe_event,
  state text not null check (state in ('waiting', 'applied', 'ignored', 'contradicts')),
  attempts integer not null default 0,
  next_at timestamptz not null,
  detail text,
  done_at timestamptz
);
create index stripe_event_waiting on stripe_event_work (next_at) where state = 'waiting';
grant select, insert, update (state, attempts, next_at, detail, done_at) on stripe_event_work to flip360_writer;
grant select on stripe_event_work to flip360_reader;
call guard_by('stripe_event_work', 'false');

-- Stripe's own book of our balance, as it was read.
create table stripe_balance_transaction (
  id text primary key check (id ~ '^txn_[A-Za-z0-9]{1,64}$'),
  kind text not null,
  amount_minor bigint not null,
  fee_minor bigint not null,
  net_minor bigint not null,
  source text,
  created_at timestamptz not null,
  read_at timestamptz not null
);
create index stripe_balance_transaction_by_source on stripe_balance_transaction (source);
grant select, insert on stripe_balance_transaction to flip360_writer;
grant select on stripe_balance_transaction to flip360_reader;
call guard_by('stripe_balance_transaction', 'false');
call make_append_only('stripe_balance_transaction');

-- Which of Stripe's movements that are no transfers we have in the ledger, and by which entry.
create table stripe_booking (
  transaction_id text primary key references stripe_balance_transaction,
  entry_id uuid not null unique,
  booked_at timestamptz not null,
  booked_by uuid not null
);
grant select, insert on stripe_booking to flip360_writer;
grant select on stripe_booking to flip360_reader;
call guard_by('stripe_booking', 'false');
call make_append_only('stripe_booking');
