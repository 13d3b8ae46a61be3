//! Secrets: made or taken once, kept as a digest or a hash, shown by no `Debug`.
//!
//! A client's secret is 32 unpredictable bytes, so its SHA-256 is enough: there is nothing to guess.
//! A password is chosen by a person, so it is hashed slowly (argon2id, behind a port).
//! Bounds: a password has 12–128 characters (NIST SP 800-63B: length over composition rules).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq as _;

use super::Environment;
use crate::chain::signer::PortError;
use crate::directory::{Email, required};
use crate::kernel::fault::Reason;
use crate::kernel::{Digest, Faults};

/// The letters of 32 bytes.
const SECRET_LETTERS: usize = 43;

/// The secret of an API client, as its owner keeps it.
#[derive(Clone)]
pub struct ClientSecret(SecretString);

impl ClientSecret {
    /// The secret of 32 unpredictable bytes.
    #[must_use]
    pub fn new(environment: Environment, bytes: &[u8; 32]) -> Self {
        Self(SecretString::from(format!("{}{}", environment.secret_prefix(), URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// Whether it looks like a secret of this environment: one of the other is refused whatever the database says.
    #[must_use]
    pub fn is_of(&self, environment: Environment) -> bool {
        let (text, prefix) = (self.reveal(), environment.secret_prefix());
        text.len() == prefix.len() + SECRET_LETTERS && text.starts_with(prefix)
    }

    /// What a caller presents, whatever it is: anything but the secret has another digest.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        Self(SecretString::from(text))
    }

    /// What is kept.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.expose_secret().as_bytes())
    }

    /// Whether this is the secret with that digest; takes as long for a wrong one as for the right one.
    #[must_use]
    pub fn matches(&self, kept: &Digest) -> bool {
        self.digest().bytes().ct_eq(kept.bytes()).into()
    }

    /// The text, to hand to its owner once.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Why a password is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too easily guessed.
    #[error("must have at least {} characters", Password::MIN)]
    TooShort,
    /// Longer than is hashed.
    #[error("must have at most {} characters", Password::MAX)]
    TooLong,
    /// Others would think of it, too.
    #[error("is too easily guessed: make it longer or less common")]
    Guessable,
    /// It contains what everybody knows.
    #[error("must not contain the e-mail address")]
    ContainsEmail,
    /// A control character, such as NUL.
    #[error("must not contain control characters")]
    ControlCharacter,
}

impl Reason for PasswordError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::ControlCharacter => "control_character",
            Self::Guessable => "guessable",
            Self::ContainsEmail => "contains_email",
        }
    }
}

/// A user's password.
#[derive(Clone)]
pub struct Password(SecretString);

impl Password {
    /// The fewest characters.
    pub const MIN: usize = 12;
    /// The most characters.
    pub const MAX: usize = 128;

    /// Checks a new password. It is kept as typed: blanks count.
    ///
    /// # Errors
    /// See [`PasswordError`].
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        if text.chars().any(char::is_control) {
            return Err(PasswordError::ControlCharacter);
        }
        match text.chars().count() {
            n if n < Self::MIN => Err(PasswordError::TooShort),
            n if n > Self::MAX => Err(PasswordError::TooLong),
            _ => Ok(Self(SecretString::from(text))),
        }
    }

    /// Reads the `/current_password` of a request.
    ///
    /// # Errors
    /// That it is missing, or could never be one.
    pub fn current(raw: Option<&str>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        required(&mut faults, "/current_password", raw, Self::parse).ok_or(faults)
    }

    /// Holds a new password to the rules.
    ///
    /// # Errors
    /// [`PasswordError::ContainsEmail`], [`PasswordError::Guessable`].
    pub fn accepted(&self, rules: &dyn PasswordRules, email: Option<&Email>) -> Result<(), PasswordError> {
        let whole = email.map(|email| email.as_str().to_lowercase()).unwrap_or_default();
        let name = whole.split('@').next().unwrap_or_default();
        let typed = self.reveal().to_lowercase();
        if !whole.is_empty() && (typed.contains(&whole) || (name.len() >= 4 && typed.contains(name))) {
            return Err(PasswordError::ContainsEmail);
        }
        if rules.is_guessable(self, &[name, &whole]) { Err(PasswordError::Guessable) } else { Ok(()) }
    }

    /// For the adapter that hashes it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

/// A password as it is kept: a PHC string.
#[derive(Clone)]
pub struct PasswordHash(SecretString);

impl PasswordHash {
    /// A string that the adapter made, or that storage gave back.
    #[must_use]
    pub fn restore(phc: String) -> Self {
        Self(SecretString::from(phc))
    }

    /// For storage and for the adapter that verifies.
    #[must_use]
    pub fn reveal(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Tells how easily a password is guessed.
pub trait PasswordRules: Send + Sync {
    /// Whether somebody who knows these words about its owner would soon guess it.
    fn is_guessable(&self, password: &Password, about: &[&str]) -> bool;
}

/// Hashes passwords slowly. Never called inside a transaction: one hash takes tens of milliseconds.
pub trait PasswordHasher: Send + Sync {
    /// A salted hash.
    ///
    /// # Errors
    /// When there is no randomness for the salt.
    fn hash(&self, password: &Password) -> Result<PasswordHash, PortError>;

    /// Whether the password has this hash. Without one it takes as long, and says no.
    fn verify(&self, password: &Password, kept: Option<&PasswordHash>) -> bool;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_matches_its_own_digest_only() {
        let secret = ClientSecret::new(Environment::Live, &[7; 32]);
        assert_eq!(secret.reveal(), "flip_sk_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc");
        assert!(ClientSecret::presented(secret.reveal()).matches(&secret.digest()));
        for wrong in ["", "flip_sk_", "flip_sk_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwd"] {
            assert!(!ClientSecret::presented(wrong).matches(&secret.digest()), "{wrong}");
        }
    }

    #[test]
    fn a_secret_belongs_to_one_environment() {
        for environment in Environment::ALL {
            let secret = ClientSecret::new(environment, &[7; 32]);
            let of: Vec<Environment> = Environment::ALL.into_iter().filter(|e| secret.is_of(*e)).collect();
            assert_eq!(of, [environment]);
        }
    }

    #[test]
    fn passwords_are_long_rather_than_odd() {
        assert!(Password::parse("correct horse").is_ok());
        assert!(Password::parse(&"é".repeat(128)).is_ok());
        assert_eq!(Password::parse("elevenchars").err(), Some(PasswordError::TooShort));
        assert_eq!(Password::parse(&"é".repeat(129)).err(), Some(PasswordError::TooLong));
        assert_eq!(Password::parse("twelve chars\0").err(), Some(PasswordError::ControlCharacter));
    }
}
