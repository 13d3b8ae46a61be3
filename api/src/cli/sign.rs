//! `flip360 sign`: makes envelopes with a key in a file, for demonstrations and for integrators who
//! have no JOSE library at hand. It needs no server and no database.
//!
//! A registration, rotation, revocation or declaration is formed here; an offer or accept is read as the platform prepared it
//! (`POST /v1/handshakes`: the whole answer or its `statement`) and signed as it stands.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand};
use domain::chain::checkpoint::{Checkpoint, TreeHead};
use domain::chain::key::PublicKey;
use domain::chain::merkle::empty_root;
use domain::chain::note::Note;
use domain::chain::signer::Signer;
use domain::chain::statement::{
    Assurance, Declared, ImportDeclaration, KeyRegistration, KeyRevocation, KeyRotation, PartyId, RevocationReason,
    Salt, Statement, VERSION,
};
use domain::kernel::time::Randomness;
use domain::kernel::{Digest, jcs};
use integrations::key_file::KeyFile;
use integrations::randomness::SystemRandomness;
use serde_json::Value;

use super::CommandError;

/// The longest statement that is read, in bytes.
const LONGEST: u64 = 65_535;

/// What to sign, and with which key.
#[derive(Debug, Args)]
pub struct SignArgs {
    #[command(subcommand)]
    what: What,
    /// The private key: Ed25519, PKCS#8 in PEM, mode 0600. Made when there is none.
    #[arg(long, global = true, default_value = "flip360-key.pem")]
    key: PathBuf,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Prints the thumbprint and the public key.
    Key,
    /// Forms and signs the registration of the key.
    Registration(RegistrationArgs),
    /// Forms the rotation of the key to the next one, and signs it with both.
    Rotation(RotationArgs),
    /// Forms and signs the revocation of the key, or of another one of the same party.
    Revocation(RevocationArgs),
    /// Forms and signs the declaration of an import.
    Declaration(DeclarationArgs),
    /// Signs a prepared offer.
    Offer(PreparedArgs),
    /// Signs a prepared accept.
    Accept(PreparedArgs),
}

/// A registration.
#[derive(Debug, Args)]
struct RegistrationArgs {
    /// Whose key it is: `org_…` or `member_…`.
    #[arg(long)]
    party: String,
    /// The name of the log.
    #[arg(long)]
    log: String,
    /// The public half of the next key (PEM): a later rotation must be to that one.
    #[arg(long)]
    next: Option<PathBuf>,
}

/// A rotation.
#[derive(Debug, Args)]
struct RotationArgs {
    /// The private key that takes the place of this one (PEM). Made when there is none.
    #[arg(long)]
    to: PathBuf,
    /// Whose keys they are: `org_…` or `member_…`.
    #[arg(long)]
    party: String,
    /// The name of the log.
    #[arg(long)]
    log: String,
    /// The public half of the key after the next one (PEM): a later rotation must be to that one.
    #[arg(long)]
    next: Option<PathBuf>,
    /// A checkpoint of the log that you verified.
    #[arg(long)]
    seen: Option<PathBuf>,
}

/// A revocation.
#[derive(Debug, Args)]
struct RevocationArgs {
    /// The thumbprint of the key that is revoked; the key that signs when it is not given.
    #[arg(long)]
    kid: Option<String>,
    /// Why: `compromised`, `lost` or `retired`.
    #[arg(long)]
    reason: String,
    /// Whose key it is: `org_…` or `member_…`.
    #[arg(long)]
    party: String,
    /// The name of the log.
    #[arg(long)]
    log: String,
    /// A checkpoint of the log that you verified.
    #[arg(long)]
    seen: Option<PathBuf>,
}

/// A declaration.
#[derive(Debug, Args)]
struct DeclarationArgs {
    /// The file that is going to be imported.
    #[arg(long)]
    file: PathBuf,
    /// The importing organisation.
    #[arg(long)]
    organisation: String,
    /// The name of the log.
    #[arg(long)]
    log: String,
    /// Declares that everybody in the file consented.
    #[arg(long)]
    consent: bool,
    /// Declares that the commissions were disclosed to everybody in the file.
    #[arg(long)]
    disclosure: bool,
    /// A checkpoint of the log that you verified.
    #[arg(long)]
    seen: Option<PathBuf>,
}

/// A prepared statement.
#[derive(Debug, Args)]
struct PreparedArgs {
    /// The answer of `POST /v1/handshakes`, or its `statement`; `-` reads from standard input.
    #[arg(default_value = "-")]
    statement: PathBuf,
}

/// Signs and prints.
///
/// # Errors
/// When a file cannot be read, or is not what it must be.
pub fn run(args: &SignArgs) -> Result<ExitCode, CommandError> {
    println!("{}", signed(args, &mut std::io::stdin().lock())?);
    Ok(ExitCode::SUCCESS)
}

/// What goes to standard output: an envelope, or what the key is.
///
/// # Errors
/// When a file cannot be read, or is not what it must be.
pub fn signed(args: &SignArgs, input: &mut dyn Read) -> Result<String, CommandError> {
    let key = KeyFile::open_or_create(&args.key, &SystemRandomness).map_err(other)?;
    let statement = match &args.what {
        What::Key => {
            let jwk = serde_json::to_value(key.public_key().jwk()).map_err(other)?;
            return Ok(format!("{:#}", serde_json::json!({"kid": key.kid(), "jwk": jwk})));
        }
        What::Registration(registration) => registered(registration, &key)?,
        What::Rotation(rotation) => rotated(rotation, &key)?,
        What::Revocation(revocation) => revoked(revocation, &key)?,
        What::Declaration(declaration) => declared(declaration, &key)?,
        What::Offer(prepared) => read_statement(&prepared.statement, input, "offer")?,
        What::Accept(prepared) => read_statement(&prepared.statement, input, "accept")?,
    };
    statement.sign(&key).map_err(other)
}

