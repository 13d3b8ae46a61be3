//! The keys of access tokens in files, and how they are changed without downtime.
//!
//! `token.pem` signs. `token-next.pem` is published before it signs, so that everybody knows it when it does;
//! `token-previous.pem` verifies what it signed until that has expired. Rotation writes them in the order
//! previous, present, next; each file is replaced whole, so at every moment the three hold the key that signed
//! a moment ago and the one that signs now, and an interrupted rotation is finished by the next one.
//! Invariants: as of [`crate::key_file`]; no second rotation within [`PATIENCE_SECONDS`], or the key of tokens
//! that are still good would be lost.

use std::path::{Path, PathBuf};

use domain::chain::key::PublicKey;
use domain::chain::signer::Signer as _;
use domain::kernel::Instant;
use domain::kernel::time::Randomness;
use ed25519_dalek::SigningKey;
use secrecy::zeroize::Zeroizing;

use crate::durable;
use crate::key_file::{KeyFile, KeyFileError};

/// The key that signs.
const PRESENT: &str = "token.pem";
/// The key that will sign.
const NEXT: &str = "token-next.pem";
/// The key that signed before.
const PREVIOUS: &str = "token-previous.pem";
/// Longer than any token lives.
pub const PATIENCE_SECONDS: i64 = 3_600 + 60;
/// How often the files are read again when a rotation is seen under way.
const ATTEMPTS: usize = 5;

/// Why the keys cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum TokenKeysError {
    /// A key file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// A file that cannot be written.
    #[error("{}: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Tokens of the key before are still good.
    #[error(
        "the key was changed {minutes} minutes ago, and tokens of the one before are good for up to an hour: wait, or use --compromised, which ends every token at once"
    )]
    TooSoon {
        /// How long ago.
        minutes: i64,
    },
    /// The files do not hold still.
    #[error("the keys are being changed; try again")]
    Busy,
}

/// The keys of access tokens.
pub struct TokenKeys {
    /// Signs.
    pub present: SigningKey,
    /// Are accepted beside it.
    pub others: Vec<PublicKey>,
}

/// The files.
#[derive(Debug, Clone)]
pub struct TokenKeyFiles {
    directory: PathBuf,
}

impl TokenKeyFiles {
    /// The files in a directory.
    #[must_use]
    pub fn new(directory: &Path) -> Self {
        Self { directory: directory.to_owned() }
    }

    /// Makes the next key, when there is none: it is known to everybody long before it signs.
    ///
    /// # Errors
    /// See [`TokenKeysError`].
    pub fn prepare(&self, randomness: &dyn Randomness) -> Result<(), TokenKeysError> {
        KeyFile::open_or_create(&self.path(NEXT), randomness)?;
        Ok(())
    }

    /// Reads the keys as they are at one moment.
    ///
    /// # Errors
    /// See [`TokenKeysError`].
    pub fn read(&self) -> Result<TokenKeys, TokenKeysError> {
        for _ in 0..ATTEMPTS {
            let present = KeyFile::open(&self.path(PRESENT))?;
            let others = [self.optional(NEXT)?, self.optional(PREVIOUS)?];
            let again = KeyFile::open(&self.path(PRESENT))?;
            // While the present key stays, what was read beside it was there with it.
            if again.public_key() == present.public_key() {
                let others = others.into_iter().flatten().map(|key| key.public_key());
                let others = others.filter(|key| *key != present.public_key()).collect();
                return Ok(TokenKeys { present: present.signing_key().clone(), others });
            }
        }
        Err(TokenKeysError::Busy)
    }

    /// Lets the next key sign; the present one still verifies. Returns the name of the key that signs now.
    ///
    /// # Errors
    /// [`TokenKeysError::TooSoon`] while tokens of the key before are good.
    pub fn rotate(&self, randomness: &dyn Randomness, now: Instant) -> Result<String, TokenKeysError> {
        self.prepare(randomness)?;
        let key = |name| KeyFile::open(&self.path(name)).map(|key| key.public_key());
        let (present, next) = (key(PRESENT)?, key(NEXT)?);
        let previous = self.optional(PREVIOUS)?.map(|key| key.public_key());
        // The present key is in the place of the one before, or of the next one: a rotation broke off.
        let begun = previous == Some(present);
        let interrupted = next == present;
        if !begun && !interrupted {
            if let Some(minutes) = self.minutes_since(now)? {
                return Err(TokenKeysError::TooSoon { minutes });
            }
            self.copy(PRESENT, PREVIOUS)?;
        }
        if !interrupted {
            self.copy(NEXT, PRESENT)?;
        }
        self.draw(NEXT, randomness)?;
        Ok(key(PRESENT)?.kid())
    }

