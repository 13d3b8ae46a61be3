//! `flip360 guarantees`: checks every promise over all data; signs, logs and keeps what was found.
//!
//! Exit status 0 when every promise holds, 1 when one is broken.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use domain::access::{Actor, Environment};
use domain::chain::checkpoint::TreeHead;
use domain::chain::merkle::empty_root;
use domain::chain::note::VerifierKey;
use domain::chain::signer::Signer;
use domain::chain::trust::Trust;
use domain::env::Env;
use domain::guarantees::{GuaranteeResult, Report, run as runs};
use domain::kernel::time::Clock;
use integrations::clock::SystemClock;
use integrations::ids::SystemIds;
use integrations::key_file::KeyFile;
use integrations::randomness::SystemRandomness;
use persistence::{PgStore, PoolSizes};

use super::CommandError;
use super::database::{Database, Ownership};
use crate::config::DatabaseArgs;

/// Over which data.
#[derive(Debug, Clone, Args)]
pub struct GuaranteesArgs {
    /// The database, and where the keys are.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The name of the log.
    #[arg(long, env = "FLIP360_LOG_ORIGIN", default_value = "flip360.local/log")]
    pub log_origin: String,
    /// Answers the report as JSON.
    #[arg(long)]
    pub json: bool,
}

/// Checks every promise.
///
/// # Errors
/// When the keys or the database cannot be used.
pub fn run(args: &GuaranteesArgs) -> Result<ExitCode, CommandError> {
    let keys = args.database.data_dir.join("keys");
    let (platform, log) = (key(&keys, "platform.pem")?, key(&keys, "log.pem")?);
    let verifier = VerifierKey::try_new(&args.log_origin, log.public_key());
    let trust = Trust::new(verifier.map_err(|e| CommandError::Other(e.to_string()))?, vec![platform.public_key()]);
    let database = Database::open(&args.database, Ownership::Shared)?;
    let store = PgStore::new(&database.url, PoolSizes { writers: 1, readers: 1 });
    let service = Actor::service();
    let env = Env {
        now: SystemClock.now(),
        actor: &service,
        ids: &SystemIds,
        randomness: &SystemRandomness,
        origin: &args.log_origin,
        platform: &platform,
        seen: TreeHead { size: 0, root: empty_root() },
        environment: Environment::Live,
    };
    let quiet = args.json;
    let report = runs::run(&store, &env, &trust, &mut |guarantee| {
        if !quiet {
            eprintln!("checking {}", guarantee.as_str());
        }
    });
    let report = report.map_err(|error| CommandError::Other(error.to_string()))?;
    database.stop()?;
    if args.json {
        println!("{}", serde_json::to_string(&report).map_err(|e| CommandError::Other(e.to_string()))?);
    } else {
        tell(&report);
    }
    Ok(if report.holds { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn key(keys: &Path, name: &str) -> Result<KeyFile, CommandError> {
    KeyFile::open(&keys.join(name)).map_err(|error| CommandError::Other(error.to_string()))
}

/// Says what a report found, for people.
pub fn tell(report: &Report) {
    match report.checkpoint {
        Some(head) => println!("As of {} leaves and ledger entry {}:", head.size, report.ledger_seq),
        None => println!("Nothing is signed yet; as of ledger entry {}:", report.ledger_seq),
    }
    for result in &report.guarantees {
        tell_result(result);
    }
    println!("Run {} is kept and signed by {}", report.id, report.kid);
}

fn tell_result(result: &GuaranteeResult) {
    let outcome = if result.holds { "HOLDS " } else { "BROKEN" };
    let coverage: Vec<String> = result.coverage.iter().map(|(what, n)| format!("{n} {what}")).collect();
    println!("{outcome}  {:<13} {}", result.guarantee.as_str(), coverage.join(", "));
    for found in &result.counterexamples {
        println!("        {}: {}: {}", found.id, found.code, found.detail);
    }
    let more = result.counterexample_count.saturating_sub(result.counterexamples.len() as u64);
    if more > 0 {
        println!("        and {more} more");
    }
}
