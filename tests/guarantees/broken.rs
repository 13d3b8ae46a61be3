//! A superuser cheats; the report says which promise is broken and names the very row.

use domain::guarantees::Guarantee::{self, Attribution, Determinism, ExactlyOnce, Integrity, Payout};
use domain::kernel::id::encode;
use harness::platform::Platform;

use crate::{of, paid, report};

/// What a cheat does, which promise must say so, by which code, and of what (a prefix and a query).
pub struct Cheat {
    pub guarantee: Guarantee,
    pub code: &'static str,
    pub prefix: &'static str,
    /// Asked before the cheat.
    pub of: &'static str,
    pub sql: &'static str,
}

pub fn prove(cheats: &[Cheat]) {
    for cheat in cheats {
        // That the reports of such a platform hold is shown elsewhere.
        let platform = paid();
        let expected = named(&platform, cheat);
        platform.tamper(cheat.sql);
        let report = report(&platform);
        let result = of(&report, cheat.guarantee);
        let found: Vec<(&str, &str)> =
            result.counterexamples.iter().map(|c| (c.id.as_str(), c.code.as_str())).collect();
        assert!(!report.holds && !result.holds, "unnoticed: {}", cheat.sql);
        assert!(found.contains(&(expected.as_str(), cheat.code)), "{expected} {}: {found:?}", cheat.code);
    }
}

fn named(platform: &Platform, cheat: &Cheat) -> String {
    match cheat.prefix.strip_suffix(' ') {
        Some(_) => format!("{}{}", cheat.prefix, platform.number(cheat.of)),
        None => format!("{}_{}", cheat.prefix, encode(platform.ids_of(cheat.of)[0])),
    }
}

#[test]
fn attribution() {
    prove(&[
        Cheat {
            guarantee: Attribution,
            code: "receipt_not_valid",
            prefix: "handshake",
            of: "select handshake_id as id from handshake_statement s where kind = 'seal' order by s.id limit 1",
            sql: "update chain_secret set secret = set_byte(secret, length(secret) - 9, 65 + (get_byte(secret, length(secret) - 9) + 1) % 26)
                  where source_id = (select id from handshake_statement where kind = 'seal' order by id limit 1)",
        },
        Cheat {
            guarantee: Attribution,
            code: "no_receipt",
            prefix: "handshake",
            of: "select handshake_id as id from handshake_statement s where kind = 'offer' order by s.id limit 1",
            sql: "delete from chain_secret where source_id = (select id from handshake_statement where kind = 'offer' order by id limit 1)",
        },
        Cheat {
            guarantee: Attribution,
            code: "accrued_unsealed",
            prefix: "deal",
            of: "select deal_id as id from ledger_entry where seq = 1",
            sql: "delete from handshake_statement where kind = 'seal' and handshake_id in
                  (select id from handshake where deal_id = (select deal_id from ledger_entry where seq = 1))",
        },
        Cheat {
            guarantee: Attribution,
            code: "earner_not_sealed",
            prefix: "handshake",
            of: "select id from handshake where deal_id = (select deal_id from ledger_entry where seq = 1)",
            sql: "update commission_line set member_id = (select m.id from member m where m.id not in
                    (select member_id from commission_line l where l.deal_id = commission_line.deal_id and member_id is not null) order by m.id limit 1)
                  where role = 'member' and deal_id = (select deal_id from ledger_entry where seq = 1)",
        },
        Cheat {
            guarantee: Attribution,
            code: "seal_of_other_deal",
            prefix: "handshake",
            of: "select id from handshake order by id limit 1",
            sql: "update handshake h set deal_id = d.id, hop = 7, previous_id = h.id, from_organisation_id = d.introducer_id, to_organisation_id = d.provider_id
                  from deal d where d.id = (select id from deal order by id desc limit 1) and h.id = (select id from handshake order by id limit 1)",
        },
        Cheat {
            guarantee: Attribution,
            code: "statement_not_logged_once",
            prefix: "source",
            of: "select id from handshake_statement order by id desc limit 1",
            sql: "update chain_leaf set source_id = gen_random_uuid() where source_id = (select id from handshake_statement order by id desc limit 1)",
        },
    ]);
}

