//! Money out over HTTP: two people, one outcome, nobody else's business.

use domain::access::Role;
use domain::kernel::ids::ApiClientId;
use harness::platform::Platform;
use harness::server::{Reply, Service};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::runs::{import, with_deals};
use crate::world::{cemtexer, read_aba};

const ACCOUNT: &str = r#"{"name": "Commission account", "account": {"bsb": "062-000", "account_number": "12345678",
    "account_name": "FLIP 360 PTY LTD"}, "bank_code": "CBA", "user_name": "FLIP 360 PTY LTD", "user_number": "301500",
    "remitter": "FLIP 360", "description": "COMMISSION", "self_balancing": true, "header_date": "next_banking_day"}"#;

/// A service with an own account, and who prepares and who approves.
pub struct World {
    pub service: Service,
    pub finance: String,
    pub approver: String,
    account: String,
}

fn account() -> Value {
    serde_json::from_str(ACCOUNT).expect("JSON")
}

pub fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key}: {value}")).to_owned()
}

fn world(platform: Platform) -> World {
    let service = Service::over(platform);
    let finance = service.token_of(Uuid::from_u128(21), &[Role::Finance], None, None);
    let approver = service.token_of(Uuid::from_u128(22), &[Role::Approver], None, None);
    let made = service.post("/v1/bank-accounts", &finance, &account()).expect(201);
    World { account: text(&made, "id"), service, finance, approver }
}

impl World {
    pub fn preview(&self) -> Value {
        self.service.post("/v1/payout-runs", &self.finance, &json!({"bank_account_id": self.account})).expect(201)
    }

    pub fn act(&self, run: &Value, act: &str, token: &str, body: &Value) -> Reply {
        self.service.post(&format!("/v1/payout-runs/{}/{act}", text(run, "id")), token, body)
    }

    pub fn approved(&self) -> Value {
        let run = self.preview();
        let _ = self.act(&run, "propose", &self.finance, &json!({})).expect(200);
        let seen = json!({"content_sha256": run["content_sha256"]});
        self.act(&run, "approve", &self.approver, &seen).expect(200)
    }

    fn paid(&self) -> Value {
        let run = self.approved();
        self.act(&run, "execute", &self.finance, &json!({})).expect(200)
    }

    pub fn path(&self, run: &Value, rest: &str) -> String {
        format!("/v1/payout-runs/{}{rest}", text(run, "id"))
    }
}

/// With two deals that are to be paid.
pub fn busy() -> World {
    world(with_deals(&[("C-1", "M016", ""), ("C-2", "M001", "")]))
}

