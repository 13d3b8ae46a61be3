//! Puts the adapters of one service together: keys and marks in files, the system's clock and
//! randomness, PostgreSQL.
//!
//! Files in `<data-dir>/keys`, each mode 0600, made at the first start: `log.pem` signs checkpoints,
//! `platform.pem` seals handshakes, `token.pem` signs access tokens. `<data-dir>/log.high-water` is the
//! rollback guard's memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use domain::access::{Actor, bootstrap};
use domain::store::Store;
use integrations::clock::SystemClock;
use integrations::durable;
use integrations::high_water::HighWaterFile;
use integrations::ids::SystemIds;
use integrations::key_file::KeyFile;
use integrations::password::Argon2Hasher;
use integrations::randomness::SystemRandomness;

use crate::app::{App, Ports};
use crate::auth::Tokens;
use crate::auth::token::TokenConfig;
use crate::cli::CommandError;
use crate::config::ServeArgs;

/// The ports of a service that runs with these settings.
///
/// # Errors
/// When a key cannot be read or made, or others may read it.
pub fn ports(args: &ServeArgs, store: Arc<dyn Store>) -> Result<Ports, CommandError> {
    let data_dir = &args.database.data_dir;
    let keys = data_dir.join("keys");
    std::fs::create_dir_all(&keys)
        .map_err(|cause| CommandError::File { doing: format!("making {}", keys.display()), cause })?;
    let key = |name: &str| {
        KeyFile::open_or_create(&keys.join(name), &SystemRandomness).map_err(|e| CommandError::Other(e.to_string()))
    };
    let (platform, log, token) = (key("platform.pem")?, key("log.pem")?, key("token.pem")?);
    let issuer = args.public_url.clone().unwrap_or_else(|| format!("http://{}", args.listen));
    let config = TokenConfig { audience: issuer.clone(), issuer };
    let tokens = Tokens::new(config, token.signing_key(), &[]).map_err(|e| CommandError::Other(e.to_string()))?;
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
        origin: args.log_origin.clone(),
    })
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
