-- Tax papers. What is written is never changed; numbers and the chain of digests have no gap.
create table tax_head (
  one boolean primary key default true check (one),
  last_seq bigint not null,
  last_sha256 bytea not null check (length(last_sha256) = 32)
);
insert into tax_head (last_seq, last_sha256) values (0, sha256('flip360/tax-documents/v1'));
create table tax_number (
  kind text not null,
  financial_year integer not null,
  last_serial integer not null check (last_serial > 0),
  primary key (kind, financial_year)
);

create table tax_document (
  seq bigint primary key check (seq > 0),
  id uuid not null unique,
  kind text not null check (kind in ('rcti', 'adjustment_note', 'remittance_statement', 'payment_summary')),
  number text not null constraint tax_document_number_taken unique,
  financial_year integer not null,
  serial integer not null check (serial > 0),
  payee_id uuid not null references payee,
  payout_id uuid references payout,
  agreement_id uuid references rcti_agreement,
  issued_on date not null,
  issued_at timestamptz not null,
  net_minor bigint not null,
  gst_minor bigint not null,
  withheld_minor bigint not null,
  content_sha256 bytea not null check (length(content_sha256) = 32),
  previous_sha256 bytea not null check (length(previous_sha256) = 32),
  visible_to uuid[] not null,
  constraint tax_document_serial_taken unique (kind, financial_year, serial),
  constraint tax_document_gst_on_invoices check (gst_minor = 0 or kind in ('rcti', 'adjustment_note')),
  constraint tax_document_invoice_has_agreement check (kind <> 'rcti' or agreement_id is not null)
);
create index tax_document_by_payee on tax_document (payee_id, seq);
create index tax_document_by_payout on tax_document (payout_id) where payout_id is not null;
-- The exact bytes apart: they name people, and are kept for as long as the law says, not for ever.
create table tax_document_content (
  document_id uuid primary key references tax_document (id),
  content bytea not null
);
create table tax_document_line (
  document_id uuid not null references tax_document (id),
  n integer not null check (n > 0),
  line_id uuid not null references commission_line,
  net_minor bigint not null,
  gst_minor bigint not null,
  withheld_minor bigint not null,
  adjusts_id uuid references tax_document (id),
  primary key (document_id, n)
);
create index tax_document_line_by_line on tax_document_line (line_id);
call make_append_only('tax_document');
create trigger append_only before update or delete or truncate on tax_document_content
  for each statement execute function refuse_change_but_erasure();
call make_append_only('tax_document_line');

-- Takes away what papers say of payees, once the law lets go of them and an erasure of this transaction is of them;
-- their digests, numbers and amounts stay.
create function erase_tax_papers(erasure uuid, payees uuid[]) returns void language plpgsql security definer set search_path = public, pg_temp as $$
begin
  if exists (select from unnest(payees) as asked (payee) where not exists (
    select from chain_erasure e join member m on m.contact_id = e.contact_id join member_payee p on p.member_id = m.id
    where e.id = erasure and e.xmin = pg_current_xact_id()::xid and p.payee_id = asked.payee)) then
    raise exception 'no erasure of this transaction is of that payee' using errcode = 'restrict_violation', constraint = 'payee_erased';
  end if;
  delete from tax_document_content c using tax_document d where d.id = c.document_id and d.payee_id = any (payees);
end $$;
revoke all on function erase_tax_papers(uuid, uuid[]) from public;
grant execute on function erase_tax_papers(uuid, uuid[]) to flip360_writer;

-- What goes to the tax office for a quarter: proposed by one person, approved by another.
create table tax_remittance (
  id uuid primary key,
  quarter_from date not null,
  quarter_to date not null,
  bank_account_id uuid not null references bank_account,
  gst_collected_minor bigint not null,
  gst_paid_minor bigint not null,
  withheld_minor bigint not null,
  paid_on date not null,
  state text not null check (state in ('proposed', 'approved')),
  proposed_by uuid not null,
  proposed_at timestamptz not null,
  approved_by uuid,
  approved_at timestamptz,
  constraint tax_remittance_two_people check (approved_by is distinct from proposed_by),
  constraint tax_remittance_approved check ((state = 'approved') = (approved_by is not null and approved_at is not null))
);
create unique index tax_remittance_once_a_quarter on tax_remittance (quarter_from) where state = 'approved';

call guard_by('tax_head', 'false');
call guard_by('tax_number', 'false');
call guard_by('tax_document', 'visible_to && (select viewer_parties())');
call guard_by('tax_document_content', 'exists (select from tax_document d where d.id = document_id)');
call guard_by('tax_document_line', 'exists (select from tax_document d where d.id = document_id)');
call guard_by('tax_remittance', 'false');
grant select, insert on tax_document, tax_document_content, tax_document_line to flip360_writer;
grant select, update on tax_head to flip360_writer;
grant select on tax_head to flip360_reader;
grant select, insert, update on tax_number to flip360_writer;
grant select, insert, update (state, approved_by, approved_at) on tax_remittance to flip360_writer;
grant select on tax_document, tax_document_content, tax_document_line, tax_remittance to flip360_reader;
