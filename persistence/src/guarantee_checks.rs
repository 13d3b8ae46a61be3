//! The checks of the guarantees that compare whole tables: one fixed text each.
//!
//! Each gives subject, detail, and how many there are in all; `$1` is the moment of the run where a text
//! needs one, the last placeholder how many rows to give.

use diesel::RunQueryDsl;
use diesel::pg::PgConnection;
use diesel::sql_types::{Array, BigInt, Bytea, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::guarantees::repository::{Check, ErasureEvidence, Violation, Violations};
use domain::kernel::Instant;
use domain::kernel::ids::ErasureId;
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{instant, to_u64};
use crate::error::store_error;
use crate::guarantee_papers as papers;
use crate::statement::query;

const ACCRUED_UNSEALED: &str = "select subject, detail, count(*) over () from (
  select deal_id, 'money is accrued and the deal has no sealed handshake'
  from (select deal_id from commission_line where earned_minor <> 0
        union select deal_id from ledger_entry where kind = 'accrual' and deal_id is not null) accrued
  where not exists (select from handshake h join handshake_statement s on s.handshake_id = h.id and s.kind = 'seal'
                    where h.deal_id = accrued.deal_id)
) v (subject, detail) order by subject limit $1";

const STATEMENT_UNLOGGED: &str = "select subject, detail, count(*) over () from (
  select s.id, format('the %s of a handshake has %s leaves', s.kind, n) from handshake_statement s
  cross join lateral (select (select count(*) from chain_pending p where p.source_id = s.id)
                           + (select count(*) from chain_leaf l where l.source_id = s.id)) leaves (n)
  where n <> 1
) v (subject, detail) order by subject limit $1";

const LEAF_STALLED: &str = "select subject, detail, count(*) over () from (
  select source_id, format('a leaf of kind %s waits for its index since %s', kind, created_at)
  from chain_pending where created_at < $1::timestamptz - interval '1 minute'
) v (subject, detail) order by subject limit $2";

/// `c` commits to the envelope: SHA-256("flip360/leaf/v1\0" ‖ envelope).
const LEAF_DIFFERS: &str = r"select subject, detail, count(*) over () from (
  select l.source_id, format('leaf %s', l.index) from chain_leaf l
  cross join lateral (select convert_from(l.leaf, 'UTF8')::jsonb) bytes (j)
  left join chain_secret c on c.source_id = l.source_id and c.kind = 'envelope'
  where (l.kind, l.n::text, encode(l.lane, 'base64')) is distinct from (j->>'k', j->>'n', j->>'l')
     or j->>'c' <> encode(sha256('flip360/leaf/v1\000'::bytea || c.secret), 'base64')
) v (subject, detail) order by subject limit $1";

const LEAF_WITHOUT_ROW: &str = "select subject, detail, count(*) over () from (
  select l.source_id, format('leaf %s of kind %s', l.index, l.kind) from chain_leaf l
  where not case
    when l.kind = 'ledger_entry' then exists (select from ledger_entry e where e.id = l.source_id)
    when l.kind in ('offer', 'accept', 'seal') then exists (
      select from handshake_statement s join handshake h on h.id = s.handshake_id join deal d on d.id = h.deal_id
      where s.id = l.source_id and s.kind = l.kind)
    when l.kind = 'key_registration' then exists (select from signing_key k where k.id = l.source_id and k.replaces_id is null)
    when l.kind = 'key_rotation' then exists (select from signing_key k where k.id = l.source_id and k.replaces_id is not null)
    when l.kind = 'key_revocation' then exists (select from signing_key_end e where e.source_id = l.source_id and e.kind = 'revocation')
    when l.kind = 'import_declaration' then exists (select from import_declaration i where i.id = l.source_id)
    when l.kind = 'erasure' then exists (select from chain_erasure e where e.id = l.source_id)
    when l.kind = 'guarantee_run' then exists (select from guarantee_run g where g.id = l.source_id)
    when l.kind = 'tax_document' then exists (select from tax_document_envelope t where t.document_id = l.source_id)
    else exists (select from chain_secret c where c.source_id = l.source_id) end
) v (subject, detail) order by subject limit $1";

