-- How many payees a run leaves out: what is shown of a run is read without its content, which is large.
alter table payout_run add column skipped_count integer;
alter table payout_run disable trigger executed_is_final;
update payout_run set skipped_count = jsonb_array_length(convert_from(content, 'UTF8')::jsonb -> 'skipped');
alter table payout_run enable trigger executed_is_final;
alter table payout_run alter column skipped_count set not null;
