//! Public keys of API clients: who signs with the private half needs no secret (RFC 7523, `private_key_jwt`).
//!
//! Invariants: only Ed25519 under the platform's key policy, only the public half; whoever registers a key
//! has all scopes of its client, since whoever holds the private half has them. Taking a key away ends the
//! client's tokens: the key may have been stolen. Bounds: [`MAX_KEYS`] keys a client.

use super::client::ApiClient;
use super::error::AccessError;
use super::person::hold;
use super::session::end_tokens;
use super::{Scope, service};
use crate::chain::key::{Jwk, PublicKey};
use crate::directory::required;
use crate::env::Env;
use crate::events::EventKind;
use crate::kernel::ids::{ApiClientId, ApiClientKeyId};
use crate::kernel::{Faults, Instant};
use crate::store::{StoreError, UnitOfWork};

/// Keys of one client: the present one, the next one, and room for several programs.
pub const MAX_KEYS: usize = 10;

/// The public key of an API client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiClientKey {
    /// Its id.
    pub id: ApiClientKeyId,
    /// Whose.
    pub client: ApiClientId,
    /// The key.
    pub key: PublicKey,
    /// When it was registered.
    pub created_at: Instant,
}

impl ApiClientKey {
    /// A key never changes: it has one version.
    pub const VERSION: i32 = 1;
}

/// A JWK as a request gives it (RFC 7517, RFC 8037), unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JwkInput {
    /// `/jwk/kty`
    pub kty: Option<String>,
    /// `/jwk/crv`
    pub crv: Option<String>,
    /// `/jwk/x`
    pub x: Option<String>,
    /// `/jwk/use`
    pub usage: Option<String>,
    /// `/jwk/alg`
    pub alg: Option<String>,
}

/// A valid request to register a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateApiClientKey {
    /// The key.
    pub key: PublicKey,
}

impl CreateApiClientKey {
    /// Checks every member.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: Option<&JwkInput>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let Some(raw) = raw else {
            faults.push("/jwk", "required", "this field is required");
            return Err(faults);
        };
        let words: [(&str, Option<&str>, &[&str], bool); 4] = [
            ("/jwk/kty", raw.kty.as_deref(), &["OKP"], true),
            ("/jwk/crv", raw.crv.as_deref(), &["Ed25519"], true),
            ("/jwk/use", raw.usage.as_deref(), &["sig"], false),
            ("/jwk/alg", raw.alg.as_deref(), &["EdDSA", "Ed25519"], false),
        ];
        for (pointer, given, allowed, needed) in words {
            match given {
                None if needed => faults.push(pointer, "required", "this field is required"),
                Some(word) if !allowed.contains(&word) => {
                    faults.push(pointer, "unknown_value", format!("must be {}", allowed.join(" or ")));
                }
                _ => {}
            }
        }
        let read =
            |x: &str| PublicKey::from_jwk(&Jwk { crv: "Ed25519".to_owned(), kty: "OKP".to_owned(), x: x.to_owned() });
        let key = required(&mut faults, "/jwk/x", raw.x.as_deref(), read);
        match key {
            Some(key) if faults.0.is_empty() => Ok(Self { key }),
            _ => Err(faults),
        }
    }
}

/// Registers a key of an API client.
///
/// # Errors
/// See [`AccessError`].
pub fn create_client_key(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: ApiClientId,
    command: &CreateApiClientKey,
) -> Result<ApiClientKey, AccessError> {
    let client = locked(uow, env, id)?;
    if uow.client_keys().list_client_keys(id)?.len() >= MAX_KEYS {
        return Err(AccessError::TooManyKeys);
    }
    let made =
        ApiClientKey { id: ApiClientKeyId::new(env.ids.next()), client: id, key: command.key, created_at: env.now };
    match uow.client_keys().insert_client_key(&made) {
        Err(StoreError::Violates(rule)) if rule == "api_client_key_taken" => return Err(AccessError::KeyTaken),
        kept => kept?,
    }
    hold(uow, env, id)?;
    service::client_changed(uow, env, EventKind::ApiClientKeyCreated, &client)?;
    Ok(made)
}

/// Takes a key away, and ends the tokens that the client has.
///
/// # Errors
/// See [`AccessError`].
pub fn delete_client_key(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: ApiClientId,
    key: ApiClientKeyId,
    version: i32,
) -> Result<ApiClientKeyId, AccessError> {
    let client = locked(uow, env, id)?;
    let known = uow.client_keys().list_client_keys(id)?;
    if known.iter().all(|known| known.id != key) {
        return Err(AccessError::NotFound);
    }
    if version != ApiClientKey::VERSION {
        return Err(AccessError::Stale);
    }
    uow.client_keys().delete_client_key(key)?;
    let client = ApiClient { version: client.version + 1, ..client };
    uow.client_keys().update_client_version(id, client.version)?;
    end_tokens(uow, env.now, id.uuid(), client.version)?;
    service::client_changed(uow, env, EventKind::ApiClientKeyDeleted, &client)?;
    Ok(key)
}

/// The client, locked, when the actor may make whoever holds its keys.
fn locked(uow: &mut dyn UnitOfWork, env: &Env<'_>, id: ApiClientId) -> Result<ApiClient, AccessError> {
    env.actor.require(Scope::AccessAdmin)?;
    let client = uow.access().lock_client(id)?.ok_or(AccessError::NotFound)?.client;
    if client.revoked_at.is_some() {
        return Err(AccessError::Revoked);
    }
    service::has_all(env, &client.standing)?;
    Ok(client)
}

/// Keys of API clients, inside a transaction.
pub trait ClientKeyRepository {
    /// The keys of a client, oldest first; at most [`MAX_KEYS`].
    ///
    /// # Errors
    /// The failure of the store.
    fn list_client_keys(&mut self, client: ApiClientId) -> Result<Vec<ApiClientKey>, StoreError>;

    /// Keeps a new key.
    ///
    /// # Errors
    /// `api_client_key_taken` when the client has it.
    fn insert_client_key(&mut self, key: &ApiClientKey) -> Result<(), StoreError>;

    /// Forgets a key.
    ///
    /// # Errors
    /// The failure of the store.
    fn delete_client_key(&mut self, id: ApiClientKeyId) -> Result<(), StoreError>;

    /// Raises the version of a client.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_client_version(&mut self, client: ApiClientId, version: i32) -> Result<(), StoreError>;
}