const STATEMENT_DIFFERS: &str = "select subject, detail, count(*) over () from (
  select s.id, format('the %s is not the envelope that was kept', s.kind) from handshake_statement s
  join chain_secret c on c.source_id = s.id and c.kind = 'envelope' where sha256(c.secret) <> s.envelope_sha256
) v (subject, detail) order by subject limit $1";

const DEAL_STAGE: &str = "select subject, detail, count(*) over () from (
  select d.id, format('it stands at %s, its moves led to %s', d.stage, last.to_stage) from deal d
  left join lateral (select to_stage, n from deal_transition t where t.deal_id = d.id order by n desc limit 1) last on true
  where d.stage is distinct from last.to_stage
     or last.n + 1 <> (select count(*) from deal_transition t where t.deal_id = d.id)
) v (subject, detail) order by subject limit $1";

/// The payload is the second part of the approval's JWS, base64url without padding.
const RUN_UNAPPROVED: &str = "select subject, detail, count(*) over () from (
  select r.id, format('%s by %s', r.state, r.approved_by) from payout_run r
  where r.state in ('approved', 'executed') and not exists (
    select from chain_secret c
    cross join lateral (select split_part(convert_from(c.secret, 'UTF8'), '.', 2)) part (b64)
    cross join lateral (select convert_from(decode(rpad(translate(b64, '-_', '+/'), (length(b64) + 3) / 4 * 4, '='), 'base64'), 'UTF8')::jsonb) payload (j)
    where c.subject_id = r.id and c.kind = 'envelope' and j->>'approved_by' = r.approved_by::text
      and j->>'content_sha256' = encode(r.content_sha256, 'hex'))
) v (subject, detail) order by subject limit $1";

const LINE_BUCKETS: &str = "select subject, detail, count(*) over () from (
  select l.id, format('suspense, accrued, held, available, in transit, recoverable, withheld, GST are %s; its postings come to %s',
    row(l.suspense_minor, l.accrued_minor, l.held_minor, l.available_minor, l.in_transit_minor, l.recoverable_minor, l.withheld_minor, l.gst_minor),
    row(p.suspense, p.accrued, p.held, p.available, p.in_transit, p.recoverable, p.withheld, p.gst))
  from commission_line l
  cross join lateral (
    select coalesce(sum(-amount_minor) filter (where a.kind = 'member_suspense'), 0) suspense,
      coalesce(sum(-amount_minor) filter (where a.kind = 'payee_accrued'), 0) accrued,
      coalesce(sum(-amount_minor) filter (where a.kind = 'payee_held'), 0) held,
      coalesce(sum(-amount_minor) filter (where a.kind = 'payee_available'), 0) available,
      coalesce(sum(-amount_minor) filter (where a.kind = 'payee_in_transit'), 0) in_transit,
      coalesce(sum(amount_minor) filter (where a.kind = 'clawback_recoverable'), 0) recoverable,
      coalesce(sum(-amount_minor) filter (where a.kind = 'withholding_payable'), 0) withheld,
      coalesce(sum(amount_minor) filter (where a.kind = 'gst_paid'), 0) gst
    from ledger_posting join ledger_account a on a.id = account_id where line_id = l.id) p
  where (l.suspense_minor, l.accrued_minor, l.held_minor, l.available_minor, l.in_transit_minor, l.recoverable_minor, l.withheld_minor, l.gst_minor)
    <> (p.suspense, p.accrued, p.held, p.available, p.in_transit, p.recoverable, p.withheld, p.gst)
) v (subject, detail) order by subject limit $1";

const LINE_ELSEWHERE: &str = "select subject, detail, count(*) over () from (
  select l.id, format('%s cents of it lie with %s, and it is %s''s', sum(-p.amount_minor), a.party_id, l.payee_id)
  from commission_line l join ledger_posting p on p.line_id = l.id join ledger_account a on a.id = p.account_id
  where a.kind in ('payee_accrued', 'payee_held', 'payee_available', 'payee_in_transit') and a.party_id is distinct from l.payee_id
  group by l.id, a.party_id, l.payee_id having sum(p.amount_minor) <> 0
) v (subject, detail) order by subject limit $1";

