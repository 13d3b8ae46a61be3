-- What witnesses say of the log's checkpoints, and how far it is published.

-- One line for each witness and checkpoint; it is joined to the note. The time is the witness's own.
create table chain_cosignature (
  witness text not null check (length(witness) between 1 and 1024),
  size bigint not null references chain_checkpoint_note,
  root bytea not null check (length(root) = 32),
  line text not null check (length(line) between 1 and 1024),
  cosigned_at_second bigint not null check (cosigned_at_second >= 0),
  received_at timestamptz not null,
  primary key (witness, size)
);
create index chain_cosignature_by_size on chain_cosignature (size);
call make_append_only('chain_cosignature');

-- A witness refused a checkpoint that the log had signed: what it was shown, and what it said.
create table chain_evidence (
  id uuid primary key,
  kind text not null check (kind in ('fork', 'ahead', 'refused')),
  witness text not null check (length(witness) between 1 and 1024),
  old_size bigint not null check (old_size >= 0),
  size bigint not null check (size >= 0),
  note text not null check (length(note) between 1 and 65536),
  status smallint not null,
  response bytea not null check (length(response) <= 16384),
  at timestamptz not null,
  constraint chain_evidence_once unique (witness, kind, old_size, size)
);
call make_append_only('chain_evidence');

-- The newest checkpoint that everybody is shown: it has the quorum, where one is asked for.
create table chain_published (
  singleton boolean primary key default true check (singleton),
  size bigint references chain_checkpoint_note
);
insert into chain_published (size) select max(size) from chain_checkpoint_note;

grant select, insert on chain_cosignature, chain_evidence to flip360_writer;
grant select, update on chain_published to flip360_writer;
grant select on chain_cosignature, chain_evidence, chain_published to flip360_reader;
