//! API clients that sign instead of telling a secret (RFC 7523).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::access::Role;
use ed25519_dalek::{Signer as _, SigningKey};
use harness::neighbour::Neighbour;
use harness::server::{Reply, Service};
use serde_json::{Value, json};

use crate::{client, second, text};

const TYPE: &str = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";
const ISSUER: &str = "https://flip360.test";

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn jwk(seed: u8) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(key(seed).verifying_key().as_bytes())})
}

fn register(service: &Service, client: &str, seed: u8) -> Reply {
    service.post(&format!("/v1/api-clients/{client}/keys"), &service.operator(), &json!({"jwk": jwk(seed)}))
}

fn claims(service: &Service, client: &str, jti: &str) -> Value {
    let now = second(service);
    json!({"iss": client, "sub": client, "aud": ISSUER, "exp": now + 60, "iat": now, "jti": jti})
}

fn signed(seed: u8, claims: &Value) -> String {
    let header = json!({"alg": "EdDSA", "typ": "JWT"});
    let signed =
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(key(seed).sign(signed.as_bytes()).to_bytes()))
}

fn form(assertion: &str) -> String {
    format!("grant_type=client_credentials&client_assertion_type={TYPE}&client_assertion={assertion}")
}

fn refused(reply: &Reply) {
    assert_eq!(reply.expect(401)["error"], "invalid_client");
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

#[test]
fn a_client_signs_and_gets_a_token_once_for_each_assertion() {
    let service = Service::start();
    let (id, secret) = client(&service, &["auditor"]);
    let made = register(&service, &id, 1);
    let key = made.expect(201);
    assert_eq!((&key["client_id"], &key["jwk"], made.header("etag")), (&json!(id), &jwk(1), Some("\"1\"")));
    let one = form(&signed(1, &claims(&service, &id, "one")));
    let answer = service.form("/oauth/token", &one).expect(200);
    assert_eq!(answer.get("refresh_token"), None);
    assert_eq!(service.get("/v1/me", &text(&answer, "access_token")).expect(200)["id"], id);
    refused(&service.form("/oauth/token", &one));
    // Another assertion, also one about the endpoint, with fewer scopes; and the secret still works.
    let mut two = claims(&service, &id, "two");
    two["aud"] = json!([format!("{ISSUER}/oauth/token")]);
    let fewer = format!("{}&scope=deals:read&client_id={id}", form(&signed(1, &two)));
    assert_eq!(service.form("/oauth/token", &fewer).expect(200)["scope"], "deals:read");
    let by_secret = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let _ = service.form("/oauth/token", &by_secret).expect(200);
    let metadata = service.send("GET", "/.well-known/oauth-authorization-server", &[], None).expect(200);
    let methods = metadata["token_endpoint_auth_methods_supported"].as_array().expect("methods").clone();
    assert!(methods.contains(&json!("private_key_jwt")));
    assert_eq!(metadata["token_endpoint_auth_signing_alg_values_supported"], json!(["EdDSA", "Ed25519"]));
}

#[test]
fn a_replay_is_refused_by_a_second_process_too_and_of_many_at_once_one_gets_through() {
    let service = Service::start();
    let (id, _) = client(&service, &["auditor"]);
    let _ = register(&service, &id, 1).expect(201);
    let neighbour = Neighbour::of(&service);
    let one = form(&signed(1, &claims(&service, &id, "one")));
    let _ = service.form("/oauth/token", &one).expect(200);
    refused(&neighbour.form("/oauth/token", &one));
    let two = form(&signed(1, &claims(&service, &id, "two")));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|n| {
                let (service, neighbour, two) = (&service, &neighbour, &two);
                scope.spawn(move || match n % 2 {
                    0 => service.form("/oauth/token", two).status,
                    _ => neighbour.form("/oauth/token", two).status,
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 7, "{statuses:?}");
    // A refused scope uses nothing up; what is over is forgotten.
    let three = form(&signed(1, &claims(&service, &id, "three")));
    assert_eq!(
        service.form("/oauth/token", &format!("{three}&scope=deals:write")).expect(400)["error"],
        "invalid_scope"
    );
    let _ = service.form("/oauth/token", &three).expect(200);
    assert_eq!(service.platform.number("select count(*) from used_assertion"), 3);
    service.clock.set(domain::kernel::Instant::new("2026-11-23T13:00:00Z".parse().expect("a time")));
    let _ = service.form("/oauth/token", &form(&signed(1, &claims(&service, &id, "one")))).expect(200);
    assert_eq!(service.platform.number("select count(*) from used_assertion"), 1);
}

#[test]
fn what_is_not_the_clients_own_good_assertion_is_refused() {
    let service = Service::start();
    let (id, secret) = client(&service, &["auditor"]);
    let (other, _) = client(&service, &["operator_admin"]);
    let _ = register(&service, &id, 1).expect(201);
    let _ = register(&service, &other, 2).expect(201);
    let now = second(&service);
    let with = |name: &str, value: Value| {
        let mut claims = claims(&service, &id, name);
        claims[name] = value;
        signed(1, &claims)
    };
    let mine = |seed: u8, jti: &str| signed(seed, &claims(&service, &id, jti));
    let unregistered = "client_00000000000000000000000001";
    for (what, assertion) in [
        ("another client's key", mine(2, "a")),
        ("an unknown key", mine(3, "b")),
        ("about another client", signed(1, &claims(&service, &other, "c"))),
        ("about nobody", signed(1, &claims(&service, unregistered, "d"))),
        ("for another server", with("aud", json!("https://elsewhere.test"))),
        ("for another server, too", with("aud", json!([ISSUER, "https://elsewhere.test"]))),
        ("expired", with("exp", json!(now))),
        ("for too long", with("exp", json!(now + 3_600))),
        ("not yet", with("nbf", json!(now + 60))),
        ("from the future", with("iat", json!(now + 60))),
        ("an issuer of its own", with("iss", json!(other))),
        ("nonsense", "nonsense".to_owned()),
        ("nothing", String::new()),
    ] {
        let reply = service.form("/oauth/token", &form(&assertion));
        assert_eq!((reply.status, &reply.expect(401)["error"]), (401, &json!("invalid_client")), "{what}");
    }
    assert_eq!(service.platform.number("select count(*) from used_assertion"), 0, "nothing is used up");
    let good = form(&mine(1, "good"));
    for (what, both) in [
        ("a secret too", format!("{good}&client_secret={secret}")),
        ("another name", format!("{good}&client_id={other}")),
        ("another type", good.replace("jwt-bearer", "saml2-bearer")),
        ("no type", format!("grant_type=client_credentials&client_assertion={}", mine(1, "e"))),
        ("no assertion", format!("grant_type=client_credentials&client_assertion_type={TYPE}")),
    ] {
        assert_eq!(service.form("/oauth/token", &both).expect(400)["error"], "invalid_request", "{what}");
    }
    let _ = service.form("/oauth/token", &good).expect(200);
}

#[test]
fn keys_are_listed_and_taking_one_away_ends_what_it_gave() {
    let service = Service::start();
    let operator = service.operator();
    let (id, _) = client(&service, &["auditor"]);
    let path = format!("/v1/api-clients/{id}/keys");
    let first = register(&service, &id, 1).expect(201);
    let second = register(&service, &id, 2).expect(201);
    assert_eq!(service.get(&path, &operator).expect(200)["data"], json!([first, second]));
    let _ = register(&service, &id, 1).problem(409, "key_taken");
    let token = text(
        &service.form("/oauth/token", &form(&signed(1, &claims(&service, &id, "one")))).expect(200),
        "access_token",
    );
    let gone = format!("{path}/{}", text(&first, "id"));
    let authorization = format!("Bearer {operator}");
    let delete = |path: &str, etag: Option<&str>| {
        let mut headers = vec![("authorization", authorization.as_str())];
        headers.extend(etag.map(|etag| ("if-match", etag)));
        service.send("DELETE", path, &headers, None)
    };
    let _ = delete(&gone, None).problem(428, "if_match_missing");
    let _ = delete(&gone, Some("\"2\"")).problem(412, "stale");
    let (other, _) = client(&service, &["auditor"]);
    let foreign = format!("/v1/api-clients/{other}/keys/{}", text(&first, "id"));
    let _ = delete(&foreign, Some("\"1\"")).problem(404, "not_found");
    let _ = delete(&gone, Some("\"1\"")).expect(204);
    let _ = delete(&gone, Some("\"1\"")).problem(404, "not_found");
    let _ = service.get("/v1/me", &token).problem(401, "unauthenticated");
    refused(&service.form("/oauth/token", &form(&signed(1, &claims(&service, &id, "two")))));
    let _ = service.form("/oauth/token", &form(&signed(2, &claims(&service, &id, "two")))).expect(200);
    assert_eq!(service.get(&path, &operator).expect(200)["data"], json!([second]));
    for nobody in ["client_00000000000000000000000001", "user_00000000000000000000000001", "x"] {
        let _ = service.get(&format!("/v1/api-clients/{nobody}/keys"), &operator).problem(404, "not_found");
        let _ = register(&service, nobody, 1).problem(404, "not_found");
    }
    let audited =
        "select count(*) from audit_record where action in ('create_api_client_key', 'delete_api_client_key')";
    assert_eq!(service.platform.number(audited), 3);
}

#[test]
fn keys_are_held_to_rules() {
    let service = Service::start();
    let operator = service.operator();
    let (id, _) = client(&service, &["operator_admin"]);
    let path = format!("/v1/api-clients/{id}/keys");
    let post = |jwk: Value| service.post(&path, &operator, &json!({"jwk": jwk}));
    let faults = post(json!({"kty": "RSA", "crv": "P-256", "x": "AA", "use": "enc", "alg": "RS256"}));
    let faults = faults.problem(422, "validation_failed");
    let pointers: Vec<&str> = faults.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/jwk/kty", "/jwk/crv", "/jwk/use", "/jwk/alg", "/jwk/x"]);
    let weak = json!({"kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode([0; 32])});
    assert_eq!(post(weak).problem(422, "validation_failed"), [("/jwk/x".to_owned(), "key_weak".to_owned())]);
    let mut private = jwk(1);
    private["d"] = json!(URL_SAFE_NO_PAD.encode([1; 32]));
    let _ = post(private).problem(400, "unknown_field");
    let missing = service.post(&path, &operator, &json!({})).problem(422, "validation_failed");
    assert_eq!(missing, [("/jwk".to_owned(), "required".to_owned())]);
    // Whoever holds the key has the client's scopes: a narrower token cannot register one.
    let narrow = service.token(&[Role::Auditor], None, None);
    let _ = service.post(&path, &narrow, &json!({"jwk": jwk(1)})).problem(403, "insufficient_scope");
    for seed in 1..=10 {
        let _ = post(jwk(seed)).expect(201);
    }
    let _ = post(jwk(11)).problem(409, "too_many_keys");
    let headers = [("authorization", &*format!("Bearer {operator}")), ("if-match", "\"1\"")];
    let (last, _) = client(&service, &["auditor"]);
    let _ = service.send("DELETE", &format!("/v1/api-clients/{last}"), &headers, None).expect(204);
    let _ = register(&service, &last, 1).problem(409, "client_revoked");
}

#[test]
fn a_rotated_secret_ends_the_tokens_that_it_gave() {
    let service = Service::start();
    let (id, secret) = client(&service, &["auditor"]);
    let token = |secret: &str| {
        let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
        text(&service.form("/oauth/token", &form).expect(200), "access_token")
    };
    let old = token(&secret);
    let path = format!("/v1/api-clients/{id}/rotate-secret");
    let made = service.post(&path, &service.operator(), &json!({})).expect(200);
    let _ = service.get("/v1/me", &old).problem(401, "unauthenticated");
    let _ = service.get("/v1/me", &token(&text(&made, "client_secret"))).expect(200);
}
