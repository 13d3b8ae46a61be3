//! Kept answers that carry a secret: sealed, so that the database holds no secret that works.
//!
//! XChaCha20-Poly1305 under a key that only the platform's signing key gives: the digest of its
//! deterministic signature (RFC 8032) of a text that nothing else signs. An answer opens only under the
//! claim that it was kept for. When the platform's key has changed since, it no longer opens, and the
//! caller is told to ask for a new secret.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use domain::chain::signer::{PortError, Signer};
use domain::idempotency::{Claim, FirstAnswer};
use domain::kernel::Digest;
use domain::kernel::time::Randomness;

/// What is signed to get the key.
const LABEL: &[u8] = b"flip360/kept-answers/v1";
/// The media type of a sealed answer.
const SEALED: &str = "application/vnd.flip360.sealed";
/// Bytes of a nonce.
const NONCE: usize = 24;

/// Seals and opens.
pub struct Vault(Digest);

impl Vault {
    /// The vault of a platform's key.
    ///
    /// # Errors
    /// When the key is out of reach.
    pub fn of(platform: &dyn Signer) -> Result<Self, PortError> {
        Ok(Self(Digest::of(&platform.sign(LABEL)?)))
    }

    /// The digest of a request that holds a password: worthless to whoever reads the database only.
    #[must_use]
    pub fn blind(&self, fingerprint: &Digest) -> Digest {
        Digest::of_parts(&[b"fingerprint", self.0.bytes(), fingerprint.bytes()])
    }

    /// The answer as it is kept.
    ///
    /// # Errors
    /// When it is too long to be sealed, which no answer is.
    pub fn seal(
        &self,
        claim: &Claim,
        answer: FirstAnswer,
        randomness: &dyn Randomness,
    ) -> Result<FirstAnswer, PortError> {
        let mut nonce = [0; NONCE];
        randomness.fill(&mut nonce);
        let label = label(claim);
        let message = Payload { msg: &answer.body, aad: &label };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), message);
        let sealed = sealed.map_err(|_| PortError("an answer cannot be sealed".to_owned()))?;
        Ok(FirstAnswer { content_type: SEALED.to_owned(), body: [nonce.as_slice(), &sealed].concat(), ..answer })
    }

    /// The answer as it went out; `None` when it does not open.
    #[must_use]
    pub fn open(&self, claim: &Claim, kept: FirstAnswer) -> Option<FirstAnswer> {
        let (nonce, sealed) = kept.body.split_first_chunk::<NONCE>()?;
        let label = label(claim);
        let body = self.cipher().decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &label }).ok()?;
        Some(FirstAnswer { content_type: "application/json".to_owned(), body, ..kept })
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(&Key::from(*self.0.bytes()))
    }
}

/// Whether a kept answer is sealed.
#[must_use]
pub fn is_sealed(answer: &FirstAnswer) -> bool {
    answer.content_type == SEALED
}

fn label(claim: &Claim) -> Vec<u8> {
    [claim.caller.as_bytes().as_slice(), claim.key.as_str().as_bytes()].concat()
}
