//! Over made-up deals that go on as those of the past did.

use domain::simulation::population::PopulationFilter;
use domain::simulation::report::Band;
use domain::simulation::{Population, Simulation, SimulationError, run};
use harness::platform::Platform;

use super::{bytes, found, higher, imported, proposal, simulation, with_trail};

fn flow(months: u16, runs: u32) -> Population {
    Population::Synthetic { like: PopulationFilter::default(), months, runs }
}

#[test]
fn the_same_seed_gives_the_same_bytes_with_any_number_of_threads() {
    let platform = imported();
    let with = |seed: u64, threads: usize| Simulation {
        seed,
        threads,
        ..simulation(&platform, proposal(higher()), flow(12, 5))
    };
    let first = bytes(&found(&platform, &with(1, 2)));
    assert_eq!(bytes(&found(&platform, &with(1, 2))), first);
    assert_eq!(bytes(&found(&platform, &with(1, 1))), first);
    assert_eq!(bytes(&found(&platform, &with(1, 3))), first);
    assert_ne!(bytes(&found(&platform, &with(2, 2))), first);
}

fn is_ordered(band: &Band) -> bool {
    [band.p5_minor, band.p25_minor, band.p50_minor, band.p75_minor, band.p95_minor].is_sorted()
}

#[test]
fn bands_are_ordered_and_hold_what_a_single_run_found() {
    let platform = imported();
    let found = found(&platform, &simulation(&platform, proposal(higher()), flow(6, 40)));
    let runs = found.report.monte_carlo.as_ref().expect("bands");
    assert_eq!((runs.runs, runs.scenarios.len()), (40, 2));
    for scenario in &runs.scenarios {
        assert!(is_ordered(&scenario.participants) && is_ordered(&scenario.platform));
        assert!(scenario.participants.p5_minor < scenario.participants.p95_minor);
        assert!(scenario.cash_by_month.iter().all(|month| is_ordered(&month.participants)));
        assert!(scenario.cash_by_month.is_sorted_by(|one, next| one.month < next.month));
    }
    // A higher rate pays more in each run, so in each band.
    let (active, candidate) = (&runs.scenarios[0].participants, &runs.scenarios[1].participants);
    assert!(active.p5_minor < candidate.p5_minor && active.p95_minor < candidate.p95_minor);
    assert!(found.changes.is_empty(), "made-up deals are nobody's to explain");
}

#[test]
fn a_made_up_year_is_like_the_past() {
    let platform = imported();
    let found = found(&platform, &simulation(&platform, Vec::new(), flow(24, 1)));
    let population = &found.report.population;
    // The volume of a month is one of a past month's: of two years it lies between 24 times the least and the most.
    let by_month = "(select count(d.id) as n from generate_series(date_trunc('month', (select min(referred_on) from deal)),
        date_trunc('month', (select max(greatest(referred_on, settled_on, discharged_on)) from deal)) - interval '1 month', interval '1 month') m
        left join deal d on date_trunc('month', d.referred_on) = m group by m) v";
    let least = platform.number(&format!("select min(n) from {by_month}")).unsigned_abs();
    let most = platform.number(&format!("select max(n) from {by_month}")).unsigned_abs();
    assert!((24 * least..=24 * most).contains(&population.deals), "{} of {least} to {most}", population.deals);
    // Nobody is paid who was not there.
    let members = platform.number("select count(*) from member").unsigned_abs();
    assert!(found.report.participants.count > 0 && found.report.participants.count <= members);
    // It begins after the last day of the past.
    let last =
        platform.number("select extract(epoch from max(greatest(referred_on, settled_on, discharged_on))) from deal");
    let first = found.report.scenarios[0].cash_by_month[0].month;
    assert!(
        jiff::Timestamp::from_second(last).expect("a moment").to_zoned(jiff::tz::TimeZone::UTC).date()
            < first.last_of_month()
    );
}

#[test]
fn without_a_past_there_is_nothing_to_go_by() {
    let platform = Platform::new();
    let simulation = simulation(&platform, Vec::new(), flow(3, 1));
    let outcome = run(platform.store(), &simulation, &mut |_| Ok(()));
    assert_eq!(outcome.map(|_| ()), Err(SimulationError::NothingToGoBy));
}

#[test]
fn made_up_deals_have_balances_where_a_trail_asks_for_them() {
    let platform = imported();
    let found = found(&platform, &simulation(&platform, proposal(with_trail()), flow(12, 1)));
    let [active, candidate] = [0, 1].map(|scenario: usize| &found.report.scenarios[scenario].totals);
    // What the candidate pays beside the upfront is the trail alone, and none of that is taken back.
    assert!(candidate.earned_minor > active.earned_minor);
    assert_eq!(candidate.clawed_back_minor, active.clawed_back_minor);
    assert!(found.report.population.trail_months > 0);
}
