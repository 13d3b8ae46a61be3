//! The wall in front of webhooks: private targets are refused when an endpoint is made, and at each connect.

use std::future::ready;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use harness::platform::Platform;
use harness::server::Service;
use integrations::outbound::resolver::Later;
use integrations::outbound::{Outbound, OutboundConfig, Resolve, Wall};
use serde_json::json;

use crate::receiver::Receiver;
use crate::{create, deliveries};

/// Says that every name is this machine.
struct Inside;

impl Resolve for Inside {
    fn resolve(&self, _: &str) -> Later<io::Result<Vec<IpAddr>>> {
        Box::pin(ready(Ok(vec!["127.0.0.1".parse().expect("an address")])))
    }
}

fn walled(ports: Vec<u16>) -> Service {
    let wall = Wall { allow_private: false, ports };
    let config = OutboundConfig { wall, ..OutboundConfig::default() };
    Service::behind(Platform::new(), Outbound::with_resolver(config, Arc::new(Inside)).expect("a client"))
}

#[test]
fn an_endpoint_inside_is_refused_in_every_spelling() {
    let service = walled(vec![443]);
    let partner = service.partner();
    for (url, code) in [
        ("https://127.0.0.1/", "target_not_public"),
        ("https://2130706433/", "target_not_public"),
        ("https://0x7f.1/", "target_not_public"),
        ("https://[::ffff:169.254.169.254]/", "target_not_public"),
        ("https://localhost/", "target_not_public"),
        ("http://hooks.example/", "https_required"),
        ("https://hooks.example:22/", "port_not_allowed"),
        ("https://a:b@hooks.example/", "credentials_in_url"),
        ("https://hooks.example/\r\nx: y", "invalid_url"),
    ] {
        let faults = service.post("/v1/webhook-endpoints", &partner, &json!({"url": url, "event_types": ["*"]}));
        assert_eq!(faults.problem(422, "validation_failed"), [("/url".to_owned(), code.to_owned())], "{url}");
    }
    let made = create(&service, &partner, "https://hooks.example/", &json!(["*"]));
    let path = format!("/v1/webhook-endpoints/{}", made.id);
    let moved = service.patch(&path, &partner, "\"1\"", &json!({"url": "https://10.0.0.1/"}));
    assert_eq!(moved.problem(422, "validation_failed")[0].1, "target_not_public");
}

#[test]
fn a_name_that_leads_inside_gets_nothing() {
    let inside = Receiver::start();
    let port: u16 = inside.url.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let service = walled(vec![port]);
    let partner = service.partner();
    let endpoint = create(&service, &partner, &format!("https://hooks.example:{port}/"), &json!(["*"]));
    let _ = service.post(&format!("/v1/webhook-endpoints/{}/test", endpoint.id), &partner, &json!({})).expect(202);
    assert!(service.dispatch() > 0);
    let logged = deliveries(&service, &partner, &endpoint, "event_type=webhook.test");
    let attempt = &logged[0]["attempts"][0];
    assert_eq!((&attempt["error"], attempt.get("status")), (&json!("target_refused"), None));
    assert!(!attempt.to_string().contains("127.0.0.1"), "an answer of the resolver is nobody's business");
    assert!(inside.heard().is_empty());
}
