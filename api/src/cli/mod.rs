//! The command line: one file per command.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::config::{DatabaseArgs, DoctorArgs, ServeArgs, WorkerArgs};

pub mod admin;
pub mod audit;
pub mod database;
pub mod demo;
pub mod doctor;
pub mod error;
pub mod guarantees;
pub mod log;
pub mod migrate;
pub mod openapi;
pub mod serve;
pub mod sign;
pub mod simulate;
pub mod verify;
pub mod witness;
pub mod worker;

pub use error::CommandError;

/// The Flip 360 commission platform.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the HTTP API and its workers.
    Serve(ServeArgs),
    /// The workers alone, for one or more processes beside `serve --no-workers`, or beside any `serve`.
    Worker(WorkerArgs),
    /// Brings the database to the present schema and keeps the reference data (18 verticals, V01's agreement).
    Migrate(DatabaseArgs),
    /// Says whether this set-up works, line by line, and what to do where it does not; changes nothing.
    Doctor(DoctorArgs),
    /// Shows everything: a partner's export goes in; a balanced ledger, a bank file and receipts come out.
    Demo(demo::DemoArgs),
    /// Prints the API document (OpenAPI 3.1).
    Openapi,
    /// Signs statements with a key in a file.
    Sign(sign::SignArgs),
    /// Judges receipts offline.
    Verify(verify::VerifyArgs),
    /// Witnesses logs for others: cosigns each checkpoint that extends what it saw before (C2SP tlog-witness).
    Witness(witness::WitnessArgs),
    /// Recomputes a whole log: a mirror's files, or the database's.
    Audit(audit::AuditArgs),
    /// The log as static files.
    Log(log::LogArgs),
    /// Checks the guarantees over all data.
    Guarantees(guarantees::GuaranteesArgs),
    /// Tries other agreements over the deals that were, or over made-up ones: what would have been paid.
    Simulate(simulate::SimulateArgs),
    /// Creates users and API clients, changes the key of access tokens.
    Admin(admin::AdminArgs),
}

/// Parts of other people's that log what they read and write, in which secrets stand.
const TALKATIVE: [&str; 5] = ["actix_http=off", "actix_web=warn", "h2=warn", "hyper=warn", "rustls=warn"];

/// What is logged: what `FLIP360_LOG` asks for, warnings where it is not set; never what others read and write.
#[must_use]
pub fn log_filter(asked: Option<&str>) -> EnvFilter {
    let asked = asked.and_then(|text| EnvFilter::try_new(text).ok()).unwrap_or_else(|| EnvFilter::new("warn"));
    TALKATIVE.iter().filter_map(|directive| directive.parse().ok()).fold(asked, EnvFilter::add_directive)
}

/// Runs the command that the arguments name.
#[must_use]
pub fn main() -> ExitCode {
    let filter = log_filter(std::env::var("FLIP360_LOG").ok().as_deref());
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).init();
    let outcome = match Cli::parse().command {
        Command::Serve(args) => serve::run(&args),
        Command::Worker(args) => worker::run(&args),
        Command::Migrate(args) => migrate::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Openapi => openapi::run(),
        Command::Sign(args) => sign::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Witness(args) => witness::run(&args),
        Command::Audit(args) => audit::run(&args),
        Command::Log(args) => log::run(&args),
        Command::Guarantees(args) => guarantees::run(&args),
        Command::Simulate(args) => simulate::run(&args),
        Command::Admin(args) => admin::run(&args),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("flip360: {error}");
            ExitCode::FAILURE
        }
    }
}
