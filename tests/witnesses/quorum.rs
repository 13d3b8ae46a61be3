//! With a quorum, what is shown waits for it: checkpoint, proofs, receipts; and a receipt says who cosigned.

use std::sync::mpsc;

use api::workers::{Shifts, Workers};
use domain::chain::cosignature::WitnessKey;
use domain::chain::note::Note;
use domain::chain::receipt::Receipt;
use domain::chain::trust::Trust;
use domain::chain::verify::verify;
use domain::kernel::ids::EntryId;

use crate::support::{Fake, Witness, anybody, filled, free_address, key, service, settle};

/// The names in the lines of a note.
fn signers(note: &[u8]) -> Vec<String> {
    let note = Note::parse(std::str::from_utf8(note).expect("a text")).expect("a note");
    note.signatures().iter().map(|line| line.name.clone()).collect()
}

#[test]
fn what_is_shown_waits_for_the_quorum_and_receipts_say_who_cosigned() {
    let late = free_address();
    let first = Witness::start("quorum", 21);
    let known = [(first.key.clone(), first.url.clone()), (key(22), format!("http://{late}"))];
    let service = service(&known, 2);
    filled(&service);
    settle(&service);
    let entry = EntryId::new(service.platform.ids_of("select id from ledger_entry limit 1")[0]);
    let (path, partner) = (format!("/v1/ledger/entries/{entry}/receipt"), service.partner());
    let early = service.get(&path, &partner);
    let _ = early.problem(409, "receipt_pending_witness");
    assert_eq!(early.header("retry-after"), Some("5"));
    let listed = service.get("/v1/receipts/entries?limit=1", &partner).expect(200);
    assert_eq!(listed["data"][0]["withheld"], "receipt_pending_witness");
    let _ = anybody(&service, "/checkpoint").problem(404, "not_found");
    let _ = anybody(&service, "/tile/0/000.p/1").problem(404, "not_found");
    let _ = anybody(&service, "/v1/chain/proofs/inclusion?index=0").problem(400, "out_of_range");
    assert_eq!(service.app.seen().size, 0, "no statement says to have seen what is not published");

    let second = Witness::at("quorum", 22, late);
    settle(&service);
    let size = service.platform.number("select count(*) from chain_leaf");
    let checkpoint = anybody(&service, "/checkpoint");
    assert_eq!(signers(&checkpoint.body), ["flip360.test/log", "witness.test/w21", "witness.test/w22"]);
    assert_eq!(i64::try_from(service.app.seen().size), Ok(size));
    let _ = anybody(&service, &format!("/v1/chain/proofs/inclusion?index={}", size - 1)).expect(200);

    let keys = anybody(&service, "/v1/chain/keys");
    let trust = Trust::parse(&keys.body).expect("a trust file");
    assert_eq!(
        (trust.policy().witnesses(), trust.policy().quorum()),
        (&[first.key.clone(), second.key.clone()][..], 2)
    );
    let receipt = Receipt::parse(&service.get(&path, &partner).body).expect("a receipt");
    let findings = verify(&trust, &receipt);
    assert!(findings.holds(), "{:?}", findings.faults);
    assert_eq!(findings.witnesses, ["witness.test/w21", "witness.test/w22"]);
    assert!(findings.proved.iter().any(|said| said.starts_with("2 of 2 trusted witnesses cosigned")));
    assert!(!findings.not_proved.iter().any(|said| said.contains("no witness has cosigned")));
    // Whoever trusts no witness reads the same receipt; whoever wants another one does not take it.
    assert!(verify(&service.platform.trust(), &receipt).holds());
    let stripped =
        Receipt { checkpoint: receipt.checkpoint.lines().take(6).collect::<Vec<_>>().join("\n") + "\n", ..receipt };
    let codes: Vec<&str> = verify(&trust, &stripped).faults.0.iter().map(|fault| fault.code).collect();
    assert_eq!(codes, ["quorum_not_met"]);
}

#[test]
fn without_a_quorum_nothing_waits_and_cosignatures_are_joined_as_they_come() {
    let witness = Witness::start("none", 23);
    let service = service(&[(witness.key.clone(), witness.url.clone())], 0);
    filled(&service);
    assert_eq!(signers(&anybody(&service, "/checkpoint").body), ["flip360.test/log"]);
    settle(&service);
    assert_eq!(signers(&anybody(&service, "/checkpoint").body), ["flip360.test/log", "witness.test/w23"]);
    // Asked again for the same checkpoint it says the same; a new time is no second line.
    settle(&service);
    assert_eq!(signers(&anybody(&service, "/checkpoint").body), ["flip360.test/log", "witness.test/w23"]);
    assert_eq!(service.platform.number("select count(*) from chain_cosignature"), 1);
}

/// The size in the checkpoint that everybody is shown; none while there is none.
fn shown(service: &harness::server::Service) -> Option<u64> {
    let reply = anybody(service, "/checkpoint");
    let text = String::from_utf8(reply.body).expect("a text");
    (reply.status == 200).then(|| text.lines().nth(1).expect("a size").parse().expect("a number"))
}

#[test]
fn a_witness_that_hangs_holds_nobody_up_and_none_is_asked_by_who_does_not_sign() {
    let (came, asked) = mpsc::channel();
    let hanging = Fake::answering(move |_| {
        let _ = came.send(());
        (None, "", String::new())
    });
    let witness = Witness::start("hangs", 24);
    let known: [(WitnessKey, String); 2] = [(key(25), hanging.url.clone()), (witness.key.clone(), witness.url.clone())];
    let service = service(&known, 1);
    service.platform.onboard(crate::support::MEMBERS);
    let idle = Workers::start(&service.app, &Shifts::service()).expect("threads");
    idle.stop();
    assert!(hanging.heard.lock().expect("no panic").is_empty());

    let workers = Workers::start(&service.app, &Shifts::alone()).expect("threads");
    // It was asked before anything was signed, and has not answered since.
    asked.recv().expect("it is asked");
    let _ = service.platform.import(crate::support::EXAMPLE);
    let leaves = || service.platform.number("select count(*) from chain_leaf");
    service.app.wrote();
    while leaves() == 0 || shown(&service) != u64::try_from(leaves()).ok() {
        std::thread::yield_now();
    }
    workers.stop();
    let note = anybody(&service, "/checkpoint").body;
    assert_eq!(signers(&note), ["flip360.test/log", "witness.test/w24"]);
}

#[test]
fn what_is_known_of_the_log_only_rises_and_clears_no_fault() {
    use domain::chain::checkpoint::TreeHead;
    use domain::kernel::Digest;
    let service = service(&[], 0);
    filled(&service);
    let app = &service.app;
    let known = app.seen();
    assert!(known.size > 1);
    // Two threads learn heads: the older of them comes late.
    app.publish(TreeHead { size: known.size - 1, root: Digest([1; 32]) });
    assert_eq!(app.seen(), known);
    let newer = TreeHead { size: known.size + 5, root: Digest([2; 32]) };
    app.publish(newer);
    app.learn_head().expect("a look");
    assert_eq!(app.seen(), newer, "the database tells of an older one");
    // A round in which the guard has refused stays one, whatever becomes known in it.
    app.log_failed("another history".to_owned());
    app.publish(TreeHead { size: newer.size + 1, root: Digest([3; 32]) });
    app.learn_head().expect("a look");
    assert!(app.log_is_signed().is_err());
    app.log_is_whole();
    assert!(app.log_is_signed().is_ok());
}
