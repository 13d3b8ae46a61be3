drop table counter_lock;
drop table deal_counter;