#[test]
fn from_preview_to_bank_file_by_two_people() {
    let world = busy();
    let run = world.preview();
    assert_eq!((text(&run, "state").as_str(), run["total"]["currency"].as_str()), ("previewed", Some("AUD")));
    let content = world.service.get(&world.path(&run, "/content"), &world.finance);
    assert_eq!(domain::kernel::Digest::of(&content.body).to_string(), text(&run, "content_sha256"));
    let content = content.expect(200);
    assert_eq!(domain::kernel::Digest::of(&serde_json_canonical(&content)).to_string(), text(&run, "content_sha256"));
    let sums = ["payouts", "skipped"].map(|of| content[of].as_array().expect("a list").len());
    assert_eq!(sums.map(|n| json!(n)), [run["payouts"].clone(), run["skipped"].clone()]);
    assert_eq!(content["total"], run["total"]["amount"].to_string());
    let proposed = world.act(&run, "propose", &world.finance, &json!({}));
    assert_eq!((text(&proposed.expect(200), "state").as_str(), proposed.header("etag")), ("proposed", Some("\"2\"")));
    let seen = json!({"content_sha256": run["content_sha256"]});
    let _ = world.act(&run, "approve", &world.finance, &seen).problem(403, "insufficient_scope");
    let same = world.service.token_of(Uuid::from_u128(21), &[Role::OperatorAdmin], None, None);
    let _ = world.act(&run, "approve", &same, &seen).problem(422, "same_person");
    // Nor does a client that finance made under another name.
    let made = world.service.post("/v1/api-clients", &same, &json!({"name": "Me again", "roles": ["approver"]}));
    let id = ApiClientId::parse(&text(&made.expect(201), "id")).expect("an id").uuid();
    let again = world.service.token_of(id, &[Role::Approver], None, None);
    let _ = world.act(&run, "approve", &again, &seen).problem(422, "same_person");
    let kept = "select count(*) from audit_record where action = 'approve_payout_run' and refused = 'same_person'";
    assert_eq!(world.service.platform.number(kept), 2);
    let other = json!({"content_sha256": "00".repeat(32)});
    let _ = world.act(&run, "approve", &world.approver, &other).problem(409, "content_changed");
    let faults = world.act(&run, "approve", &world.approver, &json!({"content_sha256": "x"}));
    assert_eq!(faults.problem(422, "validation_failed"), [("/content_sha256".to_owned(), "invalid_digest".to_owned())]);
    let _ = world.act(&run, "execute", &world.finance, &json!({})).problem(409, "wrong_state");
    let _ = world.act(&run, "approve", &world.approver, &seen).expect(200);
    let _ = world.service.get(&world.path(&run, "/aba"), &world.finance).problem(404, "not_found");
    let executed = world.act(&run, "execute", &world.finance, &json!({})).expect(200);
    assert_eq!(executed["file"]["dated_on"], "2026-11-23");
    let file = world.service.get(&world.path(&run, "/aba"), &world.finance);
    assert_eq!(file.status, 200);
    assert_eq!(cemtexer(&file.body, "http"), "No errors detected");
    let etag = format!("\"{}\"", text(&executed["file"], "sha256"));
    assert_eq!(file.header("etag"), Some(etag.as_str()));
    let credits: i64 = read_aba(&file.body).iter().filter(|d| d.code == "50").map(|d| d.cents).sum();
    assert_eq!(Some(credits), executed["total"]["amount"].as_i64());
    let payouts = world.service.get(&world.path(&run, "/payouts"), &world.finance).expect(200);
    let rows = payouts["data"].as_array().expect("payouts");
    assert_eq!(rows.iter().filter_map(|p| p["amount"]["amount"].as_i64()).sum::<i64>(), credits);
    let one = world.service.get(&format!("/v1/payouts/{}", text(&rows[0], "id")), &world.finance).expect(200);
    assert_eq!(one["lines"][0]["amount"], one["amount"]);
}

#[test]
fn a_run_of_several_files_lists_them_and_gives_each() {
    let mut world = busy();
    let narrow = json!({"item_limit": 2, "self_balancing": false, "name": "Narrow",
        "account": {"bsb": "062-000", "account_number": "87654321", "account_name": "FLIP 360 PTY LTD"}});
    let mut body = account();
    for (key, value) in narrow.as_object().expect("an object") {
        body[key] = value.clone();
    }
    world.account = text(&world.service.post("/v1/bank-accounts", &world.finance, &body).expect(201), "id");
    let run = world.paid();
    assert_eq!((run["files"].as_array().map(Vec::len), &run["file"]), (Some(2), &Value::Null));
    let listed = world.service.get(&world.path(&run, "/aba"), &world.finance).expect(200);
    assert_eq!(listed["data"], run["files"]);
    for file in run["files"].as_array().expect("files") {
        let got = world.service.get(&world.path(&run, &format!("/aba?file={}", file["n"])), &world.finance);
        assert_eq!(domain::kernel::Digest::of(&got.body).to_string(), text(file, "sha256"));
    }
    let _ = world.service.get(&world.path(&run, "/aba?file=3"), &world.finance).problem(404, "not_found");
    for bad in ["/aba?file=0", "/aba?file=x", "/aba?page=1"] {
        assert_eq!(world.service.get(&world.path(&run, bad), &world.finance).status, 400, "{bad}");
    }
}