const PARTY_LINES: &str = "select subject, detail, count(*) over () from (
  select coalesce(payee_id, member_id), format('earned less clawed back, with GST, is %s; what lies anywhere is %s',
    sum(earned_minor - clawed_back_minor + gst_minor),
    sum(suspense_minor + accrued_minor + held_minor + available_minor + in_transit_minor + paid_minor + withheld_minor - recoverable_minor))
  from commission_line where member_id is not null group by 1
  having sum(earned_minor - clawed_back_minor + gst_minor)
    <> sum(suspense_minor + accrued_minor + held_minor + available_minor + in_transit_minor + paid_minor + withheld_minor - recoverable_minor)
) v (subject, detail) order by subject limit $1";

const DEAL_ACCRUAL: &str = "select subject, detail, count(*) over () from (
  select coalesce(said.deal_id, posted.deal_id), format('its lines say %s in all and %s to payees; posted are %s and %s',
    coalesce(said.owed, 0), coalesce(said.expense, 0), coalesce(posted.owed, 0), coalesce(posted.expense, 0))
  from (
    select deal_id, sum(earned_minor - clawed_back_minor) owed,
      coalesce(sum(earned_minor - clawed_back_minor) filter (where member_id is not null), 0) expense
    from commission_line group by deal_id) said
  full join (
    select e.deal_id, coalesce(sum(-p.amount_minor) filter (where a.kind = 'commission_revenue'), 0) owed,
      coalesce(sum(p.amount_minor) filter (where a.kind = 'commission_expense'), 0) expense
    from ledger_entry e join ledger_posting p on p.entry_seq = e.seq join ledger_account a on a.id = p.account_id
    where e.deal_id is not null and a.kind in ('commission_revenue', 'commission_expense') group by e.deal_id) posted
  on posted.deal_id = said.deal_id
  where coalesce(said.owed, 0) <> coalesce(posted.owed, 0) or coalesce(said.expense, 0) <> coalesce(posted.expense, 0)
) v (subject, detail) order by subject limit $1";

const FACT_TWICE: &str = "select subject, detail, count(*) over () from (
  select deal_id, format('import %s told of it %s times', import_id, count(*))
  from deal_fact where import_id is not null group by deal_id, import_id having count(*) > 1
) v (subject, detail) order by subject limit $1";

const ACCRUED_TWICE: &str = "select subject, detail, count(*) over () from (
  select deal_id, format('calculation %s has %s entries of kind %s', source_id, count(*), kind)
  from ledger_entry where kind in ('accrual', 'clawback') and deal_id is not null
  group by deal_id, source_id, kind having count(*) > 1
) v (subject, detail) order by subject limit $1";

const PAYOUT_ENTRY: &str = "select subject, detail, count(*) over () from (
  select p.id, format('%s entries send it', n) from payout p
  cross join lateral (select count(*) from ledger_entry e where e.source_id = p.id and e.kind = 'payout_initiated') entries (n)
  where n <> 1
) v (subject, detail) order by subject limit $1";

const PAYOUT_POSTED: &str = "select subject, detail, count(*) over () from (
  select p.id, format('it pays %s, its entry sends %s', p.amount_minor, sent) from payout p
  cross join lateral (
    select coalesce(sum(-g.amount_minor), 0) from ledger_entry e join ledger_posting g on g.entry_seq = e.seq
    join ledger_account a on a.id = g.account_id and a.kind = 'payee_in_transit' and a.party_id = p.payee_id
    where e.source_id = p.id and e.kind = 'payout_initiated') entries (sent)
  where sent <> p.amount_minor
) v (subject, detail) order by subject limit $1";

