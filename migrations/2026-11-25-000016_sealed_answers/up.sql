-- First answers that carry a secret are kept encrypted under a key that is not in the database.
alter table idempotency_record add column sealed boolean not null default false;
