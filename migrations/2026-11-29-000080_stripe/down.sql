drop table stripe_booking;
drop table stripe_balance_transaction;
drop table stripe_event_work;
drop table stripe_event;
drop table stripe_reversed;
drop table stripe_sending;
drop table stripe_account;
