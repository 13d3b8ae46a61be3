//! Papers in the log: each has its leaf, which commits to its number and its digest and tells nothing else of it; its
//! receipt goes to whoever sees the paper; papers from before, and of a program of before, are no harm.

use std::collections::BTreeSet;

use domain::access::Role;
use domain::chain::leaf::{Leaf, LeafKind, commitment};
use domain::chain::receipt::{Receipt, ReceiptKind};
use domain::chain::tlog_proof::TlogProof;
use domain::chain::verify::{verify, verify_leaf};
use domain::kernel::Digest;
use domain::payouts::BankAccount;
use harness::platform::{ORIGIN, Platform};
use harness::server::Service;
use serde_json::{Value, json};

use crate::chain::{audit_of, bytes};
use crate::cheats::integrity;
use crate::runs::{import, papers, register, with_deals, without_abn};
use crate::world::{keep, paid, people};

/// What of a paper's lane is in the database, where the lane that all papers share stands.
const LANE: &str = "subject_id = '01980000-0000-7000-8004-000000000003'";

/// An invoice, statements, a payment summary and an adjustment note.
fn every_kind() -> (Platform, BankAccount) {
    let platform = with_deals(&[("C-1", "M016", ""), ("C-2", "M001", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    register(&platform, "M016");
    without_abn(&platform, "M001");
    let _ = paid(&platform, &people, &account);
    import(&platform, &[("C-1", "M016", "2026-06-01")]);
    (platform, account)
}

/// The leaf of a paper, pending or integrated, and what it commits to.
fn logged(platform: &Platform, id: uuid::Uuid) -> (Leaf, Vec<u8>) {
    let leaf = format!(
        "select leaf from chain_pending where source_id = '{id}' union all select leaf from chain_leaf where source_id = '{id}'"
    );
    let leaf = Leaf::parse(&bytes(platform, &leaf)).expect("a leaf");
    (leaf, bytes(platform, &format!("select envelope from tax_document_envelope where document_id = '{id}'")))
}

#[test]
fn every_kind_of_paper_has_a_leaf_that_commits_to_its_number_and_digest() {
    let (platform, _) = every_kind();
    let written = papers(&platform);
    let kinds: BTreeSet<&str> = written.iter().map(|(record, ..)| record.kind.code()).collect();
    assert_eq!(kinds, ["adjustment_note", "payment_summary", "rcti", "remittance_statement"].into());
    let (mut lanes, mut salts) = (BTreeSet::new(), BTreeSet::new());
    for (n, (record, text, content)) in (0..).zip(&written) {
        let (leaf, envelope) = logged(&platform, record.id.uuid());
        assert_eq!((leaf.kind, leaf.lane_seq), (LeafKind::TaxDocument, n), "in the order of their numbers");
        assert_eq!(leaf.commitment, commitment(&envelope));
        let mut told: Value = serde_json::from_slice(&envelope).expect("JSON");
        let salt = told.as_object_mut().and_then(|told| told.remove("salt")).expect("a salt");
        let mut expected = json!({
            "content_sha256": Digest::of(text).to_string(),
            "id": record.id.to_string(),
            "issued_on": "2026-11-23",
            "kind": record.kind.code(),
            "log": ORIGIN,
            "number": content.number,
            "payee": record.payee.to_string(),
            "previous_sha256": content.previous_sha256.to_string(),
            "seq": n + 1,
            "type": "tax_document_issued",
            "v": 1,
        });
        if let Some(payout) = record.payout {
            expected["payout"] = json!(payout.to_string());
        }
        assert_eq!(told, expected, "nothing but that: no name, no amount");
        assert_eq!(salt.as_str().map(str::len), Some(43), "32 bytes");
        let _ = (lanes.insert(leaf.lane), salts.insert(salt.to_string()));
    }
    assert_eq!((lanes.len(), salts.len()), (1, written.len()));
    let _ = platform.sequence();
    let audit = audit_of(&platform, &[]);
    assert!(audit.holds(), "{:?}", audit.differences);
    assert_eq!(integrity(&platform), []);
}

#[test]
fn whoever_sees_a_paper_gets_its_receipt_and_nobody_else() {
    let (platform, _) = every_kind();
    let service = Service::over(platform);
    let (partner, finance) = (service.partner(), service.token(&[Role::Finance], None, None));
    let written = papers(&service.platform);
    let path = |n: usize| format!("/v1/tax-documents/{}/receipt", written[n].0.id);
    let early = service.get(&path(0), &finance);
    let _ = early.problem(409, "receipt_pending");
    assert_eq!(early.header("retry-after"), Some("1"));
    service.sequence();
    let trust = service.platform.trust();
    for (n, (record, ..)) in written.iter().enumerate() {
        let reply = service.get(&path(n), &partner);
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")), "{}", record.number);
        let receipt = Receipt::parse(&reply.body).expect("a receipt");
        assert_eq!((receipt.kind, receipt.id.clone()), (ReceiptKind::TaxDocument, record.id.to_string()));
        let findings = verify(&trust, &receipt);
        assert!(findings.holds(), "{:?}", findings.faults);
        // What anybody does who was given the paper: its text hashes to what was proved.
        let shown = service.get(&format!("/v1/tax-documents/{}", record.id), &partner).expect(200);
        let digest = Digest::of(shown["text"].as_str().expect("a text").as_bytes()).to_string();
        for said in [&digest, &record.number, &record.payee.to_string()] {
            assert!(findings.proved.iter().any(|line| line.contains(said.as_str())), "{said}: {:?}", findings.proved);
        }
        let by_kind = service.get(&format!("/v1/receipts/tax-documents/{}", record.id), &partner);
        assert_eq!(by_kind.body, reply.body);
        let authorization = format!("Bearer {partner}");
        let plain = [("authorization", authorization.as_str()), ("accept", "text/plain")];
        let proof = TlogProof::parse(&service.send("GET", &path(n), &plain, None).body).expect("a proof");
        assert!(verify_leaf(&trust, &proof, None, Some(receipt.items[0].envelope.as_bytes())).holds());
        let _ = service.get(&path(n), &service.stranger()).problem(404, "not_found");
    }
    let introducer = service.platform.introducer;
    let agent = service.token(&[Role::PartnerAgent], Some(introducer), None);
    let _ = service.get(&path(0), &agent).problem(403, "insufficient_scope");
    let _ = service.send("GET", &path(0), &[], None).problem(401, "unauthenticated");
    let listed = service.get("/v1/receipts/tax-documents?limit=200", &partner).expect(200);
    let ids: Vec<&Value> = listed["data"].as_array().expect("rows").iter().map(|row| &row["id"]).collect();
    let newest_first: Vec<Value> = written.iter().rev().map(|(record, ..)| json!(record.id.to_string())).collect();
    assert_eq!(ids, newest_first.iter().collect::<Vec<_>>());
    let none = service.get("/v1/receipts/tax-documents", &service.stranger()).expect(200);
    assert_eq!(none["data"], json!([]));
}

/// Takes away what a program of before did not write: the leaves after `kept` papers and what they commit to.
fn unlog(platform: &Platform, kept: i64) {
    assert_eq!(platform.number("select count(*) from chain_leaf where kind = 'tax_document'"), 0, "they wait still");
    let head = if kept == 0 { "null".to_owned() } else { kept.to_string() };
    let lane = if kept == 0 {
        format!("delete from chain_secret where {LANE}; delete from chain_lane where {LANE}")
    } else {
        format!(
            "update chain_lane l set next_n = {kept}, last_leaf_sha256 = (
               select sha256('\\x00'::bytea || leaf) from chain_pending p where p.lane = l.lane and p.n = {kept} - 1) where {LANE}"
        )
    };
    platform.tamper(&format!(
        "delete from tax_document_envelope e using tax_document d where d.id = e.document_id and d.seq > {kept};
         {lane}; delete from chain_pending where kind = 'tax_document' and n >= {kept}; update tax_head set logged_seq = {head}"
    ));
}

#[test]
fn a_paper_from_before_has_no_receipt_and_breaks_nothing() {
    let (platform, account) = every_kind();
    let before = papers(&platform);
    unlog(&platform, 0);
    let _ = platform.sequence();
    assert_eq!(integrity(&platform), []);
    // What is issued from now on is logged; what was before stays as it was.
    import(&platform, &[("C-3", "M002", "")]);
    let _ = paid(&platform, &people(), &account);
    let service = Service::over(platform);
    service.sequence();
    let (finance, platform) = (service.token(&[Role::Finance], None, None), &service.platform);
    let after = papers(platform);
    assert!(after.len() > before.len());
    for (n, (record, ..)) in after.iter().enumerate() {
        let reply = service.get(&format!("/v1/tax-documents/{}/receipt", record.id), &finance);
        if n < before.len() {
            let _ = reply.problem(409, "not_logged");
        } else {
            let receipt = Receipt::parse(&reply.body).expect("a receipt");
            assert!(verify(&platform.trust(), &receipt).holds());
        }
    }
    let listed = service.get("/v1/receipts/tax-documents?limit=200", &finance).expect(200);
    let withheld: Vec<&Value> = listed["data"].as_array().expect("rows").iter().map(|row| &row["withheld"]).collect();
    let expected: Vec<Value> =
        (0..after.len()).rev().map(|n| if n < before.len() { json!("not_logged") } else { Value::Null }).collect();
    assert_eq!(withheld, expected.iter().collect::<Vec<_>>());
    assert_eq!(integrity(platform), []);
    let audit = audit_of(platform, &[]);
    assert!(audit.holds(), "{:?}", audit.differences);
}

#[test]
fn what_a_program_of_before_issued_in_between_is_logged_by_whoever_issues_next() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    let _ = paid(&platform, &people, &account);
    let first = i64::try_from(papers(&platform).len()).expect("few");
    import(&platform, &[("C-2", "M016", "")]);
    let _ = paid(&platform, &people, &account);
    unlog(&platform, first);
    assert_eq!(integrity(&platform), [], "it waits for the next one");
    import(&platform, &[("C-3", "M016", "")]);
    let _ = paid(&platform, &people, &account);
    let written = papers(&platform);
    assert_eq!(platform.number("select logged_seq from tax_head"), i64::try_from(written.len()).expect("few"));
    for (n, (record, ..)) in (0..).zip(&written) {
        assert_eq!(logged(&platform, record.id.uuid()).0.lane_seq, n, "{}", record.number);
    }
    let _ = platform.sequence();
    assert_eq!(integrity(&platform), []);
    let audit = audit_of(&platform, &[]);
    assert!(audit.holds(), "{:?}", audit.differences);
}

#[test]
fn the_database_takes_no_statement_without_its_leaf_and_changes_none() {
    let (platform, _) = every_kind();
    let refused = |sql: &str| platform.refusal_of(sql).unwrap_or_else(|| panic!("it obeys: {sql}"));
    for change in ["update tax_document_envelope set envelope = ''", "delete from tax_document_envelope"] {
        assert!(refused(change).contains("permission denied"), "{change}");
    }
    unlog(&platform, 0);
    let first = papers(&platform)[0].0.id.uuid();
    let alone = format!("insert into tax_document_envelope values ('{first}', 'words')");
    assert!(refused(&alone).contains("have no pending leaf"));
}
