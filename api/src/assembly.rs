//! Puts the adapters of one service together: keys and marks in files, the system's clock and
//! randomness, PostgreSQL.
//!
//! Files in `<data-dir>/keys`, each mode 0600, made at the first start: `log.pem` signs checkpoints,
//! `platform.pem` seals handshakes, `token.pem` signs access tokens (`token-next.pem` will, `token-previous.pem` did). `<data-dir>/log.high-water` is the
//! rollback guard's memory.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use domain::access::{Actor, Environment, Viewer, bootstrap};
use domain::chain::note::{Note, VerifierKey};
use domain::chain::published::PublishedNote;
use domain::chain::witness::file::Witnesses;
use domain::payouts::stripe::rail::ReturnPages;
use domain::store::Store;
use integrations::clock::SystemClock;
use integrations::durable;
use integrations::high_water::HighWaterFile;
use integrations::ids::SystemIds;
use integrations::key_file::KeyFile;
use integrations::outbound::{Limits, Outbound, OutboundConfig, Wall};
use integrations::password::Argon2Hasher;
use integrations::password_rules::Zxcvbn;
use integrations::randomness::SystemRandomness;
use integrations::stripe::{PATIENCE, Stripe, StripeConfig, WebhookSecrets};
use integrations::token_keys::TokenKeyFiles;

use crate::app::{App, Ports};
use crate::auth::Tokens;
use crate::auth::token::TokenConfig;
use crate::backlog::Backlog;
use crate::cli::CommandError;
use crate::config::{OutboundArgs, ServeArgs, StripeArgs};
use crate::stripe_desk::StripeDesk;
use crate::witnessing::{STATUS_FILE, Witnessing};

/// From the look-up of a witness's name to the last byte of its answer.
const WITNESS_PATIENCE: Duration = Duration::from_secs(10);

/// The ports of a service that runs with these settings. Keys are made at the very first start only: a
/// database that holds a checkpoint belongs to keys that exist.
///
/// # Errors
/// When a key cannot be read or made, others may read it, or one is missing that the database knows.
pub fn ports(args: &ServeArgs, store: Arc<dyn Store>) -> Result<Ports, CommandError> {
    let data_dir = &args.database.data_dir;
    let keys = data_dir.join("keys");
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&keys)
        .map_err(|cause| CommandError::File { doing: format!("making {}", keys.display()), cause })?;
    let begun = signed_note(store.as_ref())?.is_some();
    let key = |name: &str| {
        let path = keys.join(name);
        let read = if begun { KeyFile::open(&path) } else { KeyFile::open_or_create(&path, &SystemRandomness) };
        read.map_err(|error| match begun && !path.exists() {
            true => CommandError::Other(format!(
                "{} is missing, and this database was signed with it: put it back from where you keep it",
                path.display()
            )),
            false => CommandError::Other(error.to_string()),
        })
    };
    let (platform, log) = (key("platform.pem")?, key("log.pem")?);
    let _ = key("token.pem")?;
    let issuer = args.public_url.clone().unwrap_or_else(|| format!("http://{}", args.listen));
    let environment = args.environment.environment;
    let config = TokenConfig { audience: environment.audience(&issuer), issuer };
    let files = TokenKeyFiles::new(&keys);
    files.prepare(&SystemRandomness).map_err(|e| CommandError::Other(e.to_string()))?;
    let tokens = Tokens::of(config, Box::new(files)).map_err(|e| CommandError::Other(e.to_string()))?;
    let passwords = Argon2Hasher::new().map_err(|e| CommandError::Other(e.to_string()))?;
    Ok(Ports {
        store,
        clock: Arc::new(SystemClock),
        ids: Arc::new(SystemIds),
        randomness: Arc::new(SystemRandomness),
        platform: Arc::new(platform),
        log: Arc::new(log),
        high_water: Arc::new(HighWaterFile::new(data_dir.join("log.high-water"))),
        tokens,
        passwords: Arc::new(passwords),
        outbound: outbound(&args.outbound)?,
        password_rules: Arc::new(Zxcvbn),
        origin: args.log_origin.clone(),
        environment,
    })
}

fn outbound(args: &OutboundArgs) -> Result<Outbound, CommandError> {
    Outbound::new(outbound_config(args)?).map_err(|error| CommandError::Other(error.to_string()))
}

fn outbound_config(args: &OutboundArgs) -> Result<OutboundConfig, CommandError> {
    let read = |path: &PathBuf| {
        std::fs::read(path).map_err(|cause| CommandError::File { doing: format!("reading {}", path.display()), cause })
    };
    Ok(OutboundConfig {
        wall: Wall { allow_private: args.allow_private_targets, ports: args.target_ports.clone() },
        extra_roots: args.target_root.iter().map(read).collect::<Result<_, _>>()?,
        limits: Limits::default(),
    })
}

fn signed_note(store: &dyn Store) -> Result<Option<PublishedNote>, CommandError> {
    Ok(store.read(&Viewer::Everything, |queries| queries.witnesses().find_signed_note())?)
}

