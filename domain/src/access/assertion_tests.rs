//! What an assertion must hold to, one broken rule at a time. Assertions are signed here with a key of the
//! tests and written down by hand, so that nothing of the code under test makes them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

use super::*;
use crate::access::jwt::{MAX_BYTES, MAX_NAME};
use crate::chain::key::PublicKey;
use crate::kernel::ids::ApiClientKeyId;

const NOW: i64 = 1_795_435_200;
const ISSUER: &str = "https://flip360.test";
const ENDPOINT: &str = "https://flip360.test/oauth/token";

fn now() -> Instant {
    Instant::new(jiff::Timestamp::from_second(NOW).expect("a time"))
}

fn client() -> ApiClientId {
    ApiClientId::new(uuid::Uuid::from_u128(7))
}

fn signer(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn key(seed: u8) -> ApiClientKey {
    ApiClientKey {
        id: ApiClientKeyId::new(uuid::Uuid::from_u128(seed.into())),
        client: client(),
        key: PublicKey::parse(signer(seed).verifying_key().as_bytes()).expect("a good key"),
        created_at: now(),
    }
}

fn header() -> Value {
    json!({"alg": "EdDSA", "typ": "JWT"})
}

fn claims() -> Value {
    let id = client().to_string();
    json!({"iss": id, "sub": id, "aud": ISSUER, "exp": NOW + 60, "iat": NOW, "nbf": NOW, "jti": "one"})
}

fn with(mut value: Value, name: &str, to: Value) -> Value {
    value[name] = to;
    value
}

fn without(mut value: Value, name: &str) -> Value {
    value.as_object_mut().expect("an object").remove(name);
    value
}

fn signed_by(seed: u8, header: &Value, claims: &str) -> String {
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signer(seed).sign(signed.as_bytes()).to_bytes()))
}

fn judge(text: &str, keys: &[ApiClientKey]) -> Result<(), JwtError> {
    ClientAssertion::parse(text)?.verify(keys, &[ISSUER, ENDPOINT], now())
}

fn judged(header: &Value, claims: &Value) -> Result<(), JwtError> {
    judge(&signed_by(1, header, &claims.to_string()), &[key(1), key(2)])
}

#[test]
fn a_good_assertion_is_taken_in_each_of_its_spellings() {
    assert_eq!(judged(&header(), &claims()), Ok(()));
    for good in [
        with(claims(), "aud", json!(ENDPOINT)),
        with(claims(), "aud", json!([ISSUER, ENDPOINT])),
        with(claims(), "exp", json!(NOW + 300)),
        with(claims(), "exp", json!(NOW + 1)),
        with(claims(), "iat", json!(NOW + SKEW_SECONDS)),
        without(claims(), "iat"),
        without(claims(), "nbf"),
        with(claims(), "jti", json!("x".repeat(MAX_NAME))),
        with(claims(), "unknown", json!({"a": 1})),
    ] {
        assert_eq!(judged(&header(), &good), Ok(()), "{good}");
    }
    for good in [
        without(header(), "typ"),
        with(header(), "alg", json!("Ed25519")),
        with(header(), "typ", json!("client-authentication+jwt")),
        with(header(), "kid", json!(key(1).key.kid())),
        with(header(), "kid", json!(key(1).id.to_string())),
    ] {
        assert_eq!(judged(&good, &claims()), Ok(()), "{good}");
    }
}

