//! Two databases with one log key show different histories: the witness refuses the second, and evidence is there.

use api::witnessing::{Clearance, rounds};
use domain::chain::note::Note;
use harness::server::Service;
use serde_json::Value;

use crate::support::{EXAMPLE, Fake, MEMBERS, Witness, anybody, filled, key, service, settle};

const HEADER: &str = "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on";

/// Adds one deal of its own to a log and signs.
fn add(service: &Service, external_ref: &str) {
    let row = format!("{HEADER}\n{external_ref},M016,Ann,FIXED-3Y,2026-01-01,2026-01-10,2026-02-01,1000.00,0.00,\n");
    let _ = service.platform.import(row.as_bytes());
    service.sequence();
}

fn evidence(service: &Service) -> Vec<Value> {
    anybody(service, "/v1/chain/evidence").expect(200)["data"].as_array().expect("rows").clone()
}

fn refused(service: &Service, what: &str) {
    match service.app.witnessing.clearance() {
        Clearance::Refused(why) => assert!(why.contains(what) && why.contains("put the newest data back"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_second_history_of_one_log_is_refused_by_the_witness_and_told_to_everybody() {
    let witness = Witness::start("fork", 31);
    let known = [(witness.key.clone(), witness.url.clone())];
    let honest = service(&known, 1);
    filled(&honest);
    settle(&honest);
    let honest_size = honest.platform.number("select count(*) from chain_leaf");
    assert_eq!(evidence(&honest), Vec::<Value>::new());

    // Another database, the same key: first with fewer leaves, then with more.
    let forked = service(&known, 1);
    forked.platform.onboard(MEMBERS);
    add(&forked, "OTHER-1");
    settle(&forked);
    refused(&forked, "it is an older copy");
    let _ = forked.platform.import(EXAMPLE);
    forked.sequence();
    settle(&forked);
    refused(&forked, "the log was forked");
    let found = evidence(&forked);
    assert_eq!(found.iter().map(|one| &one["kind"]).collect::<Vec<_>>(), ["fork", "ahead"], "the newest first");
    assert_eq!((&found[0]["status"], &found[1]["status"]), (&Value::from(422), &Value::from(409)));
    assert_eq!(found[0]["old_size"], honest_size);
    assert_eq!(found[1]["response"], format!("{honest_size}\n"));
    for one in &found {
        assert_eq!(one["witness"], witness.key.to_string());
        let note = Note::parse(one["checkpoint"].as_str().expect("a note")).expect("a note");
        assert_eq!(note.verify(&crate::support::log_key()), Ok(()), "the log signed what it was refused for");
    }
    // The same refusal is kept once; nothing was published, and the figures raise the alarm.
    settle(&forked);
    assert_eq!(evidence(&forked).len(), 2);
    let _ = anybody(&forked, "/checkpoint").problem(404, "not_found");
    let figures = forked.app.witnessing.prometheus(2);
    for line in [
        "flip360_chain_evidence_total 2",
        "flip360_witness_failures_total{witness=\"witness.test/w31\",reason=\"fork\"} 2",
        "flip360_witness_failures_total{witness=\"witness.test/w31\",reason=\"ahead\"} 1",
    ] {
        assert!(figures.lines().any(|found| found == line), "{line}: {figures}");
    }
    // The honest log goes on.
    add(&honest, "MORE-1");
    settle(&honest);
    assert_eq!(honest.app.witnessing.clearance(), Clearance::Cleared);
    assert!(i64::try_from(honest.app.seen().size).expect("small") > honest_size);
}

#[test]
fn another_tree_of_the_same_size_is_a_fork_too() {
    let witness = Witness::start("same-size", 32);
    let known = [(witness.key.clone(), witness.url.clone())];
    for (external_ref, forks) in [("ONE-1", false), ("TWO-2", true)] {
        let service = service(&known, 1);
        service.platform.onboard(MEMBERS);
        add(&service, external_ref);
        settle(&service);
        let kinds: Vec<Value> = evidence(&service).iter().map(|one| one["kind"].clone()).collect();
        assert_eq!(kinds, if forks { vec![Value::from("fork")] } else { vec![] }, "{external_ref}");
    }
}

#[test]
fn a_witness_that_refuses_what_it_cosigned_itself_is_at_fault_and_stops_nobody() {
    let honest = Witness::start("fault", 33);
    let service = service(&[(honest.key.clone(), honest.url.clone())], 0);
    filled(&service);
    settle(&service);
    // The same witness, gone bad: it refuses whatever comes.
    let bad = Fake::answering(|_| (Some(422), "text/plain", "no".to_owned()));
    let known = [(honest.key.clone(), bad.url.clone())];
    let neighbour = service_on(&service, &known, 0);
    add(&service, "MORE-1");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(rounds::settle(&neighbour));
    assert_eq!(neighbour.witnessing.clearance(), Clearance::Cleared);
    let found = evidence(&service);
    assert_eq!(
        (found.len(), &found[0]["kind"], &found[0]["response"]),
        (1, &Value::from("refused"), &Value::from("no"))
    );
}

#[test]
fn a_tree_that_does_not_extend_what_the_database_knows_to_be_cosigned_is_not_signed() {
    let witness = Witness::start("guard", 36);
    let service = service(&[(witness.key.clone(), witness.url.clone())], 1);
    filled(&service);
    settle(&service);
    let notes = || service.platform.number("select count(*) from chain_checkpoint_note");
    let before = notes();
    // As if another history had been cosigned at that size: the high-water mark alone would not notice.
    service.platform.tamper("update chain_cosignature set root = sha256('another')");
    let row = format!("{HEADER}\nMORE-1,M016,Ann,FIXED-3Y,2026-01-01,2026-01-10,2026-02-01,1000.00,0.00,\n");
    let _ = service.platform.import(row.as_bytes());
    let refused = api::workers::catch_up(&service.app).expect_err("the guard refuses").to_string();
    assert!(refused.contains("does not extend") && refused.contains("witness.test/w36"), "{refused}");
    assert_eq!(notes(), before);
}

#[test]
fn a_witness_that_went_back_is_told_of_and_counts_no_more() {
    let witness = Witness::start("went-back", 37);
    let service = service(&[(witness.key.clone(), witness.url.clone())], 1);
    filled(&service);
    settle(&service);
    let published = || service.platform.number("select size from chain_published");
    let cosigned = published();
    let note = newest_note(&service);
    // Its memory is gone: the same key, and a directory that is empty.
    let forgetful = Witness::start("went-back-empty", 37);
    let neighbour = service_on(&service, &[(forgetful.key.clone(), forgetful.url.clone())], 1);
    add(&service, "MORE-1");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let ask = || {
        runtime.block_on(rounds::settle(&neighbour));
        (neighbour.witnessing.clearance(), published())
    };
    let alone = (Clearance::Waiting { heard: 0, quorum: 1 }, cosigned);
    assert_eq!(ask(), alone, "it is not brought up to what it has forgotten");
    let found = evidence(&service);
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0]["kind"], &found[0]["status"]), (&Value::from("behind"), &Value::from(409)));
    assert_eq!((&found[0]["old_size"], &found[0]["response"]), (&Value::from(cosigned), &Value::from("0\n")));
    assert_eq!(found[0]["witness"], witness.key.to_string());
    let figures = neighbour.witnessing.prometheus(1);
    for line in [
        "flip360_chain_evidence_total 1",
        "flip360_witness_failures_total{witness=\"witness.test/w37\",reason=\"behind\"} 1",
    ] {
        assert!(figures.lines().any(|found| found == line), "{line}: {figures}");
    }
    // Somebody shows it what it had cosigned, and it goes on: what it signed meanwhile, nobody knows.
    assert_eq!(forgetful.submit(&format!("old 0\n\n{note}")).0, 200);
    assert_eq!(ask(), alone, "its cosignature is kept and does not count");
    assert_eq!(service.platform.number("select count(*) from chain_cosignature"), 2);
    assert_eq!(evidence(&service).len(), 1);
    // Another key is another witness.
    let new = Witness::start("went-back-new", 38);
    let another = service_on(&service, &[(new.key.clone(), new.url.clone())], 1);
    runtime.block_on(rounds::settle(&another));
    assert_eq!(another.witnessing.clearance(), Clearance::Cleared);
    assert!(published() > cosigned);
}

fn newest_note(service: &Service) -> String {
    let find = |queries: &mut dyn domain::store::Queries| queries.witnesses().find_signed_note();
    let found = service.platform.store().read(&domain::access::Viewer::Everything, find);
    found.expect("a look").expect("a note").note
}

/// Another process of the same log, which asks these witnesses.
fn service_on(
    service: &Service,
    known: &[(domain::chain::cosignature::WitnessKey, String)],
    quorum: usize,
) -> actix_web::web::Data<api::app::App> {
    let app = service.neighbour();
    let mut app = std::sync::Arc::into_inner(app.into_inner()).expect("nobody else has it");
    app.witnessing = crate::support::witnessing(known, quorum);
    actix_web::web::Data::new(app)
}

#[test]
fn what_a_witness_answers_amiss_is_no_evidence_and_is_tried_again() {
    let cases: [(u16, &str, &str, &str); 6] = [
        (404, "text/plain", "", "log_unknown"),
        (403, "text/plain", "", "key_unknown"),
        (503, "text/plain", "", "witness_failed"),
        (302, "text/plain", "", "status_unexpected"),
        (409, "text/plain", "many\n", "size_unreadable"),
        (200, "text/plain", "thanks\n", "cosignature_unreadable"),
    ];
    for (status, kind, body, reason) in cases {
        let fake = Fake::answering(move |_| (Some(status), kind, body.to_owned()));
        let service = service(&[(key(34), fake.url.clone())], 0);
        service.sequence();
        settle(&service);
        settle(&service);
        assert_eq!(evidence(&service), Vec::<Value>::new());
        let line = format!("flip360_witness_failures_total{{witness=\"witness.test/w34\",reason=\"{reason}\"}} 2");
        let figures = service.app.witnessing.prometheus(0);
        assert!(figures.lines().any(|found| found == line), "{line}: {figures}");
        assert_eq!(fake.heard.lock().expect("no panic").len(), 2);
    }
    // One that names ever other sizes is not followed for ever.
    let fake = Fake::answering(|body| {
        let said = if body.starts_with("old 0\n") { "1\n" } else { "0\n" };
        (Some(409), "text/x.tlog.size", said.to_owned())
    });
    let service = service(&[(key(35), fake.url.clone())], 0);
    filled(&service);
    settle(&service);
    assert_eq!(fake.heard.lock().expect("no panic").len(), 3);
    assert!(service.app.witnessing.prometheus(0).contains("reason=\"conflicts_without_end\"} 1"));
}
