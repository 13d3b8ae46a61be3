//! An Ed25519 key in a file: PKCS#8 in PEM (RFC 8410), which OpenSSL reads too.
//!
//! Invariants: the file is made with mode 0600 and never overwritten; one that others may read is
//! refused; the secret has no `Debug` and reaches no log line. A key management service would be
//! another adapter of the same port.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use domain::chain::key::{KeyError, PublicKey};
use domain::chain::signer::{PortError, Signer};
use domain::kernel::time::Randomness;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes};
use ed25519_dalek::{Signer as _, SigningKey};
use secrecy::zeroize::Zeroizing;

use crate::durable;

/// Why a key file is refused.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read or made.
    #[error("{}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// Others than its owner may read it.
    #[error("{}: others may read this key (mode {mode:o}); type: chmod 600 {}", path.display(), path.display())]
    Readable {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// Not a private key of this kind. The text of the file is never part of the message.
    #[error("{}: not an Ed25519 private key in PKCS#8 PEM", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
    },
    /// The key breaks the key policy.
    #[error("{}: {error}", path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// Which rule.
        error: KeyError,
    },
}

/// A key that was read from a file.
pub struct KeyFile {
    key: SigningKey,
    public: PublicKey,
}

impl KeyFile {
    /// Reads the key.
    ///
    /// # Errors
    /// See [`KeyFileError`].
    pub fn open(path: &Path) -> Result<Self, KeyFileError> {
        let file = |error| KeyFileError::File { path: path.to_owned(), error };
        let mode = std::fs::metadata(path).map_err(file)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Readable { path: path.to_owned(), mode });
        }
        let pem = secrecy::SecretString::from(std::fs::read_to_string(path).map_err(file)?);
        let key = SigningKey::from_pkcs8_pem(secrecy::ExposeSecret::expose_secret(&pem))
            .map_err(|_| KeyFileError::Malformed { path: path.to_owned() })?;
        Self::new(key, path)
    }

    /// Reads the key, or draws a new one when there is no file.
    ///
    /// # Errors
    /// See [`KeyFileError`].
    pub fn open_or_create(path: &Path, randomness: &dyn Randomness) -> Result<Self, KeyFileError> {
        if !path.try_exists().map_err(|error| KeyFileError::File { path: path.to_owned(), error })? {
            let pem = drawn_pem(path, randomness)?;
            match durable::create(path, pem.as_bytes(), 0o600) {
                // Another process was first: its key is the one.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => made.map_err(|error| KeyFileError::File { path: path.to_owned(), error })?,
            }
        }
        Self::open(path)
    }

    /// Draws a new key that is kept nowhere: for whoever acts as a partner in a demonstration.
    ///
    /// # Errors
    /// When what was drawn breaks the key policy, which it does not.
    pub fn draw(randomness: &dyn Randomness) -> Result<Self, KeyFileError> {
        let mut seed = [0; 32];
        randomness.fill(&mut seed);
        Self::new(SigningKey::from_bytes(&seed), Path::new("a drawn key"))
    }

    /// The private key, for libraries that sign by themselves.
    #[must_use]
    pub const fn signing_key(&self) -> &SigningKey {
        &self.key
    }

    fn new(key: SigningKey, path: &Path) -> Result<Self, KeyFileError> {
        let public = PublicKey::parse(key.verifying_key().as_bytes())
            .map_err(|error| KeyFileError::Policy { path: path.to_owned(), error })?;
        Ok(Self { key, public })
    }
}

/// A new private key as its file holds it.
pub(crate) fn drawn_pem(path: &Path, randomness: &dyn Randomness) -> Result<Zeroizing<String>, KeyFileError> {
    let mut seed = Zeroizing::new([0; 32]);
    randomness.fill(seed.as_mut_slice());
    // Version 1, without the public half: OpenSSL 3.0 and others do not read version 2.
    KeypairBytes { secret_key: *seed, public_key: None }
        .to_pkcs8_pem(LineEnding::LF)
        .map(|pem| Zeroizing::new(pem.to_string()))
        .map_err(|_| KeyFileError::Malformed { path: path.to_owned() })
}

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyFile({})", self.public.kid())
    }
}

impl Signer for KeyFile {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], PortError> {
        Ok(self.key.sign(message).to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::SystemRandomness;
    use crate::tests::scratch;

    #[test]
    fn a_key_is_made_once_and_stays_the_same() {
        let path = scratch("key").join("log.pem");
        let made = KeyFile::open_or_create(&path, &SystemRandomness).expect("a key");
        let bytes = std::fs::read(&path).expect("the file");
        assert_eq!(std::fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o600);
        let again = KeyFile::open_or_create(&path, &SystemRandomness).expect("the key");
        assert_eq!(made.kid(), again.kid());
        assert_eq!(std::fs::read(&path).expect("the file"), bytes);
        let names: Vec<_> = std::fs::read_dir(path.parent().expect("a parent")).expect("a list").collect();
        assert_eq!(names.len(), 1, "no temporary file is left");
    }

    #[test]
    fn a_key_that_others_may_read_is_refused() {
        let path = scratch("readable").join("log.pem");
        KeyFile::open_or_create(&path, &SystemRandomness).expect("a key");
        for mode in [0o640, 0o604, 0o660, 0o644] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("permissions");
            assert!(matches!(KeyFile::open(&path), Err(KeyFileError::Readable { .. })), "{mode:o}");
        }
    }

    #[test]
    fn no_message_and_no_debug_tells_the_key() {
        let path = scratch("silent").join("log.pem");
        let key = KeyFile::open_or_create(&path, &SystemRandomness).expect("a key");
        let pem = std::fs::read_to_string(&path).expect("the file");
        let secret = pem.lines().nth(1).expect("the body");
        assert!(!format!("{key:?}").contains(secret));
        std::fs::write(&path, pem.replace("PRIVATE", "PRIVAT")).expect("written");
        let error = KeyFile::open(&path).expect_err("not a key");
        assert!(matches!(error, KeyFileError::Malformed { .. }));
        assert!(!format!("{error} {error:?}").contains(secret));
    }
}
