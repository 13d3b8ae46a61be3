//! Countersigning and sealing.

use domain::access::{Scope, Viewer};
use domain::chain::encoding::from_b64url;
use domain::chain::signer::Signer;
use domain::chain::statement::{Accept, Assurance, PartyId, Statement};
use domain::deals::advance::{AdvanceDeal, advance};
use domain::deals::countersign::{Countersign, CountersignRefusal};
use domain::deals::deal::Stage;
use domain::deals::refer::Referred;
use domain::deals::step::{Decision, Step};
use domain::env::Asked;
use domain::kernel::Digest;
use domain::kernel::fault::Reason;
use domain::kernel::ids::HandshakeId;
use harness::platform::MemorySigner;
use serde_json::{Value, json};

use crate::world::{World, partner};

fn bent(world: &World, made: &Referred, key: &MemorySigner, bend: impl FnOnce(&mut Accept)) -> &'static str {
    let mut accept = world.accept(made);
    accept.kid = key.kid();
    bend(&mut accept);
    let accept = Statement::Accept(accept).sign(key).expect("an envelope");
    world.countersign(&Countersign { handshake: made.handshake, accept }).expect_err("a refusal").code()
}

/// The payload of an envelope, read without the code under test.
fn payload(envelope: &str) -> Value {
    let middle = envelope.split('.').nth(1).expect("three parts");
    serde_json::from_slice(&from_b64url(middle).expect("base64url")).expect("JSON")
}

#[test]
fn an_accept_is_sealed_at_once_and_the_seal_says_everything() {
    let world = World::new();
    let made = world.refer(&world.signed("R-1")).expect("a referral");
    let command = world.accepted(&made);
    let sealed = world.countersign(&command).expect("a seal");
    let again = world.countersign(&command).expect("the same seal");
    assert!(sealed.new && !again.new);
    assert_eq!(sealed.seal_sha256, again.seal_sha256);
    let platform = &world.platform;
    let viewer = Viewer::Parties(vec![platform.introducer.uuid()]);
    let shown = platform.store().read(&viewer, |q| q.handshakes().find_handshake(made.handshake)).expect("a look");
    let shown = shown.expect("the introducer sees it");
    assert_eq!((shown.deal, shown.stage.as_str()), (made.deal, "accepted"));
    assert_eq!(shown.statements.iter().map(|s| s.kind.as_str()).collect::<Vec<_>>(), ["offer", "accept", "seal"]);
    let seal = payload(shown.statements[2].envelope.as_deref().expect("an envelope"));
    let version = domain::agreements::reference::v01().expect("the reference");
    let upline =
        platform.number("select count(*) from deal d join member m on m.id = d.upline_id and m.member_ref = 'A1'");
    assert_eq!(upline, 1);
    assert_eq!(seal["offer_sha256"], json!(made.offer_sha256.to_string()));
    assert_eq!(seal["accept_sha256"], json!(Digest::of(command.accept.as_bytes()).to_string()));
    assert_eq!(seal["agreement"]["content_sha256"], json!(version.content_hash().to_string()));
    assert_eq!(seal["agreement"]["version"], json!(1));
    assert_eq!(seal["assurance"], json!("self"));
    assert_eq!((&seal["consent"], &seal["disclosure"]), (&json!({"declared": true}), &json!({"declared": true})));
    assert_eq!(seal["participants"][0], json!({"member": world.member.to_string(), "role": "member"}));
    assert_eq!(seal["participants"][1]["role"], json!("upline_1"));
    assert_eq!(seal["party"], json!("platform"));
    let head = platform.sequence();
    assert_eq!(head.size, 6);
    let order = "select count(*) from chain_leaf o join chain_leaf a on a.lane = o.lane and a.n = 1 and a.kind = 'accept' join chain_leaf s on s.lane = o.lane and s.n = 2 and s.kind = 'seal' where o.kind = 'offer' and o.n = 0";
    assert_eq!(platform.number(order), 1);
    let foreign = Viewer::Parties(vec![uuid::Uuid::from_u128(9)]);
    let hidden = platform.store().read(&foreign, |q| q.handshakes().find_handshake(made.handshake)).expect("a look");
    assert_eq!(hidden, None);
}

