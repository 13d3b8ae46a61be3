//! One-time codes as a second factor: set up, shown at a login, used once; without one no money moves.

use std::collections::BTreeSet;

use domain::kernel::Instant;
use harness::server::{Reply, Service};
use jiff::SignedDuration;
use ring::hmac;
use serde_json::{Value, json};

use crate::{claims, scopes, text};

pub const PASSWORD: &str = "correct horse battery";
const MONEY: [&str; 3] = ["payouts:execute", "payouts:write", "payouts:approve"];

pub fn make_user(service: &Service, email: &str, roles: &[&str]) -> Value {
    let body = json!({"email": email, "password": PASSWORD, "roles": roles});
    service.post("/v1/users", &service.operator(), &body).expect(201)
}

pub fn log_in(service: &Service, email: &str, more: &str) -> Reply {
    let password = PASSWORD.replace(' ', "+");
    service.form("/oauth/token", &format!("grant_type=password&username={email}&password={password}{more}"))
}

/// An authenticator app, written down again from RFC 6238 and RFC 4648.
pub struct Authenticator(Vec<u8>);

impl Authenticator {
    fn of(base32: &str) -> Self {
        let mut bits = String::new();
        for letter in base32.chars() {
            let value = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".find(letter).expect("base32");
            bits.push_str(&format!("{value:05b}"));
        }
        let bytes = bits.as_bytes().chunks_exact(8);
        Self(bytes.map(|b| u8::from_str_radix(std::str::from_utf8(b).expect("bits"), 2).expect("a byte")).collect())
    }

    pub fn shows(&self, service: &Service) -> String {
        let step = u64::try_from(crate::second(service) / 30).expect("after 1970");
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let at = usize::from(tag[19] % 16);
        let number = u32::from_be_bytes([tag[at] & 127, tag[at + 1], tag[at + 2], tag[at + 3]]);
        format!("{:06}", number % 1_000_000)
    }

    /// Six digits that are shown neither now nor a step away.
    pub fn never(&self, service: &Service) -> String {
        let shown: BTreeSet<String> = [0, -30, 30]
            .map(|seconds| {
                later(service, seconds);
                let code = self.shows(service);
                later(service, -seconds);
                code
            })
            .into();
        let mut codes = (0..10).map(|n| format!("{n:06}"));
        codes.find(|code| !shown.contains(code)).expect("ten are more than three")
    }
}

pub fn later(service: &Service, seconds: i64) {
    use domain::kernel::time::Clock as _;
    let now = service.clock.now().timestamp();
    service.clock.set(Instant::new(now.checked_add(SignedDuration::from_secs(seconds)).expect("a time")));
}

/// A user with a confirmed second factor; the code that confirmed it was used.
pub fn enrolled(service: &Service, email: &str, roles: &[&str]) -> Authenticator {
    let _ = make_user(service, email, roles);
    let token = text(&log_in(service, email, "").expect(200), "access_token");
    let made = service.post("/v1/me/totp", &token, &json!({"current_password": PASSWORD})).expect(200);
    let app = Authenticator::of(&text(&made, "secret"));
    let _ = service.post("/v1/me/totp/confirm", &token, &json!({"code": app.shows(service)})).expect(200);
    app
}

pub fn refused(reply: &Reply) {
    assert_eq!(reply.expect(400)["error"], "invalid_grant");
}