const COUNTER_CHAIN: &str = "select subject, detail, count(*) over () from (
  select deal_id, format('%s of %s from %s begins at %s; the deal before left it at %s', counter, scope, window_from,
    row(before_total, before_paid, before_awards), row(coalesce(left_total, 0), coalesce(left_paid, 0), coalesce(left_awards, 0)))
  from (
    select *, lag(after_total) over w left_total, lag(after_paid) over w left_paid, lag(after_awards) over w left_awards
    from deal_counter
    window w as (partition by agreement_id, counter, scope, window_from order by governing_on, source_id, external_ref, deal_id)) d
  where (before_total, before_paid, before_awards) <> (coalesce(left_total, 0), coalesce(left_paid, 0), coalesce(left_awards, 0))
  union all
  select d.id, 'its last calculation began from other counters than are kept'
  from deal d
  left join lateral (
    select convert_from(c.input, 'UTF8')::jsonb -> 'counters' from calculation c
    where c.deal_id = d.id and c.period is null order by c.known_at desc, c.id desc limit 1) last (counters) on true
  cross join lateral (
    select jsonb_agg(counter order by counter -> 'key' ->> 'counter') from jsonb_array_elements(last.counters) counter
    where counter -> 'key' ->> 'scope' <> '') calculated (counters)
  cross join lateral (
    select jsonb_agg(jsonb_build_object(
      'before', jsonb_build_object('total', before_total, 'paid', before_paid, 'awards', before_awards),
      'key', jsonb_build_object('counter', counter, 'scope', scope, 'window_from', window_from)) order by counter)
    from deal_counter k where k.deal_id = d.id) kept (counters)
  where d.agreement_id in (select agreement_id from counter_lock) and calculated.counters is distinct from kept.counters
) v (subject, detail) order by subject limit $1";

const PAYOUT_LINES: &str = "select subject, detail, count(*) over () from (
  select p.id, format('it pays %s, its lines come to %s', p.amount_minor, sent) from payout p
  cross join lateral (select coalesce(sum(l.amount_minor), 0) from payout_line l where l.payout_id = p.id) lines (sent)
  where sent <> p.amount_minor
) v (subject, detail) order by subject limit $1";

const LINE_SENT: &str = "select subject, detail, count(*) over () from (
  select l.id, format('in transit or paid are %s, its payouts come to %s', l.in_transit_minor + l.paid_minor, sent)
  from commission_line l
  cross join lateral (
    select coalesce(sum(s.amount_minor), 0) from (
      select payout_id, line_id, amount_minor from payout_line union all
      select payout_id, line_id, -amount_minor from stripe_reversed) s
    join payout p on p.id = s.payout_id and p.state <> 'returned'
    where s.line_id = l.id) payouts (sent)
  where sent <> l.in_transit_minor + l.paid_minor
) v (subject, detail) order by subject limit $1";

const RUN_TOTAL: &str = "select subject, detail, count(*) over () from (
  select r.id, format('it says %s in %s payouts, they come to %s in %s', r.total_minor, r.payout_count, total, n) from payout_run r
  cross join lateral (select coalesce(sum(p.amount_minor), 0), count(*) from payout p where p.run_id = r.id) payouts (total, n)
  where (r.state = 'executed' and (r.total_minor, r.payout_count) <> (total, n)) or (r.state <> 'executed' and n > 0)
) v (subject, detail) order by subject limit $1";

const ENTRY_WITHOUT_PAYOUT: &str = "select subject, detail, count(*) over () from (
  select e.id, format('it sends money for %s, which is no payout', e.source_id) from ledger_entry e
  where e.kind = 'payout_initiated' and not exists (select from payout p where p.id = e.source_id)
) v (subject, detail) order by subject limit $1";

const FILE_MISSING: &str = "select subject, detail, count(*) over () from (
  select p.run_id, format('%s payouts by bank file are in none, %s others are in one',
    count(*) filter (where p.rail = 'aba'), count(*) filter (where p.rail <> 'aba'))
  from payout p left join bank_file_payout i on i.payout_id = p.id
  where (p.rail = 'aba') <> (i.payout_id is not null) group by p.run_id
) v (subject, detail) order by subject limit $1";

const ENTRY_UNAPPROVED: &str = "select subject, detail, count(*) over () from (
  select e.id, 'it was written by hand and nobody else approved it' from ledger_entry e join manual_entry m on m.id = e.source_id
  where m.state <> 'posted' or m.decided_by = m.proposed_by or m.content_sha256 <> sha256(m.content)
  union all
  select e.id, 'it is not the mirror of what it undoes' from ledger_entry e left join ledger_reversal r on r.entry_id = e.id
  where e.kind = 'reversal' and (r.entry_id is null or exists (
    select from ledger_entry b join ledger_posting p on p.entry_seq = b.seq where b.id in (r.entry_id, r.reverses_id)
    group by p.account_id having sum(p.amount_minor) <> 0))
) v (subject, detail) order by subject limit $1";

