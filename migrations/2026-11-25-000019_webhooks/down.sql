drop function keep_webhook_partitions(date);
drop table webhook_cursor, webhook_attempt, webhook_delivery, webhook_endpoint;
