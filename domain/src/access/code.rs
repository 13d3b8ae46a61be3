//! One-time codes: what is typed, the secret behind it, and when a code is right.
//!
//! Source: RFC 6238 (TOTP: HMAC-SHA-1, 30 seconds, 6 digits, which is what every authenticator can), RFC 4648
//! (base32), the key URI format of authenticator apps. A code is right for the present time step or one beside
//! it, and only if that step is newer than the last one that was taken.

use secrecy::zeroize::Zeroizing;
use subtle::ConstantTimeEq as _;

use crate::chain::signer::PortError;
use crate::directory::required;
use crate::kernel::fault::Reason;
use crate::kernel::ids::UserId;
use crate::kernel::time::Randomness;
use crate::kernel::{Faults, Instant};
use crate::webhooks::Vault;

/// Seconds for which a code is shown.
pub const STEP_SECONDS: i64 = 30;
/// Steps before and after the present one whose codes are taken: clocks differ, people type slowly.
const BESIDE: i64 = 1;
/// As many codes as there are of six digits.
const CODES: u32 = 1_000_000;
/// Bytes of a secret: as long as the digest (RFC 4226, 4).
const SECRET_BYTES: usize = 20;
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
    ///
    /// # Errors
    /// When it cannot be sealed.
    pub fn seal(&self, vault: &dyn Vault, randomness: &dyn Randomness, user: UserId) -> Result<Vec<u8>, PortError> {
        vault.seal(randomness, &about(user), self.0.as_slice())
    }

    /// What was sealed, opened.
    ///
    /// # Errors
    /// When it does not open, or is no secret.
    pub fn open(vault: &dyn Vault, user: UserId, sealed: &[u8]) -> Result<Self, PortError> {
        let bytes = Zeroizing::new(vault.open(&about(user), sealed)?);
        let bytes = bytes.as_slice().try_into().map_err(|_| PortError("a secret of codes has 20 bytes".into()))?;
        Ok(Self(Zeroizing::new(bytes)))
    }

    /// The time step whose code this is, if it is one that is taken now and newer than the last one.
    #[must_use]
    pub fn step_of(&self, codes: &dyn OneTimeCodes, code: &TotpCode, now: Instant, last_step: i64) -> Option<i64> {
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