#[test]
fn the_seal_is_as_weak_as_the_weaker_signature() {
    let world = World::new();
    let mut terms = world.terms("K-1");
    terms.member = world.keyless;
    let offer = domain::deals::referral::OfferBy::Custodian;
    let made = world
        .refer(&domain::deals::referral::Refer { client: crate::world::client(), terms, offer })
        .expect("a referral");
    let _ = world.countersign(&world.accepted(&made)).expect("a seal");
    let shown = world
        .platform
        .store()
        .read(&Viewer::Everything, |q| q.handshakes().find_handshake(made.handshake))
        .expect("a look")
        .expect("it is there");
    let said: Vec<Value> = shown
        .statements
        .iter()
        .map(|s| payload(s.envelope.as_deref().expect("an envelope"))["assurance"].clone())
        .collect();
    assert_eq!(said, ["custodial", "self", "custodial"]);
    assert_eq!(shown.assurance, "custodial");
}

#[test]
fn an_accept_that_is_not_exactly_right_is_refused_and_leaves_nothing() {
    let world = World::new();
    let made = world.refer(&world.signed("R-1")).expect("a referral");
    let other = world.refer(&world.signed("R-2")).expect("a referral");
    let before = world.rows();
    let own = &world.provider_key;
    assert_eq!(bent(&world, &made, own, |a| a.log = "another.example/log".to_owned()), "log_mismatch");
    assert_eq!(bent(&world, &made, own, |a| a.offer_sha256 = other.offer_sha256), "offer_mismatch");
    assert_eq!(bent(&world, &made, own, |a| a.handshake = other.handshake), "handshake_mismatch");
    assert_eq!(bent(&world, &made, own, |a| a.declaration = Some(Digest([1; 32]))), "statement_malformed");
    assert_eq!(bent(&world, &made, own, |a| a.assurance = Assurance::Attested), "assurance_mismatch");
    assert_eq!(bent(&world, &made, own, |a| a.seen.size = 1), "seen_in_the_future");
    let introducer = PartyId::organisation(world.platform.introducer);
    assert_eq!(bent(&world, &made, own, |a| a.party = introducer), "party_mismatch");
    assert_eq!(bent(&world, &made, &world.introducer_key, |_| ()), "unknown_key");
    assert_eq!(bent(&world, &made, &world.member_key, |_| ()), "unknown_key");
    assert_eq!(bent(&world, &made, &MemorySigner::new(77), |_| ()), "unknown_key");
    // The accept of another handshake, replayed; an offer where an accept belongs.
    let replayed = Countersign { handshake: made.handshake, accept: world.accepted(&other).accept };
    assert_eq!(world.countersign(&replayed).expect_err("a refusal").code(), "handshake_mismatch");
    let domain::deals::referral::OfferBy::Referrer(offer) = world.signed("R-3").offer else { panic!("an offer") };
    let offer = Countersign { handshake: made.handshake, accept: offer };
    assert_eq!(world.countersign(&offer).expect_err("a refusal").code(), "statement_type_mismatch");
    let accept = world.accepted(&made).accept;
    let altered: Vec<Countersign> = (0..accept.len())
        .map(|at| {
            let mut bytes = accept.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            Countersign { handshake: made.handshake, accept: String::from_utf8(bytes).expect("ASCII") }
        })
        .collect();
    for outcome in world.countersign_as(&partner(world.platform.provider), &altered).expect("a batch") {
        assert!(matches!(outcome, Err(CountersignRefusal::Accept(_))), "{outcome:?}");
    }
    assert_eq!(world.rows(), before);
}

