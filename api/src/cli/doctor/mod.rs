//! `flip360 doctor`: whether this set-up works, one line a finding, and what to do where it does not.
//!
//! It looks and changes nothing: no directory is made, no key, no schema, no server is started. Exit
//! status 0 when nothing is wrong (what is merely worth knowing does not count), else 1.

use std::fmt;
use std::process::ExitCode;

use domain::kernel::time::Clock;
use integrations::clock::SystemClock;

use super::CommandError;
use crate::config::DoctorArgs;

mod files;
mod host;

/// How a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    Fine,
    Worth,
    Wrong,
}

/// What was looked at, and what was found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    weight: Weight,
    topic: &'static str,
    text: String,
}

impl Finding {
    /// As it should be.
    fn fine(topic: &'static str, text: impl Into<String>) -> Self {
        Self { weight: Weight::Fine, topic, text: text.into() }
    }

    /// Works, and is worth knowing.
    fn worth(topic: &'static str, text: impl Into<String>) -> Self {
        Self { weight: Weight::Worth, topic, text: text.into() }
    }

    /// Does not work; the text says what to do.
    fn wrong(topic: &'static str, text: impl Into<String>) -> Self {
        Self { weight: Weight::Wrong, topic, text: text.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = match self.weight {
            Weight::Fine => "ok",
            Weight::Worth => "note",
            Weight::Wrong => "WRONG",
        };
        // PostgreSQL's messages have several lines.
        let text: Vec<&str> = self.text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        write!(out, "{weight:<6}{:<16}{}", self.topic, text.join(" "))
    }
}

/// Looks at everything and prints it.
///
/// # Errors
/// Never: what cannot be looked at is a finding.
pub fn run(args: &DoctorArgs) -> Result<ExitCode, CommandError> {
    let findings = findings(args);
    for finding in &findings {
        println!("{finding}");
    }
    let wrong = findings.iter().filter(|finding| finding.weight == Weight::Wrong).count();
    match wrong {
        0 => println!("Nothing is wrong."),
        1 => println!("1 thing is wrong."),
        n => println!("{n} things are wrong."),
    }
    Ok(if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn findings(args: &DoctorArgs) -> Vec<Finding> {
    let data_dir = &args.database.data_dir;
    let now = SystemClock.now();
    let owner = host::owner(data_dir);
    let mut findings = Vec::new();
    if args.database.database_url.is_none() {
        findings.push(host::server(data_dir));
        findings.push(host::account());
    }
    findings.push(files::data_directory(data_dir));
    findings.extend(files::secrets(data_dir));
    findings.push(host::service(&owner));
    findings.push(host::workers(data_dir, &owner));
    findings.push(files::witnesses(data_dir, args.witnesses.file.as_deref()));
    findings.push(host::database(&args.database, &owner, now));
    findings.push(host::port(args.listen, &owner));
    findings.push(files::space(data_dir));
    findings.push(host::clock(data_dir, now));
    findings
}
