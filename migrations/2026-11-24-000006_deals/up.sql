-- What is happening. Facts and transitions are append-only; the deal row is where they have led.
create table deal (
  id uuid primary key,
  provider_id uuid not null references organisation,
  introducer_id uuid not null references organisation,
  member_id uuid not null references member,
  client_id uuid not null references contact,
  product_id uuid not null references product,
  vertical_id uuid not null references vertical,
  stage text not null check (stage in ('referred', 'accepted', 'in_progress', 'contracted', 'settled', 'declined', 'withdrawn', 'lost', 'reversed')),
  source_organisation_id uuid not null references organisation,
  external_ref text,
  referred_on date not null,
  contracted_on date,
  settled_on date,
  discharged_on date,
  settled_minor bigint check (settled_minor >= 0),
  offset_minor bigint check (offset_minor >= 0),
  source_sha256 bytea check (length(source_sha256) = 32),
  upline_id uuid references member,
  agreement_id uuid,
  version_number integer,
  visible_to uuid[] not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  version integer not null default 1,
  constraint deal_external_ref_taken unique (source_organisation_id, external_ref),
  constraint deal_settled_has_amount check ((settled_on is null) = (settled_minor is null)),
  foreign key (agreement_id, version_number) references agreement_version
);
create index deal_by_member on deal (member_id, id);
create index deal_by_stage on deal (stage, id);

create table deal_transition (
  deal_id uuid not null references deal,
  n integer not null,
  from_stage text,
  to_stage text not null,
  reason text not null,
  occurred_on date not null,
  known_at timestamptz not null,
  actor_id uuid not null,
  primary key (deal_id, n)
);
call make_append_only('deal_transition');

-- A fact is the canonical JSON of what was said, when it happened, when we learned of it, and who said it.
create table deal_fact (
  id uuid primary key,
  deal_id uuid not null references deal,
  kind text not null check (kind in ('referral', 'contract', 'settlement', 'discharge', 'correction')),
  body bytea not null,
  body_sha256 bytea not null check (body_sha256 = sha256(body)),
  occurred_on date not null,
  known_at timestamptz not null,
  source_organisation_id uuid not null references organisation,
  import_id uuid
);
create index deal_fact_by_deal on deal_fact (deal_id, known_at);
call make_append_only('deal_fact');

create table handshake (
  id uuid primary key,
  deal_id uuid not null references deal,
  hop integer not null default 0 check (hop >= 0),
  assurance text not null check (assurance in ('self', 'custodial', 'attested')),
  created_at timestamptz not null,
  constraint handshake_hop_taken unique (deal_id, hop)
);
call make_append_only('handshake');

-- The envelope itself lives in chain_secret under the statement's id.
create table handshake_statement (
  id uuid primary key,
  handshake_id uuid not null references handshake,
  kind text not null check (kind in ('offer', 'accept', 'seal')),
  kid text not null,
  payload_sha256 bytea not null constraint handshake_statement_seen unique check (length(payload_sha256) = 32),
  envelope_sha256 bytea not null check (length(envelope_sha256) = 32),
  created_at timestamptz not null,
  constraint handshake_statement_made unique (handshake_id, kind)
);
call make_append_only('handshake_statement');

create table deal_import (
  id uuid primary key,
  organisation_id uuid not null references organisation,
  provider_id uuid not null references organisation,
  state text not null check (state in ('uploading', 'received', 'staged', 'done', 'failed')),
  file_sha256 bytea check (length(file_sha256) = 32),
  file_bytes bigint not null default 0,
  declaration_id uuid,
  declaration_sha256 bytea check (length(declaration_sha256) = 32),
  fault_code text,
  fault_detail text,
  row_count bigint not null default 0,
  created_by uuid not null,
  created_at timestamptz not null,
  finished_at timestamptz
);
create index deal_import_by_organisation on deal_import (organisation_id, id);

-- The file while it is worked on; gone when the import is done (it holds personal data).
create table deal_import_chunk (
  import_id uuid not null references deal_import,
  n integer not null,
  bytes bytea not null,
  primary key (import_id, n)
);

create table deal_import_row (
  import_id uuid not null references deal_import,
  line bigint not null,
  external_ref text,
  outcome text not null check (outcome in ('pending', 'superseded', 'refused', 'unchanged', 'created', 'corrected')),
  faults bytea,
  payload bytea,
  deal_id uuid,
  primary key (import_id, line)
);
create index deal_import_row_by_outcome on deal_import_row (import_id, outcome, line);
create index deal_import_row_by_ref on deal_import_row (import_id, external_ref, line);
