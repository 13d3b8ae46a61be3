//! Logging in by the ID token of an outside issuer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::kernel::Instant;
use harness::server::{Reply, Service};
use jiff::SignedDuration;
use ring::hmac;
use serde_json::{Value, json};

use crate::issuer::{Key, Provider};
use crate::{claims as said, scopes, second, text};

const JWT_BEARER: &str = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
const AUDIENCE: &str = "flip360-at-harbour";

/// A service, a provider that it knows, and a user whom the provider knows as `ann`.
struct World {
    service: Service,
    provider: Provider,
    issuer: String,
    user: Value,
}

impl World {
    fn of(keys: Value) -> Self {
        let (service, provider) = (Service::start(), Provider::start(keys));
        let body = json!({"issuer": provider.url, "audience": AUDIENCE});
        let issuer = text(&service.post("/v1/oidc-issuers", &service.operator(), &body).expect(201), "id");
        let user =
            make_user(&service, "ann@example.com", &["finance"], &json!({"issuer_id": issuer, "subject": "ann"}));
        Self { service, provider, issuer, user: user.expect(201) }
    }

    fn claims(&self) -> Value {
        let now = second(&self.service);
        json!({"iss": self.provider.url, "sub": "ann", "aud": AUDIENCE, "exp": now + 600, "iat": now, "nonce": "n"})
    }

    fn with(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims();
        claims[name] = value;
        claims
    }

    fn trade(&self, token: &str) -> Reply {
        self.service.form("/oauth/token", &format!("grant_type={JWT_BEARER}&assertion={token}"))
    }

    fn later(&self, seconds: i64) {
        use domain::kernel::time::Clock as _;
        let now = self.service.clock.now().timestamp();
        self.service.clock.set(Instant::new(now.checked_add(SignedDuration::from_secs(seconds)).expect("a time")));
    }
}

fn make_user(service: &Service, email: &str, roles: &[&str], oidc: &Value) -> Reply {
    let body = json!({"email": email, "password": "correct horse battery", "roles": roles, "oidc": oidc});
    service.post("/v1/users", &service.operator(), &body)
}

fn refused(reply: &Reply, what: &str) {
    assert_eq!((reply.status, &reply.json()["error"]), (400, &json!("invalid_grant")), "{what}");
}

#[test]
fn an_id_token_by_each_kind_of_key_logs_its_subject_in_once() {
    for key in [Key::rsa(1), Key::p256(), Key::ed25519(5)] {
        let world = World::of(json!([Key::rsa(2).jwk("other"), key.jwk("one")]));
        let token = key.id_token("one", &world.claims());
        let answer = world.trade(&token).expect(200);
        assert_eq!(answer.get("refresh_token"), None, "the session is the issuer's to go on with");
        let me = world.service.get("/v1/me", &text(&answer, "access_token")).expect(200);
        assert_eq!(
            (&me["id"], &me["kind"], &me["name"]),
            (&world.user["id"], &json!("user"), &json!("ann@example.com"))
        );
        refused(&world.trade(&token), "a second use");
        // Without the issuer's word that there were many factors no money moves.
        assert!(!scopes(&answer).contains("payouts:write"));
        assert_eq!(me["withheld"]["reason"], "second_factor_not_set_up");
        let strong = key.id_token("one", &world.with("amr", json!(["pwd", "otp", "mfa"])));
        let answer = world.trade(&strong).expect(200);
        assert!(scopes(&answer).contains("payouts:write"));
        assert_eq!(said(&text(&answer, "access_token"))["amr"], json!(["mfa"]));
        assert_eq!(world.provider.asked(), 1, "{}: keys are kept", key.algorithm());
    }
}

