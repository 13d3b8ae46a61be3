drop index deal_by_vertical, deal_by_external_ref, deal_import_uploading, job_by_state;
alter table deal_import
  drop column pending_count,
  drop column created_count,
  drop column corrected_count,
  drop column unchanged_count,
  drop column superseded_count,
  drop column refused_count,
  add column row_count bigint not null default 0;
alter table job drop column attempts_at_progress;
