-- An erasure is logged when its transaction ends, not only while it erases: its leaf waits for an index, or has one.
create function refuse_unlogged_erasure(erasure uuid) returns void language plpgsql set search_path = public, pg_temp as $$
begin
  if not exists (select from chain_pending p where p.source_id = erasure and p.kind = 'erasure')
     and not exists (select from chain_leaf l where l.source_id = erasure and l.kind = 'erasure') then
    raise exception 'the erasure has no leaf' using errcode = 'restrict_violation', constraint = 'chain_erasure_logged';
  end if;
end $$;

create function refuse_erasure_without_leaf() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  perform refuse_unlogged_erasure(new.id);
  return null;
end $$;
create constraint trigger logged_at_last after insert on chain_erasure deferrable initially deferred
  for each row execute function refuse_erasure_without_leaf();

-- A leaf that waits goes only when it has its index. Whoever asks for the check above early does not get past this one.
create function refuse_losing_erasure() returns trigger language plpgsql set search_path = public, pg_temp as $$
begin
  if exists (select from chain_erasure e where e.id = old.source_id) then
    perform refuse_unlogged_erasure(old.source_id);
  end if;
  return null;
end $$;
create constraint trigger erasure_kept after delete or update on chain_pending deferrable initially deferred
  for each row when (old.kind = 'erasure') execute function refuse_losing_erasure();
