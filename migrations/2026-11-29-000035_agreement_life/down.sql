drop table agreement_version_table, lookup_table_version, lookup_table;
drop policy seen on agreement_version;
drop policy written on agreement_version;
alter table agreement_version disable row level security;
drop policy seen on agreement;
drop policy written on agreement;
alter table agreement disable row level security;
drop trigger content_frozen on agreement_version;
drop function refuse_other_content();
alter table agreement_version
  drop constraint agreement_version_two_people,
  add constraint agreement_version_two_people check (approver_id is null or approver_id is distinct from author_id),
  drop column version,
  drop column writer_ids,
  drop column proposed_by,
  drop column proposed_at,
  drop column rejected_by,
  drop column rejected_at,
  drop column rejected_reason,
  drop column approval_id,
  drop column acknowledged,
  drop column activated_at,
  drop column superseded_by,
  drop column superseded_at,
  drop column retired_by,
  drop column retired_at,
  drop column retired_reason;
drop index deal_by_provider;
revoke update (published_at) on agreement from flip360_writer;
alter table agreement drop column provider_id, drop column published_at;
