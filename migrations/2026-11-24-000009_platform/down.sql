drop table guarantee_run, job, idempotency_record, audit_record, outbox;
drop function keep_partitions(date);
