-- What can be sold, and how commission is worked out.
create table vertical (
  id uuid primary key,
  code text not null constraint vertical_code_taken unique,
  name text not null
);

create table product (
  id uuid primary key,
  vertical_id uuid not null references vertical,
  code text not null constraint product_code_taken unique,
  name text not null
);
create index product_by_vertical on product (vertical_id, code);

create table agreement (
  id uuid primary key,
  vertical_id uuid not null references vertical,
  name text not null,
  created_at timestamptz not null
);
create index agreement_by_vertical on agreement (vertical_id);

-- The content is the exact canonical JSON whose digest is approved; only the state may change.
create table agreement_version (
  agreement_id uuid not null references agreement,
  number integer not null check (number > 0),
  state text not null check (state in ('draft', 'proposed', 'approved', 'active', 'superseded', 'retired')),
  governing_date text not null check (governing_date in ('referred', 'contracted', 'settled')),
  effective_from date not null,
  effective_until date,
  content bytea not null,
  content_sha256 bytea not null check (content_sha256 = sha256(content)),
  author_id uuid,
  approver_id uuid,
  created_at timestamptz not null,
  approved_at timestamptz,
  primary key (agreement_id, number),
  constraint agreement_version_two_people check (approver_id is null or approver_id is distinct from author_id)
);

-- A calculation stores its compact input and both digests; its trace is derived again when asked for.
create table calculation (
  id uuid primary key,
  deal_id uuid not null,
  agreement_id uuid not null,
  version_number integer not null,
  engine_version smallint not null,
  input bytea not null,
  input_sha256 bytea not null check (input_sha256 = sha256(input)),
  output_sha256 bytea not null check (length(output_sha256) = 32),
  known_at timestamptz not null,
  foreign key (agreement_id, version_number) references agreement_version
);
create index calculation_by_deal on calculation (deal_id, known_at);
call make_append_only('calculation');
