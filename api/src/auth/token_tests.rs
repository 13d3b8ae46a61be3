//! Tokens that must not be accepted. Forgeries are put together by hand, so that no helper of the
//! library under test decides what a forgery looks like.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::access::Method;
use domain::kernel::ids::{ApiClientId, UserId};
use ed25519_dalek::Signer as _;
use serde_json::json;

use super::*;

const ISSUER: &str = "https://api.flip360.test";

fn at(text: &str) -> Instant {
    Instant::new(text.parse().expect("a time"))
}

fn now() -> Instant {
    at("2026-11-23T12:00:00Z")
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(seed: u8) -> PublicKey {
    PublicKey::parse(key(seed).verifying_key().as_bytes()).expect("a key")
}

fn tokens(seed: u8, previous: &[PublicKey]) -> Tokens {
    let config = TokenConfig { issuer: ISSUER.into(), audience: "flip360".into() };
    Tokens::new(config, &key(seed), previous).expect("tokens")
}

fn agent() -> Actor {
    let standing =
        Standing::try_new(BTreeSet::from([Role::PartnerAgent]), Some(OrganisationId::new(Uuid::from_u128(5))), None);
    standing.expect("a standing").actor(Uuid::from_u128(9), None).expect("an actor")
}

fn subject() -> Subject {
    Subject::Client(ApiClientId::new(Uuid::from_u128(9)))
}

/// Issued at noon.
fn bears(subject: Subject, actor: Actor) -> Bearer {
    let id = Some(Uuid::from_u128(1));
    Bearer {
        subject,
        actor,
        expires_at_second: 1_795_435_200 + 900,
        id,
        origin: None,
        embed: false,
        version: 3,
        methods: Methods::default(),
        session: None,
    }
}

fn login(subject: Subject, actor: Actor) -> Login {
    Login { subject, actor, version: 3, methods: Methods::default(), session: None }
}

fn header() -> Value {
    json!({"alg": "EdDSA", "typ": "at+jwt", "kid": public(1).kid()})
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "flip360", "sub": subject().to_string(), "client_id": subject().to_string(),
        "scope": "deals:read deals:write", "roles": ["partner_agent"],
        "org": OrganisationId::new(Uuid::from_u128(5)).to_string(),
        "jti": "x", "iat": 1_795_435_200, "exp": 1_795_435_200 + 900
    })
}

fn without(mut value: Value, name: &str) -> Value {
    value.as_object_mut().expect("an object").remove(name);
    value
}

fn with(mut value: Value, name: &str, new: Value) -> Value {
    value[name] = new;
    value
}

