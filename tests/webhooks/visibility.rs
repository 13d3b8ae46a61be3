//! Who hears what: an endpoint never gets more than its owner may read.

use domain::access::login::Login;
use domain::access::{Actor, Methods, Role, Scope, Subject};
use domain::kernel::ids::ApiClientId;
use harness::server::Service;
use serde_json::json;

use crate::receiver::{Heard, Receiver};
use crate::{create, happens};

fn types(heard: &[Heard]) -> Vec<String> {
    heard.iter().map(|heard| heard.json()["type"].as_str().expect("a type").to_owned()).collect()
}

#[test]
fn a_partner_never_hears_of_what_is_foreign() {
    let service = Service::start();
    let (introducer, provider) = (service.partner(), service.stranger_of(service.platform.provider));
    let [ours, theirs, staff] = [Receiver::start(), Receiver::start(), Receiver::start()];
    let _ = create(&service, &introducer, &ours.url, &json!(["*"]));
    let _ = create(&service, &provider, &theirs.url, &json!(["*"]));
    let _ = create(&service, &service.operator(), &staff.url, &json!(["*"]));
    let _ = service.dispatch();
    let known = theirs.heard().len();
    let made = happens(&service);
    let user = json!({"email": "agent@harbour.example", "password": "correct horse battery", "roles": ["partner_agent"], "organisation_id": service.platform.introducer.to_string()});
    let _ = service.post("/v1/users", &service.operator(), &user).expect(201);
    let _ = service.dispatch();
    let id = made["id"].as_str().expect("an id");
    assert_eq!(theirs.heard().len(), known, "nothing of what happened concerns the provider");
    assert!(ours.heard().iter().any(|heard| heard.text().contains(id)));
    assert!(staff.heard().iter().any(|heard| heard.text().contains(id)), "staff hear everything");
    // It concerns the introducer, but no partner may read users.
    assert!(types(&staff.heard()).contains(&"user.created".to_owned()));
    assert!(!types(&ours.heard()).contains(&"user.created".to_owned()));
    let foreign = "select count(*) from webhook_delivery d join webhook_endpoint w on w.id = d.endpoint_id
       join event e on e.sequence = d.sequence where w.organisation_id is not null and not w.organisation_id = any (e.visible_to)";
    assert_eq!(service.platform.number(foreign), 0);
}

#[test]
fn everything_is_what_the_token_could_read() {
    let service = Service::start();
    let narrow = Actor {
        id: service.app.ids.next(),
        roles: [Role::PartnerAdmin].into(),
        scopes: [Scope::WebhooksWrite, Scope::DealsRead].into(),
        organisation: Some(service.platform.introducer),
        member: None,
    };
    let subject = Subject::Client(ApiClientId::new(narrow.id));
    let login = Login { subject, actor: narrow, version: 1, methods: Methods::default(), session: None };
    let now = domain::kernel::time::Clock::now(service.clock.as_ref());
    let token = service.app.tokens.issue(&login, service.app.ids.next(), now).expect("a token").token;
    let receiver = Receiver::start();
    let _ = create(&service, &token, &receiver.url, &json!(["*"]));
    let _ = happens(&service);
    assert_eq!(service.dispatch(), 0, "contacts need directory:read");
    let refused = service.post(
        "/v1/webhook-endpoints",
        &token,
        &json!({"url": receiver.url, "event_types": ["contact.created"]}),
    );
    assert_eq!(refused.problem(422, "validation_failed")[0].1, "not_readable");
}

#[test]
fn a_test_reaches_one_endpoint_whatever_it_wants() {
    let service = Service::start();
    let partner = service.partner();
    let [one, two, staff] = [Receiver::start(), Receiver::start(), Receiver::start()];
    let tested = create(&service, &partner, &one.url, &json!(["deal.settled"]));
    let _ = create(&service, &partner, &two.url, &json!(["*"]));
    let _ = create(&service, &service.operator(), &staff.url, &json!(["*"]));
    let said = service.post(&format!("/v1/webhook-endpoints/{}/test", tested.id), &partner, &json!({}));
    let event = said.expect(202)["event_id"].clone();
    let _ = service.dispatch();
    let heard = one.heard();
    assert_eq!(types(&heard), ["webhook.test"]);
    assert_eq!((&heard[0].json()["id"], &heard[0].json()["data"]["endpoint_id"]), (&event, &json!(tested.id)));
    for other in [two, staff] {
        assert!(!types(&other.heard()).contains(&"webhook.test".to_owned()));
    }
    let followed = service.get(said.header("location").expect("a location"), &partner).expect(200);
    assert_eq!(followed["data"][0]["status"], "delivered");
}

#[test]
fn no_type_gets_less_than_its_neighbours_know() {
    // Two endpoints of one owner: what one is told about the other is no secret.
    let service = Service::start();
    let partner = service.partner();
    let receiver = Receiver::start();
    let _ = create(&service, &partner, &receiver.url, &json!(["webhook_endpoint.created", "webhook_endpoint.deleted"]));
    let other = create(&service, &partner, "https://hooks.harbour.example/", &json!(["*"]));
    let _ = service.dispatch();
    let heard = receiver.heard();
    assert!(heard.iter().any(|heard| heard.text().contains(&other.id)));
    assert!(heard.iter().all(|heard| !heard.text().contains("whsec_")));
}

#[test]
fn a_suspended_organisation_hears_nothing_until_it_is_active_again() {
    let service = Service::start();
    let receiver = Receiver::start();
    let _ = create(&service, &service.partner(), &receiver.url, &json!(["organisation.updated"]));
    let path = format!("/v1/organisations/{}", service.platform.introducer);
    let set = |status: &str| {
        let operator = service.operator();
        let etag = service.get(&path, &operator).header("etag").expect("an ETag").to_owned();
        let _ = service.patch(&path, &operator, &etag, &json!({"status": status})).expect(200);
        let _ = service.dispatch();
    };
    set("suspended");
    assert_eq!(types(&receiver.heard()), [""; 0]);
    set("active");
    assert_eq!(types(&receiver.heard()), ["organisation.updated"; 2]);
}
