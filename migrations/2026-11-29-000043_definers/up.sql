-- Functions with their owner's rights look at our tables, never at a temporary one that a session gave the same name.
do $$ declare routine regprocedure; begin
  for routine in select p.oid from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prosecdef loop
    execute format('alter routine %s set search_path = public, pg_temp', routine);
  end loop;
end $$;
alter function refuse_change_but_erasure() set search_path = public, pg_temp;
alter function refuse_unnamed_erasure() set search_path = public, pg_temp;
-- The service makes no temporary tables.
do $$ begin execute format('revoke temporary on database %I from public', current_database()); end $$;
