drop index payout_by_day;
alter table payout drop constraint payout_not_its_own_retry, drop column retry_of;
