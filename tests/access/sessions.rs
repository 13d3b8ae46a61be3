//! Sessions of people: refresh tokens that rotate and end, revocations that other processes learn.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Moment};

use domain::access::Role;
use domain::kernel::Instant;
use harness::server::{Reply, Service};
use serde_json::{Value, json};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const PASSWORD: &str = "correct horse battery";

fn post_form(service: &Service, path: &str, form: &str) -> Reply {
    service.send("POST", path, &[FORM], Some(form.as_bytes()))
}

fn refused(reply: &Reply, code: &str) {
    assert_eq!(reply.expect(400)["error"], code);
}

pub fn make_user(service: &Service, email: &str, body: &Value) -> Value {
    let mut whole = json!({"email": email, "password": PASSWORD});
    let fields = body.as_object().expect("an object").clone();
    whole.as_object_mut().expect("an object").extend(fields);
    service.post("/v1/users", &service.operator(), &whole).expect(201)
}

pub fn login(service: &Service, email: &str, password: &str) -> Reply {
    let password = password.replace(' ', "+");
    post_form(service, "/oauth/token", &format!("grant_type=password&username={email}&password={password}"))
}

fn refresh(service: &Service, token: &str) -> Reply {
    post_form(service, "/oauth/token", &format!("grant_type=refresh_token&refresh_token={token}"))
}

pub fn text(answer: &Value, key: &str) -> String {
    answer[key].as_str().unwrap_or_else(|| panic!("no {key} in {answer}")).to_owned()
}

fn set(service: &Service, time: &str) {
    service.clock.set(Instant::new(time.parse().expect("a time")));
}

#[test]
fn a_refresh_token_is_good_once_and_a_second_use_ends_the_session() {
    let service = Service::start();
    let _ = make_user(&service, "f@example.com", &json!({"roles": ["support"]}));
    let first = login(&service, "f@example.com", PASSWORD).expect(200);
    let one = text(&first, "refresh_token");
    assert!(one.starts_with("flip_rt_") && one.len() > 50);
    let lies = format!("select count(*) from refresh_token where position('{one}'::bytea in sha256) > 0");
    assert_eq!(service.platform.number(&lies), 0);
    let second = refresh(&service, &one).expect(200);
    let two = text(&second, "refresh_token");
    assert_ne!(one, two);
    assert_eq!(second["scope"], first["scope"]);
    let _ = service.get("/v1/me", &text(&second, "access_token")).expect(200);
    // A thief comes later, or came first: nobody can tell, so both lose.
    refused(&refresh(&service, &one), "invalid_grant");
    refused(&refresh(&service, &two), "invalid_grant");
    let again = login(&service, "f@example.com", PASSWORD).expect(200);
    let _ = refresh(&service, &text(&again, "refresh_token")).expect(200);
    for nonsense in ["", "flip_rt_", "x", "%00", "' or 1=1 --"] {
        refused(&refresh(&service, nonsense), "invalid_grant");
    }
    refused(&post_form(&service, "/oauth/token", "grant_type=refresh_token"), "invalid_request");
    refused(
        &post_form(&service, "/oauth/token", "grant_type=refresh_token&refresh_token=x&client_secret=y"),
        "unauthorized_client",
    );
}

#[test]
fn two_uses_at_the_same_moment_give_one_token_and_end_the_session() {
    let service = Service::start();
    let _ = make_user(&service, "f@example.com", &json!({"roles": ["support"]}));
    let one = text(&login(&service, "f@example.com", PASSWORD).expect(200), "refresh_token");
    let given: Vec<Reply> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| refresh(&service, &one))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    let next: Vec<&Reply> = given.iter().filter(|reply| reply.status == 200).collect();
    assert_eq!(next.len(), 1);
    refused(&refresh(&service, &text(&next[0].json(), "refresh_token")), "invalid_grant");
}

/// Asks with a token at this process at once, and at another one until it has learnt.
fn ends_everywhere(end: impl FnOnce(&Service, &str, &str)) {
    let service = Service::start();
    let _ = make_user(&service, "f@example.com", &json!({"roles": ["support"]}));
    let first = login(&service, "f@example.com", PASSWORD).expect(200);
    let old = text(&first, "refresh_token");
    let second = refresh(&service, &old).expect(200);
    let other = text(&login(&service, "f@example.com", PASSWORD).expect(200), "access_token");
    let of_session = [text(&first, "access_token"), text(&second, "access_token")];
    let (neighbour, stopping) = (service.neighbour(), AtomicBool::new(false));
    let learning = neighbour.clone();
    std::thread::scope(|scope| {
        scope.spawn(|| api::workers::revocations(&learning, &stopping));
        service.asking_neighbour(neighbour, |get| {
            for token in of_session.iter().chain([&other]) {
                assert_eq!((service.get("/v1/me", token).status, get("/v1/me", token)), (200, 200));
            }
            end(&service, &old, &text(&second, "refresh_token"));
            for token in &of_session {
                assert_eq!(service.get("/v1/me", token).status, 401, "at once where it ended");
            }
            let begun = Moment::now();
            while of_session.iter().any(|token| get("/v1/me", token) != 401) {
                assert!(begun.elapsed() < Duration::from_secs(60), "the neighbour never learns it");
            }
            assert_eq!((service.get("/v1/me", &other).status, get("/v1/me", &other)), (200, 200), "others go on");
        });
        stopping.store(true, Ordering::Release);
        learning.revoking.ring();
    });
}

