-- Everything that comes in: jobs that survive their workers, imports with a report, look-ups of deals.

-- How often a worker had taken the job when it last got on: attempts since then came to nothing.
alter table job add column attempts_at_progress integer not null default 0;
create index job_by_state on job (state, id);

-- What became of the rows: known once they are read, final when the import is done.
alter table deal_import
  add column pending_count bigint,
  add column created_count bigint,
  add column corrected_count bigint,
  add column unchanged_count bigint,
  add column superseded_count bigint,
  add column refused_count bigint,
  drop column row_count;
create index deal_import_uploading on deal_import (created_at) where state = 'uploading';

-- Look-ups of deals by what partners call them, and by vertical.
create index deal_by_external_ref on deal (external_ref) where external_ref is not null;
create index deal_by_vertical on deal (vertical_id, id);
