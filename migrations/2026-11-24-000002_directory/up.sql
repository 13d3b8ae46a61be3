-- Who exists. Personal data lives in personal_data alone; every other table holds ids.
create table personal_data (
  subject_id uuid primary key,
  subject_kind text not null check (subject_kind in ('contact', 'user', 'payee')),
  name text,
  email text,
  phone text
);
create unique index personal_data_user_email on personal_data (lower(email)) where subject_kind = 'user';

create table organisation (
  id uuid primary key,
  kind text not null check (kind in ('operator', 'provider', 'introducer')),
  name text not null,
  abn text,
  status text not null default 'active' check (status in ('active', 'suspended')),
  created_at timestamptz not null,
  version integer not null default 1
);
create unique index organisation_one_operator on organisation ((true)) where kind = 'operator';

create table contact (
  id uuid primary key,
  organisation_id uuid not null references organisation,
  kind text not null check (kind in ('person', 'company')),
  created_at timestamptz not null,
  version integer not null default 1
);
create index contact_by_organisation on contact (organisation_id, id);

create table member (
  id uuid primary key,
  organisation_id uuid not null references organisation,
  contact_id uuid references contact,
  member_ref text not null,
  cohort text,
  upline_id uuid references member,
  status text not null default 'active' check (status in ('active', 'suspended')),
  created_at timestamptz not null,
  version integer not null default 1,
  constraint member_ref_taken unique (organisation_id, member_ref),
  constraint member_not_own_upline check (upline_id is distinct from id)
);
create index member_by_upline on member (upline_id) where upline_id is not null;

-- Dated fact: who was above whom, from when.
create table member_upline (
  member_id uuid not null references member,
  effective_on date not null,
  upline_id uuid references member,
  recorded_at timestamptz not null,
  primary key (member_id, effective_on, recorded_at)
);
call make_append_only('member_upline');

create table payee (
  id uuid primary key,
  organisation_id uuid not null references organisation,
  abn text,
  gst_registered_on date,
  rail text not null check (rail in ('aba', 'stripe')),
  minimum_payout_minor bigint not null default 0 check (minimum_payout_minor >= 0),
  created_at timestamptz not null,
  version integer not null default 1
);
create index payee_by_organisation on payee (organisation_id, id);

create table payee_bank_details (
  id uuid primary key,
  payee_id uuid not null references payee,
  bsb text not null,
  account_number text not null,
  account_title text not null,
  usable_from_at timestamptz not null,
  created_at timestamptz not null
);
create index payee_bank_details_by_payee on payee_bank_details (payee_id, usable_from_at);

-- Dated fact: who is paid for a member's lines accrued from that date on.
create table member_payee (
  member_id uuid not null references member,
  effective_on date not null,
  payee_id uuid not null references payee,
  recorded_at timestamptz not null,
  primary key (member_id, effective_on, recorded_at)
);
call make_append_only('member_payee');

create table signing_key (
  id uuid primary key,
  kid text not null constraint signing_key_kid_taken unique,
  organisation_id uuid not null references organisation,
  member_id uuid references member,
  assurance text not null check (assurance in ('self', 'custodial', 'attested')),
  public_key bytea not null check (length(public_key) = 32),
  next_sha256 bytea check (length(next_sha256) = 32),
  created_at timestamptz not null
);
create index signing_key_by_organisation on signing_key (organisation_id, id);
call make_append_only('signing_key');