    /// Forgets every key: somebody else may have the present one. Each token that was given ends.
    ///
    /// # Errors
    /// See [`TokenKeysError`].
    pub fn replace(&self, randomness: &dyn Randomness) -> Result<String, TokenKeysError> {
        let previous = self.path(PREVIOUS);
        if let Err(cause) = std::fs::remove_file(&previous)
            && cause.kind() != std::io::ErrorKind::NotFound
        {
            return Err(TokenKeysError::File { path: previous, cause });
        }
        self.draw(NEXT, randomness)?;
        self.draw(PRESENT, randomness)?;
        Ok(KeyFile::open(&self.path(PRESENT))?.public_key().kid())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn optional(&self, name: &str) -> Result<Option<KeyFile>, TokenKeysError> {
        match KeyFile::open(&self.path(name)) {
            Ok(key) => Ok(Some(key)),
            Err(KeyFileError::File { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Minutes since the last rotation, when it is too young for another one.
    fn minutes_since(&self, now: Instant) -> Result<Option<i64>, TokenKeysError> {
        let path = self.path(PREVIOUS);
        let changed = match std::fs::metadata(&path).and_then(|file| file.modified()) {
            Ok(changed) => changed,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => return Err(TokenKeysError::File { path, cause }),
        };
        let Ok(changed) = jiff::Timestamp::try_from(changed) else { return Ok(None) };
        let age = now.timestamp().as_second() - changed.as_second();
        Ok((age < PATIENCE_SECONDS).then_some(age.max(0) / 60))
    }

    fn copy(&self, from: &str, to: &str) -> Result<(), TokenKeysError> {
        let (from, to) = (self.path(from), self.path(to));
        let pem = std::fs::read(&from).map(Zeroizing::new);
        let pem = pem.map_err(|cause| TokenKeysError::File { path: from, cause })?;
        durable::replace(&to, &pem, 0o600).map_err(|cause| TokenKeysError::File { path: to, cause })
    }

    fn draw(&self, name: &str, randomness: &dyn Randomness) -> Result<(), TokenKeysError> {
        let path = self.path(name);
        let pem = crate::key_file::drawn_pem(&path, randomness)?;
        durable::replace(&path, pem.as_bytes(), 0o600).map_err(|cause| TokenKeysError::File { path, cause })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::SystemRandomness;
    use crate::tests::scratch;

    /// An hour and two minutes from now, by the clock that files carry.
    fn much_later(path: &Path) -> Instant {
        let file = std::fs::metadata(path).expect("a file").modified().expect("a time");
        let at = jiff::Timestamp::try_from(file).expect("a time");
        Instant::new(at.checked_add(jiff::SignedDuration::from_secs(3_720)).expect("a time"))
    }

    fn files(name: &str) -> (TokenKeyFiles, PathBuf) {
        let directory = scratch(name);
        KeyFile::open_or_create(&directory.join(PRESENT), &SystemRandomness).expect("a key");
        (TokenKeyFiles::new(&directory), directory)
    }

    fn kids(keys: &TokenKeys) -> (String, Vec<String>) {
        let present = PublicKey::parse(keys.present.verifying_key().as_bytes()).expect("a key");
        (present.kid(), keys.others.iter().map(PublicKey::kid).collect())
    }

    #[test]
    fn the_next_key_signs_and_the_one_before_verifies() {
        let (files, directory) = files("rotation");
        let (first, none) = kids(&files.read().expect("keys"));
        assert!(none.is_empty());
        files.prepare(&SystemRandomness).expect("a next key");
        let (_, next) = kids(&files.read().expect("keys"));
        let now = much_later(&directory.join(PRESENT));
        assert_eq!(files.rotate(&SystemRandomness, now).expect("rotated"), next[0]);
        let (second, others) = kids(&files.read().expect("keys"));
        assert_eq!((&second, &others[1]), (&next[0], &first));
        assert!(others[0] != first && others[0] != second && others.len() == 2);
        // Tokens of the first are still good: it may not go yet.
        let soon = Instant::new(
            jiff::Timestamp::try_from(
                std::fs::metadata(directory.join(PREVIOUS)).expect("a file").modified().expect("a time"),
            )
            .expect("a time"),
        );
        assert!(matches!(files.rotate(&SystemRandomness, soon), Err(TokenKeysError::TooSoon { minutes: 0 })));
        let now = much_later(&directory.join(PREVIOUS));
        assert_eq!(files.rotate(&SystemRandomness, now).expect("rotated"), others[0]);
        let (_, after) = kids(&files.read().expect("keys"));
        assert_eq!(after[1], second);
        assert!(!after.contains(&first));
    }

    #[test]
    fn a_rotation_that_broke_off_is_finished_and_no_key_that_signed_is_lost() {
        for step in 1..=2 {
            let (files, directory) = files(&format!("interrupted-{step}"));
            files.prepare(&SystemRandomness).expect("a next key");
            let (first, next) = kids(&files.read().expect("keys"));
            files.copy(PRESENT, PREVIOUS).expect("the first step");
            if step == 2 {
                files.copy(NEXT, PRESENT).expect("the second step");
            }
            let (present, others) = kids(&files.read().expect("keys"));
            assert!([&first, &next[0]].iter().all(|kid| **kid == present || others.contains(kid)), "step {step}");
            let soon = much_later(&directory.join(NEXT));
            assert_eq!(files.rotate(&SystemRandomness, soon).expect("finished"), next[0], "step {step}");
            let (_, others) = kids(&files.read().expect("keys"));
            assert!(others.contains(&first) && others.len() == 2, "step {step}");
        }
    }

    #[test]
    fn a_key_that_somebody_else_has_is_forgotten_at_once() {
        let (files, _) = files("compromised");
        files.prepare(&SystemRandomness).expect("a next key");
        let (first, next) = kids(&files.read().expect("keys"));
        let replaced = files.replace(&SystemRandomness).expect("replaced");
        let (present, others) = kids(&files.read().expect("keys"));
        assert_eq!((&present, others.len()), (&replaced, 1));
        assert!(present != first && !others.contains(&first) && !others.contains(&next[0]) && present != next[0]);
    }
}
