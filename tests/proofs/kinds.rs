//! Receipts of approvals, of runs of the guarantees and of tax papers over HTTP: given to who sees the thing, in both forms.

use domain::access::Role;
use domain::chain::receipt::{Receipt, ReceiptKind};
use domain::chain::tlog_proof::TlogProof;
use domain::chain::verify::{verify, verify_leaf};
use domain::kernel::ids::HandshakeId;
use harness::partners::Site;
use harness::server::{Reply, Service};
use serde_json::{Value, json};

const KINDS: [(&str, ReceiptKind); 6] = [
    ("handshakes", ReceiptKind::Handshake),
    ("entries", ReceiptKind::LedgerEntry),
    ("agreement-approvals", ReceiptKind::AgreementApproval),
    ("payout-approvals", ReceiptKind::PayoutApproval),
    ("guarantee-runs", ReceiptKind::GuaranteeRun),
    ("tax-documents", ReceiptKind::TaxDocument),
];

/// A site whose log has signed for everything.
fn site() -> Site {
    let site = Site::open();
    site.service.sequence();
    site
}

fn rows(service: &Service, kind: &str, token: &str) -> Vec<Value> {
    let page = service.get(&format!("/v1/receipts/{kind}?limit=200"), token).expect(200);
    page["data"].as_array().expect("rows").clone()
}

/// The first thing of a kind that has a receipt.
fn first(service: &Service, kind: &str, token: &str) -> String {
    let rows = rows(service, kind, token);
    let row = rows.iter().find(|row| row["receipt"].is_object()).unwrap_or_else(|| panic!("no receipts of {kind}"));
    row["id"].as_str().expect("an id").to_owned()
}

fn as_proof(service: &Service, path: &str, token: &str) -> Reply {
    let authorization = format!("Bearer {token}");
    service.send("GET", path, &[("authorization", &authorization), ("accept", "text/plain")], None)
}

#[test]
fn every_kind_has_receipts_that_hold_in_both_forms() {
    let Site { service, .. } = site();
    let (operator, trust) = (service.operator(), service.platform.trust());
    for (name, kind) in KINDS {
        let id = first(&service, name, &operator);
        let path = format!("/v1/receipts/{name}/{id}");
        let reply = service.get(&path, &operator);
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")));
        let receipt = Receipt::parse(&reply.body).expect("a receipt");
        assert_eq!((receipt.kind, &receipt.id), (kind, &id));
        let findings = verify(&trust, &receipt);
        assert!(findings.holds() && findings.checkpoint.is_some(), "{id}: {:?}", findings.faults);
        let reply = as_proof(&service, &path, &operator);
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/plain; charset=utf-8")));
        let proof = TlogProof::parse(&reply.body).expect("a proof");
        let item = receipt.items.last().expect("an item");
        assert_eq!(proof, TlogProof::of_item(item, &receipt.checkpoint));
        assert!(verify_leaf(&trust, &proof, None, Some(item.envelope.as_bytes())).holds());
    }
}

#[test]
fn the_older_paths_have_both_forms_too() {
    let Site { service, ours, .. } = site();
    let token = service.partner();
    for path in [
        format!("/v1/handshakes/{}/receipt", ours.ids["handshake"]),
        format!("/v1/ledger/entries/{}/receipt", ours.ids["entry"]),
    ] {
        let receipt = Receipt::parse(&service.get(&path, &token).body).expect("a receipt");
        let proof = TlogProof::parse(&as_proof(&service, &path, &token).body).expect("a proof");
        assert_eq!(Some(proof), TlogProof::of(&receipt));
        let authorization = format!("Bearer {token}");
        let odd = service.send("GET", &path, &[("authorization", &authorization), ("accept", "text/csv")], None);
        let _ = odd.problem(406, "not_acceptable");
    }
    let nobody = HandshakeId::new(service.platform.ids_of("select id from deal limit 1")[0]);
    let _ = as_proof(&service, &format!("/v1/handshakes/{nobody}/receipt"), &token).problem(404, "not_found");
}

#[test]
fn who_sees_the_thing_sees_its_receipt_and_nobody_else() {
    let Site { service, .. } = site();
    let operator = service.operator();
    let [version, run, report] =
        ["agreement-approvals", "payout-approvals", "guarantee-runs"].map(|kind| first(&service, kind, &operator));
    let paths = [
        format!("/v1/receipts/agreement-approvals/{version}"),
        format!("/v1/receipts/payout-approvals/{run}"),
        format!("/v1/receipts/guarantee-runs/{report}"),
    ];
    let has = |role: Role| {
        let partner = role.is_of_partner().then_some(service.platform.introducer);
        service.token(&[role], partner, None)
    };
    let statuses = |token: &str| paths.each_ref().map(|path| service.get(path, token).status);
    for role in [Role::OperatorAdmin, Role::Finance, Role::Approver, Role::Support, Role::Auditor] {
        assert_eq!(statuses(&has(role)), [200, 200, 200], "{role:?}");
    }
    // The agreement is everybody's and in force; the run is the operator's; the report names nobody.
    assert_eq!(statuses(&has(Role::PartnerAdmin)), [200, 404, 200]);
    assert_eq!(statuses(&service.stranger()), [200, 404, 200]);
    assert_eq!(statuses(&has(Role::PartnerAgent)), [200, 403, 200], "no `payouts:read`");
    let member = service.platform.ids_of("select id from member order by id limit 1")[0];
    let member = domain::kernel::ids::MemberId::new(member);
    let member = service.token(&[Role::Member], Some(service.platform.introducer), Some(member));
    assert_eq!(statuses(&member), [403, 404, 200], "no `agreements:read`");
    assert_eq!(statuses(&has(Role::Investor)), [403, 403, 403], "no `chain:read`");
    assert_eq!(rows(&service, "payout-approvals", &has(Role::PartnerAdmin)), Vec::<Value>::new());
    let seen = rows(&service, "agreement-approvals", &service.stranger());
    assert_eq!(seen.iter().map(|row| &row["id"]).collect::<Vec<_>>(), [&json!(version)]);
    let _ = service.get("/v1/receipts/payout-approvals", &has(Role::PartnerAgent)).problem(403, "insufficient_scope");
    for path in &paths {
        let _ = service.send("GET", path, &[], None).problem(401, "unauthenticated");
    }
}

