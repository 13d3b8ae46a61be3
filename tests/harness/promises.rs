//! What must never be, whatever a test did: asked when its platform is dropped.

mod money_out;

/// What is promised, and the query that counts violations of it.
pub type Promise = (&'static str, &'static str);

/// Everything that is promised.
pub fn all() -> impl Iterator<Item = &'static Promise> {
    PROMISES.iter().chain(money_out::PROMISES)
}

const PROMISES: &[Promise] = &[
    (
        "uplines stay within an organisation",
        "select count(*) from member m join member u on u.id = m.upline_id where u.organisation_id <> m.organisation_id",
    ),
    (
        "the last dated fact of a member is its upline",
        "select count(*) from member m where m.upline_id is distinct from (select u.upline_id from member_upline u where u.member_id = m.id order by effective_on desc, recorded_at desc limit 1)",
    ),
    (
        "every key and declaration has exactly one leaf",
        "select count(*) from (select id from signing_key union all select id from import_declaration union all select source_id from signing_key_end where kind = 'revocation') s where (select count(*) from chain_pending p where p.source_id = s.id) + (select count(*) from chain_leaf l where l.source_id = s.id) <> 1",
    ),
    (
        "nothing that a key signed is logged at or after its end",
        "select count(*) from (select id, kid from handshake_statement union all select id, kid from import_declaration) s
           join signing_key k on k.kid = s.kid join signing_key_end e on e.key_id = k.id
           join (select source_id, index, 0 as id from chain_leaf union all select source_id, null, id from chain_pending) signed on signed.source_id = s.id
           join (select source_id, index, 0 as id from chain_leaf union all select source_id, null, id from chain_pending) ended on ended.source_id = e.source_id
           where (coalesce(signed.index, 1e18::bigint), signed.id) >= (coalesce(ended.index, 1e18::bigint), ended.id)",
    ),
    (
        "a key that another one gave way to is of the same party, and one succession goes on from it",
        "select count(*) from signing_key n join signing_key o on o.id = n.replaces_id left join signing_key_end e on e.key_id = o.id
           where (n.organisation_id, n.member_id, n.assurance, n.first_id, n.rotations) is distinct from (o.organisation_id, o.member_id, o.assurance, coalesce(o.first_id, o.id), (o.rotations + 1)::smallint)
              or e.source_id is distinct from n.id",
    ),
    (
        "of one handshake at most one hand-over is accepted, and nothing is handed over that is not sealed",
        "select (select count(*) from (select h.previous_id from handshake h join handshake_statement s on s.handshake_id = h.id and s.kind = 'seal' where h.previous_id is not null group by 1 having count(*) > 1) x)
              + (select count(*) from handshake h join handshake p on p.id = h.previous_id where h.deal_id <> p.deal_id or h.hop <= p.hop
                   or not exists (select from handshake_statement s where s.handshake_id = p.id and s.kind = 'seal'))",
    ),
    (
        "a handshake has one offer, and an accept exactly when it has a seal",
        "select count(*) from (select h.id, count(*) filter (where s.kind = 'offer') o, count(*) filter (where s.kind = 'accept') a, count(*) filter (where s.kind = 'seal') z from handshake h left join handshake_statement s on s.handshake_id = h.id group by h.id) x where o <> 1 or a <> z",
    ),
    (
        "a deal has a governing version exactly when its first handshake is sealed",
        "select count(*) from deal d where (d.agreement_id is not null) <> exists (select from handshake h join handshake_statement s on s.handshake_id = h.id where h.deal_id = d.id and h.hop = 0 and s.kind = 'seal')",
    ),
    (
        "a payee that is erased has no name, no ABN and no account, no paper, and nothing that Stripe told of it",
        "select count(*) from payee p where p.erased_at is not null and (p.abn is not null or p.gst_registered_on is not null
           or exists (select from personal_data d where d.subject_id = p.id and d.name <> 'Erased')
           or exists (select from payee_bank_change c where c.payee_id = p.id)
           or exists (select from payee_bank_details d where d.payee_id = p.id and d.account_title <> 'ERASED')
           or exists (select from tax_document_content c join tax_document d on d.id = c.document_id where d.payee_id = p.id)
           or exists (select from stripe_account a where a.payee_id = p.id and (a.disabled_reason is not null
             or exists (select from stripe_event e where e.account = a.account and e.erased_sha256 is null))))",
    ),
    (
        "of a payee that is erased no bank tells any more, but in documents that the law kept when something was erased last",
        "with last (up_to) as (select max((erased_at at time zone 'Australia/Sydney')::date) - interval '5 years' from payee),
           back as (select o.id, i.return_id from payee p join payout o on o.payee_id = p.id left join bank_return_item i on i.payout_id = o.id where p.erased_at is not null),
           lines as (select l.*, s.document_sha256 from back join bank_line_match m on m.target_id in (back.id, back.return_id) join bank_statement_line l on l.id = m.line_id join bank_statement s on s.id = l.statement_id)
         select (select count(*) from lines where text <> '')
              + (select count(*) from bank_return r cross join last where r.id in (select return_id from back) and r.bytes <> '' and (r.created_at at time zone 'Australia/Sydney')::date <= last.up_to)
              + (select count(*) from bank_document d cross join last where d.sha256 in (select document_sha256 from lines) and d.bytes <> ''
                   and not exists (select from bank_statement s where s.document_sha256 = d.sha256 and s.to_on > last.up_to))",
    ),
    (
        "nobody acts as somebody who is erased",
        "select count(*) from chain_erasure e join member m on m.contact_id = e.contact_id
           where exists (select from api_client c where c.member_id = m.id and c.revoked_at is null)
              or exists (select from app_user u where u.member_id = m.id and u.disabled_at is null)",
    ),
    (
        "of a client who is erased no digest tells the name",
        "select count(*) from deal d join chain_erasure e on e.contact_id = d.client_id where d.source_sha256 is not null",
    ),
    (
        "an erasure has exactly one leaf",
        "select count(*) from chain_erasure e where (select count(*) from chain_pending p where p.source_id = e.id) + (select count(*) from chain_leaf l where l.source_id = e.id) <> 1",
    ),
    (
        "the audit log holds no address and no number of anybody",
        "select count(*) from audit_record a join personal_data p
           on strpos(concat(a.before, a.after), p.email) > 0 or strpos(concat(a.before, a.after), p.phone) > 0",
    ),
    (
        "an outside issuer vouches for the people of its organisation only",
        "select count(*) from app_user u join oidc_issuer i on i.id = u.oidc_issuer_id
           where i.organisation_id is distinct from u.organisation_id",
    ),
    (
        "no session without a second factor moves money",
        "select count(*) from refresh_family where not methods && '{otp,mfa}'
           and scopes && '{payouts:write,payouts:approve,payouts:execute,agreements:approve,ledger:write,ledger:approve}'",
    ),
    (
        "of a member's payees no two begin on one day",
        "select count(*) from (select from member_payee group by member_id, effective_on having count(*) > 1) x",
    ),
    (
        "a member's cohort is one of its organisation",
        "select count(*) from member m where m.cohort is not null and not exists (select from cohort c where c.organisation_id = m.organisation_id and c.code = m.cohort)",
    ),
    (
        "the id of a vertical follows from its code",
        "select count(*) from vertical where id::text <> '01980000-0000-7000-8000-' || lpad(to_hex(substr(code, 2)::integer), 12, '0')",
    ),
    (
        "every approval of a version has exactly one leaf, and is by somebody who neither wrote nor proposed it",
        "select count(*) from agreement_version v where v.approver_id is not null and (
           (select count(*) from chain_pending p where p.source_id = v.approval_id) + (select count(*) from chain_leaf l where l.source_id = v.approval_id) <> 1
           or v.approver_id = any (v.writer_ids) or v.approver_id = v.proposed_by)",
    ),
    (
        "of an agreement at most one version is active that has begun, the latest of them, and its agreement is open",
        "select (select count(*) from agreement_version v join agreement_version l on l.agreement_id = v.agreement_id and l.number > v.number where v.state = 'active' and l.state = 'active')
              + (select count(*) from agreement_version v join agreement a on a.id = v.agreement_id where v.activated_at is not null and a.published_at is null)",
    ),
    ("every entry balances", "select count(*) from (select entry_seq from ledger_posting group by 1 having sum(amount_minor) <> 0 or count(*) < 2) x"),
    (
        "balances equal postings",
        "select count(*) from ledger_balance b left join (select account_id, sum(amount_minor) s, count(*) c from ledger_posting group by 1) p using (account_id) where b.balance_minor <> coalesce(p.s, 0) or b.account_seq <> coalesce(p.c, 0)",
    ),
    (
        "every balance lies within the bounds of its kind",
        "select count(*) from ledger_balance b join ledger_account a on a.id = b.account_id
           where b.balance_minor < b.least_minor or b.balance_minor > b.most_minor
              or (a.kind in ('payee_accrued', 'payee_held', 'payee_available', 'payee_in_transit', 'member_suspense') and b.balance_minor > 0)
              or (a.kind = 'clawback_recoverable' and b.balance_minor < 0)",
    ),
    (
        "postings of an account go on from one another",
        "select count(*) from (select amount_minor, account_seq, balance_after_minor, lag(account_seq, 1, 0::bigint) over w s, lag(balance_after_minor, 1, 0::bigint) over w b
           from ledger_posting window w as (partition by account_id order by account_seq)) p where account_seq <> s + 1 or balance_after_minor <> b + amount_minor",
    ),
    (
        "what was written by hand was approved by somebody else, and moves no line",
        "select (select count(*) from ledger_entry e join manual_entry m on m.id = e.source_id where m.state <> 'posted' or m.decided_by = m.proposed_by)
              + (select count(*) from ledger_entry e join manual_entry m on m.id = e.source_id join ledger_posting p on p.entry_seq = e.seq join ledger_account a on a.id = p.account_id
                   where p.line_id is not null or a.kind in ('payee_accrued', 'payee_held', 'payee_available', 'payee_in_transit', 'member_suspense', 'clawback_recoverable'))
              + (select count(*) from manual_entry m where m.state = 'posted'
                   and m.entry_count <> (select count(*) from ledger_entry e where e.source_id = m.id)
                     + (select count(*) from jsonb_array_elements(convert_from(m.content, 'UTF8')::jsonb -> 'entries') c
                          join manual_entry_refusal r on r.manual_id = m.id and r.n = (c ->> 'n')::integer))",
    ),
    (
        "a reversal is the mirror of what it undoes, and nothing is undone twice",
        "select (select count(*) from ledger_entry e where e.kind = 'reversal' and not exists (select from ledger_reversal r where r.entry_id = e.id))
              + (select count(*) from (select r.entry_id from ledger_reversal r join ledger_entry e on e.id in (r.entry_id, r.reverses_id)
                   join ledger_posting p on p.entry_seq = e.seq group by r.entry_id, p.account_id having sum(p.amount_minor) <> 0) x)",
    ),
    (
        "a closed month took no entry since it was closed",
        "select count(*) from accounting_period p join lateral (
             select s.last_seq from accounting_period_step s where s.period_id = p.id and s.step = 'closed' order by n desc limit 1) s on true
           join ledger_entry e on e.seq > s.last_seq and e.effective_on < p.month + interval '1 month' and e.effective_on >= p.month
           where p.state in ('closed', 'reopening')",
    ),
    ("the sequence has no gap", "select coalesce(max(seq), 0) - count(*) from ledger_entry"),
    (
        "each entry names the hash of the one before",
        "select count(*) from ledger_entry e join ledger_entry p on p.seq = e.seq - 1 where e.previous_sha256 <> p.sha256",
    ),
    ("hashes recompute", "select count(*) from ledger_entry where sha256 <> sha256(canonical)"),
    (
        "every entry has exactly one leaf",
        "select count(*) from ledger_entry e where (select count(*) from chain_pending p where p.source_id = e.id) + (select count(*) from chain_leaf l where l.source_id = e.id) <> 1",
    ),
    (
        "every statement has exactly one leaf",
        "select count(*) from handshake_statement s where (select count(*) from chain_pending p where p.source_id = s.id) + (select count(*) from chain_leaf l where l.source_id = s.id) <> 1",
    ),
    (
        "what a witness cosigned is a checkpoint of the log",
        "select count(*) from chain_cosignature c join chain_checkpoint p using (size) where c.root <> p.root",
    ),
    ("indexes have no gap", "select coalesce(max(index) + 1, 0) - count(*) from chain_leaf"),
    (
        "lines equal their postings",
        "select count(*) from commission_line l join (
           select line_id, sum(-amount_minor) filter (where a.kind = 'payee_accrued') accrued, sum(-amount_minor) filter (where a.kind = 'payee_available') available, sum(-amount_minor) filter (where a.kind = 'payee_held') held,
                  sum(-amount_minor) filter (where a.kind = 'member_suspense') suspense, sum(amount_minor) filter (where a.kind = 'clawback_recoverable') recoverable
           from ledger_posting p join ledger_account a on a.id = p.account_id where line_id is not null group by 1) p on p.line_id = l.id
         where l.accrued_minor <> coalesce(p.accrued, 0) or l.available_minor <> coalesce(p.available, 0) or l.held_minor <> coalesce(p.held, 0) or l.suspense_minor <> coalesce(p.suspense, 0) or l.recoverable_minor <> coalesce(p.recoverable, 0)",
    ),
    (
        "every accrued deal has a sealed handshake",
        "select count(*) from ledger_entry e where e.kind = 'accrual' and not exists (select from handshake h join handshake_statement s on s.handshake_id = h.id and s.kind = 'seal' where h.deal_id = e.deal_id)",
    ),
    (
        "what a line earned lies somewhere",
        "select count(*) from commission_line where role <> 'platform' and earned_minor - clawed_back_minor + gst_minor
           <> suspense_minor + accrued_minor + held_minor + available_minor + in_transit_minor + paid_minor + withheld_minor + set_off_minor - recoverable_minor",
    ),
    (
        "what is in transit or paid of a line is what payouts sent of it",
        "select count(*) from commission_line l left join (
           select line_id, sum(pl.amount_minor) sent from (
             select payout_id, line_id, amount_minor from payout_line union all select payout_id, line_id, -amount_minor from stripe_reversed) pl
           join payout p on p.id = pl.payout_id where p.state <> 'returned' group by 1) s on s.line_id = l.id
         where l.in_transit_minor + l.paid_minor <> coalesce(s.sent, 0)",
    ),
    (
        "what is set off of a line is what recoveries posted, and settles as much elsewhere",
        "select (select count(*) from commission_line l left join (
           select p.line_id, sum(p.amount_minor) s from ledger_posting p join ledger_entry e on e.seq = p.entry_seq where e.kind = 'clawback_recovery' group by 1) r on r.line_id = l.id
           where l.set_off_minor <> coalesce(r.s, 0))
         + (select count(*) from (select payee_id from commission_line where payee_id is not null group by 1 having sum(set_off_minor) <> 0) x)",
    ),
    (
        "a deal stands where its last move brought it",
        "select count(*) from deal d where d.stage is distinct from (select t.to_stage from deal_transition t where t.deal_id = d.id order by n desc limit 1)",
    ),
    (
        "a counter begins at a deal where the deal before it left it",
        "select count(*) from (
           select before_total, before_paid, before_awards, lag(after_total, 1, 0::bigint) over w t, lag(after_paid, 1, 0::bigint) over w p, lag(after_awards, 1, 0::bigint) over w a
           from deal_counter window w as (partition by agreement_id, counter, scope, window_from order by governing_on, source_id, external_ref, deal_id)) c
         where (before_total, before_paid, before_awards) <> (t, p, a)",
    ),
    (
        "counters are around a deal under the date that governs it",
        "select count(*) from deal_counter c join deal d on d.id = c.deal_id join agreement_version v on (v.agreement_id, v.number) = (d.agreement_id, d.version_number)
         where c.agreement_id <> d.agreement_id or c.source_id <> d.source_organisation_id or c.external_ref <> coalesce(d.external_ref, '')
           or c.governing_on is distinct from case v.governing_date when 'referred' then d.referred_on when 'contracted' then d.contracted_on else d.settled_on end",
    ),
    (
        "moves follow one another without a gap",
        "select count(*) from deal_transition t left join deal_transition p on p.deal_id = t.deal_id and p.n = t.n - 1
         where (t.n = 0) <> (t.from_stage is null) or (t.n > 0 and (p.n is null or p.to_stage <> t.from_stage))",
    ),
    (
        "an import that has ended keeps nothing of its file",
        "select (select count(*) from deal_import_chunk c join deal_import i on i.id = c.import_id where i.state in ('done', 'failed'))
              + (select count(*) from deal_import_row r join deal_import i on i.id = r.import_id where i.state in ('done', 'failed') and r.payload is not null)",
    ),
    ("events have no gap", "select (select last_sequence from event_head) - (select count(*) from event) + (select count(*) from event where sequence > (select last_sequence from event_head))"),
    (
        "every move of a deal is told once",
        "select count(*) from deal_transition t
           left join (select subject_id, type, convert_from(data, 'UTF8')::jsonb ->> 'transition' n, count(*) c from event where type like 'deal.%' group by 1, 2, 3) e
             on e.subject_id = t.deal_id and e.type = 'deal.' || t.to_stage and e.n = t.n::text
           where coalesce(e.c, 0) <> 1",
    ),
    (
        "every entry is told once, to those who may see it",
        "select count(*) from ledger_entry l
           left join (select subject_id, visible_to, count(*) c from event where type = 'ledger_entry.posted' group by 1, 2) e
             on e.subject_id = l.id and e.visible_to = l.visible_to
           where coalesce(e.c, 0) <> 1",
    ),
    (
        "an import that is done has left no row out",
        "select count(*) from deal_import i where i.state = 'done' and (i.pending_count <> 0 or
           i.created_count + i.corrected_count + i.unchanged_count <> (select count(*) from deal_import_row r where r.import_id = i.id and r.deal_id is not null))",
    ),
    (
        "an event is at most one delivery of an endpoint, and of nobody who may not see it",
        "select (select count(*) - count(distinct (endpoint_id, sequence)) from webhook_delivery)
              + (select count(*) from webhook_delivery d join webhook_endpoint w on w.id = d.endpoint_id left join event e on e.sequence = d.sequence and e.id = d.event_id
                 where e.id is null or not (w.organisation_id is null or w.organisation_id = any (e.visible_to)))",
    ),
    (
        "of one subject an endpoint has taken no later event before an earlier one",
        "select count(*) from webhook_delivery later join webhook_delivery earlier using (endpoint_id, subject_id)
         where earlier.sequence < later.sequence and earlier.status = 'pending' and later.status = 'delivered' and earlier.in_order and later.in_order",
    ),
    (
        "what is delivered was answered with 2xx, and what waits has an endpoint that listens",
        "select (select count(*) from webhook_delivery d where d.status = 'delivered'
                and not exists (select from webhook_attempt a where a.delivery_id = d.id and a.status between 200 and 299))
              + (select count(*) from webhook_delivery d join webhook_endpoint w on w.id = d.endpoint_id where d.status = 'pending' and w.status <> 'enabled')",
    ),
    (
        "each line of a provider's statement is posted as it was matched, and no receipt without one",
        "select (select count(*) from provider_line_step s cross join lateral (
             select coalesce(sum(amount_minor) filter (where a.kind = 'cash'), 0) c, coalesce(sum(amount_minor) filter (where a.kind = 'provider_receivable'), 0) r,
               coalesce(sum(amount_minor) filter (where a.kind = 'unapplied_receipts'), 0) u
             from ledger_entry e join ledger_posting g on g.entry_seq = e.seq join ledger_account a on a.id = g.account_id where e.id = s.entry_id) p
           where (p.c, p.r, p.u) <> (s.applied_minor + s.gst_minor + s.rounding_minor + s.unapplied_minor, -s.applied_minor, -s.unapplied_minor))
         + (select count(*) from ledger_entry e where e.kind = 'provider_receipt' and not exists (select from provider_line_step s where s.entry_id = e.id))",
    ),
    (
        "what became of a line is the sum of its steps, and its cash is the line",
        "select count(*) from provider_line_result r join provider_statement_line l on l.id = r.line_id
           cross join lateral (select sum(unapplied_minor) u, sum(applied_minor + gst_minor + rounding_minor + unapplied_minor) c from provider_line_step s where s.line_id = r.line_id) s
         where r.unapplied_minor <> s.u or l.amount_minor + l.gst_minor <> s.c",
    ),
    (
        "a posted statement has posted all its lines, and they come to its total",
        "select count(*) from provider_statement s where s.total_minor <> (select sum(amount_minor + gst_minor) from provider_statement_line l where l.statement_id = s.id)
           or (s.state = 'posted' and s.line_count <> (select count(*) from provider_line_result r where r.statement_id = s.id))",
    ),
    (
        "what a provider owes is what was expected less what was received and written off",
        "select count(*) from organisation o where o.kind = 'provider' and
           (select coalesce(sum(l.earned_minor - l.clawed_back_minor), 0) from deal d join commission_line l on l.deal_id = d.id where d.provider_id = o.id)
         - (select coalesce(sum(s.applied_minor), 0) from provider_line_result r join provider_line_step s on s.line_id = r.line_id where r.provider_id = o.id)
         - (select coalesce(sum(w.amount_minor), 0) from write_off w where w.provider_id = o.id and w.state = 'approved')
         <> (select coalesce(sum(p.amount_minor), 0) from ledger_account a join ledger_posting p on p.account_id = a.id join ledger_entry e on e.seq = p.entry_seq
             where a.kind = 'provider_receivable' and a.party_id = o.id and e.deal_id is not null and e.kind in ('accrual', 'adjustment', 'clawback', 'provider_receipt', 'write_off'))",
    ),
    (
        "an approved write-off is posted once, by somebody else than who proposed it",
        "select count(*) from write_off w where (w.state = 'approved') <> ((select count(*) from ledger_entry e where e.kind = 'write_off' and e.source_id = w.id) = 1) or w.decided_by = w.proposed_by",
    ),
    (
        "no more of a line that waits for its provider is released than was funded once",
        "select count(*) from commission_line l left join line_funding f on f.line_id = l.id where l.funding_rule = 'on_receipt'
           and coalesce((select sum(-p.amount_minor) from ledger_posting p join ledger_entry e on e.seq = p.entry_seq join ledger_account a on a.id = p.account_id
             where p.line_id = l.id and e.kind = 'release' and a.kind = 'payee_available'), 0) <> coalesce(f.released_minor, 0)",
    ),
    (
        "what is put aside of a line is what its holds put aside and have left, and each posted what it says",
        "select (select count(*) from commission_line l where l.held_minor > 0 and not exists (select from line_hold h where h.line_id = l.id and h.state = 'active'))
           + (select count(*) from line_hold h cross join lateral (
                select coalesce(sum(p.amount_minor) filter (where e.kind = 'hold' and a.kind = 'payee_available'), 0) ha,
                  coalesce(sum(p.amount_minor) filter (where e.kind = 'hold' and a.kind = 'payee_accrued'), 0) hc,
                  coalesce(sum(-p.amount_minor) filter (where e.kind = 'unhold' and a.kind = 'payee_available'), 0) ua,
                  coalesce(sum(-p.amount_minor) filter (where e.kind = 'unhold' and a.kind = 'payee_accrued'), 0) uc
                from ledger_entry e join ledger_posting p on p.entry_seq = e.seq join ledger_account a on a.id = p.account_id where e.source_id = h.id) s
              where (h.from_available_minor, h.from_accrued_minor, coalesce(h.to_available_minor, 0), coalesce(h.to_accrued_minor, 0)) <> (s.ha, s.hc, s.ua, s.uc))
           + (select count(*) from ledger_entry e where e.kind in ('hold', 'unhold') and not exists (select from line_hold h where h.id = e.source_id))",
    ),
    (
        "a plan by which clawbacks are got back was decided on by somebody else than who proposed it",
        "select count(*) from recovery_plan where state = 'approved' and (decided_by is null or decided_by = proposed_by)",
    ),
    (
        "an approved assignment was approved by somebody else and moved its lines from one payee to the other; nothing else moved any",
        "select (select count(*) from assignment a cross join lateral (
             select coalesce(sum(p.amount_minor) filter (where c.party_id = a.from_payee_id), 0) gone, coalesce(-sum(p.amount_minor) filter (where c.party_id = a.to_payee_id), 0) came,
               count(distinct p.line_id) lines
             from ledger_entry e join ledger_posting p on p.entry_seq = e.seq join ledger_account c on c.id = p.account_id where e.source_id = a.id and e.kind = 'assignment') m
           where case a.state when 'approved' then a.decided_by = a.proposed_by or m.gone <> a.total_minor or m.came <> a.total_minor or m.lines <> a.line_count else m.lines <> 0 end)
         + (select count(*) from ledger_entry e where e.kind = 'assignment' and not exists (select from assignment a where a.id = e.source_id))",
    ),
    (
        "what lies on the accounts of a payee is what its lines hold",
        "select count(*) from (
           select a.party_id, coalesce(-sum(b.balance_minor) filter (where a.kind = 'payee_accrued'), 0) accrued, coalesce(-sum(b.balance_minor) filter (where a.kind = 'payee_held'), 0) held,
             coalesce(-sum(b.balance_minor) filter (where a.kind = 'payee_available'), 0) available, coalesce(-sum(b.balance_minor) filter (where a.kind = 'payee_in_transit'), 0) in_transit,
             coalesce(sum(b.balance_minor) filter (where a.kind = 'clawback_recoverable'), 0) recoverable
           from ledger_account a join ledger_balance b on b.account_id = a.id
           where a.kind in ('payee_accrued', 'payee_held', 'payee_available', 'payee_in_transit', 'clawback_recoverable') group by 1) p
         full join (
           select payee_id, sum(accrued_minor) accrued, sum(held_minor) held, sum(available_minor) available, sum(in_transit_minor) in_transit, sum(recoverable_minor) recoverable
           from commission_line where payee_id is not null group by 1) l on l.payee_id = p.party_id
         where (coalesce(p.accrued, 0), coalesce(p.held, 0), coalesce(p.available, 0), coalesce(p.in_transit, 0), coalesce(p.recoverable, 0))
           <> (coalesce(l.accrued, 0), coalesce(l.held, 0), coalesce(l.available, 0), coalesce(l.in_transit, 0), coalesce(l.recoverable, 0))",
    ),
    (
        "what was asked to be taken back of a transfer and was made is no more than was reversed of it",
        "select count(*) from (select payout_id, sum(amount_minor) made from stripe_recall where state = 'made' group by 1) r
           join stripe_sending s using (payout_id) where r.made > s.reversed_minor",
    ),
];
