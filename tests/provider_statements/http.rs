//! Over HTTP: from the mapping to the write-off, as a client would.

use domain::access::Role;
use harness::server::{Reply, Service};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{UPFRONT, World};

struct Http {
    service: Service,
    finance: String,
    approver: String,
    provider: String,
    bank: String,
}

fn http() -> Http {
    let world = World::new();
    world.loans(&[("L-1", "2026-08-03", ""), ("L-2", "2026-08-04", ""), ("L-3", "2026-08-05", "")]);
    let World { platform, bank } = world;
    let service = Service::over(platform);
    Http {
        finance: service.token_of(Uuid::from_u128(21), &[Role::Finance], None, None),
        approver: service.token_of(Uuid::from_u128(22), &[Role::Approver], None, None),
        provider: service.platform.provider.to_string(),
        bank: bank.to_string(),
        service,
    }
}

fn mapping() -> Value {
    json!({
        "reference_column": "Loan", "amount_column": "Paid", "gst": "none", "date_column": "Date", "date_format": "YYYY-MM-DD",
        "sample": "Loan,Paid,Date\nL-1,1.50,2026-08-20\n"
    })
}

const FILE: &str = "Loan,Paid,Date\nL-1,3000.00,2026-08-20\nL-2,2990.00,2026-08-20\nX-1,5.00,2026-08-20\n";

impl Http {
    fn put(&self, etag: &str, body: &Value) -> Reply {
        let authorization = format!("Bearer {}", self.finance);
        let headers =
            [("authorization", authorization.as_str()), ("if-match", etag), ("content-type", "application/json")];
        let path = format!("/v1/organisations/{}/statement-mapping", self.provider);
        self.service.send("PUT", &path, &headers, Some(body.to_string().as_bytes()))
    }

    fn import(&self, key: &str, query: &str, file: &str) -> Reply {
        let authorization = format!("Bearer {}", self.finance);
        let headers =
            [("authorization", authorization.as_str()), ("idempotency-key", key), ("content-type", "text/csv")];
        let path = format!("/v1/provider-statements?{query}");
        self.service.send("POST", &path, &headers, Some(file.as_bytes()))
    }

    fn query(&self, total: i64) -> String {
        format!(
            "provider_id={}&bank_account_id={}&period_from=2026-08-01&period_to=2026-08-31&paid_on=2026-09-04&payment_reference=BANK%20COMM&total_minor={total}",
            self.provider, self.bank
        )
    }

    fn get(&self, path: &str) -> Value {
        self.service.get(path, &self.finance).expect(200)
    }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key}: {value}")).to_owned()
}

