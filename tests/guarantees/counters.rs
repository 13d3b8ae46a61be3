//! Counters around deals: the guarantees hold over deals that were worked out again, and name the deal where a superuser
//! cheated.

use domain::guarantees::Guarantee::{Determinism, Integrity};
use domain::kernel::id::encode;
use harness::counted;

use crate::{of, report};

#[test]
fn a_chain_that_was_cut_or_moved_is_named() {
    let sale = |name: &str, member: &str, on: u8| {
        format!("{name},{member},Ann,{},2026-01-01,,2026-01-{on:02},400000.00,,", counted::PRODUCT)
    };
    let told = |rows: &[String]| {
        let rows = rows.join("\n");
        let header = domain::deals::import::COLUMNS.join(",");
        format!("{header}\n{rows}\n").into_bytes()
    };
    let platform = || {
        let platform = counted::platform();
        let _ = platform.import(&told(&[sale("ONE", "A", 10), sale("TWO", "A", 20)]));
        let _ = platform.import(&told(&[sale("LATE", "B", 15), sale("THREE", "A", 12)]));
        let _ = platform.sequence();
        platform
    };
    let whole = platform();
    let holds = report(&whole);
    assert!(holds.holds, "{:?}", holds.guarantees);
    // Each deal once, and the one of the 20th again after the two that came late.
    assert_eq!(of(&holds, Determinism).coverage["calculations"], 5);
    for (name, sql) in [
        // One that does not follow from the one before it.
        (
            "THREE",
            "update deal_counter set after_total = after_total + 1 where counter = 'accumulator.volume' and external_ref = 'ONE'",
        ),
        (
            "TWO",
            "update deal_counter set before_awards = 0 where counter = 'accumulator.deals' and external_ref = 'TWO'",
        ),
        ("LATE", "delete from deal_counter where counter = 'limit.accelerator.0' and external_ref = 'THREE'"),
        // The last of a chain, or all around a deal, is gone.
        ("TWO", "delete from deal_counter where counter = 'accumulator.volume' and external_ref = 'TWO'"),
        ("LATE", "delete from deal_counter where external_ref = 'LATE'"),
        // A whole chain that follows from itself, and from no calculation.
        (
            "THREE",
            "update deal_counter set before_total = before_total + 100 * (external_ref <> 'ONE')::int, after_total = after_total + 100 where counter = 'accumulator.volume' and scope like 'mem%' and external_ref <> 'LATE'",
        ),
    ] {
        let platform = platform();
        let deal = platform.ids_of(&format!("select id from deal where external_ref = '{name}'"))[0];
        platform.tamper(sql);
        let broken = report(&platform);
        let found: Vec<(&str, &str)> =
            of(&broken, Integrity).counterexamples.iter().map(|c| (c.id.as_str(), c.code.as_str())).collect();
        let named = format!("deal_{}", encode(deal));
        assert!(found.contains(&(named.as_str(), "counter_not_chained")), "{sql}: {found:?}");
    }
}