#[test]
fn without_a_second_factor_no_money_moves() {
    let service = Service::start();
    let _ = make_user(&service, "fay@example.com", &["finance", "approver"]);
    let answer = log_in(&service, "fay@example.com", "").expect(200);
    let got = scopes(&answer);
    assert!(MONEY.iter().all(|scope| !got.contains(*scope)), "{got:?}");
    assert!(got.contains("payouts:read") && got.contains("deals:read"));
    let token = text(&answer, "access_token");
    assert_eq!(claims(&token)["amr"], json!(["pwd"]));
    let me = service.get("/v1/me", &token).expect(200);
    assert_eq!(me["withheld"]["reason"], "second_factor_not_set_up");
    let withheld: BTreeSet<&str> =
        me["withheld"]["scopes"].as_array().expect("scopes").iter().filter_map(Value::as_str).collect();
    let decides_on_money =
        ["agreements:approve", "ledger:approve", "ledger:write", "payouts:approve", "payouts:execute", "payouts:write"];
    assert_eq!(withheld, decides_on_money.into());
    let _ = service.post("/v1/payout-runs", &token, &json!({})).problem(403, "insufficient_scope");
    // Asked for by name it is refused aloud, not left out in silence.
    let asked = log_in(&service, "fay@example.com", "&scope=payouts:approve");
    assert_eq!(asked.expect(400)["error"], "invalid_scope");
    // Programs have none, and nothing is withheld from them.
    let me = service.get("/v1/me", &service.token(&[domain::access::Role::Finance], None, None)).expect(200);
    assert_eq!(me.get("withheld"), None);
    assert!(me["scopes"].as_array().expect("scopes").contains(&json!("payouts:write")));
}

#[test]
fn an_administrator_without_a_second_factor_makes_nobody_who_moves_money() {
    let service = Service::start();
    let _ = make_user(&service, "ada@example.com", &["operator_admin"]);
    let token = text(&log_in(&service, "ada@example.com", "").expect(200), "access_token");
    for roles in [["finance"], ["approver"], ["operator_admin"]] {
        let client = json!({"name": "A way around", "roles": roles});
        let _ = service.post("/v1/api-clients", &token, &client).problem(403, "insufficient_scope");
    }
    let (client, _) = crate::client(&service, &["finance"]);
    let path = format!("/v1/api-clients/{client}/rotate-secret");
    let _ = service.post(&path, &token, &json!({})).problem(403, "insufficient_scope");
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let path = format!("/v1/api-clients/{client}/keys");
    let _ = service.post(&path, &token, &json!({"jwk": jwk})).problem(403, "insufficient_scope");
    // Nor is it for such a one to take access away from those who do.
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str()), ("if-match", "\"1\"")];
    let gone = service.send("DELETE", &format!("/v1/api-clients/{client}"), &headers, None);
    let _ = gone.problem(403, "insufficient_scope");
    let issuer = json!({"issuer": "https://login.example.com", "audience": "flip360"});
    let issuer = text(&service.post("/v1/oidc-issuers", &service.operator(), &issuer).expect(201), "id");
    let linked = json!({
        "email": "fin@example.com", "password": "a long and private phrase", "roles": ["finance"],
        "oidc": {"issuer_id": issuer, "subject": "fin"}
    });
    let _ = service.post("/v1/users", &service.operator(), &linked).expect(201);
    let gone = service.send("DELETE", &format!("/v1/oidc-issuers/{issuer}"), &headers, None);
    let _ = gone.problem(403, "insufficient_scope");
}

#[test]
fn a_code_gives_the_money_scopes_and_a_refresh_keeps_them() {
    let service = Service::start();
    let app = enrolled(&service, "fay@example.com", &["finance"]);
    let without = log_in(&service, "fay@example.com", "").expect(200);
    let token = text(&without, "access_token");
    let me = service.get("/v1/me", &token).expect(200);
    assert_eq!(me["withheld"]["reason"], "second_factor_not_shown");
    later(&service, 30);
    let with = log_in(&service, "fay@example.com", &format!("&totp={}", app.shows(&service))).expect(200);
    let token = text(&with, "access_token");
    assert_eq!(claims(&token)["amr"], json!(["pwd", "otp"]));
    assert!(scopes(&with).contains("payouts:execute"));
    let me = service.get("/v1/me", &token).expect(200);
    assert_eq!((me.get("withheld"), &me["methods"]), (None, &json!(["pwd", "otp"])));
    for (session, expected) in [(&with, json!(["pwd", "otp"])), (&without, json!(["pwd"]))] {
        let form = format!("grant_type=refresh_token&refresh_token={}", text(session, "refresh_token"));
        let next = service.form("/oauth/token", &form).expect(200);
        assert_eq!(claims(&text(&next, "access_token"))["amr"], expected);
        assert_eq!(scopes(&next), scopes(session));
    }
    let form = format!("grant_type=refresh_token&scope=payouts:execute&refresh_token={}", {
        text(&log_in(&service, "fay@example.com", "").expect(200), "refresh_token")
    });
    assert_eq!(service.form("/oauth/token", &form).expect(400)["error"], "invalid_scope");
}

