-- Only what a run could hold before can go back: one file each.
do $$ begin
  if exists (select from bank_file where n > 1) or exists (select from payout_run r where state = 'executed' and not exists (select from bank_file f where f.run_id = r.id)) then
    raise exception 'a run has other than one bank file: this migration cannot be taken back';
  end if;
end $$;
alter table payout_run drop constraint payout_run_executed_is_whole;
alter table payout_run
  add column aba bytea,
  add column aba_sha256 bytea check (aba_sha256 = sha256(aba)),
  add column file_date_on date;
alter table payout_run disable trigger executed_is_final;
update payout_run r set aba = f.bytes, aba_sha256 = f.sha256, file_date_on = f.dated_on from bank_file f where f.run_id = r.id;
alter table payout_run enable trigger executed_is_final;
alter table payout_run add constraint payout_run_executed_is_whole check (
  (state = 'executed') = (aba is not null and aba_sha256 is not null and executed_at is not null and file_date_on is not null)
  and (state not in ('approved', 'executed') or (approved_by is not null and approved_sha256 is not null and proposed_by is not null)));
drop table bank_file_payout, bank_file;