#[test]
fn what_the_rows_say_beside_the_log_is_held_against_it() {
    prove(&[
        Cheat {
            guarantee: Attribution,
            code: "referrer_not_sealed",
            prefix: "handshake",
            of: "select h.id from handshake h where deal_id = (select id from deal where stage = 'referred' or stage = 'contracted' order by id limit 1)",
            sql: "update deal set member_id = (select m.id from member m where m.id <> deal.member_id order by m.id limit 1)
                  where id = (select id from deal where stage = 'referred' or stage = 'contracted' order by id limit 1)",
        },
        Cheat {
            guarantee: Attribution,
            code: "statement_differs_from_envelope",
            prefix: "source",
            of: "select id from handshake_statement order by id limit 1",
            sql: "update handshake_statement set envelope_sha256 = sha256('x') where id = (select id from handshake_statement order by id limit 1)",
        },
        Cheat {
            guarantee: Integrity,
            code: "leaf_without_row",
            prefix: "source",
            of: "select id from handshake_statement where kind = 'offer' order by id limit 1",
            sql: "delete from handshake_statement where handshake_id = (select handshake_id from handshake_statement where kind = 'offer' order by id limit 1)",
        },
        Cheat {
            guarantee: Integrity,
            code: "leaf_differs_from_row",
            prefix: "source",
            of: "select source_id as id from chain_leaf order by index limit 1",
            sql: "update chain_leaf set n = 77 where index = 0",
        },
        Cheat {
            guarantee: Integrity,
            code: "deal_differs_from_moves",
            prefix: "deal",
            of: "select id from deal where stage = 'settled' order by id limit 1",
            sql: "update deal set stage = 'lost' where id = (select id from deal where stage = 'settled' order by id limit 1)",
        },
        Cheat {
            guarantee: Payout,
            code: "run_without_approval",
            prefix: "run",
            of: "select id from payout_run where state = 'executed' order by id limit 1",
            sql: "update payout_run set approved_by = gen_random_uuid() where state = 'executed'",
        },
    ]);
}

#[test]
fn determinism() {
    prove(&[
        Cheat {
            guarantee: Determinism,
            code: "not_reproduced",
            prefix: "calc",
            of: "select id from calculation order by id limit 1",
            sql: "update calculation set output_sha256 = sha256('x') where id = (select id from calculation order by id limit 1)",
        },
        Cheat {
            guarantee: Determinism,
            code: "not_reproduced",
            prefix: "calc",
            of: "select id from calculation order by id limit 1",
            sql: "update calculation set input = changed, input_sha256 = sha256(changed) from
                  (select id one, convert_to(replace(convert_from(input, 'UTF8'), '\"amount\":', '\"amount\":1'), 'UTF8') changed from calculation order by id limit 1) c where id = one",
        },
        Cheat {
            guarantee: Determinism,
            code: "not_reproduced",
            prefix: "calc",
            of: "select id from calculation order by id limit 1",
            sql: "with c as (select agreement_id one, convert_to(replace(convert_from(content, 'UTF8'), '0.0065', '0.0066'), 'UTF8') changed from agreement_version where number = 1)
                  update agreement_version set content = changed, content_sha256 = sha256(changed) from c where agreement_id = one and number = 1",
        },
    ]);
}

