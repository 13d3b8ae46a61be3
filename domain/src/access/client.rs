//! API clients: programs of partners and of the operator, known by an id and a secret.

use super::secret::ClientSecret;
use super::standing::{Standing, StandingInput};
use crate::directory::{ClusterText, required};
use crate::kernel::ids::ApiClientId;
use crate::kernel::{Digest, Faults, Instant};

/// An API client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiClient {
    /// Its id, which is also its `client_id`.
    pub id: ApiClientId,
    /// What people call it.
    pub name: ClusterText,
    /// What it is.
    pub standing: Standing,
    /// When it was made.
    pub created_at: Instant,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Instant>,
    /// Rises with each change.
    pub version: i32,
}

/// An API client with the digest of its secret, as a login needs it.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientCredentials {
    /// The client.
    pub client: ApiClient,
    /// What its secret digests to.
    pub secret_sha256: Digest,
}

/// A client and its secret, which is shown this once.
pub struct NewSecret {
    /// The client.
    pub client: ApiClient,
    /// Its secret.
    pub secret: ClientSecret,
}

/// A request to create an API client, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateApiClientInput {
    /// `/name`
    pub name: Option<String>,
    /// `/roles`, `/organisation_id`, `/member_id`
    pub standing: StandingInput,
}

/// A valid request to create an API client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateApiClient {
    /// What people call it.
    pub name: ClusterText,
    /// What it is.
    pub standing: Standing,
}

impl CreateApiClient {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &CreateApiClientInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let name = required(&mut faults, "/name", raw.name.as_deref(), ClusterText::parse);
        let standing = Standing::parse(&raw.standing, &mut faults);
        match (name, standing) {
            (Some(name), Some(standing)) => Ok(Self { name, standing }),
            _ => Err(faults),
        }
    }
}
