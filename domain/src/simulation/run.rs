//! A simulation from beginning to end: history streams out of the store on one thread and through the scenarios on
//! another; the runs of a synthetic flow share the threads that there are.
//!
//! Memory: a few chunks of deals and the sums, however many deals there are.

use std::collections::BTreeMap;
use std::sync::mpsc;

use super::SimulationError;
use super::calibration::{Calibration, Flow};
use super::found::Found;
use super::population::{Chunk, Orders, PopulationAsked, PopulationFilter};
use super::report::{Band, MonteCarlo, MonthBand, ScenarioBands, SimulationReport};
use super::scenario::{MOST_SCENARIOS, Scenarios};
use super::shocks::Shocks;
use super::simulator::Simulator;
use super::tally::{Amounts, month_of};
use crate::access::Viewer;
use crate::jobs::Progress;
use crate::store::{Store, StoreError};

/// Chunks that wait between the threads.
const WAITING: usize = 2;

/// Which deals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Population {
    /// Those that were.
    History(PopulationFilter),
    /// Made-up ones, which go on as those that were.
    Synthetic {
        /// What they are made after.
        like: PopulationFilter,
        /// Over so many months.
        months: u16,
        /// So many times.
        runs: u32,
    },
}

/// What is to be simulated.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// By which versions.
    pub scenarios: Scenarios,
    /// Which deals.
    pub population: Population,
    /// What happens to them.
    pub shocks: Shocks,
    /// What chance is drawn from.
    pub seed: u64,
    /// So many changed deals are kept.
    pub changes: usize,
    /// Threads that runs are shared by.
    pub threads: usize,
}

/// Hears how far a simulation is, and may stop it.
pub type Watch<'w> = &'w mut dyn FnMut(Progress) -> Result<(), SimulationError>;

/// Carries it out. Progress counts deals of history, or runs.
///
/// # Errors
/// See [`SimulationError`]; [`SimulationError::Stopped`] when who watches says so.
pub fn run(store: &dyn Store, simulation: &Simulation, watch: Watch<'_>) -> Result<Found, SimulationError> {
    match &simulation.population {
        Population::History(filter) => history(store, simulation, filter, watch),
        Population::Synthetic { like, months, runs } => synthetic(store, simulation, like, (*months, *runs), watch),
    }
}

enum Message {
    Total(u64),
    Deals(Chunk),
}

/// Streams deals on a thread of its own.
fn stream(
    store: &dyn Store,
    asked: &PopulationAsked,
    watch: Watch<'_>,
    mut take: impl FnMut(&Chunk) -> Result<(), SimulationError>,
) -> Result<(), SimulationError> {
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::sync_channel(WAITING);
        let read = scope.spawn(move || {
            store.read_snapshot(&Viewer::Everything, |queries| {
                let total = queries.simulations().count_deals(&asked.filter)?;
                if sender.send(Message::Total(total)).is_err() {
                    return Ok(());
                }
                queries.simulations().stream_deals(asked, &mut |chunk| sender.send(Message::Deals(chunk)).is_ok())
            })
        });
        let mut progress = Progress::default();
        let mut taken = || -> Result<(), SimulationError> {
            for message in &receiver {
                match message {
                    Message::Total(total) => progress.total = Some(total),
                    Message::Deals(chunk) => {
                        take(&chunk)?;
                        progress.done += chunk.deals.len() as u64;
                    }
                }
                watch(progress)?;
            }
            Ok(())
        };
        let outcome = taken();
        // Whoever still reads finds nobody listening, and ends.
        drop(receiver);
        let read = read.join().unwrap_or_else(|_| Err(StoreError::Failed("the reading thread panicked".into())));
        outcome.and(read.map_err(SimulationError::from))
    })
}

fn history(
    store: &dyn Store,
    simulation: &Simulation,
    filter: &PopulationFilter,
    watch: Watch<'_>,
) -> Result<Found, SimulationError> {
    let scenarios = &simulation.scenarios;
    let asked =
        PopulationAsked { filter: filter.clone(), order: scenarios.orders()?, balances: scenarios.need_balances() };
    let mut simulator = Simulator::new(scenarios, &simulation.shocks, simulation.seed, "history", simulation.changes);
    stream(store, &asked, watch, |chunk| simulator.take(chunk))?;
    simulator.found()
}

