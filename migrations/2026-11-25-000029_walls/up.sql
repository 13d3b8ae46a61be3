-- The second wall, where a look straight into the database found it open (ADR-15).

-- A partition is reached through its table only: the table's policies and guards do not hold for who names the
-- partition itself. Whatever makes partitions calls this afterwards.
create procedure guard_partitions() language plpgsql as $$
declare part record;
begin
  for part in select c.oid::regclass as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace
      and exists (select from aclexplode(c.relacl) a where a.grantee in ('flip360_writer'::regrole, 'flip360_reader'::regrole)) loop
    execute format('revoke all on %s from flip360_writer, flip360_reader', part.name);
  end loop;
  for part in select c.oid::regclass as name from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where c.relkind = 'r' and exists (select from pg_trigger t where t.tgrelid = i.inhparent and t.tgname = 'append_only')
      and not exists (select from pg_trigger t where t.tgrelid = c.oid and t.tgname = 'append_only') loop
    call make_append_only(part.name);
  end loop;
end $$;
revoke all on procedure guard_partitions() from public;
call guard_partitions();

create or replace function keep_partitions(today date) returns void language plpgsql security definer set search_path = public as $$
begin
  if today > current_date + 2 then
    raise exception 'that day is yet to come' using errcode = 'check_violation', constraint = 'keep_partitions_today';
  end if;
  perform keep_partitions_of(today);
  call guard_partitions();
end $$;

create or replace function keep_webhook_partitions(today date) returns void language plpgsql security definer set search_path = public as $$
declare found_old boolean; parent text; moment text; month date; old record; oldest date := date_trunc('month', today) - interval '3 months';
begin
  if today > current_date + 2 then
    raise exception 'that day is yet to come' using errcode = 'check_violation', constraint = 'keep_partitions_today';
  end if;
  for parent, moment in values ('webhook_delivery', 'occurred_at'), ('webhook_attempt', 'at') loop
    for month in select generate_series(date_trunc('month', today), date_trunc('month', today) + interval '2 months', interval '1 month')::date loop
      begin
        execute format('create table if not exists %I partition of %I for values from (%L) to (%L)',
          parent || '_' || to_char(month, 'YYYYMM'), parent, month::timestamptz, (month + interval '1 month')::timestamptz);
      exception when check_violation then
        raise notice '% of % stays in the default partition', month, parent;
      end;
    end loop;
    for old in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
      where i.inhparent = parent::regclass and c.relname ~ '_[0-9]{6}$' and to_date(right(c.relname, 6), 'YYYYMM') < oldest loop
      execute format('drop table %I', old.relname);
    end loop;
    -- Only its owner can lift the guard of a partition, and only while it takes away what is old.
    execute format('select exists (select from %I where %I < %L)', parent || '_default', moment, oldest) into found_old;
    if found_old then
      execute format('alter table %I disable trigger user', parent || '_default');
      execute format('delete from %I where %I < %L', parent || '_default', moment, oldest);
      execute format('alter table %I enable trigger user', parent || '_default');
    end if;
  end loop;
  call guard_partitions();
end $$;

-- Which subject has which lane ties public leaves to whom they are about: no reader needs it. What waits for the log
-- is counted by those who look after the service.
revoke select on chain_lane from flip360_reader;
call guard_by('chain_pending', 'false');
-- Which migrations have run is the owner's business.
revoke select on __diesel_schema_migrations from flip360_reader;
revoke insert on __diesel_schema_migrations from flip360_writer;

-- A member sees itself, not those whom it brought in.
alter policy seen on member using ((select viewer_sees_all())
  or organisation_id = any ((select viewer_parties())::uuid[]) or id = any ((select viewer_parties())::uuid[]));

-- A payee of several members is none of them: its accounts hold the others' money too.
create function payee_is_shared(payee uuid) returns boolean language sql stable security definer set search_path = public as $$
  select count(distinct member_id) > 1 from member_payee where payee_id = payee
$$;
revoke all on function payee_is_shared(uuid) from public;
grant execute on function payee_is_shared(uuid) to flip360_reader;
alter policy seen on payee using ((select viewer_sees_all())
  or organisation_id = any ((select viewer_parties())::uuid[])
  or exists (select from member_payee m where m.payee_id = payee.id and m.member_id = any ((select viewer_parties())::uuid[]))
    and not payee_is_shared(payee.id));

-- Of a payout one sees the lines that one sees.
alter policy seen on payout_line using ((select viewer_sees_all())
  or exists (select from payout p where p.id = payout_id) and exists (select from commission_line l where l.id = line_id));
alter policy seen on payout_recovery using ((select viewer_sees_all())
  or exists (select from payout p where p.id = payout_id) and exists (select from commission_line l where l.id = line_id));

-- A calculation tells of everybody's share: members see their lines, not it.
alter policy seen on calculation using ((select viewer_sees_all())
  or exists (select from deal d where d.id = deal_id
    and (d.provider_id = any ((select viewer_parties())::uuid[]) or d.introducer_id = any ((select viewer_parties())::uuid[]))));

-- Attempts at moving money that were refused, and why: the code of the problem.
alter table audit_record add column refused text;
