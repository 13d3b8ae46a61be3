-- Whoever sees a version of an agreement sees the statement that it was approved. A policy of its own beside `seen`.
create policy seen_with_version on chain_secret for select to flip360_reader
  using (exists (select from agreement_version v where v.approval_id = source_id));
