-- A payout that came back is sent again by another one, at most once.
alter table payout add column retry_of uuid references payout constraint payout_retried_once unique;
alter table payout add constraint payout_not_its_own_retry check (retry_of <> id);
create index payout_by_day on payout (created_at);
