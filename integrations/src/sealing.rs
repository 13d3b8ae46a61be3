//! Seals what must be given again but not lie open: XChaCha20-Poly1305 (RFC 8439 with the extended
//! nonce of draft-irtf-cfrg-xchacha), the nonce before the ciphertext.
//!
//! The key is derived from a signature that the platform's key makes over a fixed text and that leaves
//! the process nowhere: Ed25519 is deterministic, so every process of a service derives the same key,
//! and the database alone opens nothing.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use domain::chain::signer::{PortError, Signer};
use domain::kernel::Digest;
use domain::kernel::time::Randomness;
use domain::webhooks::Vault;

const CONTEXT: &[u8] = b"flip360/sealed-answer/v1";
const NONCE_BYTES: usize = 24;

/// Seals and opens.
pub struct Sealer {
    cipher: XChaCha20Poly1305,
    key: Digest,
}

impl Sealer {
    /// A sealer under the key of a signer.
    ///
    /// # Errors
    /// When the key is out of reach.
    pub fn of(signer: &dyn Signer) -> Result<Self, PortError> {
        let key = Digest::of_parts(&[CONTEXT, b"\0", &signer.sign(CONTEXT)?]);
        let cipher = XChaCha20Poly1305::new(&Key::from(*key.bytes()));
        Ok(Self { cipher, key: Digest::of_parts(&[b"flip360/blind/v1\0", key.bytes()]) })
    }

    /// A digest that says the same only to who has the key: nobody can guess what was digested.
    #[must_use]
    pub fn blind(&self, digest: &Digest) -> Digest {
        Digest::of_parts(&[self.key.bytes(), digest.bytes()])
    }

    /// Seals bytes; they open only with the same `about`.
    ///
    /// # Errors
    /// When the bytes are too many for the cipher (256 GiB).
    pub fn seal(&self, randomness: &dyn Randomness, about: &[u8], bytes: &[u8]) -> Result<Vec<u8>, PortError> {
        let mut nonce = [0; NONCE_BYTES];
        randomness.fill(&mut nonce);
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), Payload { msg: bytes, aad: about });
        let sealed = sealed.map_err(|_| PortError("an answer cannot be sealed".into()))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed.
    ///
    /// # Errors
    /// When it was altered, sealed about something else, or under another key.
    pub fn open(&self, about: &[u8], sealed: &[u8]) -> Result<Vec<u8>, PortError> {
        let refused = || PortError("a sealed answer does not open: it was altered, or the key is another one".into());
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or_else(refused)?;
        self.cipher.decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: about }).map_err(|_| refused())
    }
}

impl Vault for Sealer {
    fn seal(&self, randomness: &dyn Randomness, about: &[u8], bytes: &[u8]) -> Result<Vec<u8>, PortError> {
        Self::seal(self, randomness, about, bytes)
    }

    fn open(&self, about: &[u8], sealed: &[u8]) -> Result<Vec<u8>, PortError> {
        Self::open(self, about, sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_file::KeyFile;
    use crate::randomness::SystemRandomness;
    use crate::tests::scratch;

    #[test]
    fn what_is_sealed_opens_only_unaltered_and_about_the_same() {
        let key = |name: &str| {
            KeyFile::open_or_create(&scratch(name).join("platform.pem"), &SystemRandomness).expect("a key")
        };
        let mine = Sealer::of(&key("sealer")).expect("a sealer");
        let sealed = mine.seal(&SystemRandomness, b"about", b"secret").expect("sealed");
        assert_eq!(mine.open(b"about", &sealed).expect("opened"), b"secret");
        assert!(mine.open(b"other", &sealed).is_err());
        for n in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[n] ^= 1;
            assert!(mine.open(b"about", &altered).is_err(), "byte {n}");
        }
        assert!(mine.open(b"about", b"short").is_err());
        let other = Sealer::of(&key("other-sealer")).expect("a sealer");
        assert!(other.open(b"about", &sealed).is_err());
    }
}