/// RFC 8785 for what a content holds: sorted keys, no blanks, whole numbers, ASCII texts.
fn serde_json_canonical(value: &Value) -> Vec<u8> {
    fn write(value: &Value, out: &mut String) {
        match value {
            Value::Object(members) => {
                let mut keys: Vec<&String> = members.keys().collect();
                keys.sort_unstable();
                out.push('{');
                for (n, key) in keys.into_iter().enumerate() {
                    out.push_str(if n == 0 { "" } else { "," });
                    out.push_str(&format!("\"{key}\":"));
                    write(&members[key], out);
                }
                out.push('}');
            }
            Value::Array(items) => {
                out.push('[');
                for (n, item) in items.iter().enumerate() {
                    out.push_str(if n == 0 { "" } else { "," });
                    write(item, out);
                }
                out.push(']');
            }
            plain => out.push_str(&plain.to_string()),
        }
    }
    let mut out = String::new();
    write(value, &mut out);
    out.into_bytes()
}

#[test]
fn fifty_at_once_and_every_retry_have_one_outcome() {
    let world = busy();
    let run = world.approved();
    let path = world.path(&run, "/execute");
    let bodies: Vec<Vec<u8>> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..50)
            .map(|n| {
                let (service, finance, path) = (&world.service, &world.finance, &path);
                scope.spawn(move || service.post_as(path, finance, &format!("execute-{n}"), &json!({})))
            })
            .collect();
        asked
            .into_iter()
            .map(|thread| {
                let reply = thread.join().expect("an answer");
                let _ = reply.expect(200);
                reply.body
            })
            .collect()
    });
    assert!(bodies.iter().all(|body| *body == bodies[0]));
    assert_eq!(world.service.platform.number("select count(*) from payout_run_step where step = 'executed'"), 1);
    let again = world.service.post_as(&path, &world.finance, "execute-0", &json!({}));
    assert_eq!((again.header("idempotency-replayed"), &again.body), (Some("true"), &bodies[0]));
    let file = |_: u8| world.service.get(&world.path(&run, "/aba"), &world.finance).body;
    assert_eq!(file(1), file(2));
}

#[test]
fn a_void_approval_is_told_and_kept() {
    let world = busy();
    let run = world.approved();
    import(&world.service.platform, &[("C-1", "M016", "2026-06-01")]);
    let path = world.path(&run, "/execute");
    let told = world.service.post_as(&path, &world.finance, "k-1", &json!({}));
    let _ = told.problem(409, "approval_void");
    let again = world.service.post_as(&path, &world.finance, "k-1", &json!({}));
    assert_eq!((again.status, &again.body), (409, &told.body));
    let back = world.service.get(&world.path(&run, ""), &world.finance).expect(200);
    assert_eq!(text(&back, "state"), "previewed");
    assert!(text(&back, "voided_reason").contains("line_"));
    assert_ne!(back["content_sha256"], run["content_sha256"]);
    let _ = world.service.post_as(&path, &world.finance, "k-2", &json!({})).problem(409, "wrong_state");
}

