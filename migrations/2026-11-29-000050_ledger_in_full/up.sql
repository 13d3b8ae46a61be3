-- What people write by hand, in bulk or one by one: proposed by one person, posted when another approves its digest.
create table manual_entry (
  id uuid primary key,
  kind text not null check (kind in ('entry', 'batch', 'reversal')),
  mode text not null check (mode in ('atomic', 'per_item')),
  state text not null check (state in ('proposed', 'posted', 'rejected')),
  content bytea not null,
  content_sha256 bytea not null constraint manual_entry_hash check (content_sha256 = sha256(content)),
  entry_count integer not null check (entry_count > 0),
  refused_count integer not null check (refused_count >= 0),
  debit_minor bigint not null check (debit_minor > 0),
  reason text not null check (length(reason) between 1 and 500),
  proposed_by uuid not null,
  proposed_at timestamptz not null,
  decided_by uuid,
  decided_at timestamptz,
  decision text check (length(decision) between 1 and 500),
  version integer not null default 1,
  constraint manual_entry_decided check ((state = 'proposed') = (decided_by is null) and (decided_by is null) = (decided_at is null)),
  constraint manual_entry_two_people check (decided_by <> proposed_by or state = 'rejected')
);
grant select, insert, update (state, refused_count, decided_by, decided_at, decision, version) on manual_entry to flip360_writer;
grant select on manual_entry to flip360_reader;
call guard_by('manual_entry', 'false');

-- Entries of a proposal that were not taken, and why: when it was proposed, or when it was to be posted.
create table manual_entry_refusal (
  manual_id uuid not null references manual_entry,
  n integer not null check (n >= 0),
  code text not null,
  pointer text not null,
  detail text not null,
  primary key (manual_id, n)
);
call make_append_only('manual_entry_refusal');
grant select, insert on manual_entry_refusal to flip360_writer;
grant select on manual_entry_refusal to flip360_reader;
call guard_by('manual_entry_refusal', 'false');

-- Which entry undoes which: one is undone once, ever, and by its exact mirror.
create table ledger_reversal (
  entry_id uuid primary key references ledger_entry (id),
  reverses_id uuid not null constraint ledger_entry_reversed_once unique references ledger_entry (id)
);
call make_append_only('ledger_reversal');
grant select, insert on ledger_reversal to flip360_writer;
grant select on ledger_reversal to flip360_reader;
call guard_by('ledger_reversal', 'exists (select from ledger_entry e where e.id = entry_id)');

create function refuse_crooked_reversal() returns trigger language plpgsql as $$
begin
  if exists (
    select from added r, lateral (
      select p.account_id, sum(p.amount_minor) as left_minor
      from ledger_entry e join ledger_posting p on p.entry_seq = e.seq where e.id in (r.entry_id, r.reverses_id)
      group by p.account_id having sum(p.amount_minor) <> 0) x
  ) or exists (
    select from added r join ledger_entry e on e.id = r.entry_id join ledger_entry o on o.id = r.reverses_id
    where e.kind <> 'reversal' or o.kind = 'reversal' or o.seq >= e.seq
  ) then
    raise exception 'a reversal is the mirror of an earlier entry' using errcode = 'check_violation', constraint = 'ledger_reversal_mirrors';
  end if;
  return null;
end $$;
create trigger mirrored after insert on ledger_reversal referencing new table as added
  for each statement execute function refuse_crooked_reversal();

create function refuse_unnamed_reversal() returns trigger language plpgsql as $$
begin
  if not exists (select from ledger_reversal where entry_id = new.id) then
    raise exception 'entry % undoes nothing', new.seq using errcode = 'check_violation', constraint = 'ledger_reversal_named';
  end if;
  return null;
end $$;
create constraint trigger undoes after insert on ledger_entry deferrable initially deferred
  for each row when (new.kind = 'reversal') execute function refuse_unnamed_reversal();

-- Floors. What is owed to payees and members never turns into what they owe, and the other way round; an own account
-- may have a floor of its own. The bounds of an account follow from its kind and stand beside its balance.
alter table ledger_balance add column least_minor bigint, add column most_minor bigint,
  add constraint ledger_balance_bounds check (least_minor <= most_minor);

