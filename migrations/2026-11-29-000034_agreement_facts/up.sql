-- What agreements ask for beyond dates and one amount; each is JSON as the fact says it, null when nothing was told.
alter table deal
  add column measures text check (jsonb_typeof(measures::jsonb) = 'object'),
  add column milestones text check (jsonb_typeof(milestones::jsonb) = 'object'),
  -- Frozen with the seal: every level of upline (the first is upline_id), the levels that are the referrer's own, other
  -- members who took part, the member's cohort and when it joined.
  add column upline_ids uuid[],
  add column own_uplines smallint[],
  add column participant_ids uuid[],
  add column cohort text,
  add column joined_on date;

alter table deal_fact drop constraint deal_fact_kind_check;
alter table deal_fact add constraint deal_fact_kind_check
  check (kind in ('referral', 'contract', 'settlement', 'discharge', 'correction', 'milestone', 'balance'));

-- The balance of each period of a trail, as it is known now; what was said before stays in the facts.
create table deal_balance (
  deal_id uuid not null references deal,
  month date not null check (extract(day from month) = 1),
  balance_minor bigint not null check (balance_minor >= 0),
  fact_id uuid not null,
  known_at timestamptz not null,
  primary key (deal_id, month)
);
create index deal_balance_by_month on deal_balance (month, deal_id);
grant select, insert, update (balance_minor, fact_id, known_at) on deal_balance to flip360_writer;
grant select on deal_balance to flip360_reader;
call guard_by('deal_balance', 'exists (select from deal d where d.id = deal_id)');

-- A line of a trail is of one month; the line of the deal itself of none.
alter table commission_line
  add column period date check (extract(day from period) = 1),
  add column funding_rule text not null default 'on_expiry' check (funding_rule in ('on_expiry', 'on_receipt')),
  drop constraint commission_line_taken,
  add constraint commission_line_taken unique nulls not distinct (deal_id, component, role, level, period),
  drop constraint commission_line_role_check,
  add constraint commission_line_role_check check (role in ('member', 'upline', 'participant', 'platform'));
alter table calculation add column period date;
