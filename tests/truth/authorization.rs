//! Every operation × every role has an expectation, and a stranger's hand on everything that exists
//! comes back empty.
//!
//! `authorization.txt` says which roles an operation lets in; it is written by hand, not worked out from
//! the scopes that it checks. Ids are those of real objects of another partner.

use std::collections::{BTreeMap, BTreeSet};

use api::policy::Operation;
use domain::access::Role;
use domain::kernel::ids::MemberId;
use domain::ledger::release;
use harness::platform::Platform;
use harness::server::{Reply, Service};
use serde_json::{Value, json};

const EXPECTED: &str = include_str!("authorization.txt");
const EXPORT: &[u8] = include_bytes!("../../data/v01/v01-example-deals.csv");
const MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");

/// Reference data and figures that name nobody: everybody whom the scope lets in may see them.
const FOR_EVERYBODY: [&str; 17] = [
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
        let platform = Platform::new();
        platform.onboard(MEMBERS);
        let _ = platform.upload(EXPORT);
        platform.work();
        let _ = platform.store().transaction(|uow| release::due(uow, &platform.env())).expect("a release");
        let service = Service::over(platform);
        service.sequence();
        let operator = service.operator();
        let client = json!({"name": "Somebody", "roles": ["auditor"]});
        let _ = service.post("/v1/api-clients", &operator, &client).expect(201);
        let user = json!({"email": "somebody@example.com", "password": "correct horse battery", "roles": ["finance"]});
        let _ = service.post("/v1/users", &operator, &user).expect(201);
        let account = json!({
            "name": "Commission", "bank_code": "CBA", "user_name": "FLIP 360 PTY LTD", "user_number": "301500",
            "remitter": "FLIP 360", "description": "COMMISSION", "self_balancing": true,
            "account": {"bsb": "062-000", "account_number": "12345678", "account_name": "FLIP 360 PTY LTD"}
        });
        let account = service.post("/v1/bank-accounts", &operator, &account).expect(201);
        let run = service.post("/v1/payout-runs", &operator, &json!({"bank_account_id": account["id"]})).expect(201);
        let at = |step: &str| format!("/v1/payout-runs/{}/{step}", run["id"].as_str().expect("an id"));
        let _ = service.post(&at("propose"), &operator, &json!({})).expect(200);
        let approver = service.token(&[Role::Approver], None, None);
        let _ = service.post(&at("approve"), &approver, &json!({"content_sha256": run["content_sha256"]})).expect(200);
        let _ = service.post(&at("execute"), &operator, &json!({})).expect(200);
        service.sequence();
        let _ = service.post("/v1/guarantee-runs", &operator, &json!({})).expect(201);
        let hook = json!({"url": "http://127.0.0.1:1/", "event_types": ["*"]});
        let hook = service.post("/v1/webhook-endpoints", &service.partner(), &hook).expect(201);
        let test = format!("/v1/webhook-endpoints/{}/test", hook["id"].as_str().expect("an id"));
        let _ = service.post(&test, &service.partner(), &json!({})).expect(202);
        let _ = service.dispatch();
        let ids = ids(&service);
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

/// The id of something real for each prefix, straight from the tables.
fn ids(service: &Service) -> BTreeMap<&'static str, String> {
    use diesel::RunQueryDsl;
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Uuid)]
        id: uuid::Uuid,
    }
    let tables = [
        ("org", "organisation"),
        ("contact", "contact"),
        ("member", "member"),
        ("payee", "payee"),
        ("deal", "deal"),
        ("import", "deal_import"),
        ("job", "job"),
        ("handshake", "handshake"),
        ("account", "ledger_account"),
        ("entry", "ledger_entry"),
        ("calc", "calculation"),
        ("agreement", "agreement"),
        ("vertical", "vertical"),
        ("product", "product"),
        ("client", "api_client"),
        ("user", "app_user"),
        ("bank", "bank_account"),
        ("run", "payout_run"),
        ("payout", "payout"),
        ("grun", "guarantee_run"),
        ("event", "event"),
        ("endpoint", "webhook_endpoint"),
        ("delivery", "webhook_delivery"),
    ];
    let mut owner = service.platform.owner();
    let mut find = |table: &str| {
        let rows: Vec<Row> =
            diesel::sql_query(format!("select id from {table} limit 1")).load(&mut owner).expect("ids");
        rows.into_iter().next().unwrap_or_else(|| panic!("{table} is empty")).id
    };
    tables
        .into_iter()
        .map(|(prefix, table)| (prefix, format!("{prefix}_{}", domain::kernel::id::encode(find(table)))))
        .collect()
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
