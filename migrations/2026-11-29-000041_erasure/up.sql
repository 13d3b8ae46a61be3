-- Erasure: what a person's leaves commit to goes, the leaves stay (ADR-20).

-- An erasure of a contact: the source of its leaf. Which leaves they were is told to auditors only.
create table chain_erasure (
  id uuid primary key,
  contact_id uuid not null references contact,
  leaf_count integer not null check (leaf_count >= 0),
  commitments_sha256 bytea not null check (length(commitments_sha256) = 32),
  -- What else went, and what the law or others' money keeps: counts and days, nothing personal.
  report text not null check (jsonb_typeof(report::jsonb) = 'object'),
  erased_by uuid not null,
  erased_at timestamptz not null
);
create index chain_erasure_by_contact on chain_erasure (contact_id, id);
call make_append_only('chain_erasure');

-- The sources of the leaves whose envelopes went, and the subjects whose lane secrets went.
create table chain_erased (
  source_id uuid primary key,
  erasure_id uuid not null references chain_erasure
);
create index chain_erased_by_erasure on chain_erased (erasure_id);
call make_append_only('chain_erased');

grant select, insert on chain_erasure, chain_erased to flip360_writer;
grant select on chain_erasure, chain_erased to flip360_reader;
call guard_by('chain_erasure', 'exists (select from contact c where c.id = contact_id)');
call guard_by('chain_erased', 'exists (select from handshake_statement s where s.id = source_id)');

-- The deals of a contact, as client and as member.
create index deal_by_client on deal (client_id);
create index member_by_contact on member (contact_id);

-- Secrets of the log are still never changed, and are taken away by an erasure alone: one that the same transaction
-- writes, whose leaf it adds to the log, and that names every row that goes.
create function refuse_change_but_erasure() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' and exists (select from chain_erasure e where e.xmin = pg_current_xact_id()::xid) then
    return null;
  end if;
  raise exception '% is append-only: % refused', tg_table_name, tg_op using errcode = 'restrict_violation', constraint = 'append_only';
end $$;
drop trigger append_only on chain_secret;
create trigger append_only before update or delete or truncate on chain_secret
  for each statement execute function refuse_change_but_erasure();

create function refuse_unnamed_erasure() returns trigger language plpgsql as $$
begin
  if exists (select from gone where not exists (
    select from chain_erased d join chain_erasure e on e.id = d.erasure_id and e.xmin = pg_current_xact_id()::xid
    join chain_pending p on p.source_id = e.id and p.kind = 'erasure' where d.source_id = gone.source_id)) then
    raise exception 'no erasure of this transaction names it' using errcode = 'restrict_violation', constraint = 'chain_secret_erased';
  end if;
  return null;
end $$;
create trigger erased_by_name after delete on chain_secret referencing old table as gone
  for each statement execute function refuse_unnamed_erasure();

-- Takes away what an erasure names; only the owner may, and only as the triggers above allow it.
create function erase_chain_secrets(erasure uuid) returns bigint language plpgsql security definer set search_path = public as $$
declare erased bigint;
begin
  delete from chain_secret c using chain_erased d where d.erasure_id = erasure and c.source_id = d.source_id;
  get diagnostics erased = row_count;
  return erased;
end $$;
revoke all on function erase_chain_secrets(uuid) from public;
grant execute on function erase_chain_secrets(uuid) to flip360_writer;

-- Takes away where payees were paid to. What a payout names stays as a row that says nothing and pays nobody.
create function erase_bank_details(erasure uuid, payees uuid[]) returns void language plpgsql security definer set search_path = public as $$
begin
  if exists (select from unnest(payees) as asked (payee) where not exists (
    select from chain_erasure e join member m on m.contact_id = e.contact_id join member_payee p on p.member_id = m.id
    where e.id = erasure and e.xmin = pg_current_xact_id()::xid and p.payee_id = asked.payee)) then
    raise exception 'no erasure of this transaction is of that payee' using errcode = 'restrict_violation', constraint = 'payee_erased';
  end if;
  delete from payee_bank_change c where c.payee_id = any (payees);
  delete from payee_bank_details d where d.payee_id = any (payees) and not exists (select from payout o where o.bank_details_id = d.id);
  update payee_bank_details d set bsb = '000-000', account_number = '1', account_title = 'ERASED', salt = gen_random_uuid(),
    usable_from_at = '9999-01-01T00:00:00Z' where d.payee_id = any (payees);
end $$;
revoke all on function erase_bank_details(uuid, uuid[]) from public;
grant execute on function erase_bank_details(uuid, uuid[]) to flip360_writer;

-- First answers that told of a payee or a user are found by their location, as those of contacts are.
create index idempotency_record_person on idempotency_record (location) where location like '/v1/payees/%' or location like '/v1/users/%';