#[test]
fn only_the_provider_accepts() {
    let world = World::new();
    let made = world.refer(&world.signed("R-1")).expect("a referral");
    let command = world.accepted(&made);
    let by = |actor| world.countersign_as(&actor, std::slice::from_ref(&command)).map(|mut o| o.remove(0));
    let before = world.rows();
    assert_eq!(by(partner(world.platform.introducer)), Ok(Err(CountersignRefusal::NotCounterparty)));
    let stranger = domain::kernel::ids::OrganisationId::new(uuid::Uuid::from_u128(9));
    assert_eq!(by(partner(stranger)), Ok(Err(CountersignRefusal::UnknownHandshake)));
    let mut powerless = partner(world.platform.provider);
    powerless.scopes.remove(&Scope::ChainWrite);
    assert!(matches!(by(powerless), Ok(Err(CountersignRefusal::Scope(_)))));
    let nowhere = Countersign { handshake: HandshakeId::new(uuid::Uuid::from_u128(9)), ..command.clone() };
    assert_eq!(world.countersign(&nowhere), Err(CountersignRefusal::UnknownHandshake));
    assert_eq!(world.rows(), before);
}

#[test]
fn what_has_ended_or_is_sealed_is_not_accepted_again() {
    let world = World::new();
    let declined = world.refer(&world.signed("R-1")).expect("a referral");
    decided(&world, &declined, Stage::Declined);
    let refused = world.countersign(&world.accepted(&declined)).expect_err("a refusal");
    assert_eq!(refused, CountersignRefusal::NotOpen("declined"));
    let made = world.refer(&world.signed("R-2")).expect("a referral");
    let (first, second) = (world.accepted(&made), world.accepted(&made));
    let outcomes = world.countersign_as(&partner(world.platform.provider), &[first.clone(), second.clone(), first]);
    let outcomes = outcomes.expect("a batch");
    assert!(outcomes[0].as_ref().is_ok_and(|o| o.new) && outcomes[2].as_ref().is_ok_and(|o| !o.new));
    assert_eq!(outcomes[1], Err(CountersignRefusal::AlreadyCountersigned));
    assert_eq!(world.countersign(&second), Err(CountersignRefusal::AlreadyCountersigned));
}

#[test]
fn many_accepts_at_once_make_one_seal() {
    let world = World::new();
    let made = world.refer(&world.signed("R-1")).expect("a referral");
    let same = world.accepted(&made);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let world = &world;
        let runs: Vec<_> = (0..4)
            .map(|n| {
                let command = if n == 3 { world.accepted(&made) } else { same.clone() };
                scope.spawn(move || world.countersign(&command))
            })
            .collect();
        runs.into_iter().map(|run| run.join().expect("no panic")).collect()
    });
    assert_eq!(outcomes.iter().filter(|o| o.as_ref().is_ok_and(|made| made.new)).count(), 1);
    for outcome in &outcomes {
        assert!(outcome.is_ok() || *outcome == Err(CountersignRefusal::AlreadyCountersigned), "{outcome:?}");
    }
    assert_eq!(world.platform.number("select count(*) from handshake_statement"), 3);
    assert_eq!(world.platform.number("select count(*) from deal_transition"), 2);
}

#[test]
fn the_upline_is_the_one_at_sealing() {
    use diesel::connection::SimpleConnection;
    let world = World::new();
    let made = world.refer(&world.signed("R-1")).expect("a referral");
    let mut owner = world.platform.owner();
    let moved = "update member set upline_id = null where member_ref = 'A2';
        insert into member_upline (member_id, effective_on, upline_id, recorded_at)
        select id, '2026-11-23', null, '2026-11-23T12:00:01Z' from member where member_ref = 'A2'";
    owner.batch_execute(moved).expect("a new upline");
    let _ = world.countersign(&world.accepted(&made)).expect("a seal");
    assert_eq!(world.platform.number("select count(*) from deal where upline_id is null"), 1);
}

