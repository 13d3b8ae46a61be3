//! A service on which everything exists: deals, a payout run, clients, users, receipts; and two partners who have
//! nothing to do with one another (see [`crate::partners`]).

use std::collections::BTreeMap;

use api::policy::Operation;
use domain::access::Role;
use domain::ledger::period::Month;
use domain::ledger::release;
use serde_json::{Value, json};

use crate::partners::Site;
use crate::platform::Platform;
use crate::server::Service;

const EXPORT: &[u8] = include_bytes!("../../data/v01/v01-example-deals.csv");
const MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");

/// A service with a bit of everything.
#[must_use]
pub fn populated() -> Service {
    Site::open().service
}

/// The members and deals of the example export.
pub(crate) fn import_example(platform: &Platform) {
    platform.onboard(MEMBERS);
    let _ = platform.upload(EXPORT);
    platform.work();
}

/// A service over what was imported: what could be paid is, and the operator has what is its own.
pub(crate) fn served(platform: Platform) -> Service {
    let _ = platform.store().transaction(|uow| release::due(uow, &platform.env())).expect("a release");
    let service = Service::over(platform);
    service.sequence();
    let operator = service.operator();
    let client = json!({"name": "Somebody", "roles": ["auditor"]});
    let client = service.post("/v1/api-clients", &operator, &client).expect(201);
    let keys = format!("/v1/api-clients/{}/keys", client["id"].as_str().expect("an id"));
    let jwk = json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"});
    let _ = service.post(&keys, &operator, &json!({"jwk": jwk})).expect(201);
    let issuer = json!({"issuer": "https://login.example.com", "audience": "flip360"});
    let _ = service.post("/v1/oidc-issuers", &operator, &issuer).expect(201);
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
    with_table(&service, &operator, &approver);
    with_books(&service, &operator);
    crate::partners::take_back(&service);
    with_remittance(&service, account["id"].as_str().expect("an id"));
    let trails = json!({"vertical": "V01", "month": "2026-07"});
    let _ = service.post("/v1/trail-runs", &operator, &trails).expect(202);
    service.platform.work();
    service.sequence();
    let _ = service.post("/v1/guarantee-runs", &operator, &json!({})).expect(201);
    let _ = service.post("/v1/simulations", &operator, &json!({})).expect(202);
    service.work();
    service
}

/// An entry by hand and a month to be closed, both of which wait for a second person.
fn with_books(service: &Service, operator: &str) {
    let side =
        |kind: &str, cents: i64| json!({"account": {"kind": kind}, "amount": {"amount": cents, "currency": "AUD"}});
    let entry = json!({
        "kind": "opening", "effective_on": "2026-11-20", "reason": "Opening",
        "postings": [side("stripe_balance", 5_000), side("opening_balance", -5_000)]
    });
    let _ = service.post("/v1/ledger/entries", operator, &entry).expect(201);
    let period = Month::of("2026-10-01".parse().expect("a date")).id();
    let close = format!("/v1/accounting-periods/{period}/close");
    let _ = service.post(&close, operator, &json!({"reason": "October is complete"})).expect(200);
}

/// A payment to the tax office that waits: no quarter with tax in it has ended yet, so it is put there by hand.
fn with_remittance(service: &Service, account: &str) {
    use diesel::connection::SimpleConnection as _;
    let account: domain::kernel::ids::BankAccountId = account.parse().expect("an id");
    let sql = format!(
        "insert into tax_remittance (id, quarter_from, quarter_to, bank_account_id, gst_collected_minor, gst_paid_minor, withheld_minor, paid_on, state, proposed_by, proposed_at)
         values (gen_random_uuid(), '2026-07-01', '2026-09-30', '{}', 0, 0, 100, '2026-10-28', 'proposed', gen_random_uuid(), '2026-10-20')",
        account.uuid()
    );
    service.platform.owner().batch_execute(&sql).expect("the payment is kept");
}

