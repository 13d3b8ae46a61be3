//! One-time codes as a second factor.
//!
//! Source: RFC 6238 (TOTP: HMAC-SHA-1, 30 seconds, 6 digits, which is what every authenticator can), RFC 4648
//! (base32), the key URI format of authenticator apps. The secret is sealed at rest and shown once.
//! Invariants: a code is taken for the present time step or one beside it, and each step at most once, so that
//! a code which somebody saw is worth nothing; a wrong code counts towards the same lock as a wrong password.

use secrecy::zeroize::Zeroizing;
use subtle::ConstantTimeEq as _;

use super::error::AccessError;
use super::session::later;
use super::user_change::{Tried, attempt};
use crate::chain::signer::PortError;
use crate::directory::required;
use crate::env::Env;
use crate::kernel::fault::Reason;
use crate::kernel::ids::UserId;
use crate::kernel::time::Randomness;
use crate::kernel::{Faults, Instant};
use crate::store::{Store, StoreError, UnitOfWork};
use crate::webhooks::Vault;

/// Seconds for which a code is shown.
pub const STEP_SECONDS: i64 = 30;
/// Steps before and after the present one whose codes are taken: clocks differ, people type slowly.
const BESIDE: i64 = 1;
/// As many codes as there are of six digits.
const CODES: u32 = 1_000_000;
/// Bytes of a secret: as long as the digest (RFC 4226, 4).
const SECRET_BYTES: usize = 20;
/// A secret that nobody confirmed is good for so long.
pub const CONFIRM_SECONDS: i64 = 3_600;

/// Works out the number behind a code.
pub trait OneTimeCodes: Send + Sync {
    /// The truncated number of a moving factor (RFC 4226, 5.3): 31 bits.
    fn truncated(&self, secret: &[u8], factor: u64) -> u32;
}

/// What checking a code needs from outside.
#[derive(Clone, Copy)]
pub struct SecondFactor<'a> {
    /// Opens what is sealed.
    pub vault: &'a dyn Vault,
    /// Works out codes.
    pub codes: &'a dyn OneTimeCodes,
}

/// A code as somebody typed it. No `Debug`: until its step is over it is a secret.
#[derive(Clone)]
pub struct TotpCode(Option<u32>);

/// Why a code is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the six digits that the authenticator shows")]
pub struct CodeError;

impl Reason for CodeError {
    fn code(&self) -> &'static str {
        "invalid_code"
    }
}

impl TotpCode {
    /// Reads six digits.
    ///
    /// # Errors
    /// [`CodeError`].
    pub fn parse(text: &str) -> Result<Self, CodeError> {
        let code = Self::presented(text);
        if code.0.is_some() { Ok(code) } else { Err(CodeError) }
    }

    /// Reads the `/code` of a request.
    ///
    /// # Errors
    /// That it is missing, or none.
    pub fn required(raw: Option<&str>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        required(&mut faults, "/code", raw, Self::parse).ok_or(faults)
    }

    /// What a caller presents, whatever it is: anything but six digits is wrong.
    #[must_use]
    pub fn presented(text: &str) -> Self {
        let six = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
        Self(six.then(|| text.parse().ok()).flatten())
    }
}

/// The secret of a user's codes. No `Debug`.
#[derive(Clone)]
pub struct TotpSecret(Zeroizing<[u8; SECRET_BYTES]>);

impl TotpSecret {
    /// Draws one.
    #[must_use]
    pub fn draw(randomness: &dyn Randomness) -> Self {
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        randomness.fill(bytes.as_mut_slice());
        Self(bytes)
    }

    /// As authenticator apps take it: base32 without padding.
    #[must_use]
    pub fn reveal(&self) -> String {
        base32(self.0.as_slice())
    }

    /// The address that an authenticator app reads from a QR code.
    #[must_use]
    pub fn uri(&self, service: &str, account: &str) -> String {
        let (service, account) = (percent(service), percent(account));
        format!(
            "otpauth://totp/{service}:{account}?secret={}&issuer={service}&algorithm=SHA1&digits=6&period=30",
            self.reveal()
        )
    }

    /// As it is kept: good for this user only.
    fn seal(&self, vault: &dyn Vault, randomness: &dyn Randomness, user: UserId) -> Result<Vec<u8>, PortError> {
        vault.seal(randomness, &about(user), self.0.as_slice())
    }

