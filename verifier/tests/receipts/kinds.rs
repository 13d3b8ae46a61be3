//! Approvals and runs of the guarantees: what an honest receipt says, and what a dishonest platform is told.

use verifier::checkpoint::TreeHead;
use verifier::digest::Digest;
use verifier::encoding::b64url;
use verifier::jws;
use verifier::leaf::LeafKind;
use verifier::paper::LoggedPaper;
use verifier::receipt::{Receipt, ReceiptKind};
use verifier::report::{Counterexample, Guarantee, Report, TYP};
use verifier::signer::Signer;
use verifier::statement::{AgreementApproval, PayoutApproval, Statement, VersionName};
use verifier::verify::{Findings, verify};

use crate::made::{
    LOG, Log, MEMBER, PLATFORM, agreement_approval, id, key, one_of_each, paper, payout_approval, report,
    signed_report, trust, written,
};

/// Through the bytes, as a stranger gets it.
fn judged(receipt: &Receipt) -> Findings {
    let bytes = receipt.to_bytes().expect("bytes");
    verify(&trust(), &Receipt::parse(&bytes).expect("a receipt"))
}

fn codes(findings: &Findings) -> Vec<&'static str> {
    findings.faults.0.iter().map(|fault| fault.code).collect()
}

fn refused(receipt: &Receipt, code: &str) {
    let findings = judged(receipt);
    assert!(codes(&findings).contains(&code), "expected {code}, found {:?}", findings.faults);
    assert!(!findings.holds() && findings.proved.is_empty());
}

/// The receipt of one envelope that a platform has logged.
fn of(kind: ReceiptKind, leaf: LeafKind, id: &str, envelope: &str) -> Receipt {
    let mut log = Log::filled(9);
    let index = log.add([8; 32], leaf, envelope);
    log.add([9; 32], LeafKind::LedgerEntry, "later");
    log.receipt(kind, id, &[index], &[])
}

fn of_version(approval: &AgreementApproval, signer: u8) -> Receipt {
    let envelope = Statement::AgreementApproval(approval.clone()).sign(&key(signer)).expect("signed");
    let name = VersionName { agreement: agreement_approval().agreement, number: 2 }.to_string();
    of(ReceiptKind::AgreementApproval, LeafKind::AgreementApproval, &name, &envelope)
}

fn of_run(approval: &PayoutApproval) -> Receipt {
    let envelope = Statement::PayoutApproval(approval.clone()).sign(&key(PLATFORM)).expect("signed");
    of(ReceiptKind::PayoutApproval, LeafKind::PayoutApproval, &payout_approval().run.to_string(), &envelope)
}

fn of_report(envelope: &str) -> Receipt {
    of(ReceiptKind::GuaranteeRun, LeafKind::GuaranteeRun, &report().id.to_string(), envelope)
}

fn said(findings: &Findings, what: &str) {
    assert!(findings.proved.iter().any(|line| line.contains(what)), "{what}: {:?}", findings.proved);
}

fn not_said(findings: &Findings, what: &str) {
    assert!(findings.not_proved.iter().any(|line| line.contains(what)), "{what}: {:?}", findings.not_proved);
}

#[test]
fn one_of_each_kind_holds() {
    let receipts = one_of_each();
    assert_eq!(receipts.iter().map(|receipt| receipt.kind).collect::<Vec<_>>(), ReceiptKind::ALL);
    for receipt in &receipts {
        let findings = judged(receipt);
        assert_eq!(codes(&findings), Vec::<&str>::new(), "{}", receipt.id);
        assert!(findings.proved.len() >= 3 && findings.not_proved.len() >= 3, "{findings:?}");
        assert_eq!(ReceiptKind::parse(receipt.kind.as_str()), Some(receipt.kind));
        // Entries and papers are signed by nobody but the log.
        let keys = usize::from(!matches!(receipt.kind, ReceiptKind::LedgerEntry | ReceiptKind::TaxDocument));
        assert_eq!(findings.keys.len(), if receipt.kind == ReceiptKind::Handshake { 3 } else { keys });
        for other in ReceiptKind::ALL.into_iter().filter(|kind| *kind != receipt.kind) {
            assert!(!judged(&Receipt { kind: other, ..receipt.clone() }).holds(), "{} as {other:?}", receipt.id);
        }
    }
}