fn signed_by(seed: u8, header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let signature = key(seed).sign(message.as_bytes()).to_bytes();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn refused(token: &str) -> Option<TokenError> {
    tokens(1, &[]).verify(token, now()).err()
}

#[test]
fn what_is_issued_is_verified_until_it_expires() {
    let tokens = tokens(1, &[]);
    let issued = tokens.issue(&login(subject(), agent()), Uuid::from_u128(1), now()).expect("a token");
    assert_eq!((issued.expires_in, issued.token.len() < MAX_TOKEN_BYTES), (900, true));
    assert_eq!(tokens.verify(&issued.token, now()), Ok(bears(subject(), agent())));
    assert_eq!(tokens.verify(&issued.token, at("2026-11-23T12:14:59.999Z")), Ok(bears(subject(), agent())));
    assert_eq!(tokens.verify(&issued.token, at("2026-11-23T12:15:00Z")), Err(TokenError::Expired));
    assert_eq!(tokens.verify(&issued.token, at("2026-11-23T11:59:55Z")), Ok(bears(subject(), agent())));
    assert_eq!(tokens.verify(&issued.token, at("2026-11-23T11:59:54Z")), Err(TokenError::NotYet));
    let payload = issued.token.split('.').nth(1).expect("a payload");
    let payload: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64")).expect("JSON");
    assert_eq!((&payload["iat"], &payload["exp"]), (&json!(1_795_435_200), &json!(1_795_436_100)));
    assert_eq!(payload["sub"], payload["client_id"]);
    let admin = Actor { organisation: None, ..Actor::service() };
    let user = Subject::User(UserId::new(Uuid::nil()));
    let methods = Methods::password().and(Method::OneTimeCode);
    let with_both = Login { methods: methods.clone(), ..login(user, admin.clone()) };
    let longest = tokens.issue(&with_both, Uuid::from_u128(1), now()).expect("a token");
    assert_eq!(tokens.verify(&longest.token, now()), Ok(Bearer { methods, ..bears(user, admin) }));
}

#[test]
fn a_persons_token_that_names_no_second_factor_moves_no_money_whatever_it_says() {
    let user = UserId::new(Uuid::nil()).to_string();
    let money = "payouts:write payouts:approve payouts:execute agreements:approve";
    let all = with(with(claims(), "sub", json!(user)), "scope", json!(format!("deals:read {money}")));
    let all = with(without(all, "org"), "roles", json!(["operator_admin"]));
    for (amr, scopes) in [
        (json!([]), 1),
        (json!(["pwd"]), 1),
        (json!(["pwd", "fed", "OTP"]), 1),
        (json!(["pwd", "otp"]), 5),
        (json!(["mfa"]), 5),
    ] {
        let token = signed_by(1, &header(), &with(all.clone(), "amr", amr.clone()));
        let bearer = tokens(1, &[]).verify(&token, now()).expect("a bearer");
        assert_eq!(bearer.actor.scopes.len(), scopes, "{amr}");
    }
    let client = with(without(with(claims(), "scope", json!(money)), "org"), "roles", json!(["operator_admin"]));
    let bearer = tokens(1, &[]).verify(&signed_by(1, &header(), &client), now()).expect("a bearer");
    assert_eq!(bearer.actor.scopes.len(), 4, "programs have no second factor");
}

#[test]
fn a_token_by_hand_is_accepted_and_each_change_to_it_is_not() {
    assert_eq!(refused(&signed_by(1, &header(), &claims())), None);
    let headers = [
        (with(header(), "alg", json!("none")), TokenError::Malformed),
        (with(header(), "alg", json!("HS256")), TokenError::Malformed),
        (with(header(), "alg", json!("ES256")), TokenError::Malformed),
        (with(header(), "typ", json!("JWT")), TokenError::Malformed),
        (without(header(), "typ"), TokenError::Malformed),
        (with(header(), "crit", json!(["exp"])), TokenError::Malformed),
        (with(header(), "alg", json!("None")), TokenError::Malformed),
        (with(header(), "alg", json!("nOnE")), TokenError::Malformed),
        (with(header(), "alg", json!("RS256")), TokenError::Malformed),
        (with(header(), "alg", json!("PS256")), TokenError::Malformed),
        (with(header(), "alg", json!("HS512")), TokenError::Malformed),
        (with(header(), "alg", json!("Ed25519")), TokenError::Malformed),
        (without(header(), "alg"), TokenError::Malformed),
        (with(header(), "kid", json!("../../keys/token.pem")), TokenError::UnknownKey),
        (with(header(), "kid", json!("/dev/null")), TokenError::UnknownKey),
        (with(header(), "kid", json!("' or '1'='1")), TokenError::UnknownKey),
        (with(header(), "kid", json!("x' union select secret_sha256 from api_client --")), TokenError::UnknownKey),
        (with(header(), "kid", json!("")), TokenError::UnknownKey),
        (with(header(), "kid", json!("other")), TokenError::UnknownKey),
        (without(header(), "kid"), TokenError::UnknownKey),
    ];
    for (header, error) in headers {
        assert_eq!(refused(&signed_by(1, &header, &claims())), Some(error), "{header}");
    }
    let changed = [
        (with(claims(), "iss", json!("https://elsewhere.test")), TokenError::NotForUs),
        (with(claims(), "aud", json!("flip360-sandbox")), TokenError::NotForUs),
        (without(claims(), "aud"), TokenError::Malformed),
        (without(claims(), "exp"), TokenError::Malformed),
        (with(claims(), "exp", json!(1_795_435_200)), TokenError::Expired),
        (with(claims(), "exp", json!(-1)), TokenError::NotForUs),
        (with(claims(), "nbf", json!(1_795_435_260)), TokenError::NotYet),
        (with(claims(), "sub", json!("deal_01h455vb4pex5vsknk084sn02q")), TokenError::NotForUs),
        (with(claims(), "roles", json!(["partner_agent", "finance"])), TokenError::NotForUs),
        (with(claims(), "roles", json!(["king"])), TokenError::Malformed),
        (without(claims(), "org"), TokenError::NotForUs),
    ];
    for (claims, error) in changed {
        assert_eq!(refused(&signed_by(1, &header(), &claims)), Some(error), "{claims}");
    }
}

#[test]
fn the_public_key_is_no_shared_secret_and_no_signature_is_no_signature() {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    for alg in ["HS256", "none", "NONE", "EdDSA"] {
        let message = format!("{}.{}", part(&with(header(), "alg", json!(alg))), part(&claims()));
        // What a verifier that took the public key for an HMAC secret would accept.
        let mac = hmac_sha256(public(1).bytes().as_slice(), message.as_bytes());
        for signature in [String::new(), URL_SAFE_NO_PAD.encode(mac), URL_SAFE_NO_PAD.encode([0; 64])] {
            assert!(refused(&format!("{message}.{signature}")).is_some(), "{alg}");
        }
    }
}

/// RFC 2104, for a key of at most 64 bytes.
fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let pad = |byte: u8| (0..64).map(|i| key.get(i).copied().unwrap_or(0) ^ byte).collect::<Vec<u8>>();
    let inner = domain::kernel::Digest::of_parts(&[&pad(0x36), message]);
    *domain::kernel::Digest::of_parts(&[&pad(0x5c), inner.bytes()]).bytes()
}

