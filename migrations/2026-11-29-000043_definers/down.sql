do $$ begin execute format('grant temporary on database %I to public', current_database()); end $$;
alter function refuse_change_but_erasure() reset search_path;
alter function refuse_unnamed_erasure() reset search_path;
do $$ declare routine regprocedure; begin
  for routine in select p.oid from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prosecdef loop
    execute format('alter routine %s set search_path = public', routine);
  end loop;
end $$;
