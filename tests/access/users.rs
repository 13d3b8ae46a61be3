//! Users over HTTP: changed by version, their passwords, the last administrator; and logins that tell nobody
//! whether a user exists.

use std::sync::atomic::{AtomicU32, Ordering};

use api::routes::totp::second_factor;
use domain::access::login::{self, PasswordLogin};
use domain::access::{Password, PasswordHash, PasswordHasher};
use domain::chain::signer::PortError;
use domain::directory::Email;
use harness::server::{Reply, Service};
use serde_json::{Value, json};

use crate::sessions::{login as log_in, make_user, text};

const PASSWORD: &str = "correct horse battery";

#[test]
fn a_user_is_read_and_changed_by_its_version() {
    let service = Service::start();
    let operator = service.operator();
    let user = make_user(&service, "f@example.com", &json!({"roles": ["support"]}));
    let path = format!("/v1/users/{}", text(&user, "id"));
    let read = service.get(&path, &operator);
    assert_eq!((read.expect(200), read.header("etag")), (user, Some("\"1\"")));
    let patch = |etag: &str, body: Value| service.patch(&path, &operator, etag, &body);
    let _ = patch("\"9\"", json!({"disabled": true})).problem(412, "stale");
    let _ = patch("\"1\"", json!({"password": "x"})).problem(400, "unknown_field");
    let _ = patch("\"1\"", json!({"email": "x@example.com"})).problem(400, "unknown_field");
    let faults = patch("\"1\"", json!({"roles": ["king", "finance"], "member_id": "deal_1"}));
    let faults = faults.problem(422, "validation_failed");
    let pointers: Vec<&str> = faults.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/roles/0", "/member_id"]);
    let faults = patch("\"1\"", json!({"organisation_id": null})).problem(422, "validation_failed");
    assert_eq!(faults, [("/organisation_id".to_owned(), "required".to_owned())]);
    let moved = json!({"roles": ["partner_agent"], "organisation_id": service.platform.introducer.to_string()});
    let changed = patch("\"1\"", moved).expect(200);
    assert_eq!((&changed["roles"], changed.get("disabled_at")), (&json!(["partner_agent"]), None));
    assert!(patch("\"2\"", json!({"disabled": true})).expect(200)["disabled_at"].is_string());
    let nowhere = json!({"roles": ["partner_agent"], "organisation_id": "org_00000000000000000000000001"});
    let faults = patch("\"3\"", nowhere).problem(422, "validation_failed");
    assert_eq!(faults, [("/organisation_id".to_owned(), "not_found".to_owned())]);
    for wrong in ["user_00000000000000000000000001", "client_00000000000000000000000001", "x", "%00"] {
        let _ = service.get(&format!("/v1/users/{wrong}"), &operator).problem(404, "not_found");
    }
    let audited = "select count(*) from audit_record where action = 'update_user'";
    assert_eq!(service.platform.number(audited), 2);
}

#[test]
fn the_last_administrator_stays() {
    let service = Service::start();
    let operator = service.operator();
    let first = make_user(&service, "a@example.com", &json!({"roles": ["operator_admin"]}));
    let second = make_user(&service, "b@example.com", &json!({"roles": ["operator_admin", "finance"]}));
    let patch = |user: &Value, etag: &str, body: Value| -> Reply {
        service.patch(&format!("/v1/users/{}", text(user, "id")), &operator, etag, &body)
    };
    let _ = patch(&second, "\"1\"", json!({"disabled": true})).expect(200);
    for change in [json!({"disabled": true}), json!({"roles": ["auditor"]})] {
        let _ = patch(&first, "\"1\"", change).problem(409, "last_administrator");
    }
    // An API client that administers is somebody, too; then it is the last one itself.
    let client = json!({"name": "Root", "roles": ["operator_admin"]});
    let client = service.post("/v1/api-clients", &operator, &client).expect(201);
    let _ = patch(&first, "\"1\"", json!({"roles": ["auditor"]})).expect(200);
    let authorization = format!("Bearer {operator}");
    let headers = [("authorization", authorization.as_str()), ("if-match", "\"1\"")];
    let path = format!("/v1/api-clients/{}", text(&client, "id"));
    let _ = service.send("DELETE", &path, &headers, None).problem(409, "last_administrator");
}