#[test]
fn a_second_use_of_a_refresh_token_ends_the_access_tokens_of_its_session() {
    ends_everywhere(|service, old, _| refused(&refresh(service, old), "invalid_grant"));
}

#[test]
fn revoking_a_refresh_token_ends_the_access_tokens_of_its_session() {
    ends_everywhere(|service, _, new| {
        assert_eq!(post_form(service, "/oauth/revoke", &format!("token={new}")).status, 200);
    });
}

#[test]
fn sessions_end_unused_after_a_week_and_used_after_a_month() {
    let service = Service::start();
    let _ = make_user(&service, "f@example.com", &json!({"roles": ["support"]}));
    let unused = text(&login(&service, "f@example.com", PASSWORD).expect(200), "refresh_token");
    let mut used = text(&login(&service, "f@example.com", PASSWORD).expect(200), "refresh_token");
    for time in ["2026-11-30T11:59:59Z", "2026-12-07T11:00:00Z", "2026-12-14T10:00:00Z", "2026-12-21T09:00:00Z"] {
        set(&service, time);
        used = text(&refresh(&service, &used).expect(200), "refresh_token");
    }
    refused(&refresh(&service, &unused), "invalid_grant");
    set(&service, "2026-12-23T11:59:59Z");
    used = text(&refresh(&service, &used).expect(200), "refresh_token");
    set(&service, "2026-12-23T12:00:00Z");
    refused(&refresh(&service, &used), "invalid_grant");
}

#[test]
fn scopes_can_only_become_fewer() {
    let service = Service::start();
    let _ = make_user(&service, "f@example.com", &json!({"roles": ["support"]}));
    let form = "grant_type=password&username=f@example.com&password=correct+horse+battery&scope=deals:read+jobs:read";
    let token = text(&post_form(&service, "/oauth/token", form).expect(200), "refresh_token");
    let ask = |token: &str, scope: &str| {
        let form = format!("grant_type=refresh_token&refresh_token={token}&scope={scope}");
        post_form(&service, "/oauth/token", &form)
    };
    // `ledger:read` is the role's, but not this session's; the refusal does not use the token up.
    refused(&ask(&token, "ledger:read"), "invalid_scope");
    refused(&ask(&token, "deals:read+payouts:execute"), "invalid_scope");
    let narrow = ask(&token, "jobs:read").expect(200);
    assert_eq!(narrow["scope"], "jobs:read");
    let whole = refresh(&service, &text(&narrow, "refresh_token")).expect(200);
    assert_eq!(whole["scope"], "deals:read jobs:read");
}

#[test]
fn whoever_bears_a_token_can_end_it() {
    let service = Service::start();
    let _ = make_user(&service, "f@example.com", &json!({"roles": ["support"]}));
    let session = login(&service, "f@example.com", PASSWORD).expect(200);
    let other = login(&service, "f@example.com", PASSWORD).expect(200);
    let (access, token) = (text(&session, "access_token"), text(&session, "refresh_token"));
    let end = |token: &str| post_form(&service, "/oauth/revoke", &format!("token={token}&token_type_hint=whatever"));
    let _ = service.get("/v1/me", &access).expect(200);
    let ended = end(&access);
    assert_eq!((ended.status, ended.body.len(), ended.header("cache-control")), (200, 0, Some("no-store")));
    let _ = service.get("/v1/me", &access).problem(401, "unauthenticated");
    let _ = service.get("/v1/me", &text(&other, "access_token")).expect(200);
    let next = refresh(&service, &token).expect(200);
    let token = text(&next, "refresh_token");
    assert_eq!(end(&token).status, 200);
    refused(&refresh(&service, &token), "invalid_grant");
    for unknown in ["x", token.as_str(), access.as_str(), "%00"] {
        assert_eq!(end(unknown).status, 200, "{unknown}");
    }
    let _ = refresh(&service, &text(&other, "refresh_token")).expect(200);
    refused(&post_form(&service, "/oauth/revoke", "token_type_hint=x"), "invalid_request");
}

