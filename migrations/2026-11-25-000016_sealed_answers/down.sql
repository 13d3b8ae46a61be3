alter table idempotency_record drop column sealed;
