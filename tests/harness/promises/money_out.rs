//! Of payouts, what banks and Stripe say of them, and tax papers.

use super::Promise;

pub(super) const PROMISES: &[Promise] = &[
    (
        "a payout by Stripe is one transfer, settled when that was made, and moves the Stripe balance by it and its reversals",
        "select (select count(*) from stripe_sending s join payout p on p.id = s.payout_id where (s.transfer is not null) <> (s.outcome is not distinct from 'made')
             or (s.transfer is not null and p.state not in ('settled', 'returned')) or (s.transfer is null and p.state = 'settled') or p.rail <> 'stripe')
           + (select count(*) from stripe_sending s join payout p on p.id = s.payout_id where s.reversed_minor > p.amount_minor
             or (case when s.transfer is null then 0 else s.reversed_minor - p.amount_minor end) <> (
               select coalesce(sum(g.amount_minor), 0) from ledger_entry e join ledger_posting g on g.entry_seq = e.seq
               join ledger_account a on a.id = g.account_id and a.kind = 'stripe_balance' where e.source_id = p.id))",
    ),
    (
        "what Stripe told is kept once and has one ending",
        "select (select count(*) from stripe_event e where (select count(*) from stripe_event_work w where w.event_id = e.id) <> 1)
           + (select count(*) from stripe_event_work where (state = 'waiting') <> (done_at is null))",
    ),
    (
        "a payout is the sum of its lines, and has one entry over its amount",
        "select count(*) from payout p where p.amount_minor <> (select coalesce(sum(amount_minor), 0) from payout_line l where l.payout_id = p.id)
           or p.recovered_minor <> (select coalesce(sum(amount_minor), 0) from payout_recovery r where r.payout_id = p.id)
           or p.amount_minor <> (select coalesce(sum(g.amount_minor), 0) from ledger_entry e join ledger_posting g on g.entry_seq = e.seq
                where e.source_id = p.id and e.kind = 'payout_initiated' and g.amount_minor > 0)",
    ),
    (
        "every payout with GST has its invoice over the same amount, and every withholding its summary",
        "select count(*) from payout p where (p.gst_minor, p.withheld_minor) <> (
           (select coalesce(sum(d.gst_minor), 0) from tax_document d where d.payout_id = p.id and d.kind = 'rcti'),
           (select coalesce(sum(d.withheld_minor), 0) from tax_document d where d.payout_id = p.id and d.kind = 'payment_summary'))",
    ),
    (
        "the GST of a line is the GST on its papers",
        "select count(*) from commission_line l where l.gst_minor <> (select coalesce(sum(t.gst_minor), 0) from tax_document_line t
           join tax_document d on d.id = t.document_id where t.line_id = l.id and d.kind in ('rcti', 'adjustment_note'))",
    ),
    (
        "numbers of tax papers have no gap, and each names the digest of the one before",
        "select (select coalesce(max(seq), 0) - count(*) from tax_document) + (select count(*) from tax_head h where h.last_seq <> (select count(*) from tax_document))
              + (select count(*) from (select max(serial) - count(*) gap from tax_document group by kind, financial_year) x where gap <> 0)
              + (select count(*) from tax_document d join tax_document p on p.seq = d.seq - 1 where d.previous_sha256 <> p.content_sha256)",
    ),
    (
        "every tax paper has one leaf, and the statement that it commits to names it by its digest",
        "select (select count(*) from tax_document d where 1 <> (select count(*) from chain_leaf l where l.source_id = d.id and l.kind = 'tax_document')
                + (select count(*) from chain_pending p where p.source_id = d.id and p.kind = 'tax_document'))
              + (select count(*) from tax_document d left join tax_document_envelope e on e.document_id = d.id
                 where (convert_from(e.envelope, 'UTF8')::jsonb ->> 'content_sha256', convert_from(e.envelope, 'UTF8')::jsonb ->> 'number')
                   is distinct from (encode(d.content_sha256, 'hex'), d.number))
              + (select count(*) from tax_head where coalesce(logged_seq, 0) <> last_seq)",
    ),
    (
        "the bytes of a tax paper hash to its digest, and its id is made of that",
        "select count(*) from tax_document d left join tax_document_content c on c.document_id = d.id
           where (c.content is null and not exists (select from member_payee p join member m on m.id = p.member_id join chain_erasure e on e.contact_id = m.contact_id where p.payee_id = d.payee_id))
              or sha256(c.content) <> d.content_sha256 or left(replace(d.id::text, '-', ''), 12) <> left(encode(d.content_sha256, 'hex'), 12)",
    ),
    (
        "an entry over GST names the paper that says so, over the same amount",
        "select count(*) from ledger_entry e left join tax_document d on d.id = e.source_id where e.kind = 'gst' and (d.id is null
           or d.gst_minor <> (select sum(p.amount_minor) from ledger_posting p join ledger_account a on a.id = p.account_id where p.entry_seq = e.seq and a.kind = 'gst_paid'))",
    ),
    (
        "an executed run is the sum of its payouts, and no other run has any",
        "select count(*) from payout_run r left join (select run_id, sum(amount_minor) total, count(*) n from payout group by 1) p on p.run_id = r.id
         where (r.state = 'executed' and (r.total_minor, r.payout_count) is distinct from (p.total::bigint, p.n::int)) or (r.state <> 'executed' and p.n is not null)",
    ),
    (
        "a payout by bank file is in one file, no other is in any, and a file is the sum of its payouts",
        "select (select count(*) from payout p left join bank_file_payout i on i.payout_id = p.id where (p.rail = 'aba') <> (i.payout_id is not null))
              + (select count(*) from bank_file f left join (select i.file_id, sum(p.amount_minor) total, count(*) n from bank_file_payout i join payout p on p.id = i.payout_id group by 1) h on h.file_id = f.id
                 where (f.total_minor, f.payout_count) is distinct from (h.total::bigint, h.n::int))",
    ),
    (
        "a payment that the bank sent back is one item, over what was paid, and its money is back exactly once",
        "select (select count(*) from (select payout_id from bank_return_item where payout_id is not null group by 1 having count(*) > 1) x)
              + (select count(*) from bank_return_item i join payout p on p.id = i.payout_id where p.state <> 'returned' or p.rail <> 'aba' or (i.amount_minor, i.reference) <> (p.amount_minor, p.reference))
              + (select count(*) from payout p where p.rail = 'aba' and (p.state = 'returned') <> (1 = (select count(*) from ledger_entry e where e.source_id = p.id and e.kind = 'payout_returned')))
              + (select count(*) from ledger_entry e join payout p on p.id = e.source_id and p.rail = 'aba' where e.kind = 'payout_returned'
                   and p.amount_minor <> (select sum(g.amount_minor) from ledger_posting g where g.entry_seq = e.seq and g.amount_minor > 0))",
    ),
    (
        "a file of returned payments is the sum of its items",
        "select count(*) from bank_return r where (r.item_count, r.matched_count, r.total_minor, r.matched_minor) is distinct from (
           select (count(*)::int, count(payout_id)::int, sum(amount_minor)::bigint, coalesce(sum(amount_minor) filter (where payout_id is not null), 0)::bigint) from bank_return_item i where i.return_id = r.id)",
    ),
    (
        "a line of a bank statement is one thing, over the same amount and of the same account",
        "select count(*) from (
           select l.id, l.amount_minor, count(*) n, count(distinct m.kind) kinds, bool_or(m.kind = 'payout') several, bool_or(r.bank_account_id <> l.bank_account_id) foreign_account,
             sum(case m.kind when 'bank_file' then -f.total_minor when 'payout' then p.amount_minor when 'bank_return' then b.matched_minor else l.amount_minor end) came
           from bank_line_match m join bank_statement_line l on l.id = m.line_id left join bank_file f on m.kind = 'bank_file' and f.id = m.target_id
             left join payout p on m.kind = 'payout' and p.id = m.target_id left join bank_return b on m.kind = 'bank_return' and b.id = m.target_id
             left join payout_run r on r.id in (f.run_id, p.run_id) group by l.id) x
         where kinds > 1 or (n > 1 and not several) or foreign_account or came is distinct from amount_minor",
    ),
    (
        "what a bank statement shows once is one line's, and what it paid or brought back stands so",
        "select (select count(*) from (select target_id from bank_line_match group by 1 having count(*) > 1) x)
              + (select count(*) from bank_line_match m join bank_file_payout i on i.file_id = m.target_id join payout p on p.id = i.payout_id where m.kind = 'bank_file' and p.state not in ('settled', 'returned'))
              + (select count(*) from bank_line_match m join payout p on p.id = m.target_id where m.kind = 'payout' and p.state <> 'returned')
              + (select count(*) from bank_return_item i join bank_line_match b on b.target_id = i.return_id join bank_line_match p on p.target_id = i.payout_id)",
    ),
    (
        "every tax paper is told once, to those who may see it",
        "select count(*) from tax_document d where (select count(*) from event e where e.subject_id = d.id and e.type = 'tax_document.issued' and e.visible_to = d.visible_to) <> 1",
    ),
    (
        "every approved run has its approval in the log",
        "select count(*) from payout_run r where r.state in ('approved', 'executed') and not exists (
           select from chain_secret s where s.subject_id = r.id and s.kind = 'envelope'
             and (exists (select from chain_pending p where p.source_id = s.source_id) or exists (select from chain_leaf l where l.source_id = s.source_id)))",
    ),
];
