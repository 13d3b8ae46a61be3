alter table calculation drop column period;
alter table commission_line
  drop constraint commission_line_taken,
  drop constraint commission_line_role_check,
  drop column period,
  drop column funding_rule,
  add constraint commission_line_taken unique (deal_id, component, role, level),
  add constraint commission_line_role_check check (role in ('member', 'upline', 'platform'));
drop table deal_balance;
alter table deal_fact drop constraint deal_fact_kind_check;
alter table deal_fact add constraint deal_fact_kind_check
  check (kind in ('referral', 'contract', 'settlement', 'discharge', 'correction'));
alter table deal
  drop column measures, drop column milestones, drop column upline_ids, drop column own_uplines,
  drop column participant_ids, drop column cohort, drop column joined_on;
