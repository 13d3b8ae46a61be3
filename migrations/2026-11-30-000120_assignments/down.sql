create or replace function payee_is_shared(payee uuid) returns boolean language sql stable security definer set search_path = public, pg_temp as $$
  select count(distinct member_id) > 1 from member_payee where payee_id = payee
$$;
drop table assignment;
