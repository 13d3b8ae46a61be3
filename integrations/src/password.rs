//! Passwords hashed with argon2id (RFC 9106), 19 MiB and two passes: the OWASP recommendation.
//!
//! Bounds: [`AT_ONCE`] hashes at the same time, so that a flood of logins takes neither the memory nor
//! the processors of everybody else; the others wait.

use std::sync::{Condvar, Mutex, PoisonError};

use argon2::password_hash::phc;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use domain::access::{Password, PasswordHash, PasswordHasher};
use domain::chain::signer::PortError;

/// Hashes that are made at the same time.
const AT_ONCE: usize = 2;

/// Hashes with argon2id.
pub struct Argon2Hasher {
    argon2: Argon2<'static>,
    free: Mutex<usize>,
    freed: Condvar,
    /// The hash of nobody's password, so that an unknown user takes as long as a known one.
    nobody: phc::PasswordHash,
}

impl Argon2Hasher {
    /// A hasher with the parameters above.
    ///
    /// # Errors
    /// When the operating system gives no randomness for a salt.
    pub fn new() -> Result<Self, PortError> {
        let argon2 = Argon2::default();
        let nobody = argon2.hash_password(b"nobody has this password").map_err(failed)?;
        Ok(Self { argon2, free: Mutex::new(AT_ONCE), freed: Condvar::new(), nobody })
    }

    fn in_turn<R>(&self, work: impl FnOnce() -> R) -> R {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let free = self.freed.wait_while(free, |free| *free == 0);
        *free.unwrap_or_else(PoisonError::into_inner) -= 1;
        let done = work();
        *self.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.freed.notify_one();
        done
    }
}

impl PasswordHasher for Argon2Hasher {
    fn hash(&self, password: &Password) -> Result<PasswordHash, PortError> {
        let hash: phc::PasswordHash =
            self.in_turn(|| self.argon2.hash_password(password.reveal().as_bytes())).map_err(failed)?;
        Ok(PasswordHash::restore(hash.to_string()))
    }

    fn verify(&self, password: &Password, kept: Option<&PasswordHash>) -> bool {
        let kept = kept.and_then(|hash| phc::PasswordHash::new(hash.reveal()).ok());
        let known = kept.is_some();
        let kept = kept.unwrap_or_else(|| self.nobody.clone());
        let right = self.in_turn(|| self.argon2.verify_password(password.reveal().as_bytes(), &kept));
        right.is_ok() && known
    }
}

fn failed(error: argon2::password_hash::Error) -> PortError {
    PortError(format!("a password cannot be hashed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_verifies() {
        let hasher = Argon2Hasher::new().expect("a hasher");
        let password = |text: &str| Password::parse(text).expect("a password");
        let right = password("correct horse battery");
        let hash = hasher.hash(&right).expect("a hash");
        assert!(hash.reveal().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_ne!(hash.reveal(), hasher.hash(&right).expect("a hash").reveal());
        assert!(hasher.verify(&right, Some(&hash)));
        assert!(!hasher.verify(&password("correct horse batterx"), Some(&hash)));
        assert!(!hasher.verify(&password("nobody has this password"), None));
        assert!(!hasher.verify(&password("nobody has this password"), Some(&PasswordHash::restore("rubbish".into()))));
    }
}
