-- What outsiders wrote of a payee goes with the payee: what Stripe told of its account, what banks wrote of its payments
-- (ADR-35). Digests stay, and every row stays where it was.

alter table stripe_event
  add column erased_sha256 bytea check (length(erased_sha256) = 32),
  add constraint stripe_event_erased check (erased_sha256 is null or body = '');
alter table bank_return
  add column erased_at timestamptz,
  drop constraint bank_return_hash,
  add constraint bank_return_hash check (case when erased_at is null then sha256 = sha256(bytes) else bytes = '' end);
alter table bank_document
  add column erased_at timestamptz,
  drop constraint bank_document_hash,
  add constraint bank_document_hash check (case when erased_at is null then sha256 = sha256(bytes) else bytes = '' end);
alter table bank_statement_line
  add column erased_at timestamptz,
  add constraint bank_statement_line_erased check (erased_at is null or text = '');
create index stripe_event_by_account on stripe_event (account) where account is not null and erased_sha256 is null;

-- They are append-only still; an erasure of the same transaction may blank the columns that are named, and nothing else.
create function refuse_change_but_blanking() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  if tg_op = 'UPDATE' and exists (select from chain_erasure e where e.xmin = pg_current_xact_id()::xid) then
    return null;
  end if;
  raise exception '% is append-only: % refused', tg_table_name, tg_op using errcode = 'restrict_violation', constraint = 'append_only';
end $$;
create function only_blanked() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  if to_jsonb(old) - tg_argv <> to_jsonb(new) - tg_argv then
    raise exception '% is append-only: more than a blank', tg_table_name using errcode = 'restrict_violation', constraint = 'append_only';
  end if;
  return new;
end $$;
create procedure let_be_blanked(target regclass, variadic columns text[]) language plpgsql as $$
begin
  execute format('drop trigger append_only on %s', target);
  execute format('create trigger append_only before update or delete or truncate on %s for each statement execute function refuse_change_but_blanking()', target);
  execute format('create trigger blanked_only before update on %s for each row execute function only_blanked(%s)',
    target, (select string_agg(quote_literal(c), ', ') from unnest(columns) c));
end $$;
call let_be_blanked('stripe_event', 'body', 'erased_sha256');
call let_be_blanked('bank_return', 'bytes', 'erased_at');
call let_be_blanked('bank_document', 'bytes', 'erased_at');
call let_be_blanked('bank_statement_line', 'text', 'erased_at');

-- What Stripe tells of an account later is kept as a digest.
create function blank_of_erased() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  if exists (select from stripe_account a join payee p on p.id = a.payee_id where a.account = new.account and p.erased_at is not null) then
    new.erased_sha256 := sha256(new.body);
    new.body := '';
  end if;
  return new;
end $$;
create trigger of_the_living before insert on stripe_event for each row when (new.account is not null) execute function blank_of_erased();

-- Takes away what outsiders wrote of payees, where an erasure of this transaction is of them. A document of a bank is of many and
-- is kept by the law as long as what it explains: it goes whole, with the first erasure after the day that is named has come to it.
create function erase_words_of_outsiders(erasure uuid, payees uuid[], up_to date) returns void
  language plpgsql security definer set search_path = public, pg_temp as $$
declare gone_at timestamptz;
begin
  if exists (select from unnest(payees) as asked (payee) where not exists (
    select from chain_erasure e join member m on m.contact_id = e.contact_id join member_payee p on p.member_id = m.id
    where e.id = erasure and e.xmin = pg_current_xact_id()::xid and p.payee_id = asked.payee)) then
    raise exception 'no erasure of this transaction is of that payee' using errcode = 'restrict_violation', constraint = 'payee_erased';
  end if;
  select e.erased_at into gone_at from chain_erasure e where e.id = erasure;
  update stripe_account set disabled_reason = null where payee_id = any (payees);
  update stripe_event e set erased_sha256 = sha256(e.body), body = '' from stripe_account a
    where a.payee_id = any (payees) and e.account = a.account and e.erased_sha256 is null;
  update bank_return r set bytes = '', erased_at = gone_at
    where r.erased_at is null and (r.created_at at time zone 'Australia/Sydney')::date <= up_to
      and exists (select from bank_return_item i join payout o on o.id = i.payout_id join payee p on p.id = o.payee_id
        where i.return_id = r.id and p.erased_at is not null);
  with theirs as (
    select m.line_id from payee p join payout o on o.payee_id = p.id join bank_line_match m on m.kind = 'payout' and m.target_id = o.id
      where p.erased_at is not null
    union select m.line_id from payee p join payout o on o.payee_id = p.id join bank_return_item i on i.payout_id = o.id
      join bank_line_match m on m.kind = 'bank_return' and m.target_id = i.return_id where p.erased_at is not null),
  documents as (
    update bank_document d set bytes = '', erased_at = gone_at
    where d.erased_at is null
      and d.sha256 in (select s.document_sha256 from theirs t join bank_statement_line l on l.id = t.line_id join bank_statement s on s.id = l.statement_id)
      and not exists (select from bank_statement s where s.document_sha256 = d.sha256 and s.to_on > up_to))
  update bank_statement_line l set text = '', erased_at = gone_at from theirs t where l.id = t.line_id and l.erased_at is null;
end $$;
revoke all on function erase_words_of_outsiders(uuid, uuid[], date) from public;
grant execute on function erase_words_of_outsiders(uuid, uuid[], date) to flip360_writer;
