//! Tokens, API clients and users over real HTTP.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::access::Role;
use domain::kernel::Instant;
use ed25519_dalek::{Signature, VerifyingKey};
use harness::server::{Reply, Service};
use serde_json::{Value, json};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn token(service: &Service, form: &str) -> Reply {
    service.send("POST", "/oauth/token", &[FORM], Some(form.as_bytes()))
}

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")))
}

/// An API client that was made over HTTP: its id and its secret.
fn client(service: &Service, roles: &[&str]) -> (String, String) {
    let made = service.post("/v1/api-clients", &service.operator(), &json!({"name": "Portal", "roles": roles}));
    let made = made.expect(201);
    let text = |key: &str| made[key].as_str().expect("a text").to_owned();
    (text("id"), text("client_secret"))
}

fn error(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.expect(status)["error"], code);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

#[test]
fn a_client_gets_a_token_that_the_published_keys_verify() {
    let service = Service::start();
    let (id, secret) = client(&service, &["support"]);
    let form = format!(
        "grant_type=client_credentials&client_id={id}&client_secret={secret}&scope=deals%3Aread+jobs:read&nonsense=1"
    );
    let answer = token(&service, &form).expect(200);
    assert_eq!((&answer["token_type"], &answer["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert_eq!(answer["scope"], "deals:read jobs:read");
    let jwt = answer["access_token"].as_str().expect("a token");
    // Verified by hand, with nothing but the published key.
    let (message, signature) = jwt.rsplit_once('.').expect("three parts");
    let part = |n: usize| -> Value {
        let bytes = URL_SAFE_NO_PAD.decode(jwt.split('.').nth(n).expect("a part")).expect("base64url");
        serde_json::from_slice(&bytes).expect("JSON")
    };
    let keys = service.send("GET", "/.well-known/jwks.json", &[], None).expect(200);
    let key = keys["keys"].as_array().expect("keys").iter().find(|k| k["kid"] == part(0)["kid"]).expect("the key");
    let key: [u8; 32] =
        URL_SAFE_NO_PAD.decode(key["x"].as_str().expect("x")).expect("base64url").try_into().expect("32");
    let signature = Signature::from_slice(&URL_SAFE_NO_PAD.decode(signature).expect("base64url")).expect("64 bytes");
    let key = VerifyingKey::from_bytes(&key).expect("a key");
    assert!(key.verify_strict(message.as_bytes(), &signature).is_ok());
    assert_eq!((&part(0)["alg"], &part(0)["typ"]), (&json!("EdDSA"), &json!("at+jwt")));
    assert_eq!((&part(1)["sub"], &part(1)["client_id"]), (&json!(id), &json!(id)));
    let me = service.get("/v1/me", jwt).expect(200);
    assert_eq!(
        me,
        json!({"id": id, "kind": "client", "environment": "live", "name": "Portal", "roles": ["support"], "scopes": ["deals:read", "jobs:read"]})
    );
    let header = basic(&id, &secret);
    let by_header = service.send(
        "POST",
        "/oauth/token",
        &[FORM, ("authorization", &header)],
        Some(b"grant_type=client_credentials"),
    );
    let all = by_header.expect(200)["scope"].as_str().expect("scopes").split(' ').count();
    assert_eq!(all, Role::Support.scopes().len());
    let metadata = service.send("GET", "/.well-known/oauth-authorization-server", &[], None).expect(200);
    assert_eq!(metadata["token_endpoint"], "https://flip360.test/oauth/token");
}

#[test]
fn refusals_have_the_form_of_the_standard_and_tell_nothing() {
    let service = Service::start();
    let (id, secret) = client(&service, &["support"]);
    let unknown = "client_00000000000000000000000001";
    let wrong = token(&service, &format!("grant_type=client_credentials&client_id={id}&client_secret=flip_sk_x"));
    error(&wrong, 401, "invalid_client");
    for (client, secret) in
        [(unknown, secret.as_str()), ("nonsense", "x"), ("user_00000000000000000000000001", "x"), ("%00", "%00")]
    {
        let reply =
            token(&service, &format!("grant_type=client_credentials&client_id={client}&client_secret={secret}"));
        assert_eq!((reply.status, &reply.body), (401, &wrong.body), "{client}");
    }
    let header = basic(&id, "wrong");
    let by_header = service.send(
        "POST",
        "/oauth/token",
        &[FORM, ("authorization", &header)],
        Some(b"grant_type=client_credentials"),
    );
    error(&by_header, 401, "invalid_client");
    assert!(by_header.header("www-authenticate").is_some_and(|h| h.starts_with("Basic")));
    for bad in ["Basic", "Basic !!", "Bearer x", "Basic YQ=="] {
        let reply = service.send(
            "POST",
            "/oauth/token",
            &[FORM, ("authorization", bad)],
            Some(b"grant_type=client_credentials"),
        );
        error(&reply, 401, "invalid_client");
    }
    let good = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let both =
        service.send("POST", "/oauth/token", &[FORM, ("authorization", &basic(&id, &secret))], Some(good.as_bytes()));
    error(&both, 400, "invalid_request");
    for (form, code) in [
        (format!("{good}&scope=deals:write"), "invalid_scope"),
        (format!("{good}&scope=king"), "invalid_scope"),
        (format!("{good}&scope="), "invalid_scope"),
        (format!("{good}&grant_type=password"), "invalid_request"),
        (good.replace("client_credentials", "implicit"), "unsupported_grant_type"),
        (String::new(), "invalid_request"),
        ("grant_type=password".to_owned(), "invalid_request"),
        (
            "grant_type=password&username=a@b.co&password=correct+horse+battery&client_id=other".to_owned(),
            "unauthorized_client",
        ),
        ("grant_type=password&username=a@b.co&password=correct+horse+battery".to_owned(), "invalid_grant"),
        ("grant_type=password&username=%00&password=%00".to_owned(), "invalid_grant"),
    ] {
        error(&token(&service, &form), 400, code);
    }
    error(
        &service.send("POST", "/oauth/token", &[("content-type", "application/json")], Some(b"{}")),
        400,
        "invalid_request",
    );
    error(&service.send("POST", "/oauth/token", &[FORM], Some(&[0xff, 0xfe])), 400, "invalid_request");
    error(&token(&service, &"a".repeat(20_000)), 400, "invalid_request");
    let _ = token(&service, &"a".repeat(400_000)).problem(413, "body_too_large");
}

#[test]
fn a_user_logs_in_and_too_many_guesses_lock_it_out() {
    let service = Service::start();
    let body = json!({"email": "approver@example.com", "password": "correct horse battery", "roles": ["approver"]});
    let made = service.post("/v1/users", &service.operator(), &body).expect(201);
    assert!(made.get("password").is_none());
    let taken = service.post("/v1/users", &service.operator(), &body);
    let _ = taken.problem(409, "email_taken");
    let login = |password: &str| {
        token(&service, &format!("grant_type=password&username=Approver%40example.com&password={password}"))
    };
    let answer = login("correct+horse+battery").expect(200);
    let me = service.get("/v1/me", answer["access_token"].as_str().expect("a token")).expect(200);
    assert_eq!((&me["kind"], &me["id"], &me["name"]), (&json!("user"), &made["id"], &json!("approver@example.com")));
    for _ in 0..5 {
        error(&login("wrong+horse+battery"), 400, "invalid_grant");
    }
    error(&login("correct+horse+battery"), 400, "invalid_grant");
    service.clock.set(Instant::new("2026-11-23T12:00:30Z".parse().expect("a time")));
    let _ = login("correct+horse+battery").expect(200);
}

#[test]
fn a_secret_is_shown_again_to_a_retry_and_lies_nowhere_in_the_database() {
    let service = Service::start();
    let operator = service.operator();
    let body = json!({"name": "Portal", "roles": ["auditor"]});
    let first = service.post_as("/v1/api-clients", &operator, "k1", &body);
    let secret = first.expect(201)["client_secret"].as_str().expect("a secret").to_owned();
    let again = service.post_as("/v1/api-clients", &operator, "k1", &body);
    assert_eq!((again.status, &again.body), (201, &first.body));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("location"), first.header("location"));
    assert_eq!(again.header("content-type"), first.header("content-type"));
    assert_eq!(service.platform.number("select count(*) from api_client"), 1);
    let other = service.post_as("/v1/api-clients", &operator, "k1", &json!({"name": "Other", "roles": ["auditor"]}));
    let _ = other.problem(422, "idempotency_key_reused");
    let lies = format!("select count(*) from idempotency_record where position('{secret}'::bytea in body) > 0");
    assert_eq!(service.platform.number(&lies), 0);
    let user = json!({"email": "u@example.com", "password": "correct horse battery", "roles": ["finance"]});
    let _ = service.post_as("/v1/users", &operator, "k2", &user).expect(201);
    let digest = domain::kernel::Digest::of_parts(&[b"POST", b"\0", b"/v1/users", b"\0", user.to_string().as_bytes()]);
    let guessable = format!("select count(*) from idempotency_record where fingerprint = '\\x{digest}'");
    assert_eq!(service.platform.number(&guessable), 0, "a password could be guessed from the digest of its request");
    assert_eq!(service.post_as("/v1/users", &operator, "k2", &user).header("idempotency-replayed"), Some("true"));
}

#[test]
fn clients_are_listed_re_keyed_and_revoked() {
    let service = Service::start();
    let operator = service.operator();
    let (id, old) = client(&service, &["auditor"]);
    let path = format!("/v1/api-clients/{id}");
    let rotated = service.post(&format!("{path}/rotate-secret"), &operator, &json!({}));
    let new = rotated.expect(200)["client_secret"].as_str().expect("a secret").to_owned();
    assert_eq!(rotated.header("etag"), Some("\"2\""));
    let login =
        |secret: &str| token(&service, &format!("grant_type=client_credentials&client_id={id}&client_secret={secret}"));
    error(&login(&old), 401, "invalid_client");
    let _ = login(&new).expect(200);
    let bearer = format!("Bearer {operator}");
    let delete = |etag: Option<&str>| {
        let headers: Vec<(&str, &str)> =
            std::iter::once(("authorization", bearer.as_str())).chain(etag.map(|e| ("if-match", e))).collect();
        service.send("DELETE", &path, &headers, None)
    };
    let _ = delete(None).problem(428, "if_match_missing");
    let _ = delete(Some("\"1\"")).problem(412, "stale");
    assert_eq!(delete(Some("\"2\"")).status, 204);
    error(&login(&new), 401, "invalid_client");
    let listed = service.get("/v1/api-clients?limit=1", &operator).expect(200);
    assert_eq!((&listed["data"][0]["id"], listed["data"][0].get("client_secret")), (&json!(id), None));
    assert!(listed["data"][0]["revoked_at"].is_string());
    let gone = service.post(&format!("{path}/rotate-secret"), &operator, &json!({}));
    let _ = gone.problem(409, "client_revoked");
    for wrong in ["client_00000000000000000000000001", "user_00000000000000000000000001", "%00", "x"] {
        let reply = service.post(&format!("/v1/api-clients/{wrong}/rotate-secret"), &operator, &json!({}));
        let _ = reply.problem(404, "not_found");
    }
    let audited = "select count(*) from audit_record where action in ('create_api_client', 'rotate_api_client_secret', 'revoke_api_client')";
    assert_eq!(service.platform.number(audited), 3);
}

#[test]
fn only_the_administrator_and_every_fault_at_once() {
    let service = Service::start();
    for role in Role::ALL.into_iter().filter(|role| !role.is_of_partner() && *role != Role::OperatorAdmin) {
        let token = service.token(&[role], None, None);
        let _ = service.get("/v1/users", &token).problem(403, "insufficient_scope");
        let _ = service.post("/v1/api-clients", &token, &json!({})).problem(403, "insufficient_scope");
    }
    let _ = service.post("/v1/users", &service.partner(), &json!({})).problem(403, "insufficient_scope");
    let operator = service.operator();
    let faults = service.post(
        "/v1/users",
        &operator,
        &json!({"email": "x", "password": "short", "roles": ["king"], "organisation_id": "deal_1"}),
    );
    let faults = faults.problem(422, "validation_failed");
    let pointers: Vec<&str> = faults.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/email", "/password", "/roles/0", "/organisation_id"]);
    let unknown = service.post("/v1/users", &operator, &json!({"mail": "x"}));
    assert_eq!(unknown.problem(400, "unknown_field"), [("/mail".to_owned(), "unknown_field".to_owned())]);
    let nowhere = service.post(
        "/v1/api-clients",
        &operator,
        &json!({"name": "x", "roles": ["partner_agent"], "organisation_id": "org_00000000000000000000000001"}),
    );
    assert_eq!(nowhere.problem(422, "validation_failed"), [("/organisation_id".to_owned(), "not_found".to_owned())]);
    for bad in [
        json!({"name": "a\0b", "roles": ["finance"]}),
        json!({"name": "x".repeat(101), "roles": ["finance"]}),
        json!({"name": "", "roles": []}),
    ] {
        let _ = service.post("/v1/api-clients", &operator, &bad).problem(422, "validation_failed");
    }
    for query in ["limit=0", "limit=201", "limit=99999999999999999999", "cursor=!", "cursor=AAAA", "status=x"] {
        assert_eq!(service.get(&format!("/v1/api-clients?{query}"), &operator).status, 400, "{query}");
    }
}
