revoke update (body, sealed) on idempotency_record from flip360_writer;
drop index idempotency_record_contact;