#[test]
fn what_is_not_the_issuers_word_for_us_about_somebody_we_know_is_refused() {
    let key = Key::rsa(1);
    let world = World::of(json!([key.jwk("one")]));
    let now = second(&world.service);
    let narrower = {
        let mut claims = world.with("aud", json!([AUDIENCE, "elsewhere"]));
        claims["azp"] = json!("elsewhere");
        claims
    };
    for (what, claims) in [
        ("another issuer", world.with("iss", json!("https://login.example.com"))),
        ("its address spelt otherwise", world.with("iss", json!(format!("{}/", world.provider.url)))),
        ("for somebody else", world.with("aud", json!("elsewhere"))),
        ("for several, without saying who asked", world.with("aud", json!([AUDIENCE, "elsewhere"]))),
        ("given to somebody else", narrower),
        ("expired", world.with("exp", json!(now))),
        ("expires never", world.with("exp", json!(now + 400_000))),
        ("not yet", world.with("nbf", json!(now + 600))),
        ("from the future", world.with("iat", json!(now + 600))),
        ("nobody linked", world.with("sub", json!("bob"))),
        ("another letter case", world.with("sub", json!("Ann"))),
    ] {
        refused(&world.trade(&key.id_token("one", &claims)), what);
    }
    // A logout token says `events` (OpenID Connect Back-Channel Logout 2.4), whatever its type.
    let logout = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    refused(&world.trade(&key.id_token("one", &world.with("events", logout.clone()))), "a logout token");
    let untyped = key.token(&json!({"alg": "RS256", "kid": "one"}), &world.with("events", logout));
    refused(&world.trade(&untyped), "a logout token without a type");
    for kind in ["at+jwt", "logout+jwt", "LOGOUT+JWT", "secevent+jwt", "application/logout+jwt"] {
        let header = json!({"alg": "RS256", "kid": "one", "typ": kind});
        refused(&world.trade(&key.token(&header, &world.claims())), kind);
    }
    refused(&world.trade("nonsense"), "nonsense");
    let missing = world.service.form("/oauth/token", &format!("grant_type={JWT_BEARER}"));
    assert_eq!(missing.expect(400)["error"], "invalid_request");
    let of_client = format!("grant_type={JWT_BEARER}&assertion=x&client_id=client_01&client_secret=x");
    assert_eq!(world.service.form("/oauth/token", &of_client).expect(400)["error"], "unauthorized_client");
    assert_eq!(world.service.platform.number("select count(*) from used_assertion"), 0, "nothing is used up");
    let several = {
        let mut claims = world.with("aud", json!([AUDIENCE, "elsewhere"]));
        claims["azp"] = json!(AUDIENCE);
        claims
    };
    let _ = world.trade(&key.id_token("one", &several)).expect(200);
}

#[test]
fn an_algorithm_belongs_to_its_key() {
    let (rsa, p256, ed25519) = (Key::rsa(1), Key::p256(), Key::ed25519(5));
    let keys = json!([rsa.jwk("rsa"), p256.jwk("p256"), ed25519.jwk("ed")]);
    let world = World::of(keys.clone());
    let claims = world.claims();
    for alg in ["none", "None", "NONE", "", "HS256", "HS512", "RS512", "PS256", "ES384", "ES256K", "rs256"] {
        let header = json!({"alg": alg, "kid": "rsa"});
        refused(&world.trade(&rsa.token(&header, &claims)), alg);
    }
    // Signed well, named wrongly: each key under the name of each other one.
    for (key, name) in
        [(&rsa, "p256"), (&rsa, "ed"), (&p256, "rsa"), (&p256, "ed"), (&ed25519, "rsa"), (&ed25519, "p256")]
    {
        refused(&world.trade(&key.id_token(name, &claims)), name);
        let header = json!({"alg": key.algorithm(), "kid": name});
        refused(&world.trade(&key.token(&header, &claims)), name);
    }
    // The public key as a shared secret, in the forms that are at hand.
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({"alg": "HS256", "kid": "rsa"})), part(&claims));
    for secret in [keys[0].to_string(), keys[0]["n"].as_str().expect("a modulus").to_owned()] {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), signed.as_bytes());
        refused(&world.trade(&format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))), "HS256");
    }
    refused(&world.trade(&format!("{signed}.")), "no signature");
    // A key that the token brings itself, or leads to.
    let own = Key::ed25519(9);
    for (name, value) in
        [("jwk", own.jwk("ed")), ("jku", json!("https://attacker.example/keys")), ("x5u", json!("https://a.example"))]
    {
        let mut header = json!({"alg": "EdDSA", "kid": "ed"});
        header[name] = value;
        refused(&world.trade(&own.token(&header, &claims)), name);
    }
    for (name, value) in [("crit", json!(["exp"])), ("b64", json!(false))] {
        let mut header = json!({"alg": "RS256", "kid": "rsa"});
        header[name] = value;
        refused(&world.trade(&rsa.token(&header, &claims)), name);
    }
    let nameless = json!({"alg": "RS256"});
    refused(&world.trade(&rsa.token(&nameless, &claims)), "no name among many keys");
    for (key, name) in [(&rsa, "rsa"), (&p256, "p256"), (&ed25519, "ed")] {
        let _ = world.trade(&key.id_token(name, &claims)).expect(200);
    }
}

#[test]
fn a_key_that_is_not_for_signatures_or_of_another_algorithm_is_not_used() {
    let key = Key::rsa(1);
    for (name, value) in
        [("use", json!("enc")), ("alg", json!("RS512")), ("key_ops", json!(["encrypt"])), ("kty", json!("oct"))]
    {
        let mut jwk = key.jwk("one");
        jwk[name] = value;
        let world = World::of(json!([Key::p256().jwk("two"), jwk]));
        refused(&world.trade(&key.id_token("one", &world.claims())), name);
    }
}

