-- Money of a commission line that somebody puts aside while something about it is in question, and lets go again.
create table line_hold (
  id uuid primary key,
  line_id uuid not null references commission_line,
  deal_id uuid not null references deal,
  payee_id uuid not null references payee,
  asked_minor bigint not null check (asked_minor > 0),
  from_available_minor bigint not null check (from_available_minor >= 0),
  from_accrued_minor bigint not null check (from_accrued_minor >= 0),
  reason text not null check (reason in ('dispute', 'provider_query', 'suspected_fraud', 'documents', 'legal', 'other')),
  note text not null check (length(note) between 1 and 500),
  state text not null check (state in ('active', 'released')),
  placed_by uuid not null,
  placed_at timestamptz not null,
  released_by uuid,
  released_at timestamptz,
  release_reason text check (length(release_reason) between 1 and 500),
  to_available_minor bigint check (to_available_minor >= 0),
  to_accrued_minor bigint check (to_accrued_minor >= 0),
  visible_to uuid[] not null,
  version integer not null,
  constraint line_hold_takes_no_more check (from_available_minor + from_accrued_minor <= asked_minor),
  constraint line_hold_ends check (
    (state = 'released') = (released_by is not null) and (released_by is null) = (released_at is null)
    and (released_by is null) = (release_reason is null) and (released_by is null) = (to_available_minor is null)
    and (released_by is null) = (to_accrued_minor is null))
);
create index line_hold_active on line_hold (line_id, id) where state = 'active';
create index line_hold_by_payee on line_hold (payee_id, id);
create index line_hold_by_line on line_hold (line_id, id);
call guard_by('line_hold', 'visible_to && (select viewer_parties())');
grant select, insert, update (state, released_by, released_at, release_reason, to_available_minor, to_accrued_minor, version)
  on line_hold to flip360_writer;
grant select on line_hold to flip360_reader;
