-- Agreements that the operator writes: of a provider or for everybody, seen by others once a version was approved.
alter table agreement
  add column provider_id uuid references organisation,
  add column published_at timestamptz;
update agreement a set published_at = a.created_at
  where exists (select from agreement_version v where v.agreement_id = a.id and v.state in ('active', 'superseded', 'retired'));
grant update (published_at) on agreement to flip360_writer;
-- Which introducers have deals with a provider: they see what is made for it.
create index deal_by_provider on deal (provider_id, introducer_id);

-- How a version lives. Who wrote any of it or proposed it does not approve it; what is superseded names the later one.
alter table agreement_version
  add column version integer not null default 1 check (version > 0),
  add column writer_ids uuid[] not null default '{}',
  add column proposed_by uuid,
  add column proposed_at timestamptz,
  add column rejected_by uuid,
  add column rejected_at timestamptz,
  add column rejected_reason text,
  add column approval_id uuid constraint agreement_version_approval_taken unique,
  add column acknowledged text[] not null default '{}',
  add column activated_at timestamptz,
  add column superseded_by integer check (superseded_by > number),
  add column superseded_at timestamptz,
  add column retired_by uuid,
  add column retired_at timestamptz,
  add column retired_reason text,
  drop constraint agreement_version_two_people,
  add constraint agreement_version_two_people check (approver_id is null
    or (approver_id is distinct from author_id and approver_id is distinct from proposed_by and not approver_id = any (writer_ids)));
update agreement_version set activated_at = created_at where state in ('active', 'superseded', 'retired');
-- What comes into force: few at any time.
create index agreement_version_due on agreement_version (effective_from) where state = 'approved';
create index agreement_version_active on agreement_version (agreement_id, number) where state = 'active';

create function refuse_other_content() returns trigger language plpgsql as $$
begin
  raise exception 'the content of a version stays once it was proposed' using errcode = 'check_violation', constraint = 'agreement_version_frozen';
end $$;
create trigger content_frozen before update on agreement_version for each row
  when (old.state <> 'draft' and (old.content, old.content_sha256, old.governing_date, old.effective_from, old.effective_until)
    is distinct from (new.content, new.content_sha256, new.governing_date, new.effective_from, new.effective_until))
  execute function refuse_other_content();

-- Lookup tables; a version is a fact.
create table lookup_table (
  id uuid primary key,
  name text not null,
  created_at timestamptz not null
);
create table lookup_table_version (
  table_id uuid not null references lookup_table,
  number integer not null check (number > 0),
  content bytea not null,
  content_sha256 bytea not null check (content_sha256 = sha256(content)),
  author_id uuid,
  created_at timestamptz not null,
  primary key (table_id, number)
);
call make_append_only('lookup_table_version');
-- The tables that approved versions name: whoever sees the version sees them.
create table agreement_version_table (
  agreement_id uuid not null,
  number integer not null,
  table_id uuid not null,
  table_number integer not null,
  primary key (agreement_id, number, table_id, table_number),
  foreign key (agreement_id, number) references agreement_version,
  foreign key (table_id, table_number) references lookup_table_version
);
create index agreement_version_table_by_table on agreement_version_table (table_id, table_number);
call make_append_only('agreement_version_table');
grant select, insert, update (name) on lookup_table to flip360_writer;
grant select, insert on lookup_table_version, agreement_version_table to flip360_writer;
grant select on lookup_table, lookup_table_version, agreement_version_table to flip360_reader;

-- What is written is the operator's until it is in force. An agreement of a provider is for it and its introducers.
call guard_by('agreement', '(published_at is not null and (provider_id is null or provider_id = any ((select viewer_parties())::uuid[])
  or exists (select from deal d where d.provider_id = agreement.provider_id and d.introducer_id = any ((select viewer_parties())::uuid[]))))');
call guard_by('agreement_version', '((activated_at is not null or (state = ''approved'' and effective_from <= (now() at time zone ''Australia/Sydney'')::date))
  and exists (select from agreement a where a.id = agreement_id))');
call guard_by('agreement_version_table', 'exists (select from agreement_version v where v.agreement_id = agreement_version_table.agreement_id and v.number = agreement_version_table.number)');
call guard_by('lookup_table_version', 'exists (select from agreement_version_table t where t.table_id = lookup_table_version.table_id and t.table_number = lookup_table_version.number)');
call guard_by('lookup_table', 'exists (select from agreement_version_table t where t.table_id = lookup_table.id)');