#[test]
fn an_issuer_changes_its_keys_and_made_up_names_do_not_make_us_ask_for_ever() {
    let (first, second) = (Key::rsa(1), Key::rsa(2));
    let world = World::of(json!([first.jwk("one")]));
    let token = |key: &Key, kid: &str, n: u32| key.id_token(kid, &world.with("nonce", json!(n)));
    let _ = world.trade(&token(&first, "one", 1)).expect(200);
    world.provider.publish(json!([first.jwk("one"), second.jwk("two")]));
    world.later(30);
    let _ = world.trade(&token(&second, "two", 2)).expect(200);
    assert_eq!(world.provider.asked(), 2, "the name was not known: it asked");
    let _ = world.trade(&token(&first, "one", 3)).expect(200);
    for n in 0..20 {
        refused(&world.trade(&token(&second, &format!("made-up-{n}"), 4)), "a name that is none");
    }
    assert_eq!(world.provider.asked(), 2, "asked a moment ago");
    world.later(30);
    refused(&world.trade(&token(&second, "made-up", 5)), "a name that is none");
    assert_eq!(world.provider.asked(), 3);
    // What it withdraws is good no more after an hour, what it still has is.
    world.provider.publish(json!([second.jwk("two")]));
    world.later(3_600);
    refused(&world.trade(&token(&first, "one", 6)), "withdrawn");
    let _ = world.trade(&token(&second, "two", 7)).expect(200);
}

#[test]
fn an_issuer_that_is_away_is_borne_with_for_a_day() {
    let key = Key::p256();
    let world = World::of(json!([key.jwk("one")]));
    let token = |n: u32| key.id_token("one", &world.with("nonce", json!(n)));
    world.provider.answer(500);
    assert_eq!(world.trade(&token(1)).expect(503)["code"], "unavailable");
    world.provider.answer(200);
    assert_eq!(world.trade(&token(1)).status, 503, "asked a moment ago");
    world.later(30);
    let _ = world.trade(&token(1)).expect(200);
    world.provider.answer(503);
    world.later(20 * 3_600);
    let _ = world.trade(&token(2)).expect(200);
    world.later(5 * 3_600);
    assert_eq!(world.trade(&token(3)).status, 503, "for a day and no longer");
}

#[test]
fn whoever_answers_must_be_the_issuer_and_its_keys_must_lie_outside() {
    let key = Key::p256();
    let world = World::of(json!([key.jwk("one")]));
    world.provider.pretend("https://login.example.com");
    assert_eq!(world.trade(&key.id_token("one", &world.claims())).status, 503);
    assert_eq!(world.provider.asked(), 0, "its keys were not even looked at");
    // Behind the wall of a live service no issuer leads inside.
    let walled = Service::edged(api::config::EdgeArgs::default());
    let create = |issuer: &str| {
        let body = json!({"issuer": issuer, "audience": AUDIENCE});
        walled.post("/v1/oidc-issuers", &walled.operator(), &body)
    };
    for (inside, code) in [
        ("http://127.0.0.1:8080", "https_required"),
        ("https://127.0.0.1", "target_not_public"),
        ("https://169.254.169.254/latest", "target_not_public"),
        ("https://localhost", "target_not_public"),
        ("https://user:secret@login.example.com", "credentials_in_url"),
        ("https://login.example.com/?x=1", "invalid_url"),
    ] {
        let faults = create(inside).problem(422, "validation_failed");
        assert_eq!(faults, [("/issuer".to_owned(), code.to_owned())], "{inside}");
    }
    let _ = create("https://login.example.com").expect(201);
}

#[test]
fn keys_that_lie_inside_are_not_fetched() {
    let key = Key::p256();
    let provider = Provider::start(json!([key.jwk("one")]));
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let wall = integrations::outbound::Wall::default();
    let config = integrations::outbound::OutboundConfig { wall, ..Default::default() };
    let outside =
        integrations::oidc::OutsideIssuers::new(integrations::outbound::Outbound::new(config).expect("a client"));
    provider.point("http://127.0.0.1:1/keys");
    let claims =
        json!({"iss": provider.url, "sub": "ann", "aud": AUDIENCE, "exp": 2_000_000_000, "iat": 1_795_435_200});
    let token = domain::access::jwt::Jwt::parse(&key.id_token("one", &claims)).expect("a token");
    let now = Instant::new("2026-11-23T12:00:00Z".parse().expect("a time"));
    let url = domain::access::oidc::IssuerUrl::restore(provider.url.clone());
    let judged = runtime.block_on(outside.keys_for(&url, &token, now));
    assert!(judged.is_err_and(|error| error.to_string().contains("https://")), "a wall that allows nothing private");
    assert_eq!(provider.asked(), 0);
}