#[test]
fn a_sealed_deal_settles_under_its_version_and_an_open_one_does_not_settle() {
    let world = World::new();
    let sealed = world.refer(&world.signed("R-1")).expect("a referral");
    let _ = world.refer(&world.signed("R-2")).expect("a referral");
    let _ = world.countersign(&world.accepted(&sealed)).expect("a seal");
    let header = "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on";
    let row = |reference: &str| format!("{reference},A2,Zoe,FIXED-3Y,2026-11-20,2026-11-21,2026-11-22,100000.00,0.00,");
    let report = world.platform.import(format!("{header}\n{}\n{}\n", row("R-1"), row("R-2")).as_bytes());
    assert_eq!((report.corrected, report.refused.len()), (1, 1));
    assert_eq!(world.platform.number("select count(*) from deal where stage = 'settled' and external_ref = 'R-1'"), 1);
    assert_eq!(world.platform.number("select count(*) from ledger_entry where kind = 'accrual'"), 1);
}

#[test]
fn every_party_gets_a_receipt_that_a_stranger_verifies() {
    use domain::chain::note::VerifierKey;
    use domain::chain::receipts::{self, Wanted};
    use domain::chain::trust::Trust;
    use domain::chain::verify::verify;
    let world = World::new();
    let own = world.refer(&world.signed("R-1")).expect("a referral");
    let mut terms = world.terms("K-1");
    terms.member = world.keyless;
    let offer = domain::deals::referral::OfferBy::Custodian;
    let kept = domain::deals::referral::Refer { client: crate::world::client(), terms, offer };
    let kept = world.refer(&kept).expect("a referral");
    for made in [&own, &kept] {
        let _ = world.countersign(&world.accepted(made)).expect("a seal");
    }
    let _ = world.platform.sequence();
    let log = VerifierKey::try_new(harness::platform::ORIGIN, world.platform.log_signer.public_key()).expect("a name");
    let trust = Trust::new(log, vec![world.platform.signer.public_key()]);
    let wanted = [Wanted::Handshake(own.handshake), Wanted::Handshake(kept.handshake)];
    for organisation in [world.platform.introducer, world.platform.provider] {
        let found = receipts::find(world.platform.store(), &partner(organisation), &wanted).expect("receipts");
        let findings: Vec<_> = found.into_iter().map(|r| verify(&trust, &r.expect("a receipt"))).collect();
        for (findings, expected) in findings.iter().zip([Assurance::Own, Assurance::Custodial]) {
            assert!(findings.holds(), "{:?}", findings.faults);
            assert_eq!(findings.assurance, Some(expected));
        }
    }
    let stranger = domain::kernel::ids::OrganisationId::new(uuid::Uuid::from_u128(9));
    let found = receipts::find(world.platform.store(), &partner(stranger), &wanted).expect("receipts");
    assert!(found.iter().all(Result::is_err));
}

/// The provider decides, without a signature.
fn decided(world: &World, made: &Referred, to: Stage) {
    let decision = Decision { to, on: None, reason: None };
    stepped(world, made, Step::Decision(decision));
}

fn stepped(world: &World, made: &Referred, step: Step) {
    let actor = partner(world.platform.provider);
    let env = world.env(&actor);
    let command = AdvanceDeal { deal: made.deal, step };
    let asked = [Asked { actor: &actor, command: &command }];
    let outcomes = world.platform.store().transaction(|uow| advance(uow, &env, &asked));
    let _ = outcomes.expect("a batch").remove(0).expect("a step");
}

#[test]
fn a_seal_that_comes_late_moves_nothing_back() {
    let world = World::new();
    let made = world.refer(&world.signed("R-1")).expect("a referral");
    stepped(&world, &made, Step::Contract { on: "2026-11-22".parse().expect("a date") });
    let command = world.accepted(&made);
    let sealed = world.countersign(&command).expect("a seal");
    assert!(sealed.new && !world.countersign(&command).expect("the same").new);
    let stands = "select count(*) from deal where stage = 'contracted' and agreement_id is not null";
    assert_eq!(world.platform.number(stands), 1);
}
