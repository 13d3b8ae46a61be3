//! `flip360 simulate`: other agreements over the deals that were, or over made-up ones that go on as they did.
//!
//! Reads the database and changes nothing. What it found goes to standard output, how far it is to standard error.

use std::io::{IsTerminal as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use domain::agreements::VersionContent;
use domain::catalogue::{ProductCode, VerticalCode};
use domain::jobs::Progress;
use domain::kernel::Rate;
use domain::kernel::fault::Faults;
use domain::kernel::ids::OrganisationId;
use domain::simulation::population::PopulationFilter;
use domain::simulation::{
    Found, MOST_CANDIDATES, MOST_MONTHS, MOST_RUNS, Population, Proposal, Shocks, Simulation, SimulationError, gather,
};
use domain::store::Store;
use jiff::civil::Date;
use persistence::{PgStore, PoolSizes};

use super::CommandError;
use super::database::{Database, Ownership};
use crate::config::DatabaseArgs;

mod chart;
mod tell;

/// Characters of the bar that shows progress.
const BAR: u64 = 40;

/// Which agreements, over which deals.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Examples:
  flip360 simulate                                      what the active agreements come to over all deals
  flip360 simulate --candidate higher.json              what another version of an agreement would have paid
  flip360 simulate --shock unwound=0.1 --shock volume=1.2
  flip360 simulate --months 36 --runs 100 --chart flow.html
  flip360 simulate --candidate a.json --candidate b.json --json > report.json")]
pub struct SimulateArgs {
    /// The content of a version, as JSON; repeated for up to 4. It governs every deal of its vertical. Default: none, so that only the active agreements are worked out.
    #[arg(long = "candidate", value_name = "FILE")]
    pub candidates: Vec<PathBuf>,
    /// Only deals of this vertical, such as V01.
    #[arg(long, value_name = "CODE", value_parser = vertical)]
    pub vertical: Option<VerticalCode>,
    /// Only deals of this product, such as FIXED-3Y.
    #[arg(long, value_name = "CODE", value_parser = product)]
    pub product: Option<ProductCode>,
    /// Only deals of this introducer's members: org_…
    #[arg(long, value_name = "ID", value_parser = organisation)]
    pub introducer: Option<OrganisationId>,
    /// Only deals referred on this day or later.
    #[arg(long, value_name = "DATE")]
    pub from: Option<Date>,
    /// Only deals referred on this day or earlier.
    #[arg(long, value_name = "DATE")]
    pub until: Option<Date>,
    /// Makes up deals for so many months to come, after what those of the past were like, in place of these.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_MONTHS)))]
    pub months: Option<u16>,
    /// Makes them up so many times, and says between which amounts the runs lie.
    #[arg(long, value_name = "N", default_value_t = 1, requires = "months", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_RUNS)))]
    pub runs: u32,
    /// What chance is drawn from: the same number, the same answer.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// What if: volume=1.2, size=0.9, lost=0.05, unwound=0.1, settle-days=30, or mix.CODE=2 for a product or vertical; repeated.
    #[arg(long = "shock", value_name = "WHAT=HOW")]
    pub shocks: Vec<String>,
    /// Draws cash by month and how differences are spread: .svg, or .html.
    #[arg(long, value_name = "FILE")]
    pub chart: Option<PathBuf>,
    /// Answers the report as JSON.
    #[arg(long)]
    pub json: bool,
    /// The database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

fn vertical(text: &str) -> Result<VerticalCode, String> {
    VerticalCode::parse(text).map_err(|error| error.to_string())
}

fn product(text: &str) -> Result<ProductCode, String> {
    ProductCode::parse(text).map_err(|error| error.to_string())
}

fn organisation(text: &str) -> Result<OrganisationId, String> {
    OrganisationId::parse(text).map_err(|error| error.to_string())
}

/// Simulates.
///
/// # Errors
/// When a file, an argument or the database cannot be used, or an agreement makes no sense.
pub fn run(args: &SimulateArgs) -> Result<ExitCode, CommandError> {
    let database = Database::open(&args.database, Ownership::Shared)?;
    let store = PgStore::new(&database.url, PoolSizes { writers: 1, readers: 1 });
    let outcome = answer(&store, args, &mut std::io::stdout().lock());
    drop(store);
    database.stop()?;
    outcome.map(|()| ExitCode::SUCCESS)
}

/// Simulates over the deals of a store, writes what was found, and draws it where that is asked for.
///
/// # Errors
/// As [`run`].
pub fn answer(store: &dyn Store, args: &SimulateArgs, out: &mut dyn Write) -> Result<(), CommandError> {
    if args.candidates.len() > MOST_CANDIDATES {
        return Err(CommandError::Other(format!("at most {MOST_CANDIDATES} candidates")));
    }
    let proposals = args.candidates.iter().map(|path| proposal(path)).collect::<Result<Vec<_>, _>>()?;
    let shocks = shocks(&args.shocks)?;
    let draw = args.chart.as_deref().map(chart::Format::of).transpose()?;
    let found = simulate(store, args, proposals, shocks)?;
    if let (Some(path), Some(format)) = (&args.chart, draw) {
        let text = chart::drawn(&found.report, format)?;
        let doing = || format!("cannot write {}", path.display());
        std::fs::write(path, text).map_err(|cause| CommandError::File { doing: doing(), cause })?;
    }
    let told = if args.json {
        let json = serde_json::to_string_pretty(&found.report).map_err(|e| CommandError::Other(e.to_string()))?;
        writeln!(out, "{json}")
    } else {
        tell::tell(&found, out)
    };
    told.map_err(|cause| CommandError::File { doing: "cannot write what was found".to_owned(), cause })
}

fn simulate(
    store: &dyn Store,
    args: &SimulateArgs,
    proposals: Vec<Proposal>,
    shocks: Shocks,
) -> Result<Found, CommandError> {
    let failed = |error: SimulationError| match error {
        SimulationError::Store(error) => CommandError::Store(error),
        SimulationError::Content { name, findings } => {
            let faults = findings.iter().map(|f| format!("\n  {}: {}: {}", f.pointer, f.code, f.message));
            CommandError::Other(format!("{name} does not make sense:{}", faults.collect::<String>()))
        }
        other => CommandError::Other(other.to_string()),
    };
    let filter = PopulationFilter {
        vertical: args.vertical,
        product: args.product.clone(),
        introducer: args.introducer,
        referred_from: args.from,
        referred_until: args.until,
    };
    let population = match args.months {
        None => Population::History(filter),
        Some(months) => Population::Synthetic { like: filter, months, runs: args.runs },
    };
    let simulation = Simulation {
        scenarios: gather(store, proposals).map_err(failed)?,
        population,
        shocks,
        seed: args.seed,
        changes: tell::SHOWN_CHANGES,
        threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
    };
    let unit = if args.months.is_some() { "runs" } else { "deals" };
    let mut shown = Shown { live: std::io::stderr().is_terminal(), last: None };
    let found = domain::simulation::run(store, &simulation, &mut |progress| {
        shown.progress(progress, unit);
        Ok(())
    });
    shown.end();
    found.map_err(failed)
}

/// How far it is, for who watches; each tenth as a line where nobody does.
struct Shown {
    live: bool,
    last: Option<u64>,
}

impl Shown {
    fn progress(&mut self, progress: Progress, unit: &str) {
        let Some(total) = progress.total.filter(|total| *total > 0) else { return };
        let steps = if self.live { BAR } else { 10 };
        let step = progress.done.min(total) * steps / total;
        if self.last == Some(step) {
            return;
        }
        self.last = Some(step);
        let done = progress.done;
        if self.live {
            let bar: String = (0..BAR).map(|place| if place < step { '█' } else { '·' }).collect();
            eprint!("\r{bar} {done} of {total} {unit}");
            // A line that is not shown is no reason to stop.
            let _ = std::io::stderr().flush();
        } else {
            eprintln!("{done} of {total} {unit}");
        }
    }

    fn end(&self) {
        if self.live && self.last.is_some() {
            eprintln!();
        }
    }
}

fn proposal(path: &Path) -> Result<Proposal, CommandError> {
    let doing = || format!("cannot read {}", path.display());
    let bytes = std::fs::read(path).map_err(|cause| CommandError::File { doing: doing(), cause })?;
    let content = VersionContent::parse(&bytes);
    let content = content.map_err(|error| CommandError::Other(format!("{}: {error}", path.display())))?;
    let name = path.file_stem().map_or_else(|| "candidate".to_owned(), |stem| stem.to_string_lossy().into_owned());
    Ok(Proposal { name, content })
}

fn shocks(told: &[String]) -> Result<Shocks, CommandError> {
    let mut shocks = Shocks::default();
    for text in told {
        let unknown = || {
            let known = "volume, size, lost, unwound, settle-days or mix.CODE, such as volume=1.2";
            CommandError::Other(format!("--shock {text}: expected {known}"))
        };
        let (what, how) = text.split_once('=').ok_or_else(unknown)?;
        let rate = || Rate::parse(how).map_err(|error| CommandError::Other(format!("--shock {text}: {error}")));
        match (what, what.strip_prefix("mix.")) {
            ("volume", _) => shocks.volume = rate()?,
            ("size", _) => shocks.size = rate()?,
            ("lost", _) => shocks.lost = rate()?,
            ("unwound", _) => shocks.unwound = rate()?,
            ("settle-days", _) => shocks.settle_days = how.parse().map_err(|_| unknown())?,
            (_, Some(code)) if !code.is_empty() => drop(shocks.mix.insert(code.to_owned(), rate()?)),
            _ => return Err(unknown()),
        }
    }
    let mut faults = Faults::default();
    shocks.check(&mut faults);
    let named = |faults: Faults| {
        let each = faults.0.iter().map(|fault| format!("{}: {}", fault.pointer.trim_start_matches('/'), fault.detail));
        CommandError::Other(each.collect::<Vec<_>>().join("; "))
    };
    faults.check().map_err(named)?;
    Ok(shocks)
}