#[test]
fn an_approval_says_who_and_what_and_that_the_people_signed_nothing() {
    let version = judged(&of_version(&agreement_approval(), PLATFORM));
    for text in [&id(20).to_string(), &id(21).to_string(), "Version 2 of agreement_", "cliff"] {
        said(&version, text);
    }
    said(&version, &agreement_approval().content_sha256.to_string());
    for text in ["they signed nothing themselves", "What the content says", "superseded or retired"] {
        not_said(&version, text);
    }
    let run = judged(&of_run(&payout_approval()));
    said(&run, "14 payouts, 2535000 minor units of AUD");
    not_said(&run, "become void");
    let unnamed = judged(&of_run(&PayoutApproval { proposed_by: None, ..payout_approval() }));
    not_said(&unnamed, "Who proposed it");
    assert!(unnamed.holds() && !unnamed.proved.iter().any(|line| line.contains("proposed")));
    assert_eq!((version.keys, version.assurance), (vec![key(PLATFORM).kid()], None));
}

#[test]
fn a_dishonest_approval_is_refused() {
    type Change<T> = fn(&mut T);
    let versions: [(&str, Change<AgreementApproval>); 6] = [
        ("other_log", |a| a.log = "flip360.example/other".to_owned()),
        ("seen_from_the_future", |a| a.seen.size = 10),
        ("same_person", |a| a.proposed_by = Some(a.approved_by)),
        ("other_subject", |a| a.number = 3),
        ("other_subject", |a| a.agreement = verifier::ids::AgreementId::new(id(77))),
        ("statement_malformed", |a| a.v = 2),
    ];
    for (code, change) in versions {
        let mut approval = agreement_approval();
        change(&mut approval);
        refused(&of_version(&approval, PLATFORM), code);
    }
    for stranger in [MEMBER, LOG] {
        refused(
            &of_version(&AgreementApproval { kid: key(stranger).kid(), ..agreement_approval() }, stranger),
            "unknown_key",
        );
    }
    let runs: [(&str, Change<PayoutApproval>); 3] = [
        ("same_person", |a| a.proposed_by = Some(a.approved_by)),
        ("other_subject", |a| a.run = verifier::ids::PayoutRunId::new(id(77))),
        ("seen_from_the_future", |a| a.seen.size = u64::from(u32::MAX)),
    ];
    for (code, change) in runs {
        let mut approval = payout_approval();
        change(&mut approval);
        refused(&of_run(&approval), code);
    }
    // The last leaf that can have been seen is the one before its own.
    let mut newest = payout_approval();
    newest.seen = TreeHead { size: 9, root: Digest::of(b"whatever") };
    assert!(judged(&of_run(&newest)).holds());
    // An approval of one kind is none of another, however it is logged.
    let run = Statement::PayoutApproval(payout_approval()).sign(&key(PLATFORM)).expect("signed");
    let name = VersionName { agreement: agreement_approval().agreement, number: 2 }.to_string();
    refused(&of(ReceiptKind::AgreementApproval, LeafKind::AgreementApproval, &name, &run), "other_statement");
    refused(&of(ReceiptKind::AgreementApproval, LeafKind::PayoutApproval, &name, &run), "leaf_of_other_kind");
}

/// The same envelope with another's signature.
fn forged(envelope: &str) -> String {
    let (signed, _) = envelope.rsplit_once('.').expect("a signature");
    format!("{signed}.{}", b64url(&key(MEMBER).sign(signed.as_bytes()).expect("a signature")))
}

