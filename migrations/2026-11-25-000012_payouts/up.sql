-- Set-off. A clawback of a line that was paid is got back from what is available on other lines of the
-- payee: a line that pays so has it as positive, a line that is settled so as negative; they sum to zero
-- per payee. Earned - clawed back = suspense + accrued + held + available + in transit + paid + set off - recoverable.
alter table commission_line add column set_off_minor bigint not null default 0;

-- Bank details appear in what is approved as an id and a salted commitment only.
alter table payee_bank_details add column salt uuid not null default gen_random_uuid();

-- The bank's profile of an own account.
alter table bank_account
  add column account_title text not null,
  add column remitter text not null,
  add column description text not null,
  add column header_date text not null check (header_date in ('run_day', 'next_banking_day')),
  add column item_limit integer not null check (item_limit between 1 and 999999),
  add constraint bank_account_taken unique (bsb, account_number);

alter table payout_run
  add column voided_reason text,
  add column file_date_on date,
  add constraint payout_run_not_own_approval check (approved_by is null or approved_by <> created_by),
  add constraint payout_run_executed_is_whole check (
    (state = 'executed') = (aba is not null and aba_sha256 is not null and executed_at is not null and file_date_on is not null)
    and (state not in ('approved', 'executed') or (approved_by is not null and approved_sha256 is not null and proposed_by is not null)));
create index payout_run_by_state on payout_run (state, id);

-- Who did what to a run, and to which content.
create table payout_run_step (
  run_id uuid not null references payout_run,
  n integer not null check (n > 0),
  step text not null check (step in ('previewed', 'proposed', 'approved', 'rejected', 'executed', 'cancelled', 'voided')),
  actor_id uuid not null,
  at timestamptz not null,
  content_sha256 bytea not null check (length(content_sha256) = 32),
  reason text,
  primary key (run_id, n)
);
call make_append_only('payout_run_step');
call guard_by('payout_run_step', 'false');

-- What has been executed never changes again, whoever asks.
create function refuse_change_of_executed() returns trigger language plpgsql as $$
begin
  raise exception 'an executed payout run never changes' using errcode = 'restrict_violation', constraint = 'payout_run_executed';
end $$;
create trigger executed_is_final before update or delete on payout_run
  for each row when (old.state = 'executed') execute function refuse_change_of_executed();

alter table payout
  add column bank_details_id uuid not null references payee_bank_details,
  add constraint payout_amounts_agree check (gross_minor - recovered_minor = amount_minor);
create index payout_by_payee on payout (payee_id, id);

-- What a set-off took from which line, and which line it settled.
create table payout_recovery (
  payout_id uuid not null references payout,
  line_id uuid not null references commission_line,
  amount_minor bigint not null check (amount_minor > 0),
  primary key (payout_id, line_id)
);
create index payout_recovery_by_line on payout_recovery (line_id);
call make_append_only('payout_recovery');
call guard_by('payout_recovery', 'exists (select from payout p where p.id = payout_id)');

-- A payee sees the accounts that are its own: payee accounts carry the payee's id, which is no viewer's.
drop policy seen on ledger_account;
create policy seen on ledger_account for select to flip360_reader
  using ((select viewer_sees_all()) or visible_to && (select viewer_parties()) or exists (select from payee p where p.id = party_id));

-- Looking up: accounts, entries by date.
create index ledger_entry_by_recorded on ledger_entry (recorded_at, seq);
create index ledger_account_by_party on ledger_account (party_id) where party_id is not null;

grant select, insert on payout_run_step, payout_recovery to flip360_writer;
grant select on payout_run_step, payout_recovery to flip360_reader;
