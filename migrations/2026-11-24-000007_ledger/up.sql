-- What is owed and what moved. Debit is positive, credit negative.
create table ledger_account (
  id uuid primary key,
  kind text not null,
  party_id uuid,
  vertical_id uuid references vertical,
  currency text not null check (currency = 'AUD'),
  visible_to uuid[] not null,
  created_at timestamptz not null
);
create unique index ledger_account_taken on ledger_account
  (kind, coalesce(party_id, '00000000-0000-0000-0000-000000000000'), coalesce(vertical_id, '00000000-0000-0000-0000-000000000000'), currency);
call make_append_only('ledger_account');

create table ledger_balance (
  account_id uuid primary key references ledger_account,
  balance_minor bigint not null default 0,
  account_seq bigint not null default 0
) with (fillfactor = 70);

create table ledger_head (
  singleton boolean primary key default true check (singleton),
  last_seq bigint not null,
  last_sha256 bytea not null check (length(last_sha256) = 32)
) with (fillfactor = 10);

create table ledger_entry (
  seq bigint primary key check (seq > 0),
  id uuid not null constraint ledger_entry_id_taken unique,
  kind text not null,
  deal_id uuid,
  payee_id uuid,
  source_id uuid not null,
  effective_on date not null,
  recorded_at timestamptz not null,
  canonical bytea not null,
  sha256 bytea not null constraint ledger_entry_hash check (sha256 = sha256(canonical)),
  previous_sha256 bytea not null check (length(previous_sha256) = 32),
  visible_to uuid[] not null
);
create index ledger_entry_by_deal on ledger_entry (deal_id, seq) where deal_id is not null;
create index ledger_entry_by_payee on ledger_entry (payee_id, seq) where payee_id is not null;
create index ledger_entry_by_source on ledger_entry (source_id, kind);
call make_append_only('ledger_entry');

create table ledger_posting (
  entry_seq bigint not null references ledger_entry,
  n smallint not null,
  account_id uuid not null references ledger_account,
  amount_minor bigint not null check (amount_minor <> 0),
  account_seq bigint not null,
  balance_after_minor bigint not null,
  line_id uuid,
  primary key (entry_seq, n),
  constraint ledger_posting_account_seq_taken unique (account_id, account_seq)
);
create index ledger_posting_by_line on ledger_posting (line_id) where line_id is not null;
call make_append_only('ledger_posting');

-- An entry sums to zero, per currency (an account has one currency), or does not exist.
create function refuse_unbalanced() returns trigger language plpgsql as $$
begin
  if exists (
    select from (select distinct entry_seq from added) touched
    join ledger_posting p using (entry_seq) join ledger_account a on a.id = p.account_id
    group by p.entry_seq, a.currency having sum(p.amount_minor) <> 0 or count(*) < 2
  ) then
    raise exception 'an entry does not balance' using errcode = 'check_violation', constraint = 'ledger_entry_balances';
  end if;
  return null;
end $$;
create trigger balanced after insert on ledger_posting referencing new table as added
  for each statement execute function refuse_unbalanced();

-- Every entry has its pending leaf, inserted first, and continues the sequence without a gap.
create function refuse_unlogged() returns trigger language plpgsql as $$
declare missing bigint; first_seq bigint; last_seq bigint; added_count bigint;
begin
  select count(*) into missing from added left join chain_pending p on p.source_id = added.id where p.source_id is null;
  if missing > 0 then
    raise exception '% ledger entries have no pending leaf', missing using errcode = 'check_violation', constraint = 'ledger_entry_is_logged';
  end if;
  select min(seq), max(seq), count(*) into first_seq, last_seq, added_count from added;
  if added_count > 0 and (last_seq - first_seq + 1 <> added_count
     or (first_seq > 1 and not exists (select from ledger_entry where seq = first_seq - 1))) then
    raise exception 'the entry sequence would have a gap' using errcode = 'check_violation', constraint = 'ledger_entry_is_dense';
  end if;
  return null;
end $$;
create trigger logged after insert on ledger_entry referencing new table as added
  for each statement execute function refuse_unlogged();

-- An entry without postings is refused when the transaction commits.
create function refuse_empty_entry() returns trigger language plpgsql as $$
begin
  if not exists (select from ledger_posting where entry_seq = new.seq) then
    raise exception 'entry % has no postings', new.seq using errcode = 'check_violation', constraint = 'ledger_entry_has_postings';
  end if;
  return null;
end $$;
create constraint trigger has_postings after insert on ledger_entry deferrable initially deferred
  for each row execute function refuse_empty_entry();

-- What one participant earns on one deal by one component, and in which bucket it lies now.
-- A projection of the postings with its line_id; the guarantees compare the two.
create table commission_line (
  id uuid primary key,
  deal_id uuid not null references deal,
  component text not null,
  role text not null check (role in ('member', 'upline', 'platform')),
  level smallint not null check (level >= 0),
  member_id uuid references member,
  payee_id uuid references payee,
  payable_on date not null,
  earned_minor bigint not null,
  clawed_back_minor bigint not null,
  suspense_minor bigint not null default 0,
  accrued_minor bigint not null default 0,
  held_minor bigint not null default 0,
  available_minor bigint not null default 0,
  in_transit_minor bigint not null default 0,
  paid_minor bigint not null default 0,
  recoverable_minor bigint not null default 0,
  calculation_id uuid not null references calculation,
  visible_to uuid[] not null,
  version integer not null default 1,
  constraint commission_line_taken unique (deal_id, component, role, level)
);
create index commission_line_by_member on commission_line (member_id, id) where member_id is not null;
create index commission_line_due on commission_line (payable_on) where accrued_minor > 0;
create index commission_line_payable on commission_line (payee_id) where available_minor > 0 or recoverable_minor > 0;
