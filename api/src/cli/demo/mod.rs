//! `flip360 demo`: a partner's export goes in; a balanced ledger, a bank file and receipts come out.
//!
//! Everything goes over the service's own HTTP API, on a service that it starts and removes, or on one
//! that is named. Exit status 0 only when everything held.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::Value;

use super::CommandError;

mod client;
mod deals;
mod payout;
mod people;
mod proof;
mod report;
mod site;

/// How long to wait before asking again.
const POLL: Duration = Duration::from_millis(50);
/// The export that is shipped.
const DEALS: &[u8] = include_bytes!("../../../../data/v01/v01-deals.csv");
/// Its members.
const MEMBERS: &[u8] = include_bytes!("../../../../data/v01/v01-members.csv");

/// Where to, and with which files.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// The directory for what comes out; made when there is none.
    #[arg(long, value_name = "DIR", default_value = "demo-out")]
    pub out: PathBuf,
    /// A partner's export of deals. Default: the shipped one of Vertical-1.
    #[arg(long, value_name = "CSV", requires = "members")]
    pub deals: Option<PathBuf>,
    /// The members of that export.
    #[arg(long, value_name = "CSV", requires = "deals")]
    pub members: Option<PathBuf>,
    /// A running service to use, e.g. http://127.0.0.1:8360. Default: one that is started and removed.
    #[arg(long, value_name = "URL", requires_all = ["admin", "approver"])]
    pub server: Option<String>,
    /// The administrator's file of that service: <data-dir>/admin.json.
    #[arg(long, value_name = "FILE", requires = "server")]
    pub admin: Option<PathBuf>,
    /// The file of an approver who is not the administrator: what `flip360 admin create-client --role approver` prints.
    #[arg(long, value_name = "FILE", requires = "server")]
    pub approver: Option<PathBuf>,
}

/// Why the demonstration stopped.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The service of our own.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// What was answered is no JSON.
    #[error("an answer cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// The service cannot be reached.
    #[error("{path}: {cause}; is the service running?")]
    Away {
        /// What was asked.
        path: String,
        /// Why there is no answer.
        cause: String,
    },
    /// A file.
    #[error("{doing}: {cause}")]
    File {
        /// What was being done.
        doing: String,
        /// Why it failed.
        cause: std::io::Error,
    },
    /// A step did not come to what it must.
    #[error("{0}")]
    Step(String),
}

impl DemoError {
    fn away(path: &str, cause: &ureq::Error) -> Self {
        Self::Away { path: path.to_owned(), cause: cause.to_string() }
    }

    fn file(doing: &str, path: &Path, cause: std::io::Error) -> Self {
        Self::File { doing: format!("{doing} {}", path.display()), cause }
    }
}

/// Tells what happens, in plain words.
pub struct Say {
    since: Instant,
    live: bool,
}

impl Say {
    fn new() -> Self {
        Self { since: Instant::now(), live: std::io::stdout().is_terminal() }
    }

    /// A step begins.
    fn step(&self, n: u32, what: &str) {
        println!("\n[{:5.1} s] ({n}) {what}", self.since.elapsed().as_secs_f32());
    }

    /// Something happened.
    pub fn line(&self, what: &str) {
        println!("          {what}");
    }

    /// Something goes on; told at the end only, unless somebody watches.
    pub fn progress(&self, what: &str, done: usize, total: usize) {
        use std::io::Write as _;
        if self.live && total > 0 && (done == total || done.is_multiple_of(25)) {
            print!("\r          {done} of {total} {what}{}", if done == total { "\n" } else { "" });
            // A line that is not shown is no reason to stop.
            let _ = std::io::stdout().flush();
        } else if total > 0 && done == total {
            println!("          {total} {what}");
        }
    }
}

/// A text field of an answer.
fn text(answer: &Value, field: &str) -> Result<String, DemoError> {
    // The answer itself is not told: it may carry a secret.
    let fields = || answer.as_object().map(|o| o.keys().cloned().collect::<Vec<_>>().join(", ")).unwrap_or_default();
    let text = answer[field].as_str().map(str::to_owned);
    text.ok_or_else(|| DemoError::Step(format!("expected `{field}` in an answer with: {}", fields())))
}

/// Runs the demonstration.
///
/// # Errors
/// See [`DemoError`].
pub fn run(args: &DemoArgs) -> Result<ExitCode, CommandError> {
    demonstrated(args).map_err(|error| CommandError::Other(format!("the demonstration stopped: {error}")))
}

fn demonstrated(args: &DemoArgs) -> Result<ExitCode, DemoError> {
    let (deals, members) = (file(args.deals.as_deref(), DEALS)?, file(args.members.as_deref(), MEMBERS)?);
    make_room(&args.out)?;
    let say = Say::new();
    let site = site::Site::open(args)?;
    let outcome = steps(&site, args, (&deals, &members), &say);
    let closed = site.close();
    let held = outcome?;
    closed?;
    println!(
        "\n[{:5.1} s] {} What came out is in {}; report.md tells what each file is.",
        say.since.elapsed().as_secs_f32(),
        if held { "Everything held." } else { "NOT everything held." },
        args.out.display()
    );
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// An empty directory, or one that an earlier demonstration filled, without what it left there.
fn make_room(out: &Path) -> Result<(), DemoError> {
    std::fs::create_dir_all(out).map_err(|e| DemoError::file("making", out, e))?;
    let mut held = std::fs::read_dir(out).map_err(|e| DemoError::file("reading", out, e))?;
    if held.next().is_some() && !out.join("trust.json").is_file() {
        return Err(DemoError::Step(format!("{} is not empty; choose another with --out", out.display())));
    }
    for folder in ["receipts", "log"].map(|name| out.join(name)).into_iter().filter(|folder| folder.is_dir()) {
        std::fs::remove_dir_all(&folder).map_err(|e| DemoError::file("emptying", &folder, e))?;
    }
    Ok(())
}

fn file(named: Option<&Path>, shipped: &[u8]) -> Result<Vec<u8>, DemoError> {
    match named {
        Some(path) => std::fs::read(path).map_err(|e| DemoError::file("reading", path, e)),
        None => Ok(shipped.to_vec()),
    }
}

fn steps(site: &site::Site, args: &DemoArgs, files: (&[u8], &[u8]), say: &Say) -> Result<bool, DemoError> {
    say.step(1, "Onboard the partner and its members, exchange keys");
    let people = people::onboard(site, &people::read_members(files.1)?, say)?;
    say.step(2, "Import the export; make a new referral that both sides sign");
    let imported = deals::import(site, &people, files.0, say)?;
    let referrer = people::referrer(&people)?;
    let deal = deals::refer(&people, &referrer, say)?;
    say.step(3, "Calculate and accrue; how one commission was worked out");
    let trace = deals::explain(&people, &deal, say)?;
    say.step(4, "Pay what may be paid, with two people");
    let paid = payout::pay(&people, say)?;
    say.step(5, "Prove");
    let figures = deals::figures(&people, say)?;
    let proved = proof::prove(&people, &args.out, say)?;
    let journal = people.auditor.get_bytes("/v1/ledger/export?format=hledger")?;
    let told = report::Told { imported: &imported, trace: &trace, paid: &paid, figures: &figures, proved: &proved };
    report::write_all(&args.out, &told, &journal)?;
    Ok(proved.holds())
}