const ENTRY_IN_CLOSED_PERIOD: &str = "select subject, detail, count(*) over () from (
  select e.id, format('it takes effect on %s, and that month was closed', e.effective_on) from accounting_period p
  cross join lateral (select s.last_seq from accounting_period_step s where s.period_id = p.id and s.step = 'closed' order by n desc limit 1) s
  join ledger_entry e on e.seq > s.last_seq and e.effective_on >= p.month and e.effective_on < p.month + interval '1 month'
  where p.state in ('closed', 'reopening')
) v (subject, detail) order by subject limit $1";

const RECEIPT_POSTED: &str = "select subject, detail, count(*) over () from (
  select s.line_id, format('matched are %s; its entry posts %s', row(s.cash, -s.applied_minor, -s.gst_minor, -s.rounding_minor, -s.unapplied_minor),
    row(p.cash, p.receivable, p.gst, p.rounding, p.unapplied))
  from (select *, applied_minor + gst_minor + rounding_minor + unapplied_minor as cash from provider_line_step) s
  cross join lateral (
    select coalesce(sum(amount_minor) filter (where a.kind = 'cash'), 0) cash, coalesce(sum(amount_minor) filter (where a.kind = 'provider_receivable'), 0) receivable,
      coalesce(sum(amount_minor) filter (where a.kind = 'gst_collected'), 0) gst, coalesce(sum(amount_minor) filter (where a.kind = 'rounding_difference'), 0) rounding,
      coalesce(sum(amount_minor) filter (where a.kind = 'unapplied_receipts'), 0) unapplied
    from ledger_entry e join ledger_posting g on g.entry_seq = e.seq join ledger_account a on a.id = g.account_id where e.id = s.entry_id) p
  where (s.cash, -s.applied_minor, -s.gst_minor, -s.rounding_minor, -s.unapplied_minor) <> (p.cash, p.receivable, p.gst, p.rounding, p.unapplied)
  union all
  select e.source_id, 'an entry receives money for it that no line tells of' from ledger_entry e
  where e.kind = 'provider_receipt' and not exists (select from provider_line_step s where s.entry_id = e.id)
) v (subject, detail) order by subject limit $1";

/// What entries of deals owe, receipts and write-offs; what is posted by hand is another matter.
const RECEIVABLE_ADDS_UP: &str = "select subject, detail, count(*) over () from (
  select o.id, format('expected less received and written off is %s; posted are %s', said, posted) from organisation o
  cross join lateral (select
      (select coalesce(sum(l.earned_minor - l.clawed_back_minor), 0) from deal d join commission_line l on l.deal_id = d.id where d.provider_id = o.id)
    - (select coalesce(sum(s.applied_minor), 0) from provider_line_result r join provider_line_step s on s.line_id = r.line_id where r.provider_id = o.id)
    - (select coalesce(sum(w.amount_minor), 0) from write_off w where w.provider_id = o.id and w.state = 'approved')) a (said)
  cross join lateral (
    select coalesce(sum(p.amount_minor), 0) from ledger_account a join ledger_posting p on p.account_id = a.id join ledger_entry e on e.seq = p.entry_seq
    where a.kind = 'provider_receivable' and a.party_id = o.id and e.deal_id is not null
      and e.kind in ('accrual', 'adjustment', 'clawback', 'provider_receipt', 'write_off')) b (posted)
  where o.kind = 'provider' and said <> posted
) v (subject, detail) order by subject limit $1";

const STRIPE_BALANCE: &str = "select subject, detail, count(*) over () from (
  select s.payout_id, format('its entries move the Stripe balance by %s, its transfer and reversals by %s', posted, moved) from stripe_sending s
  join payout p on p.id = s.payout_id
  cross join lateral (select case when s.transfer is null then 0 else s.reversed_minor - p.amount_minor end) stripe (moved)
  cross join lateral (
    select coalesce(sum(g.amount_minor), 0) from ledger_entry e join ledger_posting g on g.entry_seq = e.seq
    join ledger_account a on a.id = g.account_id and a.kind = 'stripe_balance' where e.source_id = s.payout_id) entries (posted)
  where posted <> moved
) v (subject, detail) order by subject limit $1";