#[test]
fn an_issuer_vouches_for_its_own_people_only() {
    let world = World::of(json!([Key::p256().jwk("one")]));
    let (service, operator) = (&world.service, world.service.operator());
    let organisation = service.platform.introducer.to_string();
    let body = json!({"issuer": "http://127.0.0.1:9", "audience": "a", "organisation_id": organisation});
    let partners = text(&service.post("/v1/oidc-issuers", &operator, &body).expect(201), "id");
    let _ = service.post("/v1/oidc-issuers", &operator, &body).problem(409, "issuer_taken");
    let link = |issuer: &str, subject: &str| json!({"issuer_id": issuer, "subject": subject});
    let wrong = make_user(service, "bob@example.com", &["finance"], &link(&partners, "bob"));
    let expected = [("/oidc/issuer_id".to_owned(), "other_organisation".to_owned())];
    assert_eq!(wrong.problem(422, "validation_failed"), expected);
    let of_partner = json!({"email": "p@example.com", "password": "correct horse battery", "roles": ["partner_agent"],
        "organisation_id": organisation, "oidc": link(&partners, "p")});
    let made = service.post("/v1/users", &operator, &of_partner).expect(201);
    assert_eq!(made["oidc"], json!({"issuer_id": partners}));
    let path = format!("/v1/users/{}", text(&made, "id"));
    // Somebody who moves elsewhere does not take the issuer along.
    let moved = service.patch(&path, &operator, "\"1\"", &json!({"roles": ["support"]}));
    assert_eq!(moved.problem(422, "validation_failed"), expected);
    let moved = service.patch(&path, &operator, "\"1\"", &json!({"roles": ["support"], "oidc": null})).expect(200);
    assert_eq!(moved.get("oidc"), None);
    let taken = service.patch(&path, &operator, "\"2\"", &json!({"oidc": link(&world.issuer, "ann")}));
    let _ = taken.problem(409, "subject_taken");
    let _ = service.patch(&path, &operator, "\"2\"", &json!({"oidc": link(&world.issuer, "p")})).expect(200);
    let faults = make_user(service, "c@example.com", &["support"], &json!({"subject": "a b"}));
    let faults = faults.problem(422, "validation_failed");
    let pointers: Vec<&str> = faults.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/oidc/issuer_id", "/oidc/subject"]);
    let nowhere = link("issuer_00000000000000000000000001", "x");
    let faults = make_user(service, "c@example.com", &["support"], &nowhere).problem(422, "validation_failed");
    assert_eq!(faults, [("/oidc/issuer_id".to_owned(), "not_found".to_owned())]);
    // The name under which somebody is known is kept as a digest, and told to no log.
    for (table, column) in [("app_user", "t"), ("audit_record", "t"), ("event", "t")] {
        let lies = format!("select count(*) from {table} {column} where {column}::text like '%\"subject\": \"ann\"%'");
        assert_eq!(service.platform.number(&lies), 0, "{table}");
    }
}

#[test]
fn forgetting_an_issuer_ends_what_it_gave() {
    let key = Key::p256();
    let world = World::of(json!([key.jwk("one")]));
    let (service, operator) = (&world.service, world.service.operator());
    let answer = world.trade(&key.id_token("one", &world.claims())).expect(200);
    let token = text(&answer, "access_token");
    let listed = service.get("/v1/oidc-issuers", &operator).expect(200);
    assert_eq!(listed["data"][0]["issuer"], world.provider.url);
    let path = format!("/v1/oidc-issuers/{}", world.issuer);
    let authorization = format!("Bearer {operator}");
    let delete = |etag: Option<&str>| {
        let mut headers = vec![("authorization", authorization.as_str())];
        headers.extend(etag.map(|etag| ("if-match", etag)));
        service.send("DELETE", &path, &headers, None)
    };
    let _ = delete(None).problem(428, "if_match_missing");
    let _ = delete(Some("\"2\"")).problem(412, "stale");
    let _ = delete(Some("\"1\"")).expect(204);
    let _ = service.get("/v1/me", &token).problem(401, "unauthenticated");
    refused(&world.trade(&key.id_token("one", &world.with("nonce", json!(2)))), "forgotten");
    let _ = delete(Some("\"1\"")).problem(404, "not_found");
    let user = service.get(&format!("/v1/users/{}", text(&world.user, "id")), &operator).expect(200);
    assert_eq!(user.get("oidc"), None);
}

#[test]
fn a_disabled_user_and_a_suspended_organisation_stay_outside() {
    let key = Key::p256();
    let world = World::of(json!([key.jwk("one")]));
    let path = format!("/v1/users/{}", text(&world.user, "id"));
    let operator = world.service.operator();
    let _ = world.service.patch(&path, &operator, "\"1\"", &json!({"disabled": true})).expect(200);
    let token = key.id_token("one", &world.claims());
    refused(&world.trade(&token), "disabled");
    let _ = world.service.patch(&path, &operator, "\"2\"", &json!({"disabled": false})).expect(200);
    let _ = world.trade(&token).expect(200);
}
