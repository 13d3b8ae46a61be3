//! What a second factor guards beside logins: another password, and its own end by somebody else's hand.

use harness::server::{Reply, Service};
use serde_json::json;

use crate::text;
use crate::totp::{PASSWORD, enrolled, later, log_in, make_user, refused};

#[test]
fn another_password_takes_a_code_where_there_is_a_second_factor() {
    let service = Service::start();
    let app = enrolled(&service, "fin@example.com", &["finance"]);
    let token = text(&log_in(&service, "fin@example.com", "").expect(200), "access_token");
    let change = |new: &str, totp: Option<&str>| {
        let mut body = json!({"current_password": PASSWORD, "new_password": new});
        if let Some(code) = totp {
            body["totp"] = json!(code);
        }
        service.post("/v1/me/password", &token, &body)
    };
    let told = |reply: Reply, code: &str| {
        assert_eq!(reply.problem(422, "validation_failed"), [("/totp".to_owned(), code.to_owned())]);
    };
    let new = "a long and private phrase";
    told(change(new, None), "required");
    told(change(new, Some("12345")), "invalid_code");
    told(change(new, Some(&app.never(&service))), "wrong_code");
    told(change(new, Some(&app.shows(&service))), "wrong_code");
    later(&service, 30);
    // What the rules refuse uses no code up.
    let shown = app.shows(&service);
    assert_eq!(change("short", Some(&shown)).problem(422, "validation_failed")[0].0, "/new_password");
    let _ = change(new, Some(&shown)).expect(200);
    refused(&log_in(&service, "fin@example.com", ""));
    // Who has none is not asked, and a code of theirs is wrong, as at a login.
    let _ = make_user(&service, "sue@example.com", &["support"]);
    let token = text(&log_in(&service, "sue@example.com", "").expect(200), "access_token");
    let mut body = json!({"current_password": PASSWORD, "new_password": new, "totp": "123456"});
    told(service.post("/v1/me/password", &token, &body), "wrong_code");
    let _ = body.as_object_mut().expect("an object").remove("totp");
    let _ = service.post("/v1/me/password", &token, &body).expect(200);
}

#[test]
fn codes_guessed_beside_a_password_lock_as_those_of_a_login() {
    let service = Service::start();
    let app = enrolled(&service, "fin@example.com", &["finance"]);
    let token = text(&log_in(&service, "fin@example.com", "").expect(200), "access_token");
    let guess = || {
        let body = json!({"current_password": PASSWORD, "new_password": "a long and private phrase",
            "totp": app.never(&service)});
        service.post("/v1/me/password", &token, &body).problem(422, "validation_failed")
    };
    for _ in 0..5 {
        assert_eq!(guess(), [("/totp".to_owned(), "wrong_code".to_owned())]);
    }
    assert_eq!(guess(), [("/current_password".to_owned(), "wrong_password".to_owned())], "locked");
    later(&service, 29);
    refused(&log_in(&service, "fin@example.com", &format!("&totp={}", app.shows(&service))));
}

#[test]
fn an_administrator_resets_the_second_factor_of_somebody_else_and_that_is_told() {
    let service = Service::start();
    let app = enrolled(&service, "fin@example.com", &["finance"]);
    later(&service, 30);
    let login = log_in(&service, "fin@example.com", &format!("&totp={}", app.shows(&service))).expect(200);
    let (token, session) = (text(&login, "access_token"), text(&login, "refresh_token"));
    let id = text(&service.get("/v1/me", &token).expect(200), "id");
    let path = format!("/v1/users/{id}/reset-second-factor");
    let _ = service.post(&path, &token, &json!({})).problem(403, "insufficient_scope");
    let operator = service.operator_of(5);
    let done = service.post(&path, &operator, &json!({}));
    assert_eq!((&done.expect(200)["id"], done.header("etag")), (&json!(id), Some("\"3\"")));
    // Everything from before has ended, and until there is another one no money moves.
    let _ = service.get("/v1/me", &token).problem(401, "unauthenticated");
    refused(&service.form("/oauth/token", &format!("grant_type=refresh_token&refresh_token={session}")));
    let token = text(&log_in(&service, "fin@example.com", "").expect(200), "access_token");
    let me = service.get("/v1/me", &token).expect(200);
    assert_eq!(me["withheld"]["reason"], "second_factor_not_set_up");
    let _ = service.get("/v1/me/totp", &token).problem(404, "not_found");
    let _ = service.post(&path, &operator, &json!({})).problem(409, "no_second_factor");
    // The person hears of it, and the log says who did it.
    let _ = service.tell();
    let told = service.get("/v1/events?type=user.second_factor_reset", &token).expect(200);
    assert_eq!((&told["data"][0]["subject_id"], told["data"].as_array().map(Vec::len)), (&json!(id), Some(1)));
    let acts = service.get(&format!("/v1/audit-log?action=reset_second_factor&object_id={id}"), &operator).expect(200);
    let act = &acts["data"][0];
    assert_eq!((&act["before"], &act["after"]), (&json!({"second_factor": true}), &json!({"second_factor": false})));
    assert_eq!(act["actor"]["id"], service.get("/v1/me", &operator).expect(200)["id"]);
}

#[test]
fn nobody_resets_their_own_second_factor_under_another_name_nor_that_of_somebody_with_more() {
    let service = Service::start();
    let app = enrolled(&service, "ada@example.com", &["operator_admin"]);
    later(&service, 30);
    let login = log_in(&service, "ada@example.com", &format!("&totp={}", app.shows(&service))).expect(200);
    let ada = text(&login, "access_token");
    let id = text(&service.get("/v1/me", &ada).expect(200), "id");
    let path = format!("/v1/users/{id}/reset-second-factor");
    let _ = service.post(&path, &ada, &json!({})).problem(422, "same_person");
    let made = json!({"name": "Ada again", "roles": ["operator_admin"]});
    let made = service.post("/v1/api-clients", &ada, &made).expect(201);
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        text(&made, "id"),
        text(&made, "client_secret")
    );
    let again = text(&service.form("/oauth/token", &form).expect(200), "access_token");
    let _ = service.post(&path, &again, &json!({})).problem(422, "same_person");
    // An administrator without a second factor has no money scopes, and takes nothing from who has them.
    let _ = make_user(&service, "bob@example.com", &["operator_admin"]);
    let bob = text(&log_in(&service, "bob@example.com", "").expect(200), "access_token");
    let _ = service.post(&path, &bob, &json!({})).problem(403, "insufficient_scope");
    let _ = service.post(&path, &service.operator_of(5), &json!({})).expect(200);
}