#[test]
fn from_the_mapping_to_the_write_off() {
    let http = http();
    let at = format!("/v1/organisations/{}/statement-mapping", http.provider);
    let _ = http.service.get(&at, &http.finance).problem(404, "not_found");
    let _ = http.import("k-0", &http.query(599_500), FILE).problem(409, "no_mapping");
    let saved = http.put("\"0\"", &mapping());
    assert_eq!(saved.expect(200)["sample"][0]["amount"]["amount"], 150);
    assert_eq!(saved.header("etag"), Some("\"1\""));
    let _ = http.put("\"0\"", &mapping()).problem(412, "stale");
    let _ = http.put("\"1\"", &mapping()).expect(200);
    assert_eq!(http.get(&at)["version"], 2);

    let accepted = http.import("k-1", &http.query(599_500), FILE);
    assert_eq!(accepted.expect(202)["kind"], "provider_statement");
    http.service.work();
    let job = http.get(accepted.header("location").expect("a location"));
    assert_eq!((&job["status"], &job["failure"]), (&json!("succeeded"), &Value::Null), "{job}");
    let path = text(&job, "result");
    let said = http.get(&path);
    assert_eq!((text(&said, "status").as_str(), &said["counts"]["matched"]), ("posted", &json!(1)));
    assert_eq!((&said["applied"]["amount"], &said["unapplied"]["amount"]), (&json!(599_000), &json!(500)));
    assert_eq!(said["open_exceptions"], 3);
    let _ = http.import("k-2", &http.query(599_500), FILE).problem(409, "statement_known");
    let again = http.import("k-1", &http.query(599_500), FILE);
    assert_eq!((again.header("idempotency-replayed"), &again.body), (Some("true"), &accepted.body));

    let lines = http.get(&format!("{path}/lines?limit=2"));
    assert_eq!(lines["data"].as_array().map(Vec::len), Some(2));
    assert_eq!((&lines["data"][0]["result"], &lines["data"][1]["result"]), (&json!("matched"), &json!("short_paid")));
    let unexpected = http.get(&format!("{path}/lines?result=unexpected"));
    assert_eq!((&unexpected["data"][0]["reference"], &unexpected["data"][0]["line"]), (&json!("X-1"), &json!(4)));
    let found = http.get(&format!("{path}/exceptions"));
    let mut kinds: Vec<String> = found["data"].as_array().expect("rows").iter().map(|e| text(e, "kind")).collect();
    kinds.sort();
    assert_eq!(kinds, ["missing", "short_paid", "unexpected"]);
    let listed = http.get("/v1/provider-statements");
    assert_eq!(listed["data"][0]["id"], said["id"]);

    let short = found["data"].as_array().expect("rows").iter().find(|e| e["kind"] == "short_paid").expect("it").clone();
    assert_eq!(
        (&short["difference"]["amount"], &short["age_days"], &short["owner_id"]),
        (&json!(-1_000), &json!(0), &Value::Null)
    );
    let on = |step: &str| format!("/v1/exceptions/{}/{step}", text(&short, "id"));
    let user = json!({"email": "clerk@example.com", "password": "correct horse battery", "roles": ["finance"]});
    let user = http.service.post("/v1/users", &http.service.operator(), &user).expect(201);
    let nobody = json!({"owner_id": "user_01h455vb4pex5vsknk084sn02q"});
    let faults = http.service.post(&on("assign"), &http.finance, &nobody).problem(422, "validation_failed");
    assert_eq!(faults, [("/owner_id".to_owned(), "not_found".to_owned())]);
    let assigned = http.service.post(&on("assign"), &http.finance, &json!({"owner_id": user["id"]})).expect(200);
    assert_eq!((&assigned["owner_id"], &assigned["version"]), (&user["id"], &json!(2)));
    let own = http.get(&format!("/v1/exceptions?owner={}&status=open", text(&user, "id")));
    assert_eq!(own["data"].as_array().map(Vec::len), Some(1));
    let faults = http.service.post(&on("resolve"), &http.finance, &json!({"how": "received", "until": "2026-12-01"}));
    assert_eq!(faults.problem(422, "validation_failed").len(), 2);
    let given_up = json!({"how": "accept_difference", "note": "Not worth a letter"});
    let waiting = http.service.post(&on("resolve"), &http.finance, &given_up).expect(200);
    assert_eq!(text(&waiting, "status"), "waiting");
    let approve = format!("/v1/write-offs/{}/approve", text(&waiting, "write_off_id"));
    let same = http.service.token_of(Uuid::from_u128(21), &[Role::OperatorAdmin], None, None);
    let _ = http.service.post(&approve, &same, &json!({})).problem(422, "same_person");
    let _ = http.service.post(&approve, &http.finance, &json!({})).problem(403, "insufficient_scope");
    let approved = http.service.post(&approve, &http.approver, &json!({})).expect(200);
    assert_eq!((text(&approved, "status").as_str(), &approved["amount"]["amount"]), ("approved", &json!(1_000)));
    assert_eq!(http.get("/v1/exceptions?status=resolved")["data"][0]["id"], short["id"]);
    assert_eq!(http.get("/v1/write-offs?status=approved")["data"][0]["id"], approved["id"]);

    let funding = http.get("/v1/ledger/funding");
    let row = &funding["data"][0];
    assert_eq!((&row["expected"]["amount"], &row["received"]["amount"]), (&json!(3 * UPFRONT), &json!(599_000)));
    assert_eq!(row["written_off"]["amount"], 1_000);
    let receipts = http.get("/v1/ledger/entries?kind=provider_receipt");
    assert!(text(&receipts["data"][0], "source_id").starts_with("pline_"), "{receipts}");
}