#[test]
fn integrity_of_the_ledger() {
    const MIDDLE: &str = "select id from ledger_entry where seq = 5";
    prove(&[
        Cheat {
            guarantee: Integrity,
            code: "postings_differ",
            prefix: "entry",
            of: MIDDLE,
            sql: "update ledger_posting set amount_minor = amount_minor + 1 where entry_seq = 5 and n = 0",
        },
        Cheat {
            guarantee: Integrity,
            code: "running_balance_differs",
            prefix: "entry",
            of: MIDDLE,
            sql: "update ledger_posting set balance_after_minor = balance_after_minor + 1 where entry_seq = 5 and n = 0",
        },
        Cheat {
            guarantee: Integrity,
            code: "hash_differs",
            prefix: "entry",
            of: MIDDLE,
            sql: "alter table ledger_entry drop constraint ledger_entry_hash; update ledger_entry set sha256 = sha256('x') where seq = 5",
        },
        // Bytes and hash agree again: leaf and chain do not.
        Cheat {
            guarantee: Integrity,
            code: "leaf_differs",
            prefix: "entry",
            of: MIDDLE,
            sql: "update ledger_entry set canonical = changed, sha256 = sha256(changed) from
                  (select convert_to(replace(convert_from(canonical, 'UTF8'), '\"v\":1', '\"v\":2'), 'UTF8') changed from ledger_entry where seq = 6) c where seq = 5;
                  update ledger_entry set canonical = changed, sha256 = sha256(changed) from
                  (select convert_to(replace(convert_from(canonical, 'UTF8'), '\"v\":2', '\"v\":1'), 'UTF8') changed from ledger_entry where seq = 5) c where seq = 5",
        },
        Cheat {
            guarantee: Integrity,
            code: "hash_chain_broken",
            prefix: "entry",
            of: "select id from ledger_entry where seq = 6",
            sql: "update ledger_entry set canonical = changed, sha256 = sha256(changed) from
                  (select convert_to(replace(convert_from(canonical, 'UTF8'), '2026', '2025'), 'UTF8') changed from ledger_entry where seq = 5) c where seq = 5",
        },
        Cheat {
            guarantee: Integrity,
            code: "sequence_gap",
            prefix: "entry",
            of: "select id from ledger_entry where seq = 6",
            sql: "delete from ledger_posting where entry_seq = 5; delete from ledger_entry where seq = 5",
        },
        Cheat {
            guarantee: Integrity,
            code: "entry_differs",
            prefix: "entry",
            of: MIDDLE,
            sql: "update ledger_entry set effective_on = effective_on + 1 where seq = 5",
        },
        Cheat {
            guarantee: Integrity,
            code: "entry_not_logged_once",
            prefix: "entry",
            of: MIDDLE,
            sql: "update chain_leaf set source_id = gen_random_uuid() where source_id = (select id from ledger_entry where seq = 5)",
        },
        Cheat {
            guarantee: Integrity,
            code: "head_differs",
            prefix: "entry ",
            of: "select max(seq) - 1 from ledger_entry",
            sql: "delete from ledger_posting where entry_seq = (select max(seq) from ledger_entry); delete from ledger_entry where seq = (select max(seq) from ledger_entry)",
        },
        Cheat {
            guarantee: Integrity,
            code: "balance_differs",
            prefix: "account",
            of: "select account_id as id from ledger_balance order by account_id limit 1",
            sql: "update ledger_balance set balance_minor = balance_minor + 1 where account_id = (select account_id from ledger_balance order by account_id limit 1)",
        },
    ]);
}

#[test]
fn integrity_of_the_log() {
    prove(&[
        Cheat {
            guarantee: Integrity,
            code: "lane_broken",
            prefix: "leaf ",
            of: "select 9",
            sql: "update chain_leaf set leaf = (select leaf from chain_leaf where index = 3), leaf_sha256 = (select leaf_sha256 from chain_leaf where index = 3) where index = 9",
        },
        Cheat {
            guarantee: Integrity,
            code: "checkpoint_differs",
            prefix: "checkpoint ",
            of: "select max(size) from chain_checkpoint",
            sql: "update chain_checkpoint set root = sha256('x') where size = (select max(size) from chain_checkpoint)",
        },
        Cheat {
            guarantee: Integrity,
            code: "checkpoint_text_differs",
            prefix: "checkpoint ",
            of: "select max(size) from chain_checkpoint",
            sql: "update chain_checkpoint set body = body || '\\x0a' where size = (select max(size) from chain_checkpoint)",
        },
        Cheat {
            guarantee: Integrity,
            code: "checkpoint_not_trusted",
            prefix: "checkpoint ",
            of: "select max(size) from chain_checkpoint",
            sql: "update chain_checkpoint_note set note = convert_to(replace(convert_from(note, 'UTF8'), 'flip360', 'flip361'), 'UTF8')",
        },
        Cheat {
            guarantee: Integrity,
            code: "checkpoint_without_leaves",
            prefix: "checkpoint ",
            of: "select max(size) from chain_checkpoint",
            sql: "delete from chain_leaf where index = (select max(index) from chain_leaf)",
        },
    ]);
}