/// The digest that promises a public key.
fn promised(path: Option<&PathBuf>) -> Result<Option<Digest>, CommandError> {
    let next = path.map(|path| {
        let pem = std::fs::read_to_string(path).map_err(|cause| file("reading", path, cause))?;
        PublicKey::from_pem(&pem).map(|key| key.digest()).map_err(other)
    });
    next.transpose()
}

fn rotated(args: &RotationArgs, key: &KeyFile) -> Result<Statement, CommandError> {
    let next = KeyFile::open_or_create(&args.to, &SystemRandomness).map_err(other)?;
    let mut rotation = KeyRotation {
        assurance: Assurance::Own,
        jwk: next.public_key().jwk(),
        kid: key.kid(),
        log: args.log.clone(),
        next: promised(args.next.as_ref())?,
        party: party(&args.party)?,
        proof: String::new(),
        salt: salt(),
        seen: seen_or_nothing(args.seen.as_deref())?,
        v: VERSION,
    };
    rotation.prove(&next).map_err(other)?;
    Ok(Statement::KeyRotation(Box::new(rotation)))
}

fn revoked(args: &RevocationArgs, key: &KeyFile) -> Result<Statement, CommandError> {
    let reason = RevocationReason::parse(&args.reason)
        .ok_or_else(|| CommandError::Other("the reason is one of: compromised, lost, retired".to_owned()))?;
    Ok(Statement::KeyRevocation(KeyRevocation {
        asked_by: None,
        assurance: Assurance::Own,
        key: args.kid.clone().unwrap_or_else(|| key.kid()),
        kid: key.kid(),
        log: args.log.clone(),
        party: party(&args.party)?,
        reason,
        salt: salt(),
        seen: seen_or_nothing(args.seen.as_deref())?,
        v: VERSION,
    }))
}

fn registered(args: &RegistrationArgs, key: &KeyFile) -> Result<Statement, CommandError> {
    Ok(Statement::KeyRegistration(KeyRegistration {
        assurance: Assurance::Own,
        jwk: key.public_key().jwk(),
        kid: key.kid(),
        log: args.log.clone(),
        next: promised(args.next.as_ref())?,
        party: party(&args.party)?,
        salt: salt(),
        v: VERSION,
    }))
}

fn declared(args: &DeclarationArgs, key: &KeyFile) -> Result<Statement, CommandError> {
    let bytes = std::fs::read(&args.file).map_err(|cause| file("reading", &args.file, cause))?;
    Ok(Statement::ImportDeclaration(ImportDeclaration {
        consent: Declared { declared: args.consent, text_sha256: None },
        disclosure: Declared { declared: args.disclosure, text_sha256: None },
        file_sha256: Digest::of(&bytes),
        import: None,
        kid: key.kid(),
        log: args.log.clone(),
        organisation: party(&args.organisation)?,
        salt: salt(),
        seen: seen_or_nothing(args.seen.as_deref())?,
        v: VERSION,
    }))
}

/// A statement as it was prepared: its type is the expected one, and it is not changed.
fn read_statement(path: &Path, input: &mut dyn Read, expected: &str) -> Result<Statement, CommandError> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        input.take(LONGEST).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|opened| opened.take(LONGEST).read_to_end(&mut bytes))
    };
    read.map_err(|cause| file("reading", path, cause))?;
    let value: Value = serde_json::from_slice(&bytes).map_err(other)?;
    let value = value.get("statement").cloned().unwrap_or(value);
    let statement: Statement = serde_json::from_value(value.clone()).map_err(other)?;
    if statement.kind().as_str() != expected {
        return Err(CommandError::Other(format!("this is a statement of type {}", statement.kind())));
    }
    if jcs::to_bytes(&statement).map_err(other)? != jcs::to_bytes(&value).map_err(other)? {
        return Err(CommandError::Other("the statement is not written as it must be".to_owned()));
    }
    Ok(statement)
}

/// The head of a checkpoint in a file, or that of the empty tree.
fn seen_or_nothing(path: Option<&Path>) -> Result<TreeHead, CommandError> {
    path.map_or(Ok(TreeHead { size: 0, root: empty_root() }), seen)
}

fn seen(path: &Path) -> Result<TreeHead, CommandError> {
    let text = std::fs::read_to_string(path).map_err(|cause| file("reading", path, cause))?;
    let note = Note::parse(&text).map_err(other)?;
    Checkpoint::parse(note.text()).map(|checkpoint| checkpoint.head).map_err(other)
}

fn party(text: &str) -> Result<PartyId, CommandError> {
    PartyId::parse(text).ok_or_else(|| CommandError::Other(format!("{text} is not the id of a party")))
}

fn salt() -> Salt {
    let mut bytes = [0; 32];
    SystemRandomness.fill(&mut bytes);
    Salt(bytes)
}

fn file(doing: &str, path: &Path, cause: std::io::Error) -> CommandError {
    CommandError::File { doing: format!("{doing} {}", path.display()), cause }
}

fn other(cause: impl std::fmt::Display) -> CommandError {
    CommandError::Other(cause.to_string())
}