#[test]
fn a_forged_signature_and_another_shape_are_refused() {
    let version = Statement::AgreementApproval(agreement_approval()).sign(&key(PLATFORM)).expect("signed");
    let name = VersionName { agreement: agreement_approval().agreement, number: 2 }.to_string();
    let receipt = of(ReceiptKind::AgreementApproval, LeafKind::AgreementApproval, &name, &forged(&version));
    refused(&receipt, "signature_invalid");
    refused(&of_report(&forged(&signed_report(&report()))), "signature_invalid");
    for receipt in one_of_each().into_iter().filter(|receipt| receipt.kind != ReceiptKind::Handshake) {
        let twice = Receipt { items: [receipt.items.clone(), receipt.items.clone()].concat(), ..receipt.clone() };
        refused(&twice, "wrong_number_of_items");
        refused(&Receipt { items: Vec::new(), ..receipt.clone() }, "wrong_number_of_items");
        refused(&Receipt { keys: receipt.items.clone(), ..receipt.clone() }, "unexpected_members");
        refused(&Receipt { declaration: receipt.items.first().cloned(), ..receipt.clone() }, "unexpected_members");
    }
}

#[test]
fn a_run_of_the_guarantees_says_what_it_found() {
    let findings = judged(&of_report(&signed_report(&report())));
    said(&findings, "checkpoint of 3 leaves and over ledger entries up to 745");
    for guarantee in Guarantee::ALL {
        said(&findings, &format!("{} holds, over 745 entries, 4345 leaves", guarantee.as_str()));
    }
    not_said(&findings, "the platform looked at its own data");
    let mut broken = report();
    let found =
        Counterexample { code: "entry_gap".to_owned(), detail: "7 is missing".to_owned(), id: "entry 7".to_owned() };
    let result = &mut broken.guarantees[2];
    (result.holds, result.counterexample_count, result.counterexamples) = (false, 3, vec![found]);
    broken.holds = false;
    broken.checkpoint = None;
    let findings = judged(&of_report(&signed_report(&broken)));
    assert!(findings.holds(), "a broken promise is honestly told");
    said(
        &findings,
        "integrity is broken: 3 counterexamples over 745 entries, 4345 leaves, the first entry_gap at entry 7",
    );
    said(&findings, "before any checkpoint was signed");
}

