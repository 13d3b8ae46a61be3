-- Verticals are added and described; their codes stand in agreements and calculations and stay.
alter table vertical add column description text, add column version integer not null default 1;
grant update (name, description, version) on vertical to flip360_writer;

-- What members are grouped by; they name it by its code, which stays.
create table cohort (
  id uuid primary key,
  organisation_id uuid not null references organisation,
  code text not null,
  name text not null,
  created_at timestamptz not null,
  version integer not null default 1,
  constraint cohort_code_taken unique (organisation_id, code)
);
create index cohort_by_organisation on cohort (organisation_id, id);
grant select, insert, update (name, version) on cohort to flip360_writer;
grant select on cohort to flip360_reader;
call guard_by('cohort', 'organisation_id = any ((select viewer_parties())::uuid[])');
-- Those that members are in already, called as they are named there; the ids are UUIDs of version 7.
insert into cohort (id, organisation_id, code, name, created_at)
  select (lpad(to_hex((extract(epoch from now()) * 1000)::bigint), 12, '0') || '7' || substr(md5(random()::text), 1, 3)
    || '8' || substr(md5(random()::text), 1, 15))::uuid, m.organisation_id, m.cohort, m.cohort, min(m.created_at)
  from member m where m.cohort is not null group by m.organisation_id, m.cohort;

-- What an organisation was licensed for, as the operator has seen it: a fact. Of two about one licence that begins on one
-- day, the one that was recorded last counts.
create table licence (
  id uuid primary key,
  organisation_id uuid not null references organisation,
  kind text not null,
  number text not null,
  jurisdiction text not null,
  valid_from date not null,
  valid_to date,
  recorded_at timestamptz not null,
  constraint licence_order check (valid_to >= valid_from)
);
create index licence_by_organisation on licence (organisation_id, kind, jurisdiction, number, valid_from, recorded_at, id);
grant select, insert on licence to flip360_writer;
grant select on licence to flip360_reader;
call guard_by('licence', 'organisation_id = any ((select viewer_parties())::uuid[])');
call make_append_only('licence');
