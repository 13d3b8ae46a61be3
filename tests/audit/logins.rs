//! Failed logins stay in the log: whom they were about, why, and nothing of what was typed.

use harness::server::{Reply, Service};
use serde_json::{Value, json};

use crate::{acts, id};

const PASSWORD: &str = "correct horse battery";

fn log_in(service: &Service, email: &str, password: &str) -> Reply {
    let form = format!("grant_type=password&username={email}&password={}", password.replace(' ', "+"));
    service.form("/oauth/token", &form)
}

/// What the newest act says: the object, the reason, the kind of actor, in which request.
fn newest(service: &Service, reply: &Reply) -> (Value, Value, Value) {
    let request = reply.header("x-request-id").expect("an id");
    let found = acts(service, &format!("?request_id={request}"));
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["action"], found[0]["actor"].get("id")), (&json!("create_token"), None));
    (found[0]["object_id"].clone(), found[0]["refused"].clone(), found[0]["actor"]["kind"].clone())
}

#[test]
fn who_fails_to_log_in_is_remembered_by_id_and_never_by_what_was_typed() {
    let service = Service::start();
    let body = json!({"email": "fay@example.com", "password": PASSWORD, "roles": ["support"]});
    let fay = id(&service.post("/v1/users", &service.operator(), &body).expect(201));
    let made = service.post("/v1/api-clients", &service.operator(), &json!({"name": "Portal", "roles": ["auditor"]}));
    let made = made.expect(201);
    let (client, secret) = (id(&made), made["client_secret"].as_str().expect("a secret").to_owned());
    let of_client = |id: &str, secret: &str| {
        service.form("/oauth/token", &format!("grant_type=client_credentials&client_id={id}&client_secret={secret}"))
    };
    let said = |object: &str, why: &str| (json!(object), json!(why), json!("unknown"));
    let wrong = log_in(&service, "fay@example.com", "wrong horse battery");
    assert_eq!(newest(&service, &wrong), said(&fay, "invalid_grant"));
    let nobody = log_in(&service, "zelda.secret@example.com", "wrong horse battery");
    assert_eq!(newest(&service, &nobody), said("unknown", "invalid_grant"));
    let no_address = log_in(&service, "zelda-no-address", "wrong horse battery");
    assert_eq!(newest(&service, &no_address), said("unknown", "invalid_grant"));
    let wrong = of_client(&client, "flip_sk_wrong");
    assert_eq!(newest(&service, &wrong), said(&client, "invalid_client"));
    let nobody = of_client("client_00000000000000000000000001", "flip_sk_wrong");
    assert_eq!(newest(&service, &nobody), said("unknown", "invalid_client"));
    // A session that ends because its token was used twice says whose it was.
    let login = log_in(&service, "fay@example.com", PASSWORD).expect(200);
    let token = login["refresh_token"].as_str().expect("a token").to_owned();
    let refresh = || service.form("/oauth/token", &format!("grant_type=refresh_token&refresh_token={token}"));
    let _ = refresh().expect(200);
    assert_eq!(newest(&service, &refresh()), said(&fay, "refresh_token_reused"));
    assert_eq!(newest(&service, &refresh()), said("unknown", "invalid_grant"));
    // Found by the word, and not taken for what the service did.
    let kept = acts(&service, "?actor=unknown");
    assert_eq!(kept.len(), 7);
    assert_eq!(acts(&service, "?actor=service&action=create_token"), Vec::<Value>::new());
    assert_eq!(acts(&service, &format!("?object_id={fay}&action=create_token")).len(), 2);
    // Who gets in leaves no such record, and nothing that was typed is anywhere in the log.
    let _ = of_client(&client, &secret).expect(200);
    assert_eq!(acts(&service, "?actor=unknown").len(), 7);
    for typed in ["zelda", "wrong", "battery", "flip_sk_", "flip_rt_", "client_00000000000000000000000001"] {
        let found = format!("select count(*) from audit_record r where r::text like '%{typed}%'");
        assert_eq!(service.platform.number(&found), 0, "{typed}");
    }
}
