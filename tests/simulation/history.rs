//! Over the deals that were.

use diesel::connection::SimpleConnection as _;
use domain::access::Viewer;
use domain::agreements::reference;
use domain::kernel::Rate;
use domain::kernel::ids::DealId;
use domain::simulation::population::{Chunk, PopulationAsked, PopulationFilter};
use domain::simulation::report::AmountsReport;
use domain::simulation::{Population, Proposal, Shocks, SimulationError, Simulator, run};
use serde_json::json;

use super::{all, bytes, changed, found, higher, imported, proposal, simulation, with_trail};

const EARNED: &str = "select sum(earned_minor) from commission_line";
const TAKEN: &str = "select sum(clawed_back_minor) from commission_line";
const PLATFORM: &str = "select sum(earned_minor - clawed_back_minor) from commission_line where role = 'platform'";
const OTHERS: &str = "select sum(earned_minor - clawed_back_minor) from commission_line where role <> 'platform'";

#[test]
fn as_things_are_it_finds_what_the_ledger_accrued() {
    let platform = imported();
    let found = found(&platform, &simulation(&platform, Vec::new(), all()));
    let totals = &found.report.scenarios[0].totals;
    let expected = AmountsReport {
        earned_minor: platform.number(EARNED),
        clawed_back_minor: platform.number(TAKEN),
        platform_minor: platform.number(PLATFORM),
        participants_minor: platform.number(OTHERS),
    };
    assert_eq!(*totals, expected);
    let population = &found.report.population;
    assert_eq!(population.deals, platform.number("select count(*) from deal").unsigned_abs());
    assert_eq!(population.settled, platform.number("select count(settled_on) from deal").unsigned_abs());
    assert_eq!((population.ungoverned, population.out_of_range), (0, 0));
    // Cash: by the month from which a line may be paid, less what is taken back in the month of the unwinding.
    let cash = &found.report.scenarios[0].cash_by_month;
    for month in cash {
        let day = month.month;
        let of_month = format!(
            "select coalesce((select sum(l.earned_minor) from commission_line l where role <> 'platform' and date_trunc('month', l.payable_on) = '{day}'), 0)
               - coalesce((select sum(l.clawed_back_minor) from commission_line l join deal d on d.id = l.deal_id
                  where role <> 'platform' and date_trunc('month', d.discharged_on) = '{day}'), 0)"
        );
        assert_eq!(month.participants_minor, platform.number(&of_month), "{day}");
    }
    assert_eq!(cash.iter().map(|month| month.participants_minor).sum::<i64>(), totals.participants_minor);
    let most = cash.iter().map(|month| month.participants_minor).max();
    assert_eq!(found.report.scenarios[0].worst_month.as_ref().map(|month| month.participants_minor), most);
}

#[test]
fn a_candidate_that_says_what_is_active_changes_nothing() {
    let platform = imported();
    let same = reference::v01().expect("the reference").content().clone();
    let found = found(&platform, &simulation(&platform, proposal(same), all()));
    let comparison = &found.report.comparisons[0];
    assert_eq!((comparison.changed_deals, comparison.changed_lines, comparison.difference_minor), (0, 0, 0));
    assert_eq!((comparison.winners, comparison.losers), (0, 0));
    assert_eq!(found.report.scenarios[0].totals, found.report.scenarios[1].totals);
    assert!(found.changes.is_empty() && comparison.deal_percentiles.is_none());
}

#[test]
fn a_higher_rate_earns_what_sql_works_out() {
    let platform = imported();
    let found = found(&platform, &simulation(&platform, proposal(higher()), all()));
    let expected = platform
        .number("select sum(round((settled_minor - offset_minor) * 0.007)) from deal where settled_on is not null");
    assert_eq!(found.report.scenarios[1].totals.earned_minor, expected);
    let comparison = &found.report.comparisons[0];
    let scenarios = &found.report.scenarios;
    assert_eq!(comparison.difference_minor, scenarios[1].totals.net_minor() - scenarios[0].totals.net_minor());
    assert_eq!(comparison.changed_deals, platform.number("select count(settled_on) from deal").unsigned_abs());
    // The deal that changes most for participants is first, and only so many are kept.
    let by: Vec<u64> = found.changes.iter().map(|change| change.net_minor[0].abs_diff(change.net_minor[1])).collect();
    assert_eq!(by.len(), 100);
    assert!(by.is_sorted_by(|more, less| more >= less), "{by:?}");
    let percentiles = comparison.deal_percentiles.as_ref().expect("changed deals");
    assert_eq!(percentiles.most_minor.unsigned_abs(), by[0]);
}