#[test]
fn a_stale_version_is_refused_and_bad_requests_are_told_in_full() {
    let world = busy();
    let run = world.preview();
    let authorization = format!("Bearer {}", world.finance);
    let propose = |etag: &str, key: &str| {
        let headers = [("authorization", authorization.as_str()), ("idempotency-key", key), ("if-match", etag)];
        world.service.send("POST", &world.path(&run, "/propose"), &headers, None)
    };
    let _ = propose("\"7\"", "k-1").problem(412, "stale");
    let _ = propose("\"nonsense\"", "k-2").problem(412, "stale");
    let unquoted = propose("1", "k-2").problem(400, "invalid_header");
    assert_eq!(unquoted, [("#If-Match".to_owned(), "invalid_header".to_owned())]);
    let _ = propose("\"1\"", "k-3").expect(200);
    let rejected = world.act(&run, "reject", &world.approver, &json!({"reason": "The wrong month"})).expect(200);
    assert_eq!(text(&rejected, "state"), "rejected");
    let _ = world.act(&run, "cancel", &world.finance, &json!({"reason": "too late"})).problem(409, "wrong_state");
    let _ = world.act(&run, "cancel", &world.finance, &json!({})).problem(422, "validation_failed");
    let bad = json!({"bank_account_id": "run_x", "cut_off_on": "2026-02-30"});
    let faults = world.service.post("/v1/payout-runs", &world.finance, &bad).problem(422, "validation_failed");
    assert_eq!(faults.len(), 2);
    let late = json!({"bank_account_id": world.account, "cut_off_on": "2026-11-24"});
    let faults = world.service.post("/v1/payout-runs", &world.finance, &late).problem(422, "validation_failed");
    assert_eq!(faults, [("/cut_off_on".to_owned(), "in_future".to_owned())]);
    let unknown = json!({"bank_account_id": "bank_01h455vb4pex5vsknk084sn02q"});
    let faults = world.service.post("/v1/payout-runs", &world.finance, &unknown).problem(422, "validation_failed");
    assert_eq!(faults, [("/bank_account_id".to_owned(), "not_found".to_owned())]);
    let _ = world.service.post("/v1/bank-accounts", &world.finance, &account()).problem(409, "bank_account_taken");
    let empty = world.service.post("/v1/bank-accounts", &world.finance, &json!({"item_limit": 1}));
    assert_eq!(empty.problem(422, "validation_failed").len(), 10);
    for query in ["?state=lost", "?limit=0", "?cursor=%20", "?cursor=AAAA", "?nonsense=1"] {
        let reply = world.service.get(&format!("/v1/payout-runs{query}"), &world.finance);
        assert_eq!(reply.status, 400, "{query}");
    }
}

#[test]
fn what_is_foreign_is_not_there_and_what_is_not_allowed_is_refused() {
    let world = busy();
    let run = world.paid();
    let service = &world.service;
    let (partner, stranger) = (service.partner(), service.stranger());
    let investor = service.token(&[Role::Investor], None, None);
    let own = service.get("/v1/payouts", &partner).expect(200);
    let own = own["data"].as_array().expect("payouts").clone();
    assert!(!own.is_empty());
    let payout = format!("/v1/payouts/{}", text(&own[0], "id"));
    let _ = service.get(&payout, &partner).expect(200);
    for path in [payout.as_str(), &world.path(&run, ""), &world.path(&run, "/payouts")] {
        let _ = service.get(path, &stranger).problem(404, "not_found");
        let _ = service.get(path, &investor).problem(403, "insufficient_scope");
    }
    let _ = service.get(&world.path(&run, ""), &partner).problem(404, "not_found");
    let _ = service.get(&world.path(&run, "/aba"), &partner).problem(403, "insufficient_scope");
    let _ = service.post("/v1/payout-runs", &partner, &json!({})).problem(403, "insufficient_scope");
    assert_eq!(service.get("/v1/payouts", &stranger).expect(200)["data"], json!([]));
    assert_eq!(service.get("/v1/bank-accounts", &partner).expect(200)["data"], json!([]));
    let entries = service.get("/v1/ledger/entries?kind=payout_initiated", &partner).expect(200);
    let entry = format!("/v1/ledger/entries/{}", text(&entries["data"][0], "id"));
    let seen = service.get(&entry, &partner).expect(200);
    let posting = &seen["postings"][0];
    let account = format!("/v1/ledger/accounts/{}", text(posting, "account_id"));
    for path in [entry.as_str(), &account, &format!("{account}/entries")] {
        let _ = service.get(path, &partner).expect(200);
        let _ = service.get(path, &stranger).problem(404, "not_found");
        let _ = service.get(path, &investor).problem(403, "insufficient_scope");
    }
    for path in ["/v1/ledger/trial-balance", "/v1/ledger/export?format=csv"] {
        let _ = service.get(path, &partner).problem(404, "not_found");
        assert_eq!(service.get(path, &world.approver).status, 200);
    }
    let _ = service.get("/v1/payouts/run_01h455vb4pex5vsknk084sn02q", &world.finance).problem(404, "not_found");
}

