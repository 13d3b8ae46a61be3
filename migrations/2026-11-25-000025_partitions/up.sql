-- A service that ran past its last partition has rows in the default one, and could not start again: a day or
-- month that lies there stays there.
create or replace function keep_partitions_of(today date) returns void language plpgsql security definer set search_path = public as $$
declare day date; month date; old record;
begin
  for day in select generate_series(today, today + 3, interval '1 day')::date loop
    begin
      execute format('create table if not exists %I partition of idempotency_record for values from (%L) to (%L)',
        'idempotency_record_' || to_char(day, 'YYYYMMDD'), day, day + 1);
    exception when check_violation then
      raise notice '% of idempotency_record stays in the default partition', day;
    end;
  end loop;
  for month in select generate_series(date_trunc('month', today), date_trunc('month', today) + interval '2 months', interval '1 month')::date loop
    begin
      execute format('create table if not exists %I partition of audit_record for values from (%L) to (%L)',
        'audit_record_' || to_char(month, 'YYYYMM'), month::timestamptz, (month + interval '1 month')::timestamptz);
    exception when check_violation then
      raise notice '% of audit_record stays in the default partition', month;
    end;
  end loop;
  for old in select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = 'idempotency_record'::regclass and c.relname ~ '_[0-9]{8}$'
      and to_date(right(c.relname, 8), 'YYYYMMDD') < today - 30 loop
    execute format('drop table %I', old.relname);
  end loop;
  delete from idempotency_record_default where created_on < today - 30;
end $$;