    /// The time step whose code this is, if it is one that is taken now and newer than the last one.
    fn step_of(&self, codes: &dyn OneTimeCodes, code: &TotpCode, now: Instant, last_step: i64) -> Option<i64> {
        let present = now.timestamp().as_second().div_euclid(STEP_SECONDS);
        let typed = code.0.unwrap_or(CODES);
        let mut found = None;
        // Every candidate is worked out, whichever is right.
        for step in present - BESIDE..=present + BESIDE {
            let factor = u64::try_from(step).unwrap_or_default();
            let right = codes.truncated(self.0.as_slice(), factor) % CODES;
            if bool::from(right.ct_eq(&typed)) && step > last_step && found.is_none() {
                found = Some(step);
            }
        }
        found
    }
}

fn about(user: UserId) -> Vec<u8> {
    [b"totp\0".as_slice(), user.uuid().as_bytes()].concat()
}

fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut out = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for chunk in bytes.chunks(5) {
        let mut bits = [0_u8; 8];
        bits[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(bits);
        let letters = (chunk.len() * 8).div_ceil(5);
        out.extend((0..letters).map(|n| char::from(ALPHABET[((bits >> (35 - 5 * n)) & 31) as usize])));
    }
    out
}

/// Everything but unreserved characters percent-encoded (RFC 3986, 2.1).
fn percent(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(letter).collect()
}

/// A user's second factor, as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptTotp {
    /// Whose.
    pub user: UserId,
    /// The secret, sealed.
    pub secret: Vec<u8>,
    /// The newest time step whose code was taken.
    pub last_step: i64,
    /// When the secret was drawn.
    pub created_at: Instant,
    /// When the user showed that they can work out codes.
    pub confirmed_at: Option<Instant>,
    /// Rises with each change.
    pub version: i32,
}

/// A secret that was just drawn.
pub struct NewTotp {
    /// As it is kept.
    pub kept: KeptTotp,
    /// The secret, which is shown this once.
    pub secret: TotpSecret,
}

/// Draws a secret for the caller. It asks nothing of a login until it is confirmed.
///
/// # Errors
/// [`AccessError::SecondFactorActive`] when there is one: it is taken away with a code first.
pub fn begin(uow: &mut dyn UnitOfWork, env: &Env<'_>, vault: &dyn Vault, id: UserId) -> Result<NewTotp, AccessError> {
    own(env, id)?;
    let known = uow.totp().lock_totp(id)?;
    if known.as_ref().is_some_and(|known| known.confirmed_at.is_some()) {
        return Err(AccessError::SecondFactorActive);
    }
    let secret = TotpSecret::draw(env.randomness);
    let kept = KeptTotp {
        user: id,
        secret: secret.seal(vault, env.randomness, id)?,
        last_step: 0,
        created_at: env.now,
        confirmed_at: None,
        version: known.map_or(1, |known| known.version + 1),
    };
    uow.totp().put_totp(&kept)?;
    Ok(NewTotp { kept, secret })
}

/// Makes the drawn secret the caller's second factor, after [`verify`]. Sessions and tokens from before end.
///
/// # Errors
/// [`AccessError::NotFound`] when there is nothing to confirm.
pub fn confirm(uow: &mut dyn UnitOfWork, env: &Env<'_>, id: UserId) -> Result<KeptTotp, AccessError> {
    own(env, id)?;
    let kept = uow.totp().lock_totp(id)?.filter(|kept| kept.confirmed_at.is_none()).ok_or(AccessError::NotFound)?;
    let kept = KeptTotp { confirmed_at: Some(env.now), version: kept.version + 1, ..kept };
    uow.totp().put_totp(&kept)?;
    super::user_change::end_sessions(uow, env, id)?;
    Ok(kept)
}

/// Takes the caller's second factor away, after [`verify`]. Sessions and tokens from before end.
///
/// # Errors
/// [`AccessError::Stale`] unless the version is the present one.
pub fn remove(uow: &mut dyn UnitOfWork, env: &Env<'_>, id: UserId, version: i32) -> Result<(), AccessError> {
    own(env, id)?;
    let kept = uow.totp().lock_totp(id)?.filter(|kept| kept.confirmed_at.is_some()).ok_or(AccessError::NotFound)?;
    if kept.version != version {
        return Err(AccessError::Stale);
    }
    uow.totp().delete_totp(id)?;
    super::user_change::end_sessions(uow, env, id)
}

