//! A run is signed, logged, kept for good, and read by those who may.

use domain::access::{Actor, MissingScope, Role, Scope};
use domain::chain::jws::Jws;
use domain::chain::leaf::{Leaf, LeafKind, commitment};
use domain::chain::signer::Signer;
use domain::env::Env;
use domain::guarantees::Report;
use domain::guarantees::run::{self, GuaranteeError, TYP, report_of};
use domain::kernel::ids::GuaranteeRunId;
use domain::kernel::jcs;
use domain::kernel::page::PageRequest;
use harness::platform::Platform;
use uuid::Uuid;

use crate::{paid, payouts};

fn taken(platform: &Platform) -> Report {
    run::run(platform.store(), &platform.env(), &platform.trust(), &mut |_| ()).expect("a run")
}

#[test]
fn a_run_is_signed_logged_and_kept() {
    let platform = paid();
    let report = taken(&platform);
    assert!(report.holds);
    let kept = run::find(platform.store(), &platform.actor, report.id).expect("the run");
    assert_eq!(report_of(&kept), Ok(report.clone()));
    assert_eq!(Some(kept.checkpoint_size), report.checkpoint.map(|head| head.size));
    let envelope = String::from_utf8(kept.envelope.clone()).expect("ASCII");
    let jws = Jws::parse(&envelope).expect("a JWS");
    assert_eq!(jws.verify(&platform.signer.public_key(), TYP), Ok(()));
    assert_eq!(jws.payload(), jcs::to_bytes(&report).expect("bytes"));
    // Runs follow each other on one lane.
    let second = taken(&platform);
    let _ = platform.sequence();
    let mut leaves = Vec::new();
    for id in [report.id, second.id] {
        let found =
            platform.store().read(&platform.actor.viewer(), |q| q.chain().find_leaves(&[id.uuid()])).expect("a look");
        leaves.push(Leaf::parse(&found[0].leaf).expect("a leaf"));
    }
    assert_eq!((leaves[0].kind, leaves[0].commitment), (LeafKind::GuaranteeRun, commitment(&kept.envelope)));
    assert_eq!((leaves[1].lane, leaves[1].previous), (leaves[0].lane, leaves[0].hash()));
    // A broken promise is kept too.
    platform.tamper("update ledger_balance set balance_minor = balance_minor + 1");
    let broken = taken(&platform);
    assert!(!broken.holds && !run::find(platform.store(), &platform.actor, broken.id).expect("the run").holds);
    let refusal = platform.refusal_of("update guarantee_run set holds = true");
    assert!(refusal.is_some_and(|r| r.contains("permission denied")));
}

#[test]
fn only_who_may_runs_and_reads() {
    let platform = paid();
    let with = |role: Role| payouts::person(5, role);
    let run = |actor: &Actor| {
        let env = Env { actor, ..platform.env() };
        run::run(platform.store(), &env, &platform.trust(), &mut |_| ()).map(|report| report.id)
    };
    let missing = |scope| Err(GuaranteeError::Scope(MissingScope(scope)));
    assert_eq!(run(&with(Role::Investor)), missing(Scope::GuaranteesRun));
    assert_eq!(run(&with(Role::PartnerAdmin)), missing(Scope::GuaranteesRun));
    assert_eq!(run(&with(Role::Auditor)), missing(Scope::GuaranteesRun), "an auditor writes nothing");
    let id = run(&with(Role::OperatorAdmin)).expect("the operator runs them");
    let read = |actor: &Actor, id| run::find(platform.store(), actor, id).map(|kept| kept.id);
    assert_eq!(read(&with(Role::Investor), id), Ok(id));
    let unknown = GuaranteeRunId::new(Uuid::from_u128(1));
    assert_eq!(read(&with(Role::Investor), unknown), Err(GuaranteeError::NotFound));
    let mut nobody = with(Role::Investor);
    nobody.scopes.clear();
    assert_eq!(read(&nobody, id), Err(GuaranteeError::Scope(MissingScope(Scope::GuaranteesRead))));
}

#[test]
fn pages_go_from_the_newest_to_the_oldest_without_a_gap() {
    let platform = paid();
    let mut ids: Vec<GuaranteeRunId> = (0..5).map(|_| taken(&platform).id).collect();
    ids.reverse();
    let mut page = PageRequest::of(2);
    let mut seen = Vec::new();
    loop {
        let found = run::list(platform.store(), &platform.actor, &page).expect("a page");
        seen.extend(found.data.iter().map(|kept| kept.id));
        match found.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    assert_eq!(seen, ids);
}