#[test]
fn two_administrators_cannot_disable_each_other_at_once() {
    let service = Service::start();
    let operator = service.operator();
    let make = |email| make_user(&service, email, &json!({"roles": ["operator_admin"]}));
    let users = [make("a@example.com"), make("b@example.com")];
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let threads: Vec<_> = users
            .iter()
            .map(|user| {
                let path = format!("/v1/users/{}", text(user, "id"));
                let (service, operator) = (&service, &operator);
                scope.spawn(move || service.patch(&path, operator, "\"1\"", &json!({"disabled": true})).status)
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert!(statuses.contains(&200) && statuses.contains(&409), "{statuses:?}");
}

#[test]
fn a_password_is_changed_by_whoever_knows_it_and_ends_what_was_before() {
    let service = Service::start();
    let _ = make_user(&service, "gull@example.com", &json!({"roles": ["support"]}));
    let session = log_in(&service, "gull@example.com", PASSWORD).expect(200);
    let token = text(&session, "access_token");
    let change = |body: Value| service.post("/v1/me/password", &token, &body);
    let new = "gannet lantern ochre tram";
    let faults = change(json!({"current_password": "short"})).problem(422, "validation_failed");
    let found: Vec<&str> = faults.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(found, ["/current_password", "/new_password"]);
    for (weak, code) in [
        ("password1234", "guessable"),
        ("qwertyuiop1234", "guessable"),
        ("Gull@Example.com and more", "contains_email"),
        ("the gull sat on a lantern", "contains_email"),
    ] {
        let faults = change(json!({"current_password": PASSWORD, "new_password": weak}));
        assert_eq!(faults.problem(422, "validation_failed"), [("/new_password".to_owned(), code.to_owned())], "{weak}");
    }
    let wrong = change(json!({"current_password": "wrong horse battery", "new_password": new}));
    let wrong = wrong.problem(422, "validation_failed");
    assert_eq!(wrong, [("/current_password".to_owned(), "wrong_password".to_owned())]);
    assert_eq!(service.platform.number("select failures from app_user"), 1, "it counts towards the lock");
    let _ = change(json!({"current_password": PASSWORD, "new_password": new})).expect(200);
    let _ = service.get("/v1/me", &token).problem(401, "unauthenticated");
    assert_eq!(log_in(&service, "gull@example.com", PASSWORD).status, 400);
    let again = log_in(&service, "gull@example.com", new).expect(200);
    let me = service.get("/v1/me", &text(&again, "access_token")).expect(200);
    assert_eq!(me["name"], "gull@example.com");
    let client = service.post(
        "/v1/me/password",
        &service.operator(),
        &json!({"current_password": PASSWORD, "new_password": new}),
    );
    let _ = client.problem(422, "users_only");
}

#[test]
fn a_stolen_token_does_not_guess_the_password() {
    let service = Service::start();
    let _ = make_user(&service, "f@example.com", &json!({"roles": ["support"]}));
    let token = text(&log_in(&service, "f@example.com", PASSWORD).expect(200), "access_token");
    for _ in 0..5 {
        let body = json!({"current_password": "wrong horse battery", "new_password": "gannet lantern ochre tram"});
        let _ = service.post("/v1/me/password", &token, &body).problem(422, "validation_failed");
    }
    let right = json!({"current_password": PASSWORD, "new_password": "gannet lantern ochre tram"});
    let locked = service.post("/v1/me/password", &token, &right).problem(422, "validation_failed");
    assert_eq!(locked, [("/current_password".to_owned(), "wrong_password".to_owned())]);
}

/// Counts what it is asked; nothing is right.
#[derive(Default)]
struct Counting(AtomicU32);

impl PasswordHasher for Counting {
    fn hash(&self, _: &Password) -> Result<PasswordHash, PortError> {
        Err(PortError("not asked for".into()))
    }

    fn verify(&self, _: &Password, _: Option<&PasswordHash>) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed);
        false
    }
}

#[test]
fn a_login_does_the_same_work_whether_the_user_is_there_or_not() {
    let service = Service::start();
    let known = make_user(&service, "known@example.com", &json!({"roles": ["support"]}));
    let _ = make_user(&service, "disabled@example.com", &json!({"roles": ["support"]}));
    let _ = make_user(&service, "locked@example.com", &json!({"roles": ["support"]}));
    assert!(known["id"].is_string());
    service.platform.tamper(
        "update app_user set disabled_at = now() where id = (select subject_id from personal_data where email = 'disabled@example.com');
         update app_user set failures = 9, locked_until_at = '2030-01-01' where id = (select subject_id from personal_data where email = 'locked@example.com')",
    );
    for email in ["known@example.com", "disabled@example.com", "locked@example.com", "nobody@example.com", "none"] {
        let hasher = Counting::default();
        let presented = PasswordLogin {
            email: Email::parse(email).ok(),
            password: Password::parse(PASSWORD).ok(),
            code: None,
            asked: None,
        };
        let refused = login::authenticate_user(
            service.platform.store(),
            &hasher,
            second_factor(&service.app),
            service.platform.now,
            &presented,
        );
        assert_eq!((refused.is_err(), hasher.0.into_inner()), (true, 1), "{email}");
    }
}