#[test]
fn what_nobody_approved_has_no_receipt_and_odd_names_are_not_found() {
    let Site { service, ours, .. } = site();
    let (operator, partner) = (service.operator(), service.partner());
    let shipped = format!("/v1/receipts/agreement-approvals/{}-1", ours.ids["agreement"]);
    let _ = service.get(&shipped, &operator).problem(409, "not_approved");
    let _ = service.get(&shipped, &partner).problem(409, "not_approved");
    let account = service.get("/v1/bank-accounts", &operator).expect(200)["data"][0]["id"].clone();
    let run = service.post("/v1/payout-runs", &operator, &json!({"bank_account_id": account})).expect(201);
    let run = run["id"].as_str().expect("an id");
    let _ = service.get(&format!("/v1/receipts/payout-approvals/{run}"), &operator).problem(409, "not_approved");
    let _ = service.get(&format!("/v1/receipts/payout-approvals/{run}"), &partner).problem(404, "not_found");
    let listed = rows(&service, "payout-approvals", &operator);
    assert!(listed.iter().all(|row| row["id"] != run), "a run that waits is not among the approvals");
    let approved = first(&service, "agreement-approvals", &operator);
    let (agreement, _) = approved.split_once('-').expect("a version");
    for wrong in [
        format!("agreement-approvals/{agreement}"),
        format!("agreement-approvals/{agreement}-9"),
        format!("agreement-approvals/{agreement}-01"),
        format!("agreement-approvals/{agreement}-4294967295"),
        format!("agreement-approvals/{agreement}-99999999999"),
        format!("agreement-approvals/{run}"),
        format!("payout-approvals/{approved}"),
        format!("guarantee-runs/{run}"),
        format!("tax-documents/{run}"),
        format!("approvals/{approved}"),
        format!("dispute-resolutions/{approved}"),
    ] {
        let _ = service.get(&format!("/v1/receipts/{wrong}"), &operator).problem(404, "not_found");
    }
}

#[test]
fn an_approval_that_is_not_signed_for_yet_is_pending_and_lists_page() {
    let Site { service, .. } = site();
    let operator = service.operator();
    let runs: Vec<String> = (0..3)
        .map(|_| service.post("/v1/guarantee-runs", &operator, &json!({})).expect(201))
        .map(|run| run["id"].as_str().expect("an id").to_owned())
        .collect();
    let newest = format!("/v1/receipts/guarantee-runs/{}", runs[2]);
    let early = service.get(&newest, &operator);
    let _ = early.problem(409, "receipt_pending");
    assert_eq!(early.header("retry-after"), Some("1"));
    let listed = rows(&service, "guarantee-runs", &operator);
    assert_eq!((&listed[0]["id"], &listed[0]["withheld"]), (&json!(runs[2]), &json!("receipt_pending")));
    service.sequence();
    assert_eq!(service.get(&newest, &operator).status, 200);
    for kind in ["guarantee-runs", "agreement-approvals", "payout-approvals", "tax-documents"] {
        let whole: Vec<Value> = rows(&service, kind, &operator).iter().map(|row| row["id"].clone()).collect();
        let (mut paged, mut path) = (Vec::new(), format!("/v1/receipts/{kind}?limit=1"));
        loop {
            let page = service.get(&path, &operator).expect(200);
            paged.extend(page["data"].as_array().expect("rows").iter().map(|row| row["id"].clone()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/v1/receipts/{kind}?limit=1&cursor={cursor}");
        }
        assert_eq!(paged, whole, "{kind}");
        let newest_first = ["guarantee-runs", "tax-documents"].contains(&kind);
        let turned = if newest_first { "created_at" } else { "-created_at" };
        let turned = service.get(&format!("/v1/receipts/{kind}?limit=200&sort={turned}"), &operator).expect(200);
        let turned: Vec<Value> = turned["data"].as_array().expect("rows").iter().map(|row| row["id"].clone()).collect();
        assert_eq!(turned, whole.into_iter().rev().collect::<Vec<_>>(), "{kind}");
    }
}
