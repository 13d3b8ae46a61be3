-- Roles (ADR-4). The owner migrates and owns every table; the service runs as writer and reads as
-- reader. Neither owns anything, so neither can disable a trigger or a policy.
do $$
begin
  if not exists (select from pg_roles where rolname = 'flip360_writer') then
    create role flip360_writer nologin;
  end if;
  if not exists (select from pg_roles where rolname = 'flip360_reader') then
    create role flip360_reader nologin;
  end if;
  execute format('grant flip360_writer, flip360_reader to %I', current_user);
end $$;

revoke create on schema public from public;
grant usage on schema public to flip360_writer, flip360_reader;

-- Refuses any change to the rows of an append-only table, for every role.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only: % refused', tg_table_name, tg_op using errcode = 'restrict_violation', constraint = 'append_only';
end $$;

-- Puts the guard on a table: UPDATE, DELETE and TRUNCATE fail as a statement, even when they hit no row.
create procedure make_append_only(target regclass) language plpgsql as $$
begin
  execute format('create trigger append_only before update or delete or truncate on %s for each statement execute function refuse_change()', target);
end $$;

-- Row-level security of the reader (the second wall of reads). `flip360.parties` is set per read:
-- '*' sees everything, otherwise a comma-separated list of organisation and member ids; unset sees nothing.
create function viewer_parties() returns uuid[] language sql stable parallel safe as $$
  select case coalesce(current_setting('flip360.parties', true), '')
    when '' then '{}'::uuid[] when '*' then '{}'::uuid[]
    else string_to_array(current_setting('flip360.parties', true), ',')::uuid[] end
$$;
create function viewer_sees_all() returns boolean language sql stable parallel safe as $$
  select coalesce(current_setting('flip360.parties', true), '') = '*'
$$;
