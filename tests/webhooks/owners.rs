//! Who answers for an endpoint: when they may do nothing any more, it gets nothing any more, and says why.

use harness::server::Service;
use serde_json::{Value, json};

use crate::receiver::Receiver;
use crate::{create, deliveries, happens};

const PASSWORD: &str = "correct horse battery";

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key} in {value}")).to_owned()
}

/// A client of the introducer's administrator, and a token of it.
fn client(service: &Service) -> (String, String) {
    let organisation = service.platform.introducer.to_string();
    let body = json!({"name": "Portal", "roles": ["partner_admin"], "organisation_id": organisation});
    let made = service.post("/v1/api-clients", &service.operator(), &body).expect(201);
    let (id, secret) = (text(&made, "id"), text(&made, "client_secret"));
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let token = text(&service.form("/oauth/token", &form).expect(200), "access_token");
    (id, token)
}

fn revoke(service: &Service, client: &str) {
    let authorization = format!("Bearer {}", service.operator());
    let headers = [("authorization", authorization.as_str()), ("if-match", "\"1\"")];
    assert_eq!(service.send("DELETE", &format!("/v1/api-clients/{client}"), &headers, None).status, 204);
}

fn state(service: &Service, endpoint: &str) -> (Value, Value) {
    let seen = service.get(&format!("/v1/webhook-endpoints/{endpoint}"), &service.partner()).expect(200);
    (seen["status"].clone(), seen["disabled_reason"].clone())
}

#[test]
fn the_endpoint_of_a_client_that_is_revoked_gets_nothing_any_more() {
    let service = Service::start();
    let receiver = Receiver::start();
    let ((id, token), url) = (client(&service), format!("{}/hooks", receiver.url));
    let types = json!(["contact.created"]);
    let (ended, others) = (create(&service, &token, &url, &types), create(&service, &service.partner(), &url, &types));
    let _ = happens(&service);
    assert_eq!(service.dispatch(), 2);
    let _ = happens(&service);
    let _ = service.tell();
    revoke(&service, &id);
    assert_eq!(service.dispatch(), 1, "what waited for it is given up");
    let _ = happens(&service);
    assert_eq!(service.dispatch(), 1);
    assert_eq!(state(&service, &ended.id), (json!("disabled"), json!("owner_gone")));
    assert_eq!(state(&service, &others.id), (json!("enabled"), Value::Null));
    let told = service.get("/v1/events?type=webhook_endpoint.disabled", &service.partner()).expect(200);
    assert_eq!(told["data"][0]["data"], json!({"endpoint_id": ended.id, "reason": "owner_gone"}));
    // Somebody else may take it over, and answers for it from then on.
    let (second, token) = client(&service);
    let path = format!("/v1/webhook-endpoints/{}", ended.id);
    let etag = service.get(&path, &token).header("etag").expect("an ETag").to_owned();
    let _ = service.patch(&path, &token, &etag, &json!({"status": "enabled"})).expect(200);
    let _ = happens(&service);
    assert_eq!(service.dispatch(), 2);
    revoke(&service, &second);
    assert_eq!(state(&service, &ended.id), (json!("disabled"), json!("owner_gone")));
    let logged = deliveries(&service, &service.partner(), &ended, "");
    assert!(logged.iter().all(|delivery| delivery["status"] != json!("pending")), "{logged:?}");
}

#[test]
fn the_endpoint_of_a_user_who_is_disabled_gets_nothing_any_more_and_one_of_nobody_goes_on() {
    let service = Service::start();
    let receiver = Receiver::start();
    let url = format!("{}/hooks", receiver.url);
    let user = json!({"email": "p@example.com", "password": PASSWORD, "roles": ["partner_admin"],
        "organisation_id": service.platform.introducer.to_string()});
    let user = service.post("/v1/users", &service.operator(), &user).expect(201);
    let form = "grant_type=password&username=p@example.com&password=correct+horse+battery";
    let token = text(&service.form("/oauth/token", form).expect(200), "access_token");
    let types = json!(["contact.created"]);
    let (ended, old) = (create(&service, &token, &url, &types), create(&service, &token, &url, &types));
    service.platform.tamper(&format!(
        "update webhook_endpoint set owner_id = null where id = '{}'",
        domain::kernel::ids::WebhookEndpointId::parse(&old.id).expect("an id").uuid()
    ));
    let path = format!("/v1/users/{}", text(&user, "id"));
    let _ = service
        .patch(
            &path,
            &service.operator(),
            "\"1\"",
            &json!({"roles": ["partner_admin"],
        "organisation_id": service.platform.introducer.to_string(), "disabled": true}),
        )
        .expect(200);
    let _ = happens(&service);
    assert_eq!(service.dispatch(), 1);
    assert_eq!(state(&service, &ended.id), (json!("disabled"), json!("owner_gone")));
    assert_eq!(state(&service, &old.id), (json!("enabled"), Value::Null), "nobody is known to answer for it");
}
