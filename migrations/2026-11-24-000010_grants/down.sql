delete from chain_head;
delete from ledger_head;
do $$
declare policy record;
begin
  for policy in select schemaname, tablename, policyname from pg_policies where schemaname = 'public' loop
    execute format('drop policy %I on %I.%I', policy.policyname, policy.schemaname, policy.tablename);
    execute format('alter table %I.%I disable row level security', policy.schemaname, policy.tablename);
  end loop;
end $$;
drop procedure guard_by(regclass, text);
revoke all on all tables in schema public from flip360_writer, flip360_reader;
revoke all on all sequences in schema public from flip360_writer;
