-- How the file of an import is written: all there were are CSV.
alter table deal_import add column format text not null default 'csv' check (format in ('csv', 'ndjson'));

-- Another bank account for a payee: proposed by one person, approved by another; then it becomes bank details.
create table payee_bank_change (
  id uuid primary key,
  payee_id uuid not null references payee,
  bsb text not null,
  account_number text not null,
  account_title text not null,
  state text not null check (state in ('proposed', 'approved', 'replaced')),
  proposed_by uuid not null,
  proposed_at timestamptz not null,
  approved_by uuid,
  approved_at timestamptz,
  usable_from_at timestamptz,
  constraint payee_bank_change_two_people check (approved_by is distinct from proposed_by),
  constraint payee_bank_change_approved check ((state = 'approved') = (approved_by is not null and approved_at is not null and usable_from_at > approved_at))
);
create index payee_bank_change_by_payee on payee_bank_change (payee_id, id);
create unique index payee_bank_change_one_waits on payee_bank_change (payee_id) where state = 'proposed';
grant select, insert, update (state, approved_by, approved_at, usable_from_at) on payee_bank_change to flip360_writer;
grant select on payee_bank_change to flip360_reader;
call guard_by('payee_bank_change', 'exists (select from payee p where p.id = payee_id)');
