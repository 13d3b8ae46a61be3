//! Statements about keys: one is registered for a party, gives way to the next, or is no longer good.
//!
//! A rotation is signed by the key that gives way, and holds the proof that whoever signs with the next one has it: a
//! JWS by the next key over the same statement (`type` `key_possession`, `kid` the next key's, `replaces` the old one's,
//! no `proof`). So both keys sign who follows whom, for which party, and what is promised after. A revocation is signed
//! by the key itself, by another key of its party, or by the platform on somebody's word (`assurance` `attested`).

use serde::{Deserialize, Serialize};

use super::{Signed, VERSION, signed, typ};
use crate::checkpoint::TreeHead;
use crate::digest::Digest;
use crate::jcs;
use crate::jws::{self, Jws, JwsError};
use crate::key::{Jwk, PublicKey};
use crate::leaf::LeafKind;
use crate::parts::{Assurance, PartyId, Salt};
use crate::signer::Signer;

/// Registers a key, signed by that very key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRegistration {
    /// Whose hand the key is in.
    pub assurance: Assurance,
    /// The key.
    pub jwk: Jwk,
    /// Its thumbprint.
    pub kid: String,
    /// The origin of the log.
    pub log: String,
    /// SHA-256 of the next public key's 32 bytes (pre-rotation).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Digest>,
    /// Whose key it is.
    pub party: PartyId,
    /// Random.
    pub salt: Salt,
    /// [`super::VERSION`].
    pub v: u8,
}

signed!(KeyRegistration, KEY, assurance);

/// A key gives way to the next, signed by both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRotation {
    /// Whose hand both keys are in.
    pub assurance: Assurance,
    /// The next key.
    pub jwk: Jwk,
    /// The thumbprint of the key that gives way, and signs.
    pub kid: String,
    /// The origin of the log.
    pub log: String,
    /// SHA-256 of the 32 bytes of the public key after the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Digest>,
    /// Whose keys they are.
    pub party: PartyId,
    /// The next key's signature over the same: a compact JWS of type `flip360-key-proof+jws`.
    pub proof: String,
    /// Random.
    pub salt: Salt,
    /// The last checkpoint that the signer verified.
    pub seen: TreeHead,
    /// [`super::VERSION`].
    pub v: u8,
}

/// What the next key signs.
#[derive(Serialize)]
struct KeyPossession<'r> {
    assurance: Assurance,
    jwk: &'r Jwk,
    kid: String,
    log: &'r str,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Digest>,
    party: &'r PartyId,
    replaces: &'r str,
    salt: Salt,
    seen: TreeHead,
    r#type: &'static str,
    v: u8,
}

/// Why a rotation does not prove that the next key is in its party's hand.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The proof is signed over something else than this rotation.
    #[error("the proof is of another rotation")]
    OtherRotation,
    /// The envelope of the proof, or the next key.
    #[error(transparent)]
    Envelope(#[from] JwsError),
}

impl KeyRotation {
    fn possession(&self, kid: String) -> KeyPossession<'_> {
        KeyPossession {
            assurance: self.assurance,
            jwk: &self.jwk,
            kid,
            log: &self.log,
            next: self.next,
            party: &self.party,
            replaces: &self.kid,
            salt: self.salt,
            seen: self.seen,
            r#type: "key_possession",
            v: VERSION,
        }
    }

    /// Writes the proof, with the next key.
    ///
    /// # Errors
    /// When the signer fails.
    pub fn prove(&mut self, next: &dyn Signer) -> Result<(), JwsError> {
        self.jwk = next.public_key().jwk();
        self.proof = jws::sign(&self.possession(next.kid()), typ::PROOF, next)?;
        Ok(())
    }

    /// The next key, when the proof shows that its holder agreed to exactly this rotation.
    ///
    /// # Errors
    /// See [`ProofError`].
    pub fn successor(&self) -> Result<PublicKey, ProofError> {
        let key = PublicKey::from_jwk(&self.jwk).map_err(JwsError::from)?;
        let proof = Jws::parse(&self.proof)?;
        let expected = jcs::to_bytes(&self.possession(key.kid())).map_err(JwsError::from)?;
        if proof.payload() != expected {
            return Err(ProofError::OtherRotation);
        }
        proof.verify(&key, typ::PROOF)?;
        Ok(key)
    }
}

signed!(KeyRotation, KEY, seen, assurance);

/// Why a key is no longer good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevocationReason {
    /// Somebody else may have it.
    Compromised,
    /// Nobody has it any more.
    Lost,
    /// It is not needed any more.
    Retired,
}

impl RevocationReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::Compromised, Self::Lost, Self::Retired];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Compromised => "compromised",
            Self::Lost => "lost",
            Self::Retired => "retired",
        }
    }

    /// Reads a reason.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// A key is no longer good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyRevocation {
    /// The user or API client that asked for it; exactly when attested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<uuid::Uuid>,
    /// That of the key that signs, or `attested`: the platform signs on somebody's word.
    pub assurance: Assurance,
    /// The thumbprint of the key that is revoked.
    pub key: String,
    /// The key that signs: the same, another one of the party, or the platform's.
    pub kid: String,
    /// The origin of the log.
    pub log: String,
    /// Whose key it is.
    pub party: PartyId,
    /// Why.
    pub reason: RevocationReason,
    /// Random.
    pub salt: Salt,
    /// The last checkpoint that the signer verified.
    pub seen: TreeHead,
    /// [`super::VERSION`].
    pub v: u8,
}

signed!(KeyRevocation, KEY, seen, assurance);