#[test]
fn each_broken_claim_is_refused() {
    let other = ApiClientId::new(uuid::Uuid::from_u128(8)).to_string();
    for (broken, why) in [
        (with(claims(), "iss", json!(other)), JwtError::NotForUs),
        (with(claims(), "sub", json!(other)), JwtError::NotForUs),
        (with(with(claims(), "sub", json!("somebody")), "iss", json!("somebody")), JwtError::NotForUs),
        (with(claims(), "aud", json!("https://elsewhere.test")), JwtError::NotForUs),
        (with(claims(), "aud", json!("https://flip360.test/")), JwtError::NotForUs),
        (with(claims(), "aud", json!([ISSUER, "https://elsewhere.test"])), JwtError::NotForUs),
        (with(claims(), "aud", json!([])), JwtError::Malformed),
        (with(claims(), "aud", json!(7)), JwtError::Malformed),
        (with(claims(), "aud", json!(vec![ISSUER; 11])), JwtError::Malformed),
        (with(claims(), "exp", json!(NOW)), JwtError::Time),
        (with(claims(), "exp", json!(NOW - 1)), JwtError::Time),
        (with(claims(), "exp", json!(NOW + 300 + SKEW_SECONDS + 1)), JwtError::Time),
        (with(claims(), "exp", json!(i64::MAX)), JwtError::Time),
        (with(claims(), "exp", json!("soon")), JwtError::Malformed),
        (with(claims(), "nbf", json!(NOW + 60)), JwtError::Time),
        (with(claims(), "iat", json!(NOW + 60)), JwtError::Time),
        (with(claims(), "jti", json!("")), JwtError::Malformed),
        (with(claims(), "jti", json!("x".repeat(MAX_NAME + 1))), JwtError::Malformed),
        (without(claims(), "jti"), JwtError::Malformed),
        (without(claims(), "exp"), JwtError::Malformed),
        (without(claims(), "aud"), JwtError::Malformed),
        (without(claims(), "iss"), JwtError::Malformed),
        (without(claims(), "sub"), JwtError::Malformed),
    ] {
        assert_eq!(judged(&header(), &broken), Err(why), "{broken}");
    }
    let twice = claims().to_string().replacen('{', &format!("{{\"sub\":\"{other}\","), 1);
    assert_eq!(judge(&signed_by(1, &header(), &twice), &[key(1)]), Err(JwtError::Malformed), "a claim twice");
}

#[test]
fn no_other_algorithm_and_no_key_of_its_own() {
    for alg in ["none", "None", "NONE", "nOnE", "", "HS256", "RS256", "ES256", "eddsa", "EdDSA "] {
        assert_eq!(judged(&with(header(), "alg", json!(alg)), &claims()), Err(JwtError::Algorithm), "{alg}");
    }
    let own = json!({"kty": "OKP", "crv": "Ed25519", "x": key(3).key.jwk().x});
    let forged = signed_by(3, &with(header(), "jwk", own), &claims().to_string());
    assert_eq!(judge(&forged, &[key(1)]), Err(JwtError::BadSignature), "a key in the header is not looked at");
    for (name, value) in [("crit", json!(["exp"])), ("b64", json!(false)), ("typ", json!("at+jwt"))] {
        assert_eq!(judged(&with(header(), name, value), &claims()), Err(JwtError::Malformed), "{name}");
    }
    for kid in ["", "../../keys/token.pem", "' or 1=1 --", "x"] {
        assert_eq!(judged(&with(header(), "kid", json!(kid)), &claims()), Err(JwtError::UnknownKey), "{kid}");
    }
    let second = with(header(), "kid", json!(key(2).key.kid()));
    assert_eq!(judged(&second, &claims()), Err(JwtError::BadSignature), "signed by another than it names");
    assert_eq!(judge(&signed_by(1, &header(), &claims().to_string()), &[]), Err(JwtError::UnknownKey));
}

#[test]
fn what_is_altered_or_no_jwt_is_refused() {
    let good = signed_by(1, &header(), &claims().to_string());
    let (signed, signature) = good.rsplit_once('.').expect("three parts");
    let bytes = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    for n in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[n] ^= 1;
        let text = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(altered));
        assert_eq!(judge(&text, &[key(1)]), Err(JwtError::BadSignature), "byte {n}");
    }
    let long = "a".repeat(MAX_BYTES + 1);
    for none in ["", ".", "..", "a.b.c", signed, &format!("{signed}."), &format!("{good}="), &long] {
        assert!(judge(none, &[key(1)]).is_err(), "{none}");
    }
}
