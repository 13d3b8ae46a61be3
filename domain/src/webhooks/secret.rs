//! What requests are signed with: made here, sealed by a port, opened only to sign.
//!
//! Serialisation as Standard Webhooks has it: base64 after `whsec_` (shared) or `whpk_` (public).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::SigningKey;
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};

use super::endpoint::Signing;
use crate::chain::signer::PortError;
use crate::kernel::fault::Reason;
use crate::kernel::ids::WebhookEndpointId;
use crate::kernel::time::Randomness;

/// A signing secret of 32 unpredictable bytes. No `Debug`, no `Serialize`.
#[derive(Clone)]
pub struct SigningSecret {
    signing: Signing,
    bytes: Zeroizing<[u8; 32]>,
}

impl SigningSecret {
    /// The secret of these bytes: the shared key of `v1`, the seed of `v1a`.
    #[must_use]
    pub fn new(signing: Signing, bytes: [u8; 32]) -> Self {
        Self { signing, bytes: Zeroizing::new(bytes) }
    }

    /// What was sealed, opened.
    ///
    /// # Errors
    /// When it does not open, or is no secret.
    pub fn open(
        vault: &dyn Vault,
        signing: Signing,
        endpoint: WebhookEndpointId,
        sealed: &SealedSecret,
    ) -> Result<Self, PortError> {
        let bytes = Zeroizing::new(vault.open(&about(endpoint), &sealed.0)?);
        let bytes = bytes.as_slice().try_into().map_err(|_| PortError("a signing secret has 32 bytes".into()))?;
        Ok(Self::new(signing, bytes))
    }

    /// As it is kept: good for this endpoint only.
    ///
    /// # Errors
    /// When it cannot be sealed.
    pub fn seal(
        &self,
        vault: &dyn Vault,
        randomness: &dyn Randomness,
        endpoint: WebhookEndpointId,
    ) -> Result<SealedSecret, PortError> {
        vault.seal(randomness, &about(endpoint), self.bytes.as_slice()).map(SealedSecret)
    }

    /// The scheme.
    #[must_use]
    pub const fn signing(&self) -> Signing {
        self.signing
    }

    /// For the adapter that signs.
    #[must_use]
    pub fn reveal(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// `whsec_…`, to hand to the owner once; none for `v1a`, whose secret half stays here.
    #[must_use]
    pub fn shared(&self) -> Option<SharedSecret> {
        match self.signing {
            Signing::V1 => Some(SharedSecret(SecretString::from(format!("whsec_{}", STANDARD.encode(*self.bytes))))),
            Signing::V1a => None,
        }
    }

    /// The public key of `v1a`.
    #[must_use]
    pub fn public_key(&self) -> Option<[u8; 32]> {
        match self.signing {
            Signing::V1 => None,
            Signing::V1a => Some(SigningKey::from_bytes(&self.bytes).verifying_key().to_bytes()),
        }
    }
}

/// `whpk_…`.
#[must_use]
pub fn written_public_key(key: &[u8; 32]) -> String {
    format!("whpk_{}", STANDARD.encode(key))
}

/// A shared secret as its owner keeps it.
#[derive(Clone)]
pub struct SharedSecret(SecretString);

impl SharedSecret {
    /// The text.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A secret as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret(pub Vec<u8>);

/// What a sealed secret belongs to.
fn about(endpoint: WebhookEndpointId) -> Vec<u8> {
    [b"flip360/webhook-endpoint/v1\0".as_slice(), endpoint.uuid().as_bytes()].concat()
}

/// Seals what must be given again but not lie open in the database.
pub trait Vault: Send + Sync {
    /// Seals bytes; they open only with the same `about`.
    ///
    /// # Errors
    /// When they cannot be sealed.
    fn seal(&self, randomness: &dyn Randomness, about: &[u8], bytes: &[u8]) -> Result<Vec<u8>, PortError>;

    /// Opens what was sealed.
    ///
    /// # Errors
    /// When it was altered, sealed about something else, or under another key.
    fn open(&self, about: &[u8], sealed: &[u8]) -> Result<Vec<u8>, PortError>;
}

/// Why an address is not one that requests may go to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct TargetFault {
    /// Stable and machine-readable.
    pub code: &'static str,
    /// For a person.
    pub detail: String,
}

impl Reason for TargetFault {
    fn code(&self) -> &'static str {
        self.code
    }
}

/// Where requests may go to.
pub trait Targets: Send + Sync {
    /// Reads an address; what comes out is the address in its one canonical form.
    ///
    /// # Errors
    /// Why requests may not go there.
    fn check(&self, url: &str) -> Result<String, TargetFault>;
}
