-- Statements of our own bank accounts, and what their lines are.
alter table bank_account
  add column settle_after_days smallint check (settle_after_days between 1 and 30),
  add column csv_profile jsonb;

create table bank_document (
  sha256 bytea primary key,
  format text not null check (format in ('camt.053', 'csv')),
  bytes bytea not null constraint bank_document_hash check (sha256 = sha256(bytes))
);
create table bank_statement (
  id uuid primary key,
  bank_account_id uuid not null references bank_account,
  document_sha256 bytea not null references bank_document,
  n integer not null check (n > 0),
  reference text not null,
  from_on date not null,
  to_on date not null check (to_on >= from_on),
  opening_minor bigint,
  closing_minor bigint,
  line_count integer not null check (line_count >= 0),
  created_by uuid not null,
  created_at timestamptz not null,
  constraint bank_statement_once unique (document_sha256, n)
);
create index bank_statement_by_account on bank_statement (bank_account_id, to_on, id);
create table bank_statement_line (
  id uuid primary key,
  statement_id uuid not null references bank_statement,
  bank_account_id uuid not null references bank_account,
  n integer not null check (n > 0),
  booked_on date not null,
  amount_minor bigint not null check (amount_minor <> 0),
  text text not null check (length(text) <= 500),
  constraint bank_statement_line_numbered unique (statement_id, n)
);
create index bank_statement_line_by_day on bank_statement_line (bank_account_id, booked_on, id);
-- What a line is: a bank file, a payout, a file of returned payments, or explained by somebody (then it names itself).
create table bank_line_match (
  line_id uuid not null references bank_statement_line,
  kind text not null check (kind in ('bank_file', 'payout', 'bank_return', 'explained')),
  target_id uuid not null constraint bank_line_matched_once primary key,
  matched_by uuid,
  at timestamptz not null,
  reason text,
  constraint bank_line_match_by_somebody check ((matched_by is null) = (reason is null) and (kind <> 'explained' or (target_id = line_id and matched_by is not null)))
);
create index bank_line_match_by_line on bank_line_match (line_id);

call make_append_only('bank_document');
call make_append_only('bank_statement');
call make_append_only('bank_statement_line');
call make_append_only('bank_line_match');
call guard_by('bank_document', 'false');
call guard_by('bank_statement', 'false');
call guard_by('bank_statement_line', 'false');
call guard_by('bank_line_match', 'false');
grant select, insert on bank_document, bank_statement, bank_statement_line, bank_line_match to flip360_writer;
grant select on bank_document, bank_statement, bank_statement_line, bank_line_match to flip360_reader;
