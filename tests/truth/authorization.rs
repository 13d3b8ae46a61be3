//! Every operation × every role has an expectation, and a stranger's hand on everything that exists
//! comes back empty.
//!
//! `authorization.txt` says which roles an operation lets in; it is written by hand, not worked out from
//! the scopes that it checks. Ids are those of real objects of another partner.

use std::collections::{BTreeMap, BTreeSet};

use api::policy::Operation;
use domain::access::Role;
use domain::kernel::ids::MemberId;
use harness::server::{Reply, Service};
use harness::site;
use serde_json::{Value, json};

const EXPECTED: &str = include_str!("authorization.txt");

/// Reference data and figures that name nobody: everybody whom the scope lets in may see them.
const FOR_EVERYBODY: [&str; 18] = [
    "list_event_types",
    "get_agreement",
    "get_agreement_version",
    "get_guarantee_run",
    "get_me",
    "get_product",
    "get_vertical",
    "list_agreement_versions",
    "list_agreements",
    "list_guarantee_runs",
    "list_guardrails",
    "list_guarantees",
    "list_products",
    "list_verticals",
    "get_pipeline",
    "get_trial_balance",
    "list_accruals",
    "export_ledger",
];

/// Which roles each operation lets in.
fn expected() -> BTreeMap<&'static str, BTreeSet<Role>> {
    EXPECTED
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| {
            let (operation, roles) = line.split_once(':').unwrap_or_else(|| panic!("no colon: {line}"));
            let role = |text| Role::parse(text).unwrap_or_else(|| panic!("{operation}: there is no role {text}"));
            (operation, roles.split_whitespace().map(role).collect())
        })
        .collect()
}

/// A platform on which everything exists: deals, a payout run, clients, users.
struct Site {
    service: Service,
    /// A real id for each prefix.
    ids: BTreeMap<&'static str, String>,
}

impl Site {
    fn open() -> Self {
        let service = site::populated();
        let ids = site::ids(&service);
        Self { service, ids }
    }

    /// The operation's path with real ids in it.
    fn path(&self, operation: &Operation, document: &Value) -> String {
        let method = operation.method.as_str().to_ascii_lowercase();
        let documented = &document["paths"][&operation.pattern][method]["parameters"];
        let mut path = operation.pattern.clone();
        for parameter in documented.as_array().into_iter().flatten().filter(|p| p["in"] == "path") {
            let name = parameter["name"].as_str().expect("a name");
            let example = parameter["example"].as_str().map_or_else(|| parameter["example"].to_string(), str::to_owned);
            let prefix = example.split('_').next().unwrap_or_default();
            path = path.replace(&format!("{{{name}}}"), self.ids.get(prefix).unwrap_or(&example));
        }
        path
    }

    fn ask(&self, operation: &Operation, path: &str, token: &str) -> Reply {
        match operation.method.as_str() {
            "GET" => self.service.get(path, token),
            "POST" => self.service.post(path, token, &json!({})),
            "PATCH" => self.service.patch(path, token, "\"1\"", &json!({})),
            method => {
                let authorization = format!("Bearer {token}");
                self.service.send(method, path, &[("authorization", &authorization), ("if-match", "\"1\"")], None)
            }
        }
    }

    /// A caller with a role, at home with a partner that has nothing to do with what exists here.
    fn stranger(&self, role: Role) -> String {
        let ids = &self.service.app.ids;
        let organisation = domain::kernel::ids::OrganisationId::new(ids.next());
        match role {
            Role::Member => self.service.token(&[role], Some(organisation), Some(MemberId::new(ids.next()))),
            role if role.is_of_partner() => self.service.token(&[role], Some(organisation), None),
            role => self.service.token(&[role], None, None),
        }
    }
}

#[test]
fn every_operation_lets_in_whom_it_should_and_nobody_sees_what_is_foreign() {
    let site = Site::open();
    let document = serde_json::to_value(api::openapi::document()).expect("a document");
    let expected = expected();
    let mut named: BTreeSet<&str> = BTreeSet::new();
    for operation in site.service.app.policy.operations() {
        let secured =
            &document["paths"][&operation.pattern][operation.method.as_str().to_ascii_lowercase()]["security"];
        if secured.as_array().is_none_or(Vec::is_empty) {
            continue;
        }
        named.insert(operation.id);
        let allowed = expected.get(operation.id).unwrap_or_else(|| panic!("{} has no expectation", operation.id));
        let path = site.path(operation, &document);
        for role in Role::ALL {
            let reply = site.ask(operation, &path, &site.stranger(role));
            let at = format!("{} {path} as {}: {}", operation.id, role.as_str(), String::from_utf8_lossy(&reply.body));
            assert!(reply.status < 500 && reply.status != 401, "{at}");
            assert_eq!(reply.status == 403, !allowed.contains(&role), "{at}");
            if role.is_of_partner() && allowed.contains(&role) && !FOR_EVERYBODY.contains(&operation.id) {
                foreign(operation, &reply, &at);
            }
        }
    }
    assert_eq!(named, expected.keys().copied().collect(), "expectations and operations");
}

/// What a stranger gets of something that exists and is none of their business.
fn foreign(operation: &Operation, reply: &Reply, at: &str) {
    if operation.method == "GET" && operation.pattern.contains('{') && !operation.id.starts_with("list_receipts") {
        assert_eq!(reply.status, 404, "{at}");
    } else if reply.header("content-type") == Some("text/event-stream") {
        // What a stranger's stream says is seen in `tests/events`.
        assert_eq!(reply.status, 200, "{at}");
    } else if operation.method == "GET" && reply.status == 200 {
        assert_eq!(reply.json()["data"], json!([]), "{at}");
    } else {
        assert!((400..500).contains(&reply.status), "{at}");
    }
}
