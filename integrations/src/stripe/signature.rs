//! Signatures of Stripe's webhooks: `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>…]`, HMAC-SHA256 over
//! `<t>.<body>` with the endpoint's secret, compared in constant time.
//!
//! Invariants: the body is what came, byte for byte; a signature is at most [`TOLERANCE_SECONDS`] old, and at most
//! as far ahead; several secrets are good while one takes the place of another; other schemes (`v0`) count for
//! nothing. Source: Stripe, "Verify webhook signatures manually".

use domain::kernel::Instant;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

/// How far the time of a signature may be from ours.
pub const TOLERANCE_SECONDS: i64 = 300;
/// The longest header that is looked at.
const LONGEST: usize = 4096;
/// A block of SHA-256.
const BLOCK: usize = 64;

/// Why a webhook is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Rejected {
    /// The header is none.
    #[error("the Stripe-Signature header cannot be read")]
    Unreadable,
    /// Signed too long ago, or in the future.
    #[error("the signature is not of now")]
    Stale,
    /// None of the signatures is that of the body.
    #[error("the signature is not that of the body")]
    Forged,
}

/// The secrets of the endpoint; any of them is good.
pub struct WebhookSecrets(Vec<SecretString>);

impl WebhookSecrets {
    /// The secrets that are given; empty ones are none.
    #[must_use]
    pub fn new(secrets: impl IntoIterator<Item = String>) -> Self {
        Self(secrets.into_iter().filter(|secret| !secret.is_empty()).map(SecretString::from).collect())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a body was signed with one of the secrets, about now.
    ///
    /// # Errors
    /// [`Rejected`].
    pub fn verify(&self, header: &str, body: &[u8], now: Instant) -> Result<(), Rejected> {
        let (at, signatures) = read(header).ok_or(Rejected::Unreadable)?;
        if signatures.is_empty() {
            return Err(Rejected::Forged);
        }
        let signed = self.0.iter().any(|secret| {
            let mac = mac(secret.expose_secret().as_bytes(), at, body);
            // Every signature is compared, whichever it is that fits.
            signatures.iter().fold(false, |good, signature| mac.clone().verify_slice(signature).is_ok() | good)
        });
        if !signed {
            return Err(Rejected::Forged);
        }
        let age_seconds = now.timestamp().as_second().checked_sub(at).ok_or(Rejected::Stale)?;
        if age_seconds.unsigned_abs() > TOLERANCE_SECONDS.unsigned_abs() { Err(Rejected::Stale) } else { Ok(()) }
    }
}

/// The time and the signatures of the scheme `v1`.
fn read(header: &str) -> Option<(i64, Vec<[u8; 32]>)> {
    if header.len() > LONGEST {
        return None;
    }
    let (mut at, mut signatures) = (None, Vec::new());
    for part in header.split(',') {
        let (name, value) = part.trim().split_once('=')?;
        match name {
            "t" if at.is_some() || !value.bytes().all(|byte| byte.is_ascii_digit()) => return None,
            "t" => at = Some(value.parse().ok()?),
            "v1" => signatures.extend(unhex(value)),
            _ => {}
        }
    }
    Some((at?, signatures))
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |at: usize| char::from(*pair.get(at)?).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(bytes)
}

fn mac(secret: &[u8], at: i64, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new(&key(secret));
    mac.update(at.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

/// The key as one block of the hash: filled up with zeros, or its digest if it is longer (RFC 2104).
fn key(secret: &[u8]) -> hmac::digest::Key<Hmac<Sha256>> {
    let mut key = hmac::digest::Key::<Hmac<Sha256>>::default();
    if secret.len() <= BLOCK {
        key[..secret.len()].copy_from_slice(secret);
    } else {
        key[..32].copy_from_slice(&Sha256::digest(secret));
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_test"}"#;
    const GOOD: &str = "14c4f43763339dcb1c15f41a1ff31a94f2f09f8de278f8b4392ca0d7cbcd257e";

    fn secrets(all: &[&str]) -> WebhookSecrets {
        WebhookSecrets::new(all.iter().map(|secret| (*secret).to_owned()))
    }

    fn at(second: i64) -> Instant {
        Instant::new(jiff::Timestamp::from_second(second).expect("a second"))
    }

    fn verify(header: &str, body: &[u8], now: i64) -> Result<(), Rejected> {
        secrets(&["whsec_test"]).verify(header, body, at(now))
    }

    #[test]
    fn the_vector_and_its_tolerance() {
        let header = format!("t=1700000000,v1={GOOD}");
        for (now, answer) in
            [(0, Ok(())), (300, Ok(())), (-300, Ok(())), (301, Err(Rejected::Stale)), (-301, Err(Rejected::Stale))]
        {
            assert_eq!(verify(&header, BODY, 1_700_000_000 + now), answer, "{now}");
        }
    }

    #[test]
    fn any_altered_byte_is_forged() {
        let header = format!("t=1700000000,v1={GOOD}");
        for n in 0..BODY.len() {
            let mut body = BODY.to_vec();
            body[n] ^= 1;
            assert_eq!(verify(&header, &body, 1_700_000_000), Err(Rejected::Forged), "{n}");
        }
        assert_eq!(verify(&format!("t=1700000001,v1={GOOD}"), BODY, 1_700_000_000), Err(Rejected::Forged));
        assert_eq!(verify("t=1700000000", BODY, 1_700_000_000), Err(Rejected::Forged));
        assert_eq!(verify(&format!("t=1700000000,v0={GOOD}"), BODY, 1_700_000_000), Err(Rejected::Forged));
        assert_eq!(verify(&format!("t=1700000000,v1={}", &GOOD[..63]), BODY, 1_700_000_000), Err(Rejected::Forged));
    }

    #[test]
    fn several_secrets_and_signatures_serve_a_rotation() {
        let header = format!("t=1700000000,v1={},v1={GOOD}", "0".repeat(64));
        assert_eq!(secrets(&["whsec_new", "whsec_test"]).verify(&header, BODY, at(1_700_000_000)), Ok(()));
        assert_eq!(secrets(&["whsec_new"]).verify(&header, BODY, at(1_700_000_000)), Err(Rejected::Forged));
        assert!(secrets(&[""]).is_empty());
    }

    #[test]
    fn what_is_no_header_is_unreadable() {
        for bad in [
            "",
            "t=",
            "t=x,v1=00",
            "v1",
            &format!("v1={GOOD}"),
            &format!("t=1,t=2,v1={GOOD}"),
            "t=99999999999999999999,v1=0",
        ] {
            assert_eq!(verify(bad, BODY, 1_700_000_000), Err(Rejected::Unreadable), "{bad}");
        }
    }
}
