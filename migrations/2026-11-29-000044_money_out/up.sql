-- GST, withholding and Stripe in lines and payouts; what became of a payout.
alter table commission_line
  add column gst_minor bigint not null default 0,
  add column withheld_minor bigint not null default 0;

alter table payout drop constraint payout_amounts_agree;
alter table payout drop constraint payout_state_check;
alter table payout
  add column gst_minor bigint not null default 0 check (gst_minor >= 0),
  add column withheld_minor bigint not null default 0 check (withheld_minor >= 0),
  add column rail text not null default 'aba' check (rail in ('aba', 'stripe')),
  add column stripe_account text check (stripe_account ~ '^acct_[A-Za-z0-9]{1,64}$'),
  alter column bank_details_id drop not null,
  add constraint payout_state_known check (state in ('in_transit', 'waiting_for_funds', 'unknown', 'settled', 'returned')),
  add constraint payout_goes_somewhere check ((rail = 'aba') = (bank_details_id is not null) and (rail = 'stripe') = (stripe_account is not null)),
  add constraint payout_amounts_agree check (gross_minor + gst_minor - recovered_minor - withheld_minor = amount_minor);
create index payout_open on payout (id) where state in ('in_transit', 'waiting_for_funds', 'unknown');

-- What became of a payout, and who says so: a bank statement's line, a returned payment, an event of the rail.
create table payout_step (
  payout_id uuid not null references payout,
  n integer not null check (n > 0),
  state text not null check (state in ('in_transit', 'waiting_for_funds', 'unknown', 'settled', 'returned')),
  at timestamptz not null,
  effective_on date not null,
  source_id uuid not null,
  reason text,
  primary key (payout_id, n)
);
call make_append_only('payout_step');
call guard_by('payout_step', 'exists (select from payout p where p.id = payout_id)');
grant select, insert on payout_step to flip360_writer;
grant select on payout_step to flip360_reader;
