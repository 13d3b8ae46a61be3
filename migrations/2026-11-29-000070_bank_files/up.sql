-- The bank files of a run: none, one or several. A payout is in one file, ever.
create table bank_file (
  id uuid primary key,
  run_id uuid not null references payout_run,
  n integer not null check (n > 0),
  dated_on date not null,
  total_minor bigint not null check (total_minor > 0),
  payout_count integer not null check (payout_count > 0),
  bytes bytea not null,
  sha256 bytea not null constraint bank_file_hash check (sha256 = sha256(bytes)),
  created_at timestamptz not null,
  constraint bank_file_numbered unique (run_id, n),
  constraint bank_file_once unique (sha256)
);
create table bank_file_payout (
  payout_id uuid constraint bank_file_payout_once primary key references payout,
  file_id uuid not null references bank_file
);
create index bank_file_payout_by_file on bank_file_payout (file_id);

-- What was written before: one file a run. It takes the id of its run.
insert into bank_file (id, run_id, n, dated_on, total_minor, payout_count, bytes, sha256, created_at)
  select id, id, 1, file_date_on, total_minor, payout_count, aba, aba_sha256, executed_at from payout_run where state = 'executed';
insert into bank_file_payout (payout_id, file_id)
  select p.id, p.run_id from payout p join bank_file f on f.id = p.run_id where p.rail = 'aba';

alter table payout_run drop constraint payout_run_executed_is_whole;
alter table payout_run
  drop column aba, drop column aba_sha256, drop column file_date_on,
  add constraint payout_run_executed_is_whole check (
    (state = 'executed') = (executed_at is not null and executed_by is not null)
    and (state not in ('approved', 'executed') or (approved_by is not null and approved_sha256 is not null and proposed_by is not null)));

call make_append_only('bank_file');
call make_append_only('bank_file_payout');
call guard_by('bank_file', 'false');
call guard_by('bank_file_payout', 'exists (select from payout p where p.id = payout_id)');
grant select, insert on bank_file, bank_file_payout to flip360_writer;
grant select on bank_file, bank_file_payout to flip360_reader;