fn own(env: &Env<'_>, id: UserId) -> Result<(), AccessError> {
    if env.actor.id == id.uuid() { Ok(()) } else { Err(AccessError::NotFound) }
}

/// Which secret a code is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// One that is to be confirmed.
    Drawn,
    /// The second factor.
    Confirmed,
}

/// Checks a code of a user in a transaction of its own, so that a wrong one counts whatever comes after.
///
/// # Errors
/// [`AccessError::NotFound`] when there is no such secret; a wrong or used code, also while the user is locked,
/// is a fault of the input.
pub fn verify(
    store: &dyn Store,
    second: SecondFactor<'_>,
    now: Instant,
    id: UserId,
    code: &TotpCode,
    wanted: Wanted,
) -> Result<(), AccessError> {
    let right = store.transaction(|uow| {
        let known = uow.totp().lock_totp(id)?.filter(|kept| kept.is(wanted, now)).ok_or(AccessError::NotFound)?;
        // The lock first: while it holds, nobody learns whether a code is right.
        let tried = |uow: &mut dyn UnitOfWork| take(uow, second, now, &known, code);
        Ok::<_, AccessError>(attempt(uow, id, now, tried)?)
    })?;
    if right {
        return Ok(());
    }
    let mut faults = Faults::default();
    faults.push("/code", "wrong_code", "the code is wrong, was used, or codes were wrong too often");
    Err(AccessError::Invalid(faults))
}

impl KeptTotp {
    fn is(&self, wanted: Wanted, now: Instant) -> bool {
        let fresh = || later(self.created_at, CONFIRM_SECONDS).is_some_and(|end| now < end);
        match wanted {
            Wanted::Drawn => self.confirmed_at.is_none() && fresh(),
            Wanted::Confirmed => self.confirmed_at.is_some(),
        }
    }
}

/// Takes a code: its step is used up.
pub(super) fn take(
    uow: &mut dyn UnitOfWork,
    second: SecondFactor<'_>,
    now: Instant,
    kept: &KeptTotp,
    code: &TotpCode,
) -> Result<Tried, StoreError> {
    let opened = second.vault.open(&about(kept.user), &kept.secret).map_err(|e| StoreError::Failed(e.to_string()))?;
    let bytes: [u8; SECRET_BYTES] = Zeroizing::new(opened)
        .as_slice()
        .try_into()
        .map_err(|_| StoreError::Failed("a secret of codes has 20 bytes".into()))?;
    match TotpSecret(Zeroizing::new(bytes)).step_of(second.codes, code, now, kept.last_step) {
        Some(step) => {
            uow.totp().put_totp(&KeptTotp { last_step: step, ..kept.clone() })?;
            Ok(Tried::Right)
        }
        None => Ok(Tried::Wrong),
    }
}

/// Second factors, inside a transaction.
pub trait TotpRepository {
    /// A user's secret, locked until the transaction ends.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_totp(&mut self, user: UserId) -> Result<Option<KeptTotp>, StoreError>;

    /// Keeps a secret in the place of the one before.
    ///
    /// # Errors
    /// The failure of the store.
    fn put_totp(&mut self, totp: &KeptTotp) -> Result<(), StoreError>;

    /// Forgets a secret.
    ///
    /// # Errors
    /// The failure of the store.
    fn delete_totp(&mut self, user: UserId) -> Result<(), StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4648, 10, without the padding.
    #[test]
    fn base32_is_that_of_the_standard() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn only_six_digits_are_a_code() {
        assert!(TotpCode::parse("000000").is_ok());
        for none in ["", "12345", "1234567", "12345a", "+12345", "-12345", " 12345", "１２３４５６", "0x1234"] {
            assert!(TotpCode::parse(none).is_err(), "{none}");
        }
    }

    #[test]
    fn the_address_carries_any_account() {
        let secret = TotpSecret(Zeroizing::new(*b"12345678901234567890"));
        assert_eq!(
            secret.uri("Flip 360", "a+b@example.com"),
            "otpauth://totp/Flip%20360:a%2Bb%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Flip%20360&algorithm=SHA1&digits=6&period=30"
        );
    }
}