#[test]
fn another_key_never_and_the_previous_key_while_it_is_published() {
    let by_other = signed_by(2, &header(), &claims());
    assert_eq!(refused(&by_other), Some(TokenError::BadSignature));
    let old = signed_by(2, &with(header(), "kid", json!(public(2).kid())), &claims());
    assert_eq!(refused(&old), Some(TokenError::UnknownKey));
    let rotated = tokens(1, &[public(2)]);
    assert!(rotated.verify(&old, now()).is_ok());
    assert_eq!(rotated.verify(&by_other, now()), Err(TokenError::BadSignature));
    let kids: Vec<Value> = rotated.jwks()["keys"].as_array().expect("keys").iter().map(|k| k["kid"].clone()).collect();
    assert_eq!(kids, [json!(public(1).kid()), json!(public(2).kid())]);
}

#[test]
fn garbage_is_refused_without_harm() {
    let good = signed_by(1, &header(), &claims());
    let mut others: Vec<String> = ["", ".", "..", "...", "a.b.c", "\0", "é.é.é"].map(String::from).to_vec();
    others.push("a".repeat(MAX_TOKEN_BYTES + 1));
    others.push(format!("{good}."));
    others.push(good.replace('.', ""));
    others.extend((0..good.len()).map(|n| good[..n].to_owned()));
    for token in others {
        assert!(refused(&token).is_some(), "{token}");
    }
    for n in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[n] = if bytes[n] == b'A' { b'B' } else { b'A' };
        let token = String::from_utf8(bytes).expect("ASCII");
        assert!(refused(&token).is_some(), "byte {n} changed");
    }
}

#[test]
fn scopes_beyond_the_roles_are_dropped() {
    let claims = with(claims(), "scope", json!("deals:read payouts:approve access:admin nonsense"));
    let actor = tokens(1, &[]).verify(&signed_by(1, &header(), &claims), now()).expect("an actor").actor;
    assert_eq!(actor.scopes, BTreeSet::from([Scope::DealsRead]));
}

/// Whoever forges a token names a key of their own in it: nothing but `kid` is looked at, and it names ours.
#[test]
fn a_key_that_the_token_brings_along_is_never_used() {
    let jwk = public(2).jwk();
    let jwk = json!({"kty": jwk.kty, "crv": jwk.crv, "x": jwk.x});
    for (name, value) in [
        ("jwk", jwk),
        ("jku", json!("https://attacker.test/jwks.json")),
        ("x5u", json!("https://attacker.test/chain.pem")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
    ] {
        for kid in [public(1).kid(), public(2).kid()] {
            let header = with(with(header(), name, value.clone()), "kid", json!(kid));
            assert!(refused(&signed_by(2, &header, &claims())).is_some(), "{header}");
        }
    }
}
