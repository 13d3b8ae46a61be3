-- Who is erased stays erased: nothing new is kept of an erased payee or member, and nobody acts as one (ADR-22).

-- When a payee's name, ABN and accounts went.
alter table payee add column erased_at timestamptz;
-- Payees that were erased before, unless an account was added since: erasing again takes that one.
update payee p set erased_at = e.at
from (select o.payee_id, max(e.erased_at) as at from chain_erasure e join member m on m.contact_id = e.contact_id
      join member_payee o on o.member_id = m.id group by o.payee_id) e
where e.payee_id = p.id and p.abn is null
  and exists (select from personal_data d where d.subject_id = p.id and d.subject_kind = 'payee' and d.name = 'Erased')
  and not exists (select from payee_bank_change c where c.payee_id = p.id)
  and not exists (select from payee_bank_details d where d.payee_id = p.id and d.account_title <> 'ERASED');

-- Whoever lately had a token as somebody who is erased.
create index chain_erasure_by_time on chain_erasure (erased_at);

-- Refuses for a member whose contact is erased. The lock makes who erases at the same moment come before or after.
create function refuse_erased_member(members uuid[]) returns void language plpgsql set search_path = public, pg_temp as $$
begin
  perform 1 from contact c where c.id in (select m.contact_id from member m where m.id = any (members)) order by c.id for key share;
  if exists (select from member m join chain_erasure e on e.contact_id = m.contact_id where m.id = any (members)) then
    raise exception 'the member is erased' using errcode = 'check_violation', constraint = 'member_erased';
  end if;
end $$;

create function refuse_erased_payee(payees uuid[]) returns void language plpgsql set search_path = public, pg_temp as $$
begin
  if exists (select from payee p where p.id = any (payees) and p.erased_at is not null) then
    raise exception 'the payee is erased' using errcode = 'check_violation', constraint = 'payee_erased';
  end if;
end $$;

create function refuse_erased_mapping() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  perform refuse_erased_member((select array_agg(distinct member_id) from added));
  perform refuse_erased_payee((select array_agg(distinct payee_id) from added));
  return null;
end $$;
create trigger of_the_living after insert on member_payee referencing new table as added
  for each statement execute function refuse_erased_mapping();

create function refuse_erased_account() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  perform refuse_erased_payee((select array_agg(distinct payee_id) from added));
  return null;
end $$;
create trigger of_the_living after insert on payee_bank_details referencing new table as added
  for each statement execute function refuse_erased_account();
create trigger of_the_living after insert on payee_bank_change referencing new table as added
  for each statement execute function refuse_erased_account();

create function refuse_change_of_erased() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  raise exception 'the payee is erased' using errcode = 'check_violation', constraint = 'payee_erased';
end $$;
create trigger stays_erased before update on payee for each row
  when (old.erased_at is not null and (new.erased_at is null or new.abn is not null or new.gst_registered_on is not null))
  execute function refuse_change_of_erased();

create function refuse_name_of_erased() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  perform refuse_erased_payee(array[new.subject_id]);
  return new;
end $$;
create trigger stays_erased before insert or update on personal_data for each row
  when (new.subject_kind = 'payee' and new.name is distinct from 'Erased') execute function refuse_name_of_erased();

create function refuse_acting_as_erased() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  perform refuse_erased_member(array[new.member_id]);
  return null;
end $$;
create trigger of_the_living after insert or update of member_id, revoked_at on api_client for each row
  when (new.member_id is not null and new.revoked_at is null) execute function refuse_acting_as_erased();
create trigger of_the_living after insert or update of member_id, disabled_at on app_user for each row
  when (new.member_id is not null and new.disabled_at is null) execute function refuse_acting_as_erased();