#[test]
fn a_changed_user_loses_tokens_and_sessions_at_once() {
    let service = Service::start();
    let operator = service.operator();
    let user = make_user(&service, "f@example.com", &json!({"roles": ["support"]}));
    let path = format!("/v1/users/{}", text(&user, "id"));
    let changes = [
        json!({"roles": ["auditor"]}),
        json!({"disabled": true}),
        json!({"disabled": false}),
        json!({"roles": ["finance"], "disabled": false}),
    ];
    for (change, version) in changes.iter().zip(1..) {
        let session = login(&service, "f@example.com", PASSWORD);
        assert_eq!(session.status == 400, version == 3, "a disabled user does not log in");
        let reply = service.patch(&path, &operator, &format!("\"{version}\""), change);
        let _ = reply.expect(200);
        assert_eq!(reply.header("etag"), Some(format!("\"{}\"", version + 1).as_str()));
        if session.status == 200 {
            let session = session.json();
            let _ = service.get("/v1/me", &text(&session, "access_token")).problem(401, "unauthenticated");
            refused(&refresh(&service, &text(&session, "refresh_token")), "invalid_grant");
        }
    }
    let session = login(&service, "f@example.com", PASSWORD).expect(200);
    // What changes nothing ends nothing.
    let same = service.patch(&path, &operator, "\"5\"", &json!({"roles": ["finance"], "disabled": false}));
    assert_eq!((same.expect(200)["roles"].clone(), same.header("etag")), (json!(["finance"]), Some("\"5\"")));
    let _ = service.get("/v1/me", &text(&session, "access_token")).expect(200);
}

#[test]
fn another_process_learns_of_a_revocation() {
    let service = Service::start();
    let operator = service.operator();
    let made = service.post("/v1/api-clients", &operator, &json!({"name": "Portal", "roles": ["auditor"]})).expect(201);
    let (id, secret) = (text(&made, "id"), text(&made, "client_secret"));
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let token = text(&post_form(&service, "/oauth/token", &form).expect(200), "access_token");
    let (neighbour, stopping) = (service.neighbour(), AtomicBool::new(false));
    let learning = neighbour.clone();
    std::thread::scope(|scope| {
        scope.spawn(|| api::workers::revocations(&learning, &stopping));
        service.asking_neighbour(neighbour, |get| {
            assert_eq!(get("/v1/me", &token), 200);
            let authorization = format!("Bearer {operator}");
            let headers = [("authorization", authorization.as_str()), ("if-match", "\"1\"")];
            let revoked = service.send("DELETE", &format!("/v1/api-clients/{id}"), &headers, None);
            assert_eq!(revoked.status, 204);
            assert_eq!(service.get("/v1/me", &token).status, 401, "at once where it was revoked");
            let begun = Moment::now();
            while get("/v1/me", &token) != 401 {
                assert!(begun.elapsed() < Duration::from_secs(60), "the neighbour never learns it");
            }
            assert_eq!(get("/v1/me", &service.token(&[Role::Auditor], None, None)), 200, "others go on");
        });
        stopping.store(true, Ordering::Release);
        learning.revoking.ring();
    });
    // A process that starts later knows it from the beginning.
    let later = service.neighbour();
    later.learn_revocations().expect("the store answers");
    service.asking_neighbour(later, |get| assert_eq!(get("/v1/me", &token), 401));
}

#[test]
fn a_suspended_organisation_stops_its_people_and_programs_until_it_is_active_again() {
    let service = Service::start();
    let operator = service.operator();
    let organisation = service.platform.introducer.to_string();
    let of = json!({"roles": ["partner_admin"], "organisation_id": organisation});
    let _ = make_user(&service, "p@example.com", &of);
    let body = json!({"name": "Portal", "roles": ["partner_admin"], "organisation_id": organisation});
    let made = service.post("/v1/api-clients", &operator, &body).expect(201);
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        text(&made, "id"),
        text(&made, "client_secret")
    );
    let session = login(&service, "p@example.com", PASSWORD).expect(200);
    let of_client = text(&post_form(&service, "/oauth/token", &form).expect(200), "access_token");
    let path = format!("/v1/organisations/{organisation}");
    let status =
        |etag: &str, status: &str| service.patch(&path, &operator, etag, &json!({"status": status})).expect(200);
    let _ = status("\"1\"", "suspended");
    for token in [text(&session, "access_token"), of_client.clone()] {
        let _ = service.get("/v1/me", &token).problem(401, "unauthenticated");
    }
    refused(&login(&service, "p@example.com", PASSWORD), "invalid_grant");
    refused(&refresh(&service, &text(&session, "refresh_token")), "invalid_grant");
    assert_eq!(post_form(&service, "/oauth/token", &form).expect(401)["error"], "invalid_client");
    let _ = status("\"2\"", "active");
    let _ = login(&service, "p@example.com", PASSWORD).expect(200);
    let _ = service.get("/v1/me", &of_client).expect(200);
}