#[test]
fn a_report_that_contradicts_itself_or_is_anothers_is_refused() {
    type Change = fn(&mut Report);
    let counterexample = || Counterexample { code: "c".to_owned(), detail: "d".to_owned(), id: "i".to_owned() };
    let mut with_example = report();
    with_example.guarantees[0].counterexamples.push(counterexample());
    refused(&of_report(&signed_report(&with_example)), "report_malformed");
    let changes: [(&str, Change); 12] = [
        ("report_malformed", |r| r.holds = false),
        ("report_malformed", |r| r.guarantees[1].holds = false),
        ("report_malformed", |r| r.guarantees[1].counterexample_count = 1),
        ("report_malformed", |r| {
            r.guarantees[0].holds = false;
            r.guarantees[0].counterexample_count = 1;
        }),
        ("report_malformed", |r| r.guarantees.clear()),
        ("report_malformed", |r| r.guarantees[1].guarantee = Guarantee::Attribution),
        ("report_malformed", |r| _ = r.guarantees[1].figures.insert("paid_minor".to_owned(), "012".to_owned())),
        ("report_malformed", |r| r.r#type = "guarantees".to_owned()),
        ("report_malformed", |r| r.v = 2),
        ("other_log", |r| r.log = "flip360.example/other".to_owned()),
        ("seen_from_the_future", |r| r.checkpoint = Some(TreeHead { size: 10, root: Digest([1; 32]) })),
        ("other_subject", |r| r.id = verifier::ids::GuaranteeRunId::new(id(77))),
    ];
    for (code, change) in changes {
        let mut changed = report();
        change(&mut changed);
        refused(&of_report(&signed_report(&changed)), code);
    }
    let named = Report { kid: key(MEMBER).kid(), ..report() };
    refused(&of_report(&signed_report(&named)), "other_key");
    refused(&of_report(&jws::sign(&named, TYP, &key(MEMBER)).expect("signed")), "unknown_key");
    refused(
        &of_report(&jws::sign(&report(), "flip360-approval+jws", &key(PLATFORM)).expect("signed")),
        "signature_invalid",
    );
    let mut unknown = serde_json::to_value(report()).expect("JSON");
    unknown["note"] = "all is well".into();
    refused(&of_report(&jws::sign(&unknown, TYP, &key(PLATFORM)).expect("signed")), "report_malformed");
    // A report of some of the promises reads: there may be more of them one day.
    let mut fewer = report();
    fewer.guarantees.truncate(2);
    assert!(judged(&of_report(&signed_report(&fewer))).holds());
}

fn of_paper(envelope: &str) -> Receipt {
    of(ReceiptKind::TaxDocument, LeafKind::TaxDocument, &paper().id.to_string(), envelope)
}

#[test]
fn a_paper_is_named_by_its_number_and_its_digest_and_nothing_else_of_it_is_told() {
    let findings = judged(&of_paper(&written(&paper())));
    said(&findings, "Tax paper RCTI-FY27-000003 (rcti, taxdoc_");
    said(&findings, &format!("issued for {} with {}, dated 2026-11-25", paper().payee, paper().payout.expect("one")));
    said(&findings, &format!("SHA-256 is {}, and no other", Digest::of(b"the text of the paper")));
    said(&findings, &format!("by its hash {}", Digest::of(b"the text of the paper before")));
    for text in ["What the paper says", "the paper is right", "no later adjustment note"] {
        not_said(&findings, text);
    }
    // One that no payout brought about names none.
    let due = judged(&of_paper(&written(&LoggedPaper { payout: None, ..paper() })));
    said(&due, &format!("issued for {}, dated", paper().payee));
}

#[test]
fn a_paper_that_is_anothers_or_spelled_otherwise_is_refused() {
    type Change = fn(&mut LoggedPaper);
    let changes: [(&str, Change); 5] = [
        ("other_log", |p| p.log = "flip360.example/other".to_owned()),
        ("paper_malformed", |p| p.v = 2),
        ("paper_malformed", |p| p.r#type = "tax_document".to_owned()),
        // The id of a paper is made of its digest: neither changes without the other.
        ("paper_malformed", |p| p.content_sha256 = Digest::of(b"another text")),
        ("paper_malformed", |p| p.id = verifier::ids::TaxDocumentId::new(id(77))),
    ];
    for (code, change) in changes {
        let mut changed = paper();
        change(&mut changed);
        refused(&of_paper(&written(&changed)), code);
    }
    let mut other = paper();
    other.content_sha256 = Digest::of(b"another text");
    other.id = verifier::paper::id_of(other.content_sha256);
    refused(&of_paper(&written(&other)), "other_subject");
    for envelope in
        [format!("{} ", written(&paper())), written(&paper()).replacen('{', "{\"a\":1,", 1), "{}".to_owned()]
    {
        refused(&of_paper(&envelope), "paper_malformed");
    }
    let id = paper().id.to_string();
    let entry = of(ReceiptKind::TaxDocument, LeafKind::LedgerEntry, &id, &written(&paper()));
    refused(&entry, "leaf_of_other_kind");
}

#[test]
fn the_name_of_a_version_is_spelled_in_one_way() {
    let name = VersionName { agreement: agreement_approval().agreement, number: 12 };
    let text = name.to_string();
    assert_eq!(VersionName::parse(&text), Some(name));
    let agreement = name.agreement.to_string();
    for wrong in ["-0", "-01", "-+1", "-", "", "-1-1", "-4294967296", "/1", "-1 "] {
        assert_eq!(VersionName::parse(&format!("{agreement}{wrong}")), None, "{wrong}");
    }
    assert_eq!(VersionName::parse("deal_01k0w4q7v8e2rtf3k2m9x5c6dz-1"), None);
}