fn synthetic(
    store: &dyn Store,
    simulation: &Simulation,
    like: &PopulationFilter,
    (months, runs): (u16, u32),
    watch: Watch<'_>,
) -> Result<Found, SimulationError> {
    let mut calibration = Calibration::default();
    let asked = PopulationAsked { filter: like.clone(), order: Orders::new(), balances: false };
    stream(store, &asked, &mut |_| watch(Progress::default()), |chunk| {
        calibration.take(chunk);
        Ok(())
    })?;
    let flow = calibration.flow().ok_or(SimulationError::NothingToGoBy)?;
    flowed(simulation, &flow, (months, runs), watch)
}

/// What one run comes to.
struct Run {
    deals: u64,
    totals: [Amounts; MOST_SCENARIOS],
    /// What participants are paid by the number of the month, by scenario.
    months: Vec<BTreeMap<i32, i64>>,
}

/// Runs a flow so many times.
///
/// # Errors
/// See [`SimulationError`].
pub fn flowed(
    simulation: &Simulation,
    flow: &Flow,
    (months, runs): (u16, u32),
    watch: Watch<'_>,
) -> Result<Found, SimulationError> {
    let total = Some(u64::from(runs));
    let (mut found, first) = one_run(simulation, flow, (0, months))?;
    watch(Progress { done: 1, total })?;
    if runs > 1 {
        let mut all = vec![first];
        let threads = u32::try_from(simulation.threads.max(1)).unwrap_or(1);
        let mut next = 1;
        while next < runs {
            let batch: Vec<u32> = (next..runs.min(next.saturating_add(threads))).collect();
            next += u32::try_from(batch.len()).unwrap_or(1);
            let done = std::thread::scope(|scope| {
                let begun: Vec<_> =
                    batch.iter().map(|run| scope.spawn(move || one_run(simulation, flow, (*run, months)))).collect();
                let ended = begun.into_iter().map(|thread| {
                    thread.join().unwrap_or_else(|_| Err(StoreError::Failed("a run panicked".into()).into()))
                });
                ended.collect::<Result<Vec<_>, SimulationError>>()
            })?;
            all.extend(done.into_iter().map(|(_, run)| run));
            watch(Progress { done: u64::from(next), total })?;
        }
        found.report.monte_carlo = Some(bands(&found.report, &all));
    }
    Ok(found)
}

fn one_run(simulation: &Simulation, flow: &Flow, (run, months): (u32, u16)) -> Result<(Found, Run), SimulationError> {
    let scenarios = &simulation.scenarios;
    let seed = simulation.seed;
    // Made-up deals are nobody's to explain.
    let mut simulator = Simulator::new(scenarios, &simulation.shocks, seed, "synthetic", 0);
    flow.run(seed, (run, months), scenarios, |chunk| simulator.take(chunk))?;
    let (deals, totals) = (simulator.population.deals, simulator.totals);
    let months = simulator.months.iter().map(|months| {
        months.by_number().map(|(number, cash)| (number, cash.participants_minor)).collect::<BTreeMap<i32, i64>>()
    });
    let run = Run { deals, totals, months: months.collect() };
    Ok((simulator.found()?, run))
}

fn bands(report: &SimulationReport, runs: &[Run]) -> MonteCarlo {
    let of = |amount: &dyn Fn(&Run) -> i64| Band::of(runs.iter().map(amount).collect());
    let scenarios = report.scenarios.iter().enumerate().map(|(place, scenario)| {
        let months =
            runs.iter().filter_map(|run| run.months.get(place)?.keys().next().zip(run.months[place].keys().last()));
        let first = months.clone().map(|(first, _)| *first).min();
        let last = months.map(|(_, last)| *last).max();
        let numbers = first.zip(last).map_or(0..0, |(first, last)| first..last + 1);
        let cash_by_month = numbers.filter_map(|number| {
            let participants = of(&|run: &Run| run.months[place].get(&number).copied().unwrap_or_default());
            Some(MonthBand { month: month_of(number)?, participants })
        });
        ScenarioBands {
            name: scenario.name.clone(),
            participants: of(&|run: &Run| run.totals[place].participants_minor),
            platform: of(&|run: &Run| run.totals[place].platform_minor),
            cash_by_month: cash_by_month.collect(),
        }
    });
    MonteCarlo {
        runs: u32::try_from(runs.len()).unwrap_or(u32::MAX),
        deals: runs.iter().map(|run| run.deals).sum(),
        scenarios: scenarios.collect(),
    }
}
