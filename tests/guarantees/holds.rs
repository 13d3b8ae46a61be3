//! They hold over what the platform does by itself, and say how much they looked at.

use domain::guarantees::Guarantee;
use harness::platform::Platform;

use crate::{EXAMPLE, MEMBERS, of, paid, report};

const ALL: &[u8] = include_bytes!("../../data/v01/v01-deals.csv");
const ALL_MEMBERS: &str = include_str!("../../data/v01/v01-members.csv");

#[test]
fn nothing_at_all_is_whole() {
    let platform = Platform::new();
    let report = report(&platform);
    assert!(report.holds, "{:?}", report.guarantees);
    assert_eq!((report.checkpoint, report.ledger_seq), (None, 0));
}

#[test]
fn they_hold_over_the_whole_export_and_count_it() {
    let platform = Platform::new();
    platform.onboard(ALL_MEMBERS);
    let _ = platform.import(ALL);
    let head = platform.sequence();
    let report = report(&platform);
    assert!(report.holds, "{:?}", report.guarantees);
    assert_eq!(report.checkpoint, Some(head));
    let counted = |guarantee, what: &str| of(&report, guarantee).coverage[what];
    let number = |sql| u64::try_from(platform.number(sql)).expect("a count");
    assert_eq!(counted(Guarantee::Attribution, "handshakes_attested"), 1200);
    assert_eq!(counted(Guarantee::Attribution, "handshakes_sealed"), number("select count(*) from handshake"));
    assert_eq!(counted(Guarantee::Determinism, "calculations"), number("select count(*) from calculation"));
    assert_eq!(counted(Guarantee::Integrity, "entries"), number("select count(*) from ledger_entry"));
    assert_eq!(counted(Guarantee::Integrity, "postings"), number("select count(*) from ledger_posting"));
    assert_eq!(counted(Guarantee::Integrity, "leaves"), head.size);
    assert_eq!(counted(Guarantee::ExactlyOnce, "lines"), number("select count(*) from commission_line"));
    assert_eq!(report.ledger_seq, number("select max(seq) from ledger_entry"));
}

#[test]
fn they_hold_after_corrections_clawbacks_releases_and_a_payout() {
    let platform = paid();
    let header = "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on";
    for (amount, discharged) in [("100000.00", ""), ("250000.00", ""), ("250000.00", "2026-05-01"), ("250000.00", "")] {
        let row = format!("C-1,M016,Ann,FIXED-3Y,2026-01-01,2026-01-10,2026-02-01,{amount},0.00,{discharged}");
        let _ = platform.import(format!("{header}\n{row}\n").as_bytes());
        let _ = platform.sequence();
        let report = report(&platform);
        assert!(report.holds, "{:?}", report.guarantees);
    }
    let report = report(&platform);
    assert_eq!(of(&report, Guarantee::Payout).coverage["runs_executed"], 1);
    assert!(of(&report, Guarantee::Payout).coverage["payouts"] > 0);
    assert_eq!(of(&report, Guarantee::Integrity).coverage["checkpoints"], 5);
    let paid = platform.number("select sum(amount_minor) from payout").to_string();
    assert_eq!(of(&report, Guarantee::Payout).figures["paid_minor"], paid);
}

#[test]
fn what_waits_for_its_index_is_counted_apart_and_broken_only_when_it_waits_too_long() {
    let mut platform = Platform::new();
    platform.onboard(MEMBERS);
    let _ = platform.import(EXAMPLE);
    let fresh = report(&platform);
    assert!(fresh.holds, "{:?}", fresh.guarantees);
    assert_eq!(of(&fresh, Guarantee::Attribution).coverage["handshakes_not_published_yet"], 14);
    platform.now = domain::kernel::Instant::new("2026-11-23T12:01:01Z".parse().expect("a time"));
    let late = report(&platform);
    let integrity = of(&late, Guarantee::Integrity);
    assert!(!integrity.holds);
    assert_eq!(integrity.counterexamples[0].code, "leaf_not_published_in_time");
    assert!(integrity.counterexample_count > 40, "all are counted");
    assert_eq!(integrity.counterexamples.len(), 20, "some are kept");
    assert!(of(&late, Guarantee::ExactlyOnce).holds);
    let _ = platform.sequence();
    assert!(report(&platform).holds);
}
