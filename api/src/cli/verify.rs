//! `flip360 verify`: judges receipts offline. No database, no network; the root of trust is given.
//!
//! Exit status 0 when every receipt holds, 1 when one does not or cannot be read.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use domain::chain::receipt::{MAX_BYTES, Receipt};
use domain::chain::trust::Trust;
use domain::chain::verify::{Findings, verify};
use serde_json::{Value, json};

use super::CommandError;

/// Which receipts, and what is trusted.
#[derive(Debug, Clone, Args)]
pub struct VerifyArgs {
    /// The trust file: the log's and the platform's public keys, got by another way than the receipts.
    #[arg(long, value_name = "FILE")]
    pub trust: PathBuf,
    /// Answers one JSON object a receipt, each on its line.
    #[arg(long)]
    pub json: bool,
    /// Says in words what each receipt proves; without it only when there is one.
    #[arg(long)]
    pub words: bool,
    /// Receipts, or directories with receipts (*.json).
    #[arg(required = true, value_name = "RECEIPT")]
    pub receipts: Vec<PathBuf>,
}

/// Judges receipts.
///
/// # Errors
/// When the trust file or a directory cannot be read. A receipt that cannot be read is one that does not hold.
pub fn run(args: &VerifyArgs) -> Result<ExitCode, CommandError> {
    let trust = trust(&args.trust)?;
    let paths = files(&args.receipts)?;
    let words = args.words || paths.len() == 1;
    let mut failed = 0_u64;
    for path in &paths {
        let judged = judge(&trust, path);
        if !judged.as_ref().is_ok_and(Findings::holds) {
            failed += 1;
        }
        if args.json {
            println!("{}", as_json(path, &judged));
        } else {
            tell(path, &judged, words);
        }
    }
    if !args.json && paths.len() > 1 {
        println!("{} receipts: {} hold, {failed} do not", paths.len(), paths.len() as u64 - failed);
    }
    Ok(if failed == 0 && !paths.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Reads a trust file.
///
/// # Errors
/// When it cannot be read or is none.
pub fn trust(path: &Path) -> Result<Trust, CommandError> {
    let bytes = std::fs::read(path)
        .map_err(|cause| CommandError::File { doing: format!("reading {}", path.display()), cause })?;
    Trust::parse(&bytes).map_err(|error| CommandError::Other(format!("{}: {error}", path.display())))
}

/// Judges one file.
///
/// # Errors
/// In words, when it is no receipt.
pub fn judge(trust: &Trust, path: &Path) -> Result<Findings, String> {
    let length = std::fs::metadata(path).map_err(|error| error.to_string())?.len();
    if length > MAX_BYTES as u64 {
        return Err(format!("a receipt has at most {MAX_BYTES} bytes"));
    }
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let receipt = Receipt::parse(&bytes).map_err(|error| error.to_string())?;
    Ok(verify(trust, &receipt))
}

/// The files that are named, those of directories in the order of their names.
fn files(named: &[PathBuf]) -> Result<Vec<PathBuf>, CommandError> {
    let mut files = Vec::new();
    for path in named {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let failed = |cause| CommandError::File { doing: format!("reading {}", path.display()), cause };
        let mut within = Vec::new();
        for entry in std::fs::read_dir(path).map_err(failed)? {
            within.push(entry.map_err(failed)?.path());
        }
        within.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
        within.sort();
        files.extend(within);
    }
    Ok(files)
}

fn tell(path: &Path, judged: &Result<Findings, String>, words: bool) {
    match judged {
        Ok(findings) if findings.holds() => {
            let assurance = findings.assurance.map_or("", |assurance| assurance.as_str());
            let size = findings.checkpoint.map_or(0, |head| head.size);
            println!("HOLDS   {} {assurance} as of {size} leaves ({})", findings.id, path.display());
        }
        Ok(findings) => {
            println!("BROKEN  {} ({})", findings.id, path.display());
            for fault in &findings.faults.0 {
                println!("        at {}: {}: {}", fault.pointer, fault.code, fault.detail);
            }
        }
        Err(why) => println!("BROKEN  {}: {why}", path.display()),
    }
    if let (true, Ok(findings)) = (words, judged) {
        for (heading, said) in [("proved", &findings.proved), ("not proved", &findings.not_proved)] {
            for line in said {
                println!("        {heading}: {line}");
            }
        }
        if findings.holds() {
            println!("        signed by: {}", findings.keys.join(", "));
            if !findings.witnesses.is_empty() {
                println!("        cosigned by: {}", findings.witnesses.join(", "));
            }
        }
    }
}

fn as_json(path: &Path, judged: &Result<Findings, String>) -> Value {
    match judged {
        Err(why) => json!({"file": path.display().to_string(), "holds": false, "error": why}),
        Ok(findings) => {
            let fault = |fault: &domain::kernel::Fault| json!({"pointer": fault.pointer, "code": fault.code, "detail": fault.detail});
            json!({
                "file": path.display().to_string(),
                "holds": findings.holds(),
                "kind": findings.kind,
                "id": findings.id,
                "checkpoint": findings.checkpoint,
                "keys": findings.keys,
                "witnesses": findings.witnesses,
                "assurance": findings.assurance,
                "proved": findings.proved,
                "not_proved": findings.not_proved,
                "faults": findings.faults.0.iter().map(fault).collect::<Vec<_>>(),
            })
        }
    }
}