#[test]
fn the_book_over_http() {
    let world = busy();
    let _ = world.paid();
    let get = |path: &str| world.service.get(path, &world.finance).expect(200);
    let trial = get("/v1/ledger/trial-balance");
    assert_eq!(trial["debit"], trial["credit"]);
    let before = get("/v1/ledger/trial-balance?as_of=2026-11-01T00:00:00Z");
    assert_eq!(before["debit"]["amount"], 0);
    let sums = get("/v1/ledger/accruals?by=product");
    assert_eq!(sums["data"][0]["key"], "FIXED-3Y");
    let account = text(&get("/v1/ledger/accounts?kind=payee_in_transit&limit=1")["data"][0], "id");
    let now = get(&format!("/v1/ledger/accounts/{account}"));
    let then = get(&format!("/v1/ledger/accounts/{account}?effective_as_of=2026-11-22"));
    assert!(now["balance"]["amount"].as_i64() < Some(0) && then["balance"]["amount"] == 0);
    let journal = world.service.get("/v1/ledger/export?format=hledger", &world.finance);
    let entries = world.service.platform.number("select count(*) from ledger_entry");
    let dated = String::from_utf8(journal.body).expect("a text").lines().filter(|l| l.starts_with("2026-")).count();
    assert_eq!(i64::try_from(dated).expect("a count"), entries);
    let lines = world.service.get("/v1/ledger/export?format=ndjson", &world.finance);
    assert_eq!(lines.body.iter().filter(|b| **b == b'\n').count(), dated);
    for path in [
        "/v1/ledger/export?format=pdf",
        "/v1/ledger/accruals?by=colour",
        "/v1/ledger/accruals",
        "/v1/ledger/entries?kind=lost",
        "/v1/ledger/entries?effective_from=tomorrow",
        "/v1/ledger/accounts?party_id=deal_01h455vb4pex5vsknk084sn02q",
        "/v1/ledger/trial-balance?as_of=noon",
    ] {
        assert_eq!(world.service.get(path, &world.finance).status, 400, "{path}");
    }
    let mut seen = 0;
    let mut path = "/v1/ledger/entries?limit=2".to_owned();
    loop {
        let page = get(&path);
        seen += page["data"].as_array().expect("entries").len();
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/ledger/entries?limit=2&cursor={next}");
    }
    assert_eq!(seen, dated);
}

#[test]
fn a_statement_over_http() {
    let world = busy();
    let _ = world.paid();
    let member = crate::statements::member(&world.service.platform, "M016");
    let path = format!("/v1/statements?member_id={member}");
    let said = world.service.get(&path, &world.service.partner()).expect(200);
    assert_eq!((said["totals"]["earned"]["amount"].as_i64(), &said["member_ref"]), (Some(78_000), &json!("M016")));
    assert_eq!(said["data"][0]["in_transit"]["amount"], 78_000);
    assert_eq!(said["payouts"][0]["own"]["amount"], 78_000);
    let own = world.service.token(&[Role::Member], Some(world.service.platform.introducer), Some(member));
    assert_eq!(world.service.get("/v1/statements", &own).expect(200)["member_id"], json!(member.to_string()));
    let _ = world.service.get(&path, &world.service.stranger()).problem(404, "not_found");
    let _ = world.service.get("/v1/statements", &world.finance).problem(400, "required");
}
