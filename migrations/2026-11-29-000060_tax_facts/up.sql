-- What a payee is to the tax office, as dated facts. Of two facts from one day the later one counts (n).
create table payee_gst_status (
  n bigint generated always as identity primary key,
  id uuid not null unique,
  payee_id uuid not null references payee,
  registered boolean not null,
  from_on date not null,
  known_at timestamptz not null,
  recorded_by uuid
);
create index payee_gst_status_by_payee on payee_gst_status (payee_id, n);
insert into payee_gst_status (id, payee_id, registered, from_on, known_at)
  select gen_random_uuid(), id, true, gst_registered_on, created_at from payee where gst_registered_on is not null;

-- What is told with the payee itself is a fact of the timeline too, whichever program writes it.
create function keep_gst_status() returns trigger language plpgsql as $$
begin
  if new.gst_registered_on is not null and not coalesce((select s.registered from payee_gst_status s
       where s.payee_id = new.id and s.from_on = new.gst_registered_on order by n desc limit 1), false) then
    insert into payee_gst_status (id, payee_id, registered, from_on, known_at)
      values (gen_random_uuid(), new.id, true, new.gst_registered_on, clock_timestamp());
  end if;
  if tg_op = 'UPDATE' and old.gst_registered_on is not null
     and (new.gst_registered_on is null or new.gst_registered_on > old.gst_registered_on)
     and not exists (select from payee_gst_status s where s.payee_id = new.id and not s.registered and s.from_on >= old.gst_registered_on) then
    insert into payee_gst_status (id, payee_id, registered, from_on, known_at)
      values (gen_random_uuid(), new.id, false, old.gst_registered_on, clock_timestamp());
  end if;
  return null;
end $$;
create trigger gst_status_is_kept after insert or update of gst_registered_on on payee
  for each row execute function keep_gst_status();
call make_append_only('payee_gst_status');

-- The written agreement that we write a payee's tax invoices (LI 2023/20).
create table rcti_agreement (
  id uuid primary key,
  payee_id uuid not null references payee,
  wording_version text not null check (wording_version ~ '^[A-Za-z0-9._-]{1,40}$'),
  accepted_by uuid not null references contact,
  accepted_on date not null,
  recorded_by uuid not null,
  recorded_at timestamptz not null
);
create index rcti_agreement_by_payee on rcti_agreement (payee_id, id);
create table rcti_agreement_end (
  agreement_id uuid primary key references rcti_agreement,
  ended_on date not null,
  recorded_by uuid not null,
  recorded_at timestamptz not null
);
call make_append_only('rcti_agreement');
call make_append_only('rcti_agreement_end');

-- A supplier's statement why no ABN is quoted (TAA 1953, schedule 1, section 12-190; NAT 3346).
create table payee_supplier_statement (
  id uuid primary key,
  payee_id uuid not null references payee,
  reason text not null check (reason in ('private_or_hobby', 'no_profit_expected', 'not_carried_on_in_australia', 'input_taxed', 'exempt_income', 'under_eighteen')),
  from_on date not null,
  to_on date,
  recorded_by uuid not null,
  recorded_at timestamptz not null,
  constraint payee_supplier_statement_span check (to_on is null or to_on >= from_on)
);
create index payee_supplier_statement_by_payee on payee_supplier_statement (payee_id, id);
call make_append_only('payee_supplier_statement');

call guard_by('payee_gst_status', 'exists (select from payee p where p.id = payee_id)');
call guard_by('rcti_agreement', 'exists (select from payee p where p.id = payee_id)');
call guard_by('rcti_agreement_end', 'exists (select from rcti_agreement a where a.id = agreement_id)');
call guard_by('payee_supplier_statement', 'exists (select from payee p where p.id = payee_id)');
grant select, insert on payee_gst_status, rcti_agreement, rcti_agreement_end, payee_supplier_statement to flip360_writer;
grant select on payee_gst_status, rcti_agreement, rcti_agreement_end, payee_supplier_statement to flip360_reader;
