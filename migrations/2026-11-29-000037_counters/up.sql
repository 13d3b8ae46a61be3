-- Where each running total and limit stands before and after a deal: what the deals after it are worked out from.
-- A projection of calculations, rewritten when earlier facts change. Only agreements with counters have rows.
create table deal_counter (
  deal_id uuid not null references deal,
  counter text not null,
  agreement_id uuid not null references agreement,
  scope text not null check (scope <> ''),
  window_from date not null,
  -- The place of the deal among others: by facts alone, and byte by byte, as the domain orders it.
  governing_on date not null,
  source_id uuid not null,
  external_ref text collate "C" not null,
  before_total bigint not null,
  before_paid bigint not null,
  before_awards bigint not null,
  after_total bigint not null,
  after_paid bigint not null,
  after_awards bigint not null,
  primary key (deal_id, counter)
);
create unique index deal_counter_order on deal_counter
  (agreement_id, counter, scope, window_from, governing_on, source_id, external_ref, deal_id);
grant select, insert, update, delete on deal_counter to flip360_writer;
grant select on deal_counter to flip360_reader;
call guard_by('deal_counter', 'exists (select from deal d where d.id = deal_id)');

-- One row for each agreement with counters: whoever changes its counters holds it.
create table counter_lock (
  agreement_id uuid primary key references agreement
);
grant select, insert, update on counter_lock to flip360_writer;
grant select on counter_lock to flip360_reader;
call guard_by('counter_lock', 'false');