#[test]
fn a_code_is_taken_once_and_only_around_its_time() {
    let service = Service::start();
    let app = enrolled(&service, "fay@example.com", &["finance"]);
    let with = |code: &str| log_in(&service, "fay@example.com", &format!("&totp={code}"));
    refused(&with(&app.shows(&service)));
    later(&service, 30);
    let code = app.shows(&service);
    let _ = with(&code).expect(200);
    refused(&with(&code));
    // One of the step before the newest that was taken is over, too, though its time would not be.
    later(&service, 60);
    let older = app.shows(&service);
    later(&service, 30);
    let newer = app.shows(&service);
    let _ = with(&newer).expect(200);
    refused(&with(&older));
    // A clock that is a step ahead or behind is borne with, two steps are not.
    later(&service, 300);
    let ahead = app.shows(&service);
    later(&service, -30);
    let _ = with(&ahead).expect(200);
    later(&service, 90);
    let stale = app.shows(&service);
    later(&service, 60);
    refused(&with(&stale));
    for nonsense in ["1", "1234567", "abcdef", "%2B12345", "%00", "' or 1=1 --"] {
        later(&service, 1_000);
        refused(&with(nonsense));
    }
}

#[test]
fn of_many_logins_with_one_code_at_once_one_gets_in() {
    let service = Service::start();
    let app = enrolled(&service, "fay@example.com", &["finance"]);
    later(&service, 30);
    let more = format!("&totp={}", app.shows(&service));
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| log_in(&service, "fay@example.com", &more).status)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
}

#[test]
fn guessing_codes_locks_and_a_right_password_does_not_forgive_it() {
    let service = Service::start();
    let app = enrolled(&service, "fay@example.com", &["finance"]);
    later(&service, 30);
    let wrong = format!("&totp={}", app.never(&service));
    for _ in 0..4 {
        refused(&log_in(&service, "fay@example.com", &wrong));
        let _ = log_in(&service, "fay@example.com", "").expect(200);
    }
    refused(&log_in(&service, "fay@example.com", &wrong));
    assert_eq!(service.platform.number("select failures from app_user"), 5);
    let right = format!("&totp={}", app.shows(&service));
    refused(&log_in(&service, "fay@example.com", &right));
    refused(&log_in(&service, "fay@example.com", ""));
    later(&service, 60);
    let _ = log_in(&service, "fay@example.com", &format!("&totp={}", app.shows(&service))).expect(200);
    assert_eq!(service.platform.number("select failures from app_user"), 0);
}

