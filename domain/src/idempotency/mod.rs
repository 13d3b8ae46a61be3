//! One outcome per key: the first answer to a request is kept beside its effect and given again.
//!
//! A key belongs to a caller as it acts for an organisation, live or in the sandbox: under another organisation the
//! same user's key is another one. It is claimed before the work (an advisory lock that ends with the
//! transaction); the answer is written in the transaction of the effect. Answers are kept for 30 days,
//! in partitions by day: a look-up searches all of them under the claim, so a retry after midnight
//! finds the first answer. Source: draft-ietf-httpapi-idempotency-key-header.

use jiff::civil::Date;
use uuid::Uuid;

use crate::access::{Actor, Environment};
use crate::kernel::Digest;
use crate::kernel::fault::Reason;
use crate::store::StoreError;

/// How long an answer is kept.
pub const KEPT_DAYS: i32 = 30;

/// A caller's name for one request: 1–255 printable ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey(String);

/// Not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key has 1 to 255 printable ASCII characters")]
pub struct KeyError;

impl Reason for KeyError {
    fn code(&self) -> &'static str {
        "invalid_idempotency_key"
    }
}

impl IdempotencyKey {
    /// Reads a header.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let printable = text.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
        if printable && (1..=255).contains(&text.len()) { Ok(Self(text.to_owned())) } else { Err(KeyError) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// For whom a caller acts, live or in the sandbox: as it is stored, `live/org_…`, and `live/` for whoever acts for no
/// organisation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tenant(String);

impl Tenant {
    /// Whom this actor acts for.
    #[must_use]
    pub fn of(environment: Environment, actor: &Actor) -> Self {
        let organisation = actor.organisation.map(|id| id.to_string()).unwrap_or_default();
        Self(format!("{}/{organisation}", environment.as_str()))
    }

    /// From storage.
    #[must_use]
    pub const fn restore(text: String) -> Self {
        Self(text)
    }

    /// As it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A key of a caller.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claim {
    /// The user or API client.
    pub caller: Uuid,
    /// For whom it acts, and where.
    pub tenant: Tenant,
    /// Its key.
    pub key: IdempotencyKey,
}

/// The answer to a request, as it went out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstAnswer {
    /// The HTTP status.
    pub status: i16,
    /// `Content-Type`.
    pub content_type: String,
    /// `Location`.
    pub location: Option<String>,
    /// `ETag`, with its quotation marks.
    pub etag: Option<String>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
    /// Whether the body carries a secret and is kept encrypted.
    pub sealed: bool,
}

/// What is kept of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyRecord {
    /// Whose, and which.
    pub claim: Claim,
    /// The digest of method, path and body.
    pub fingerprint: Digest,
    /// What was answered.
    pub answer: FirstAnswer,
}

/// First answers, inside a transaction.
pub trait IdempotencyRepository {
    /// Takes the keys until the transaction ends; `false` where another transaction holds one.
    ///
    /// # Errors
    /// The failure of the store.
    fn claim(&mut self, claims: &[Claim]) -> Result<Vec<bool>, StoreError>;

    /// The answers that exist to these keys.
    ///
    /// # Errors
    /// The failure of the store.
    fn find(&mut self, claims: &[Claim]) -> Result<Vec<IdempotencyRecord>, StoreError>;

    /// Keeps first answers.
    ///
    /// # Errors
    /// The failure of the store.
    fn append(&mut self, records: &[IdempotencyRecord], on: Date) -> Result<(), StoreError>;

    /// Puts another body into the answers that made the contact at a location: what was erased is not told again.
    ///
    /// # Errors
    /// The failure of the store.
    fn rewrite_contact(&mut self, location: &str, body: &[u8]) -> Result<(), StoreError>;

    /// The same for the answers that made a payee or a user.
    ///
    /// # Errors
    /// The failure of the store.
    fn rewrite_person(&mut self, location: &str, body: &[u8]) -> Result<(), StoreError>;
}