#[test]
fn totals_are_those_of_the_participants() {
    let platform = imported();
    let found = found(&platform, &simulation(&platform, proposal(higher()), all()));
    let report = &found.report;
    for (scenario, sums) in report.scenarios.iter().enumerate() {
        let named: i64 = report.participants.largest.iter().map(|one| one.net_minor[scenario]).sum();
        assert_eq!(named + report.participants.others_minor[scenario], sums.totals.participants_minor);
        let parts = |parts: &[domain::simulation::report::NamedAmounts]| {
            parts.iter().map(|part| part.amounts.earned_minor).sum::<i64>()
        };
        assert_eq!(parts(&sums.by_vertical), sums.totals.earned_minor);
        assert_eq!(parts(&sums.by_cohort), sums.totals.earned_minor);
    }
    let comparison = &report.comparisons[0];
    assert_eq!(comparison.winners + comparison.losers + comparison.unchanged, report.participants.count);
    assert!(comparison.top_winners.is_sorted_by(|more, less| more.difference_minor >= less.difference_minor));
}

/// A rate by the member's volume of the quarter, the deal itself included.
fn by_volume() -> domain::agreements::VersionContent {
    changed(|content| {
        content["accumulators"] =
            json!([{"key": "volume", "measure": "settled_amount", "scope": "member", "window": "quarter"}]);
        let tier = |from: i64, rate: &str| {
            let from = json!({"type": "money", "value": {"amount": from, "currency": "AUD"}});
            json!({"from": from, "pays": {"kind": "percent", "rate": rate}})
        };
        content["components"][0]["rate"] = json!({"kind": "tiered", "of": "net_balance", "mode": "whole",
            "by": {"kind": "accumulator", "key": "volume"},
            "tiers": [tier(0, "0.006"), tier(300_000_000, "0.007"), tier(600_000_000, "0.008")]});
    })
}

#[test]
fn running_totals_go_in_the_order_of_the_deals() {
    let platform = imported();
    let found = found(&platform, &simulation(&platform, proposal(by_volume()), all()));
    let expected = platform.number(
        "select sum(round(net * case when volume >= 600000000 then 0.008 when volume >= 300000000 then 0.007 else 0.006 end)) from (
           select settled_minor - offset_minor as net, sum(settled_minor) over (
             partition by member_id, date_trunc('quarter', settled_on) order by settled_on, source_organisation_id, external_ref collate \"C\", id) as volume
           from deal where settled_on is not null) d",
    );
    assert_eq!(found.report.scenarios[1].totals.earned_minor, expected);
    // What a kept deal is explained by: where its totals stood.
    assert!(found.changes.iter().all(|change| change.counters[0].is_empty() && change.counters[1].len() == 1));
}

#[test]
fn only_the_deals_of_a_filter_are_worked_out() {
    let platform = imported();
    let deals = |filter: PopulationFilter| {
        found(&platform, &simulation(&platform, Vec::new(), Population::History(filter))).report.population.deals
    };
    let counted = |condition: &str| {
        platform
            .number(&format!("select count(*) from deal d join product p on p.id = d.product_id where {condition}"))
            .unsigned_abs()
    };
    let product = |code: &str| PopulationFilter {
        product: Some(domain::catalogue::ProductCode::parse(code).expect("a code")),
        ..PopulationFilter::default()
    };
    assert_eq!(deals(product("FIXED-3Y")), counted("p.code = 'FIXED-3Y'"));
    assert_eq!(deals(product("NOBODY-SELLS-IT")), 0);
    let vertical = |n| domain::catalogue::VerticalCode::try_new(n).ok();
    assert_eq!(deals(PopulationFilter { vertical: vertical(1), ..PopulationFilter::default() }), counted("true"));
    assert_eq!(deals(PopulationFilter { vertical: vertical(2), ..PopulationFilter::default() }), 0);
    assert_eq!(
        deals(PopulationFilter {
            referred_from: Some(jiff::civil::date(2025, 3, 1)),
            referred_until: Some(jiff::civil::date(2025, 6, 30)),
            ..PopulationFilter::default()
        }),
        counted("referred_on between '2025-03-01' and '2025-06-30'")
    );
    assert_eq!(
        deals(PopulationFilter { introducer: Some(platform.introducer), ..PopulationFilter::default() }),
        counted("true")
    );
    assert_eq!(deals(PopulationFilter { introducer: Some(platform.provider), ..PopulationFilter::default() }), 0);
}