/// Gives an application its witnesses, and bounds how far its log may be behind.
///
/// # Errors
/// When the file of witnesses cannot be read, or is not for this log.
pub fn watched(mut app: App, args: &ServeArgs) -> Result<App, CommandError> {
    app.backlog = Backlog::limited(Duration::from_secs(args.edge.backlog_seconds));
    let Some(path) = &args.witnesses.file else { return Ok(app) };
    let witnesses = witnesses(path)?;
    let other = |why: &dyn std::fmt::Display| CommandError::Other(format!("{}: {why}", path.display()));
    let log = VerifierKey::try_new(&app.origin, app.log.public_key()).map_err(|e| other(&e))?;
    if !witnesses.logs.is_empty() && !witnesses.logs.contains(&log) {
        return Err(other(&format_args!("none of its logs is this one, which is {log}")));
    }
    let mut config = outbound_config(&args.outbound)?;
    // Witnesses are named by the operator, not by those whom the wall is for.
    config.wall = Wall { allow_private: true, ..config.wall };
    config.limits = Limits { total: WITNESS_PATIENCE, ..config.limits };
    let outbound = Outbound::new(config).map_err(|e| other(&e))?;
    let status = args.database.data_dir.join(STATUS_FILE);
    app.witnessing = Witnessing::new(witnesses, outbound, Some(status));
    app.witnessed_trust().map_err(|e| other(&e))?;
    Ok(app)
}

/// Gives an application its desk for Stripe, if it has a key.
///
/// # Errors
/// When the address is none, or a sandbox has a live key.
pub fn connected(mut app: App, args: &ServeArgs) -> Result<App, CommandError> {
    let StripeArgs { key, url, webhook_secrets, return_url, refresh_url } = args.stripe.clone();
    let Some(key) = key else { return Ok(app) };
    if key.is_live() && app.environment != Environment::Live {
        return Err(CommandError::Other(
            "a sandbox takes a test-mode key of Stripe's alone (sk_test_…, rk_test_…)".into(),
        ));
    }
    let rail =
        Stripe::new(StripeConfig { url, key, patience: PATIENCE }).map_err(|e| CommandError::Other(e.to_string()))?;
    let secrets = WebhookSecrets::new(webhook_secrets.into_iter().map(|secret| secret.0));
    app.stripe = Some(StripeDesk::new(Arc::new(rail), secrets, ReturnPages { refresh_url, return_url }));
    Ok(app)
}

/// Reads a file of witnesses.
///
/// # Errors
/// In words, with the line; also when a URL is none.
pub fn witnesses(path: &Path) -> Result<Witnesses, CommandError> {
    let text = std::fs::read_to_string(path)
        .map_err(|cause| CommandError::File { doing: format!("reading {}", path.display()), cause })?;
    let other = |why: &dyn std::fmt::Display| CommandError::Other(format!("{}: {why}", path.display()));
    let witnesses = Witnesses::parse(&text).map_err(|e| other(&e))?;
    let wall = Wall { allow_private: true, ..Wall::default() };
    for url in &witnesses.urls {
        wall.check(url).map_err(|refusal| other(&format_args!("{url} {refusal}")))?;
    }
    Ok(witnesses)
}

/// Learns who was revoked, and refuses to go on with a log that these settings do not belong to: another key, another name, or no
/// memory of what was signed. Each would fork the log.
///
/// # Errors
/// In words that say what to put back.
pub fn continues(app: &App, data_dir: &Path) -> Result<(), CommandError> {
    app.learn_revocations()?;
    let Some(newest) = signed_note(app.store.as_ref())? else { return Ok(()) };
    let other = |e: &dyn std::fmt::Display| CommandError::Other(e.to_string());
    let verifier = VerifierKey::try_new(&app.origin, app.log.public_key()).map_err(|e| other(&e))?;
    let note = Note::parse(&newest.note).map_err(|e| other(&e))?;
    if note.verify(&verifier).is_err() {
        return Err(CommandError::Other(format!(
            "the newest checkpoint of this database was not signed by {} as `{}`: start with the log's own key and its own name (--log-origin)",
            data_dir.join("keys/log.pem").display(),
            app.origin
        )));
    }
    if app.high_water.read().map_err(|e| other(&e))?.is_none() {
        return Err(CommandError::Other(format!(
            "{} is missing, and {} leaves were signed: without it a rolled-back log would be signed a second time. Put it back; if it is lost, write {{\"root\":\"<hex>\",\"size\":<leaves>}} of a checkpoint that you trust into it",
            data_dir.join("log.high-water").display(),
            newest.size
        )));
    }
    Ok(())
}

/// Makes the administrator's API client at the first start and keeps its secret in `<data-dir>/admin.json`
/// (mode 0600). `None` when there is one already.
///
/// # Errors
/// When the file cannot be written: then the client is not made either.
pub fn administrator(app: &App, data_dir: &Path) -> Result<Option<PathBuf>, CommandError> {
    let path = data_dir.join("admin.json");
    let service = Actor::service();
    let mut failed = None;
    let made = app.store.transaction(|uow| {
        let Some(new) = bootstrap::bootstrap(uow, &app.env(&service))? else { return Ok(false) };
        let file = serde_json::json!({"client_id": new.client.id.to_string(), "client_secret": new.secret.reveal()});
        // The file is there before the commit: a crash in between leaves a file that the next start replaces.
        let written = durable::replace(&path, format!("{file:#}\n").as_bytes(), 0o600);
        failed = written.err();
        if failed.is_some() {
            return Err(domain::store::StoreError::Failed("the administrator's file cannot be written".into()).into());
        }
        Ok(true)
    });
    if let Some(cause) = failed {
        return Err(CommandError::File { doing: format!("writing {}", path.display()), cause });
    }
    let made = made.map_err(|error: domain::access::AccessError| CommandError::Other(error.to_string()))?;
    Ok(made.then_some(path))
}