#[test]
fn every_fault_of_a_request_and_of_a_file_is_told_at_once() {
    let http = http();
    let faults = http.put("\"0\"", &json!({"delimiter": "slash", "sample": ""})).problem(422, "validation_failed");
    assert_eq!(faults.len(), 6, "{faults:?}");
    let bad = json!({"sample": "Loan,Paid,Date\nL-1,x,2026-08-20\n"});
    let mut wrong = mapping();
    wrong["sample"] = bad["sample"].clone();
    let faults = http.put("\"0\"", &wrong).problem(422, "validation_failed");
    assert_eq!(faults, [("/sample/lines/2/amount".to_owned(), "invalid_amount".to_owned())]);
    let _ = http.put("\"0\"", &mapping()).expect(200);
    let faults = http.import("k-1", "provider_id=x", FILE).problem(422, "validation_failed");
    assert_eq!(faults.len(), 7, "{faults:?}");
    let file = "Loan,Paid,Date\nL-1,x,2026-08-20\nL-2,1.00,20/08/2026\n";
    let faults = http.import("k-2", &http.query(100), file).problem(422, "validation_failed");
    let wanted = [("/lines/2/amount", "invalid_amount"), ("/lines/3/date", "invalid_date")];
    assert_eq!(faults, wanted.map(|(at, code)| (at.to_owned(), code.to_owned())));
    let authorization = format!("Bearer {}", http.finance);
    let headers =
        [("authorization", authorization.as_str()), ("idempotency-key", "k-3"), ("content-type", "text/plain")];
    let path = format!("/v1/provider-statements?{}", http.query(100));
    let reply = http.service.send("POST", &path, &headers, Some(FILE.as_bytes()));
    let _ = reply.problem(415, "unsupported_media_type");
    let write_off =
        http.service.post("/v1/write-offs", &http.finance, &json!({"amount": {"amount": 0, "currency": "USD"}}));
    assert_eq!(write_off.problem(422, "validation_failed").len(), 3);
    for query in ["?status=lost", "?owner=deal_x"] {
        assert_eq!(http.service.get(&format!("/v1/exceptions{query}"), &http.finance).status, 400, "{query}");
    }
}

#[test]
fn it_is_all_the_operators_own() {
    let http = http();
    let _ = http.put("\"0\"", &mapping()).expect(200);
    let _ = http.import("k-1", &http.query(599_500), FILE).expect(202);
    http.service.work();
    let partner = http.service.partner();
    for path in ["/v1/provider-statements", "/v1/exceptions", "/v1/write-offs"] {
        assert_eq!(http.service.get(path, &partner).expect(200)["data"], json!([]), "{path}");
    }
    let id = text(&http.get("/v1/provider-statements")["data"][0], "id");
    for path in [
        format!("/v1/provider-statements/{id}"),
        format!("/v1/provider-statements/{id}/lines"),
        "/v1/ledger/funding".to_owned(),
    ] {
        let _ = http.service.get(&path, &partner).problem(404, "not_found");
    }
    // The provider sees what it paid, and nothing of where.
    let provider = http.service.stranger_of(http.service.platform.provider);
    let entries = http.service.get("/v1/ledger/entries?kind=provider_receipt", &provider).expect(200);
    let postings = entries["data"][0]["postings"].as_array().expect("postings");
    assert!(postings.iter().all(|p| p["kind"] != "cash" && p["account_kind"] != "cash"), "{entries}");
    assert_eq!(http.service.get("/v1/ledger/entries?kind=provider_receipt", &partner).expect(200)["data"], json!([]));
}