/// An agreement in force that names a lookup table.
fn with_table(service: &Service, operator: &str, approver: &str) {
    let table = service.post("/v1/lookup-tables", operator, &json!({"name": "Placement fees"})).expect(201);
    let id = table["id"].as_str().expect("an id");
    let content = json!({
        "keys": [{"attribute": "deal.salary", "match": "band"}],
        "rows": [{"keys": [{"type": "money", "value": {"amount": 0, "currency": "AUD"}}], "pays": {"kind": "percent", "rate": "0.1"}}]
    });
    let versions = format!("/v1/lookup-tables/{id}/versions");
    let table = service.post(&versions, operator, &json!({"content": content})).expect(201);
    let named = json!({"id": id, "number": table["number"], "content_sha256": table["content_sha256"]});
    let agreement = json!({"vertical": "V16", "name": "Placements by level"});
    let agreement = service.post("/v1/agreements", operator, &agreement).expect(201);
    let content = json!({
        "vertical": "V16", "governing_date": "settled", "effective_from": "2020-01-01",
        "components": [{
            "key": "placement", "name": "Placement", "trigger": {"kind": "deal_event", "event": "settled"},
            "predicate": {"op": "all", "of": []}, "rate": {"kind": "lookup", "table": named, "of": "salary"},
            "split": [{"role": "member", "share": "0.6"}, {"role": "platform", "share": "remainder"}],
            "hold": {"days": 10, "funding_rule": "on_expiry"}, "combine": {"group": "placement", "mode": "sum"}
        }]
    });
    let versions = format!("/v1/agreements/{}/versions", agreement["id"].as_str().expect("an id"));
    let version = service.post(&versions, operator, &json!({"content": content})).expect(201);
    let _ = service.post(&format!("{versions}/1/propose"), operator, &json!({})).expect(200);
    let findings = service.post(&format!("{versions}/1/lint"), operator, &json!({})).expect(200);
    let codes: Vec<&Value> = findings["findings"].as_array().expect("findings").iter().map(|f| &f["code"]).collect();
    let approval = json!({"content_sha256": version["content_sha256"], "acknowledged": codes});
    let _ = service.post(&format!("{versions}/1/approve"), approver, &approval).expect(200);
}

/// The id of something real for each prefix, straight from the tables.
#[must_use]
pub fn ids(service: &Service) -> BTreeMap<&'static str, String> {
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
        ("cohort", "cohort"),
        ("payee", "payee"),
        ("deal", "deal"),
        ("import", "deal_import"),
        ("job", "job"),
        ("handshake", "handshake"),
        ("account", "ledger_account"),
        ("entry", "ledger_entry"),
        ("calc", "calculation"),
        ("agreement", "agreement"),
        ("table", "lookup_table"),
        ("vertical", "vertical"),
        ("product", "product"),
        ("client", "api_client"),
        ("clientkey", "api_client_key"),
        ("issuer", "oidc_issuer"),
        ("user", "app_user"),
        ("bank", "bank_account"),
        ("run", "payout_run"),
        ("trailrun", "trail_run"),
        ("breturn", "bank_return"),
        ("bstatement", "bank_statement"),
        ("bline", "bank_statement_line"),
        ("manual", "manual_entry"),
        ("period", "accounting_period"),
        ("payout", "payout"),
        ("taxdoc", "tax_document"),
        ("rcti", "rcti_agreement"),
        ("remittance", "tax_remittance"),
        ("grun", "guarantee_run"),
        ("simulation", "simulation"),
        ("pstatement", "provider_statement"),
        ("exception", "provider_exception"),
        ("writeoff", "write_off"),
        ("hold", "line_hold"),
        ("plan", "recovery_plan"),
        ("assignment", "assignment"),
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

/// The path of an operation with real ids in it.
#[must_use]
pub fn path(operation: &Operation, document: &Value, ids: &BTreeMap<&'static str, String>) -> String {
    let method = operation.method.as_str().to_ascii_lowercase();
    let documented = &document["paths"][&operation.pattern][method]["parameters"];
    let mut path = operation.pattern.clone();
    for parameter in documented.as_array().into_iter().flatten().filter(|p| p["in"] == "path") {
        let name = parameter["name"].as_str().expect("a name");
        let example = parameter["example"].as_str().map_or_else(|| parameter["example"].to_string(), str::to_owned);
        let prefix = example.split('_').next().unwrap_or_default();
        path = path.replace(&format!("{{{name}}}"), ids.get(prefix).unwrap_or(&example));
    }
    path
}
