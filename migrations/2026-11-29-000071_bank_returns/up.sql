-- Payments that came back, as the bank tells it. The file's bytes name accounts and people; its items do not.
create table bank_return (
  id uuid primary key,
  sha256 bytea not null constraint bank_return_once unique,
  bytes bytea not null constraint bank_return_hash check (sha256 = sha256(bytes)),
  item_count integer not null check (item_count > 0),
  matched_count integer not null check (matched_count between 0 and item_count),
  total_minor bigint not null check (total_minor > 0),
  matched_minor bigint not null check (matched_minor between 0 and total_minor),
  created_by uuid not null,
  created_at timestamptz not null
);
create table bank_return_item (
  return_id uuid not null references bank_return,
  n integer not null check (n > 0),
  code text not null check (code in ('1', '2', '3', '4', '5', '6', '8', '9')),
  amount_minor bigint not null check (amount_minor > 0),
  reference text not null,
  returned_on date not null,
  payout_id uuid references payout,
  unmatched text check (unmatched in ('no_such_payment', 'other_amount', 'other_account', 'already_returned')),
  primary key (return_id, n),
  constraint bank_return_item_is_one check ((payout_id is null) <> (unmatched is null)),
  constraint bank_return_item_once unique (payout_id)
);
create index bank_return_item_unmatched on bank_return_item (return_id, n) where payout_id is null;

-- Bank details to which no payment can be made any more, and why. A change of the account brings new ones.
create table bank_details_block (
  bank_details_id uuid primary key,
  code text not null check (code in ('1', '3', '4', '5')),
  source_id uuid not null,
  at timestamptz not null
);

call make_append_only('bank_return');
call make_append_only('bank_return_item');
call make_append_only('bank_details_block');
call guard_by('bank_return', 'false');
call guard_by('bank_return_item', 'false');
call guard_by('bank_details_block', 'exists (select from payee_bank_details d where d.id = bank_details_id)');
grant select, insert on bank_return, bank_return_item, bank_details_block to flip360_writer;
grant select on bank_return, bank_return_item, bank_details_block to flip360_reader;