create function account_bounds(kind text, out least_minor bigint, out most_minor bigint) language sql immutable as $$
  select case when kind = 'clawback_recoverable' then 0::bigint end,
         case when kind in ('payee_accrued', 'payee_held', 'payee_available', 'payee_in_transit', 'member_suspense') then 0::bigint end
$$;
update ledger_balance b set least_minor = k.least_minor, most_minor = k.most_minor
  from ledger_account a, lateral account_bounds(a.kind) k where a.id = b.account_id and (k.least_minor, k.most_minor) is distinct from (null, null);

create function give_bounds() returns trigger language plpgsql as $$
begin
  select k.least_minor, k.most_minor into new.least_minor, new.most_minor
    from ledger_account a, lateral account_bounds(a.kind) k where a.id = new.account_id;
  if new.balance_minor <> 0 or new.account_seq <> 0 then
    raise exception 'an account opens with nothing' using errcode = 'check_violation', constraint = 'ledger_balance_opens_empty';
  end if;
  return new;
end $$;
create trigger bounded before insert on ledger_balance for each row execute function give_bounds();

-- Postings follow one another within their account, each with the balance after it, and leave it within its bounds.
-- Sequential scans are off for the plan is made while the tables are small and kept while they grow.
create function refuse_broken_account() returns trigger language plpgsql set enable_seqscan = off as $$
declare out_of_bounds uuid;
begin
  if exists (
    select from (
      select account_id, amount_minor, account_seq, balance_after_minor,
        lag(account_seq) over w as seq_before, lag(balance_after_minor) over w as minor_before
      from added window w as (partition by account_id order by account_seq)) p
    left join lateral (
      select q.balance_after_minor from ledger_posting q
      where p.seq_before is null and q.account_id = p.account_id and q.account_seq = p.account_seq - 1 limit 1) q on true
    where (p.seq_before is null and p.account_seq > 1 and q.balance_after_minor is null)
       or p.account_seq <> coalesce(p.seq_before + 1, p.account_seq) or p.account_seq < 1
       or p.balance_after_minor <> coalesce(p.minor_before, q.balance_after_minor, 0) + p.amount_minor
  ) then
    raise exception 'a posting does not go on from the one before' using errcode = 'check_violation', constraint = 'ledger_posting_goes_on';
  end if;
  select l.account_id into out_of_bounds from (
    select distinct on (account_id) account_id, balance_after_minor as minor from added order by account_id, account_seq desc) l
  join lateral (select b.least_minor, b.most_minor from ledger_balance b where b.account_id = l.account_id limit 1) b on true
  where l.minor < b.least_minor or l.minor > b.most_minor limit 1;
  if found then
    raise exception 'account % would be on its wrong side', out_of_bounds using errcode = 'check_violation', constraint = 'ledger_account_floor';
  end if;
  return null;
end $$;
create trigger stays_within after insert on ledger_posting referencing new table as added
  for each statement execute function refuse_broken_account();

-- A balance is what the account's last posting says.
create function refuse_balance_of_its_own() returns trigger language plpgsql set enable_seqscan = off as $$
begin
  if exists (
    select from changed c left join lateral (
      select p.balance_after_minor from ledger_posting p
      where p.account_id = c.account_id and p.account_seq = c.account_seq limit 1) p on true
    where c.balance_minor <> coalesce(p.balance_after_minor, 0) or (c.account_seq > 0 and p.balance_after_minor is null)
  ) then
    raise exception 'a balance is the last posting''s' using errcode = 'check_violation', constraint = 'ledger_balance_is_posted';
  end if;
  return null;
end $$;
create trigger posted after update on ledger_balance referencing new table as changed
  for each statement execute function refuse_balance_of_its_own();

revoke insert, update on ledger_balance from flip360_writer;
grant insert (account_id), update (balance_minor, account_seq) on ledger_balance to flip360_writer;

-- The floor of an own account, in the owner's hands: bounds of other kinds follow from the kind alone.
create function set_cash_floor(account uuid, floor bigint) returns boolean language sql security definer set search_path = public, pg_temp as $$
  update ledger_balance b set least_minor = floor from ledger_account a
    where a.id = b.account_id and a.id = account and a.kind in ('cash', 'stripe_balance') and b.balance_minor >= floor
    returning true
$$;
revoke execute on function set_cash_floor(uuid, bigint) from public;
grant execute on function set_cash_floor(uuid, bigint) to flip360_writer;