#[test]
fn exactly_once() {
    prove(&[
        Cheat {
            guarantee: ExactlyOnce,
            code: "line_differs_from_postings",
            prefix: "line",
            of: "select id from commission_line where member_id is not null order by id limit 1",
            sql: "update commission_line set available_minor = available_minor + 100 where id = (select id from commission_line where member_id is not null order by id limit 1)",
        },
        Cheat {
            guarantee: ExactlyOnce,
            code: "lines_do_not_add_up",
            prefix: "party",
            of: "select payee_id as id from commission_line l where payee_id is not null order by l.id limit 1",
            sql: "update commission_line set earned_minor = earned_minor + 100 where id = (select id from commission_line where payee_id is not null order by id limit 1)",
        },
        // The whole accrual once more: every single entry is in order, the deal is not.
        Cheat {
            guarantee: ExactlyOnce,
            code: "deal_differs_from_lines",
            prefix: "deal",
            of: "select deal_id as id from ledger_entry where seq = 1",
            sql: "insert into ledger_posting select (select max(seq) from ledger_entry), n + 100, account_id, amount_minor, account_seq + 1000, 0, line_id from ledger_posting where entry_seq = 1;
                  update ledger_entry set deal_id = (select deal_id from ledger_entry where seq = 1) where seq = (select max(seq) from ledger_entry)",
        },
        Cheat {
            guarantee: ExactlyOnce,
            code: "fact_twice",
            prefix: "deal",
            of: "select deal_id as id from deal_fact f order by f.id limit 1",
            sql: "insert into deal_fact select gen_random_uuid(), deal_id, kind, body, body_sha256, occurred_on, known_at, source_organisation_id, import_id from deal_fact order by id limit 1",
        },
        Cheat {
            guarantee: ExactlyOnce,
            code: "accrued_twice",
            prefix: "deal",
            of: "select deal_id as id from ledger_entry where kind = 'release' order by seq limit 1",
            sql: "update ledger_entry set kind = 'accrual' where seq = (select seq from ledger_entry where kind = 'release' order by seq limit 1)",
        },
        Cheat {
            guarantee: ExactlyOnce,
            code: "payout_not_posted_once",
            prefix: "payout",
            of: "select id from payout order by id limit 1",
            sql: "update ledger_entry set source_id = (select id from payout order by id limit 1) where kind = 'payout_initiated'",
        },
        Cheat {
            guarantee: ExactlyOnce,
            code: "line_differs_from_payouts",
            prefix: "line",
            of: "select line_id as id from payout_line order by payout_id, line_id limit 1",
            sql: "insert into payout_line select (select id from payout order by id desc limit 1), line_id, amount_minor from payout_line order by payout_id, line_id limit 1",
        },
    ]);
}

#[test]
fn payout() {
    prove(&[
        Cheat {
            guarantee: Payout,
            code: "payout_differs_from_entry",
            prefix: "payout",
            of: "select id from payout order by id limit 1",
            sql: "update payout set amount_minor = amount_minor + 1, gross_minor = gross_minor + 1 where id = (select id from payout order by id limit 1)",
        },
        Cheat {
            guarantee: Payout,
            code: "payout_differs_from_lines",
            prefix: "payout",
            of: "select payout_id as id from payout_line order by payout_id, line_id limit 1",
            sql: "delete from payout_line where (payout_id, line_id) = (select payout_id, line_id from payout_line order by payout_id, line_id limit 1)",
        },
        Cheat {
            guarantee: Payout,
            code: "run_differs_from_payouts",
            prefix: "run",
            of: "select id from payout_run",
            sql: "delete from payout_line where payout_id = (select id from payout order by id limit 1); delete from payout where id = (select id from payout order by id limit 1)",
        },
        Cheat {
            guarantee: Payout,
            code: "entry_without_payout",
            prefix: "entry",
            of: "select id from ledger_entry where kind = 'payout_initiated' order by seq limit 1",
            sql: "update ledger_entry set source_id = gen_random_uuid() where seq = (select seq from ledger_entry where kind = 'payout_initiated' order by seq limit 1)",
        },
        // One cent more on the first line of the file, its digest made to fit.
        of_the_file(
            "bank_file_differs",
            "update bank_file set bytes = changed, sha256 = sha256(changed) from (select set_byte(bytes, 122 + 29, 48 + (get_byte(bytes, 122 + 29) - 47) % 10) changed from bank_file) c",
        ),
        of_the_file(
            "bank_file_malformed",
            "update bank_file set bytes = changed, sha256 = sha256(changed) from (select substr(bytes, 2) changed from bank_file) c",
        ),
        of_the_file("bank_file_missing", "delete from bank_file_payout"),
    ]);
}

fn of_the_file(code: &'static str, sql: &'static str) -> Cheat {
    Cheat { guarantee: Payout, code, prefix: "run", of: "select id from payout_run", sql }
}