const fn text(check: Check) -> &'static str {
    match check {
        Check::AccruedUnsealed => ACCRUED_UNSEALED,
        Check::StatementUnlogged => STATEMENT_UNLOGGED,
        Check::LeafStalled => LEAF_STALLED,
        Check::LeafDiffers => LEAF_DIFFERS,
        Check::LeafWithoutRow => LEAF_WITHOUT_ROW,
        Check::StatementDiffers => STATEMENT_DIFFERS,
        Check::DealStage => DEAL_STAGE,
        Check::CounterChain => COUNTER_CHAIN,
        Check::RunUnapproved => RUN_UNAPPROVED,
        Check::LineBuckets => LINE_BUCKETS,
        Check::LineElsewhere => LINE_ELSEWHERE,
        Check::PartyLines => PARTY_LINES,
        Check::DealAccrual => DEAL_ACCRUAL,
        Check::FactTwice => FACT_TWICE,
        Check::AccruedTwice => ACCRUED_TWICE,
        Check::PayoutEntry => PAYOUT_ENTRY,
        Check::PayoutPosted => PAYOUT_POSTED,
        Check::PayoutLines => PAYOUT_LINES,
        Check::LineSent => LINE_SENT,
        Check::RunTotal => RUN_TOTAL,
        Check::StripeBalance => STRIPE_BALANCE,
        Check::EntryWithoutPayout => ENTRY_WITHOUT_PAYOUT,
        Check::FileMissing => FILE_MISSING,
        Check::EntryUnapproved => ENTRY_UNAPPROVED,
        Check::EntryInClosedPeriod => ENTRY_IN_CLOSED_PERIOD,
        Check::ReceiptPosted => RECEIPT_POSTED,
        Check::ReceivableAddsUp => RECEIVABLE_ADDS_UP,
        Check::PayoutPapers => papers::PAYOUT_PAPERS,
        Check::PaperDiffers => papers::PAPER_DIFFERS,
        Check::PaperGap => papers::PAPER_GAP,
        Check::PaperGst => papers::PAPER_GST,
        Check::PaperUnlogged => papers::PAPER_UNLOGGED,
        Check::PaperStatement => papers::PAPER_STATEMENT,
    }
}

pub fn violations(pg: &mut PgConnection, check: Check, at: Instant, limit: u32) -> Result<Violations, StoreError> {
    let mut statement = query::<(SqlUuid, Text, BigInt)>(text(check));
    if check == Check::LeafStalled {
        statement = statement.bind::<Timestamptz, _>(instant(at));
    }
    let rows: Vec<(Uuid, String, i64)> = statement.bind::<BigInt, _>(i64::from(limit)).load(pg).map_err(store_error)?;
    let count = rows.first().map_or(Ok(0), |(_, _, count)| to_u64(*count))?;
    let examples = rows.into_iter().map(|(subject, detail, _)| Violation { subject, detail }).collect();
    Ok(Violations { count, examples })
}

type ErasureRow = (Uuid, Option<Vec<u8>>, Vec<Vec<u8>>, Vec<Vec<u8>>, i64);
type ErasureColumns = (SqlUuid, Nullable<Bytea>, Array<Bytea>, Array<Bytea>, BigInt);

pub fn erasures(pg: &mut PgConnection, after: Uuid, limit: u32) -> Result<Vec<ErasureEvidence>, StoreError> {
    let rows: Vec<ErasureRow> = query::<ErasureColumns>(
        "select e.id, s.secret,
           array(select leaf from chain_leaf l where l.source_id = e.id union all select leaf from chain_pending p where p.source_id = e.id),
           array(select l.leaf from chain_erased d join chain_leaf l using (source_id) where d.erasure_id = e.id
             union all select p.leaf from chain_erased d join chain_pending p using (source_id) where d.erasure_id = e.id),
           (select count(*) from chain_erased d join chain_secret k using (source_id) where d.erasure_id = e.id)
         from chain_erasure e left join chain_secret s on s.source_id = e.id and s.kind = 'envelope'
         where e.id > $1 order by e.id limit $2",
    )
    .bind::<SqlUuid, _>(after)
    .bind::<BigInt, _>(i64::from(limit))
    .load(pg)
    .map_err(store_error)?;
    let evidence = |(id, envelope, own_leaves, leaves, still_kept): ErasureRow| {
        Ok(ErasureEvidence { id: ErasureId::new(id), envelope, own_leaves, leaves, still_kept: to_u64(still_kept)? })
    };
    rows.into_iter().map(evidence).collect()
}