#[test]
fn how_deals_are_cut_and_in_which_order_they_come_makes_no_difference() {
    let platform = imported();
    let simulation = simulation(&platform, proposal(higher()), all());
    let mut chunks: Vec<Chunk> = Vec::new();
    platform
        .store()
        .read_snapshot(&Viewer::Everything, |queries| {
            queries.simulations().stream_deals(&PopulationAsked::default(), &mut |chunk| {
                chunks.push(chunk);
                true
            })
        })
        .expect("the deals");
    let whole = chunks.pop().expect("one chunk");
    assert!(chunks.is_empty());
    let shocks = Shocks {
        volume: Rate::parse("1.5").expect("a rate"),
        unwound: Rate::parse("0.1").expect("a rate"),
        ..Shocks::default()
    };
    let of = |parts: Vec<Chunk>| {
        let mut simulator = Simulator::new(&simulation.scenarios, &shocks, 7, "history", 50);
        parts.iter().for_each(|part| simulator.take(part).expect("in range"));
        simulator.found().expect("in range")
    };
    let together = of(vec![whole.clone()]);
    let mut deals = whole.deals.clone();
    deals.reverse();
    let apart = deals.chunks(97).map(|deals| Chunk { deals: deals.to_vec(), ..whole.clone() }).collect();
    assert_eq!(of(apart), together);
    assert!(together.report.population.deals > whole.deals.len() as u64);
    // Recorded elsewhere, under other ids, the same export meets the same chances.
    let mut elsewhere = whole.clone();
    for (deal, n) in elsewhere.deals.iter_mut().zip(1_u128..) {
        deal.id = DealId::new(uuid::Uuid::from_u128(n));
    }
    assert_eq!(of(vec![elsewhere]).report, together.report);
}

#[test]
fn shocks_do_what_they_say_and_the_seed_decides_to_whom() {
    let platform = imported();
    let rate = |text: &str| Rate::parse(text).expect("a rate");
    let of = |shocks: Shocks, seed: u64| {
        let simulation = domain::simulation::Simulation { shocks, seed, ..simulation(&platform, Vec::new(), all()) };
        found(&platform, &simulation)
    };
    let usual = of(Shocks::default(), 1);
    let settled = usual.report.population.settled;
    let none_settle = of(Shocks { lost: Rate::WHOLE, ..Shocks::default() }, 1);
    assert_eq!((none_settle.report.population.settled, none_settle.report.scenarios[0].totals.earned_minor), (0, 0));
    assert_eq!(of(Shocks { unwound: Rate::WHOLE, ..Shocks::default() }, 1).report.population.unwound, settled);
    assert_eq!(of(Shocks { volume: rate("2"), ..Shocks::default() }, 1).report.population.settled, 2 * settled);
    let larger = of(Shocks { size: rate("2"), ..Shocks::default() }, 1);
    let doubled = platform.number(
        "select sum(round((settled_minor - offset_minor) * 2 * 0.0065)) from deal where settled_on is not null",
    );
    assert_eq!(larger.report.scenarios[0].totals.earned_minor, doubled);
    let lost = |seed| bytes(&of(Shocks { lost: rate("0.3"), ..Shocks::default() }, seed));
    assert_eq!(lost(1), lost(1));
    assert_ne!(lost(1), lost(2));
    // A month later, every line is paid a month later.
    let later = of(Shocks { settle_days: 31, ..Shocks::default() }, 1);
    assert!(later.report.scenarios[0].cash_by_month[0].month > usual.report.scenarios[0].cash_by_month[0].month);
}

#[test]
fn whoever_watches_may_stop_it() {
    let platform = imported();
    let simulation = simulation(&platform, Vec::new(), all());
    let mut heard = 0;
    let outcome = run(platform.store(), &simulation, &mut |progress| {
        heard += 1;
        assert!(progress.total.is_some());
        if heard == 2 { Err(SimulationError::Stopped) } else { Ok(()) }
    });
    assert_eq!(outcome.map(|_| ()), Err(SimulationError::Stopped));
    assert_eq!(heard, 2);
}

#[test]
fn a_candidate_that_makes_no_sense_is_named_with_its_faults() {
    let platform = imported();
    let wrong = changed(|content| content["components"][0]["split"][0]["share"] = "0.9".into());
    let proposals = vec![Proposal { name: "too much".into(), content: wrong }];
    let Err(SimulationError::Content { name, findings }) = domain::simulation::gather(platform.store(), proposals)
    else {
        panic!("it was taken")
    };
    assert_eq!(name, "too much");
    assert!(findings.iter().all(|finding| finding.pointer.starts_with("/components/0")), "{findings:?}");
}

#[test]
fn a_trail_is_worked_out_for_each_month_whose_balance_is_known() {
    let platform = imported();
    platform
        .owner()
        .batch_execute(
            "insert into deal_balance (deal_id, month, balance_minor, fact_id, known_at)
             select id, (date_trunc('month', settled_on) + n * interval '1 month')::date, settled_minor, id, now()
             from deal, generate_series(1, 6) n where settled_on is not null",
        )
        .expect("balances");
    let found = found(&platform, &simulation(&platform, proposal(with_trail()), all()));
    // Nothing for a month by whose end the deal had unwound.
    let trail = platform.number(
        "select sum(round(b.balance_minor * 0.0024 / 12)) from deal_balance b join deal d on d.id = b.deal_id
         where d.discharged_on is null or d.discharged_on > (b.month + interval '1 month' - interval '1 day')::date",
    );
    let [active, candidate] = [0, 1].map(|scenario: usize| &found.report.scenarios[scenario].totals);
    assert_eq!(candidate.earned_minor - active.earned_minor, trail);
    assert_eq!(
        found.report.population.trail_months,
        platform.number("select count(*) from deal_balance").unsigned_abs()
    );
}
