alter table payout_run drop column skipped_count;