#[test]
fn setting_up_asks_for_the_password_and_shows_the_secret_once() {
    let service = Service::start();
    let user = make_user(&service, "fay@example.com", &["finance"]);
    let token = text(&log_in(&service, "fay@example.com", "").expect(200), "access_token");
    let begin = |body: Value| service.post("/v1/me/totp", &token, &body);
    assert_eq!(begin(json!({})).problem(422, "validation_failed")[0].0, "/current_password");
    let wrong = begin(json!({"current_password": "wrong horse battery"})).problem(422, "validation_failed");
    assert_eq!(wrong, [("/current_password".to_owned(), "wrong_password".to_owned())]);
    assert_eq!(service.platform.number("select failures from app_user"), 1);
    let _ = service.get("/v1/me/totp", &token).problem(404, "not_found");
    let _ = service.post("/v1/me/totp/confirm", &token, &json!({"code": "123456"})).problem(404, "not_found");
    let body = json!({"current_password": PASSWORD});
    let first = service.post_as("/v1/me/totp", &token, "k1", &body);
    let made = first.expect(200);
    let again = service.post_as("/v1/me/totp", &token, "k1", &body);
    assert_eq!((again.status, &again.body), (200, &first.body), "the first answer again");
    let secret = text(&made, "secret");
    assert!(text(&made, "otpauth_uri").starts_with("otpauth://totp/Flip%20360:fay%40example.com?secret="));
    let app = Authenticator::of(&secret);
    let bytes: String = app.0.iter().map(|byte| format!("{byte:02x}")).collect();
    for (table, column) in [("user_totp", "secret"), ("idempotency_record", "body")] {
        for needle in [format!("'{secret}'::bytea"), format!("decode('{bytes}', 'hex')")] {
            let lies = format!("select count(*) from {table} where position({needle} in {column}) > 0");
            assert_eq!(service.platform.number(&lies), 0, "{table}.{column}");
        }
    }
    assert_eq!(service.get("/v1/me/totp", &token).expect(200)["status"], "unconfirmed");
    assert!(scopes(&log_in(&service, "fay@example.com", "").expect(200)).contains("payouts:read"));
    refused(&log_in(&service, "fay@example.com", &format!("&totp={}", app.shows(&service))));
    let confirm = |code: &str| service.post("/v1/me/totp/confirm", &token, &json!({"code": code}));
    let wrong = confirm(&app.never(&service)).problem(422, "validation_failed");
    assert_eq!(wrong, [("/code".to_owned(), "wrong_code".to_owned())]);
    assert_eq!(confirm("12345").problem(422, "validation_failed")[0].1, "invalid_code");
    assert_eq!(service.platform.number("select failures from app_user"), 2, "the login and the confirmation");
    assert_eq!(confirm(&app.shows(&service)).expect(200)["status"], "confirmed");
    let _ = service.get("/v1/me", &token).problem(401, "unauthenticated");
    let token = text(&log_in(&service, "fay@example.com", "").expect(200), "access_token");
    let another = service.post("/v1/me/totp", &token, &json!({"current_password": PASSWORD}));
    let _ = another.problem(409, "second_factor_active");
    assert_eq!(service.get("/v1/me/totp", &token).expect(200)["status"], "confirmed");
    let audited = "select count(*) from audit_record where action in ('create_totp', 'confirm_totp')";
    assert_eq!(service.platform.number(audited), 2);
    assert!(user["id"].is_string());
    let operator = service.operator();
    let _ = service.post("/v1/me/totp", &operator, &json!({"current_password": PASSWORD})).problem(422, "users_only");
    let _ = service.get("/v1/me/totp", &operator).problem(404, "not_found");
}

#[test]
fn taking_it_away_needs_a_code_and_ends_sessions() {
    let service = Service::start();
    let app = enrolled(&service, "fay@example.com", &["finance"]);
    later(&service, 30);
    let session = log_in(&service, "fay@example.com", &format!("&totp={}", app.shows(&service))).expect(200);
    let token = text(&session, "access_token");
    let authorization = format!("Bearer {token}");
    let delete = |etag: Option<&str>, body: Value| {
        let mut headers = vec![("authorization", authorization.as_str()), ("content-type", "application/json")];
        headers.extend(etag.map(|etag| ("if-match", etag)));
        service.send("DELETE", "/v1/me/totp", &headers, Some(body.to_string().as_bytes()))
    };
    let etag = service.get("/v1/me/totp", &token).header("etag").expect("an ETag").to_owned();
    let _ = delete(None, json!({"code": "123456"})).problem(428, "if_match_missing");
    assert_eq!(delete(Some(&etag), json!({})).problem(422, "validation_failed")[0].1, "required");
    let wrong = delete(Some(&etag), json!({"code": app.never(&service)})).problem(422, "validation_failed");
    assert_eq!(wrong, [("/code".to_owned(), "wrong_code".to_owned())]);
    later(&service, 30);
    let _ = delete(Some("\"9\""), json!({"code": app.shows(&service)})).problem(412, "stale");
    later(&service, 30);
    let _ = delete(Some(&etag), json!({"code": app.shows(&service)})).expect(204);
    let _ = service.get("/v1/me", &token).problem(401, "unauthenticated");
    let form = format!("grant_type=refresh_token&refresh_token={}", text(&session, "refresh_token"));
    refused(&service.form("/oauth/token", &form));
    let after = log_in(&service, "fay@example.com", "").expect(200);
    let me = service.get("/v1/me", &text(&after, "access_token")).expect(200);
    assert_eq!(me["withheld"]["reason"], "second_factor_not_set_up");
    assert_eq!(service.platform.number("select count(*) from user_totp"), 0);
}
