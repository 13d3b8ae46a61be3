//! `flip360 verify`: judges receipts and proofs offline. No database, no network; the root of trust is given.
//!
//! Receipts of one deal that was handed over are judged together: each hand-over against the seal that it names, when
//! the receipt of that is among them.
//!
//! Exit status 0 when everything is proved, 1 when something is not or cannot be read, 2 when it was not asked rightly
//! or the root of trust cannot be read.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use domain::chain::receipt::{MAX_BYTES, Receipt};
use domain::chain::tlog_proof::TlogProof;
use domain::chain::trust::Trust;
use domain::chain::verify::{Findings, LeafFindings, join, verify, verify_leaf};

use super::CommandError;

mod tell;

/// What stands for the standard input.
const STDIN: &str = "-";
/// How a directory's receipts and proofs end.
const ENDINGS: [&str; 2] = ["json", "tlog-proof"];
/// The exit status of a question that cannot be answered.
const USAGE: u8 = 2;

/// Which receipts, and what is trusted.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Exit status: 0 everything is proved, 1 something is not, 2 the question or the root of trust cannot be read."
)]
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
    /// The bytes of the leaf, for one proof (C2SP tlog-proof) that does not bring them.
    #[arg(long, value_name = "FILE")]
    pub leaf: Option<PathBuf>,
    /// What the leaf commits to (a JWS, or the canonical JSON of an entry), for one proof.
    #[arg(long, value_name = "FILE")]
    pub envelope: Option<PathBuf>,
    /// Receipts and proofs, `-` for the standard input, or directories (*.json, *.tlog-proof).
    #[arg(required = true, value_name = "RECEIPT")]
    pub receipts: Vec<PathBuf>,
}

/// What was found of one file.
enum Verdict {
    Receipt(Box<Findings>),
    Leaf(Box<LeafFindings>),
    /// It is neither, or cannot be read.
    Unreadable(String),
}

impl Verdict {
    fn holds(&self) -> bool {
        match self {
            Self::Receipt(findings) => findings.holds(),
            Self::Leaf(findings) => findings.holds(),
            Self::Unreadable(_) => false,
        }
    }

    fn receipt(&mut self) -> Option<&mut Findings> {
        match self {
            Self::Receipt(findings) => Some(findings),
            Self::Leaf(_) | Self::Unreadable(_) => None,
        }
    }
}

/// Judges receipts, with the standard input and output.
///
/// # Errors
/// When the answer cannot be written. Whatever cannot be read is told on standard error, and by the exit status.
pub fn run(args: &VerifyArgs) -> Result<ExitCode, CommandError> {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    match answer(args, &mut input, &mut output) {
        Ok(proved) => Ok(if proved { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        Err(CommandError::Io(cause)) => Err(CommandError::Io(cause)),
        Err(error) => {
            eprintln!("flip360: {error}");
            Ok(ExitCode::from(USAGE))
        }
    }
}

/// Judges receipts; whether everything is proved.
///
/// # Errors
/// When the trust file, a directory, the leaf or the envelope cannot be read, or the question makes no sense. A receipt
/// that cannot be read is one that does not hold.
pub fn answer(args: &VerifyArgs, input: &mut dyn Read, output: &mut dyn Write) -> Result<bool, CommandError> {
    let trust = trust(&args.trust)?;
    let paths = files(&args.receipts)?;
    let beside = Beside::read(args, &paths)?;
    let words = args.words || paths.len() == 1;
    let mut failed = 0_usize;
    let mut verdicts: Vec<Verdict> = paths.iter().map(|path| judge(&trust, path, &beside, input)).collect();
    join(verdicts.iter_mut().filter_map(Verdict::receipt));
    for (path, verdict) in paths.iter().zip(&verdicts) {
        failed += usize::from(!verdict.holds());
        if args.json {
            writeln!(output, "{}", tell::as_json(path, verdict))?;
        } else {
            tell::tell(output, path, verdict, words.then_some(&trust))?;
        }
    }
    if !args.json && paths.len() > 1 {
        writeln!(output, "{} receipts: {} hold, {failed} do not", paths.len(), paths.len() - failed)?;
    }
    Ok(failed == 0 && !paths.is_empty())
}

/// What is given beside a proof.
struct Beside {
    leaf: Option<Vec<u8>>,
    envelope: Option<Vec<u8>>,
}

impl Beside {
    fn read(args: &VerifyArgs, paths: &[PathBuf]) -> Result<Self, CommandError> {
        let given = args.leaf.is_some() || args.envelope.is_some();
        if given && paths.len() != 1 {
            return Err(CommandError::Other("--leaf and --envelope are of one proof; name one".into()));
        }
        if paths.iter().filter(|path| path.as_os_str() == STDIN).count() > 1 {
            return Err(CommandError::Other("the standard input can be read once".into()));
        }
        let read = |path: &Option<PathBuf>| path.as_deref().map(read_whole).transpose();
        Ok(Self { leaf: read(&args.leaf)?, envelope: read(&args.envelope)? })
    }

    const fn is_given(&self) -> bool {
        self.leaf.is_some() || self.envelope.is_some()
    }
}

fn read_whole(path: &Path) -> Result<Vec<u8>, CommandError> {
    std::fs::read(path).map_err(|cause| CommandError::File { doing: format!("reading {}", path.display()), cause })
}

/// Reads a trust file.
///
/// # Errors
/// When it cannot be read or is none.
pub fn trust(path: &Path) -> Result<Trust, CommandError> {
    Trust::parse(&read_whole(path)?).map_err(|error| CommandError::Other(format!("{}: {error}", path.display())))
}

/// Judges one file.
fn judge(trust: &Trust, path: &Path, beside: &Beside, input: &mut dyn Read) -> Verdict {
    let bytes = match bounded(path, input) {
        Ok(bytes) => bytes,
        Err(error) => return Verdict::Unreadable(error.to_string()),
    };
    if TlogProof::is_meant(&bytes) {
        return match TlogProof::parse(&bytes) {
            Ok(proof) => {
                let (leaf, envelope) = (beside.leaf.as_deref(), beside.envelope.as_deref());
                Verdict::Leaf(Box::new(verify_leaf(trust, &proof, leaf, envelope)))
            }
            Err(error) => Verdict::Unreadable(error.to_string()),
        };
    }
    match Receipt::parse(&bytes) {
        Ok(_) if beside.is_given() => Verdict::Unreadable("--leaf and --envelope are for proofs, not receipts".into()),
        Ok(receipt) => Verdict::Receipt(Box::new(verify(trust, &receipt))),
        Err(error) => Verdict::Unreadable(error.to_string()),
    }
}

/// At most one byte more than a receipt can have, so that what is longer is refused and not read.
fn bounded(path: &Path, input: &mut dyn Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let limit = MAX_BYTES as u64 + 1;
    if path.as_os_str() == STDIN {
        input.take(limit).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
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
        within.retain(|file| file.extension().is_some_and(|extension| ENDINGS.iter().any(|known| extension == *known)));
        within.sort();
        files.extend(within);
    }
    Ok(files)
}
