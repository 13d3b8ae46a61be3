//! Users: people who log in with an e-mail address and a password.
//!
//! Guessing is bounded: after [`FREE_FAILURES`] consecutive failures each further one locks the user,
//! first for [`FIRST_LOCK_SECONDS`], doubling up to [`LONGEST_LOCK_SECONDS`].

use super::oidc::{OidcLink, OidcLinkInput};
use super::secret::{Password, PasswordHash, PasswordRules};
use super::standing::{Standing, StandingInput};
use crate::directory::{Email, required};
use crate::kernel::ids::UserId;
use crate::kernel::{Faults, Instant};

/// Failures in a row before the first lock.
pub const FREE_FAILURES: i32 = 5;
/// The first lock.
pub const FIRST_LOCK_SECONDS: i64 = 30;
/// No lock is longer.
pub const LONGEST_LOCK_SECONDS: i64 = 900;

/// A user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The address that it logs in with; gone once erased.
    pub email: Option<Email>,
    /// What it is.
    pub standing: Standing,
    /// When it was made.
    pub created_at: Instant,
    /// When it was disabled, if it was.
    pub disabled_at: Option<Instant>,
    /// Under which name an outside issuer knows it.
    pub oidc: Option<OidcLink>,
    /// Rises with each change.
    pub version: i32,
}

/// How often in a row a login failed, and until when none is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attempts {
    /// Consecutive failures.
    pub failures: i32,
    /// No login before this moment.
    pub locked_until: Option<Instant>,
}

impl Attempts {
    /// Whether no login is accepted now.
    #[must_use]
    pub fn is_locked(&self, now: Instant) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }

    /// After one more failure.
    #[must_use]
    pub fn failed(self, now: Instant) -> Self {
        let failures = self.failures.saturating_add(1);
        let beyond = failures - FREE_FAILURES;
        if beyond < 0 {
            return Self { failures, locked_until: None };
        }
        let seconds = (FIRST_LOCK_SECONDS << beyond.min(16)).min(LONGEST_LOCK_SECONDS);
        let until = now.timestamp().checked_add(jiff::SignedDuration::from_secs(seconds)).ok().map(Instant::new);
        Self { failures, locked_until: until }
    }
}

/// A user with what a login needs to know.
#[derive(Clone)]
pub struct UserCredentials {
    /// The user.
    pub user: User,
    /// Its password.
    pub password: PasswordHash,
    /// Its failures.
    pub attempts: Attempts,
}

/// A request to create a user, unchecked.
#[derive(Clone, Default)]
pub struct CreateUserInput {
    /// `/email`
    pub email: Option<String>,
    /// `/password`
    pub password: Option<String>,
    /// `/roles`, `/organisation_id`, `/member_id`
    pub standing: StandingInput,
    /// `/oidc`
    pub oidc: Option<OidcLinkInput>,
}

/// A valid request to create a user.
#[derive(Clone)]
pub struct CreateUser {
    /// The address that it logs in with.
    pub email: Email,
    /// Its first password.
    pub password: Password,
    /// What it is.
    pub standing: Standing,
    /// Under which name an outside issuer knows it.
    pub oidc: Option<OidcLink>,
}

impl CreateUser {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &CreateUserInput, rules: &dyn PasswordRules) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let email = required(&mut faults, "/email", raw.email.as_deref(), Email::parse);
        let password = required(&mut faults, "/password", raw.password.as_deref(), Password::parse);
        let accepted = password.as_ref().map(|password| password.accepted(rules, email.as_ref()));
        let password = password.filter(|_| faults.keep("/password", accepted.unwrap_or(Ok(()))).is_some());
        let standing = Standing::parse(&raw.standing, &mut faults);
        let oidc = raw.oidc.as_ref().and_then(|raw| OidcLink::parse(raw, &mut faults));
        match (email, password, standing) {
            (Some(email), Some(password), Some(standing)) if faults.0.is_empty() => {
                Ok(Self { email, password, standing, oidc })
            }
            _ => Err(faults),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_start_late_double_and_stop_growing() {
        let now = Instant::new("2026-11-23T12:00:00Z".parse().expect("a time"));
        let mut attempts = Attempts::default();
        let mut seconds = Vec::new();
        for _ in 0..12 {
            attempts = attempts.failed(now);
            seconds.push(attempts.locked_until.map_or(0, |u| (u.millis() - now.millis()) / 1000));
        }
        assert_eq!(seconds, [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
        assert!(attempts.is_locked(now));
        assert!(!attempts.is_locked(attempts.locked_until.expect("a lock")));
        let worn = Attempts { failures: i32::MAX, locked_until: None };
        assert_eq!(worn.failed(now).locked_until, attempts.locked_until);
    }
}
