//! Signatures of webhooks, as Standard Webhooks 1.0.0 has them: over `id.timestamp.body`, `v1` with
//! HMAC-SHA256, `v1a` with Ed25519, base64, several with a blank between them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::kernel::Instant;
use domain::webhooks::{Signing, SigningSecret};
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// The value of `webhook-timestamp`: whole seconds since 1970.
#[must_use]
pub fn timestamp(at: Instant) -> i64 {
    at.timestamp().as_second()
}

/// The value of `webhook-signature`: one signature for each secret.
#[must_use]
pub fn signatures(secrets: &[SigningSecret], id: &str, timestamp: i64, body: &[u8]) -> String {
    let message = [format!("{id}.{timestamp}.").as_bytes(), body].concat();
    let written = secrets.iter().map(|secret| format!("{},{}", secret.signing().as_str(), signature(secret, &message)));
    written.collect::<Vec<_>>().join(" ")
}

fn signature(secret: &SigningSecret, message: &[u8]) -> String {
    match secret.signing() {
        Signing::V1 => {
            let mut mac = Hmac::<Sha256>::new(&hmac_key(secret.reveal()));
            mac.update(message);
            STANDARD.encode(mac.finalize().into_bytes())
        }
        Signing::V1a => STANDARD.encode(SigningKey::from_bytes(secret.reveal()).sign(message).to_bytes()),
    }
}

/// The key as one block of the hash: filled up with zeros (RFC 2104), so that making it cannot fail.
fn hmac_key(secret: &[u8; 32]) -> hmac::digest::Key<Hmac<Sha256>> {
    let mut key = hmac::digest::Key::<Hmac<Sha256>>::default();
    key[..32].copy_from_slice(secret);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const AT: i64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    /// A shorter key is the same key filled up with zeros (RFC 2104).
    fn shared(base64: &str) -> SigningSecret {
        let mut bytes = [0; 32];
        let key = STANDARD.decode(base64).expect("base64");
        bytes[..key.len()].copy_from_slice(&key);
        SigningSecret::new(Signing::V1, bytes)
    }

    #[test]
    fn the_vectors_of_the_standard() {
        // From the reference libraries (JavaScript, Go).
        let v1 = shared("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        assert_eq!(
            signatures(std::slice::from_ref(&v1), ID, AT, BODY),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
        let seed = STANDARD.decode("VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=").expect("base64");
        let v1a = SigningSecret::new(Signing::V1a, seed.try_into().expect("32 bytes"));
        let asymmetric = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==";
        assert_eq!(signatures(std::slice::from_ref(&v1a), ID, AT, BODY), asymmetric);
        let both = signatures(&[v1, v1a], ID, AT, BODY);
        assert_eq!(both, format!("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= {asymmetric}"));
    }
}
