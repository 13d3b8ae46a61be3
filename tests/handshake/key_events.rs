//! Rotation and revocation of signing keys: who may, what is refused, and what receipts say of it afterwards.

use domain::access::{Actor, Role, Scope, Viewer};
use domain::chain::receipt::Receipt;
use domain::chain::receipts::{self, Wanted};
use domain::chain::registry::{EndedBy, MOST_ROTATIONS, SeenKey};
use domain::chain::revocation::{RevokeKeyError, RevokedBy};
use domain::chain::rotation::RotateKeyError;
use domain::chain::signer::Signer;
use domain::chain::statement::{Assurance, KeyRevocation, KeyRotation, PartyId, RevocationReason, Statement};
use domain::chain::verify::{Findings, verify};
use domain::deals::refer::Referred;
use domain::kernel::fault::Reason;
use domain::kernel::ids::{HandshakeId, OrganisationId};
use harness::platform::MemorySigner;

use crate::world::{World, partner};

/// The key that [`World::registration`] promises as the next one.
const PROMISED: u8 = 99;

fn member(world: &World) -> PartyId {
    PartyId::member(world.member)
}

fn signed(rotation: KeyRotation, key: &MemorySigner) -> String {
    Statement::KeyRotation(Box::new(rotation)).sign(key).expect("an envelope")
}

fn revoked(revocation: KeyRevocation, key: &MemorySigner) -> RevokedBy {
    RevokedBy::Party(Statement::KeyRevocation(revocation).sign(key).expect("an envelope"))
}

fn seen(world: &World, key: &MemorySigner, viewer: &Viewer) -> SeenKey {
    let id = world.key_id(key);
    let found = world.platform.store().read(viewer, |q| q.keys().find_key(id)).expect("a look");
    found.expect("it is seen")
}

fn receipt(world: &World, actor: &Actor, handshake: HandshakeId) -> Receipt {
    let mut found = receipts::find(world.platform.store(), actor, &[Wanted::Handshake(handshake)]).expect("an answer");
    found.remove(0).expect("a receipt")
}

fn judged(world: &World, actor: &Actor, made: &Referred) -> Findings {
    let bytes = receipt(world, actor, made.handshake).to_bytes().expect("bytes");
    verify(&world.platform.trust(), &Receipt::parse(&bytes).expect("a receipt"))
}

fn says(lines: &[String], text: &str) -> bool {
    lines.iter().any(|line| line.contains(text))
}

#[test]
fn a_key_gives_way_to_the_promised_one_and_receipts_show_the_way_back() {
    let world = World::new();
    let introduces = partner(world.platform.introducer);
    let before = world.refer(&world.signed("R-1")).expect("a referral");
    let next = MemorySigner::new(PROMISED);
    let rotation = signed(world.rotation(member(&world), (&world.member_key, &next), Some(98)), &world.member_key);
    let old = world.key_id(&world.member_key);
    let rotated = world.rotate(&introduces, old, &rotation).expect("a rotation");
    assert!(rotated.new);
    assert_eq!((rotated.key.replaces, rotated.key.rotations, rotated.key.is_active()), (Some(old), 1, true));
    let again = world.rotate(&introduces, old, &rotation).expect("the same");
    assert!(!again.new && again.key == rotated.key);
    let other = signed(world.rotation(member(&world), (&world.member_key, &next), None), &world.member_key);
    assert_eq!(world.rotate(&introduces, old, &other), Err(RotateKeyError::Ended("rotated")));
    let too_late = world.refer(&world.signed("R-2")).expect_err("a refusal");
    assert_eq!(too_late.code(), "key_ended");
    // What was taken before stays taken: the same offer again is the same referral.
    let after = world.refer(&world.signed_with(&next, "R-3")).expect("a referral");
    for made in [&before, &after] {
        let _ = world.countersign(&world.accepted(made)).expect("a seal");
    }
    let _ = world.platform.sequence();
    assert_eq!(world.platform.number("select count(*) from chain_leaf where kind = 'key_rotation'"), 1);
    let (old_kid, new_kid) = (world.member_key.kid(), next.kid());
    let shown = seen(&world, &world.member_key, &Viewer::Everything);
    let rotation_index = shown.end_index.expect("an index");
    assert_eq!(shown.key.end.as_ref().map(|end| end.by), Some(EndedBy::Rotation(rotated.key.id)));
    assert_eq!(seen(&world, &next, &Viewer::Everything).index, Some(rotation_index));
    for organisation in [world.platform.introducer, world.platform.provider] {
        let actor = partner(organisation);
        let earlier = judged(&world, &actor, &before);
        assert!(earlier.holds(), "{:?}", earlier.faults);
        assert!(says(
            &earlier.proved,
            &format!("Key {old_kid} gave way to {new_kid} at leaf {rotation_index}, after this")
        ));
        let later = judged(&world, &actor, &after);
        assert!(later.holds(), "{:?}", later.faults);
        assert!(says(
            &later.proved,
            &format!("Key {new_kid} follows {old_kid}, which gave way to it at leaf {rotation_index}")
        ));
        assert!(later.keys.contains(&new_kid) && !later.keys.contains(&old_kid));
        assert!(says(&later.not_proved, "left out"));
    }
    // Without the rotation, or without the registration before it, the new key is nobody's.
    let whole = receipt(&world, &introduces, after.handshake);
    for left_out in 0..whole.keys.len() {
        let mut cut = whole.clone();
        cut.keys.remove(left_out);
        assert!(!verify(&world.platform.trust(), &cut).holds(), "without {left_out}");
    }
}

#[test]
fn a_rotation_that_is_not_exactly_right_is_refused_and_leaves_nothing() {
    let world = World::new();
    let introduces = partner(world.platform.introducer);
    let (old, next, other) = (&world.member_key, MemorySigner::new(PROMISED), MemorySigner::new(31));
    let id = world.key_id(old);
    let bent = |key: &MemorySigner, to: &MemorySigner, bend: &dyn Fn(&mut KeyRotation)| {
        let mut rotation = world.rotation(member(&world), (key, to), None);
        bend(&mut rotation);
        let outcome = world.rotate(&introduces, id, &signed(rotation, key));
        match outcome.expect_err("a refusal") {
            RotateKeyError::Statement(refusal) => refusal.code().to_owned(),
            error => format!("{error:?}"),
        }
    };
    let before = (world.rows(), world.platform.number("select count(*) from signing_key"));
    assert_eq!(bent(old, &other, &|_| ()), "key_not_promised");
    assert_eq!(
        bent(old, &next, &|r| r.proof = world.rotation(member(&world), (old, &next), None).proof),
        "possession_not_proved"
    );
    assert_eq!(bent(old, &next, &|r| r.next = Some(other.public_key().digest())), "possession_not_proved");
    assert_eq!(bent(old, &next, &|r| r.jwk = other.public_key().jwk()), "possession_not_proved");
    assert_eq!(bent(old, &next, &|r| r.proof = "a.b.c".to_owned()), "possession_not_proved");
    assert_eq!(bent(old, &next, &|r| r.log = "another.example/log".to_owned()), "log_mismatch");
    assert_eq!(bent(old, &next, &|r| r.seen.size = 9), "seen_in_the_future");
    assert_eq!(bent(old, &next, &|r| r.assurance = Assurance::Custodial), "assurance_mismatch");
    let introducer = PartyId::organisation(world.platform.introducer);
    assert_eq!(bent(old, &next, &|r| r.party = introducer.clone()), "party_mismatch");
    // Another key of the house signs for itself only.
    assert_eq!(bent(&world.introducer_key, &next, &|_| ()), "unknown_key");
    assert_eq!(bent(&other, &next, &|_| ()), "unknown_key");
    let promises_itself = |r: &mut KeyRotation| {
        r.next = Some(next.public_key().digest());
        r.prove(&next).expect("a proof");
    };
    assert_eq!(bent(old, &next, &promises_itself), "statement_malformed");
    let rotation = signed(world.rotation(member(&world), (old, &next), None), old);
    assert_eq!(world.rotate(&partner(world.platform.provider), id, &rotation), Err(RotateKeyError::UnknownKey));
    let mut powerless = introduces.clone();
    powerless.scopes.remove(&Scope::ChainWrite);
    assert!(matches!(world.rotate(&powerless, id, &rotation), Err(RotateKeyError::Scope(_))));
    assert_eq!((world.rows(), world.platform.number("select count(*) from signing_key")), before);
    // The promised key was registered by itself meanwhile: nothing gives way to it.
    let Statement::KeyRegistration(mut taken) = world.registration(member(&world), &next) else {
        panic!("a registration")
    };
    taken.next = None;
    let taken = Statement::KeyRegistration(taken).sign(&next).expect("an envelope");
    assert!(world.registered(&world.itself(), &taken).expect("a registration").new);
    assert_eq!(world.rotate(&introduces, id, &rotation), Err(RotateKeyError::KeyTaken));
}

#[test]
fn a_revoked_key_signs_nothing_and_what_it_signed_before_stays_good() {
    let world = World::new();
    let (introduces, provides) = (partner(world.platform.introducer), partner(world.platform.provider));
    let before = world.refer(&world.signed("R-1")).expect("a referral");
    let waits = world.refer(&world.signed("R-2")).expect("a referral");
    let _ = world.countersign(&world.accepted(&before)).expect("a seal");
    let id = world.key_id(&world.member_key);
    let by = revoked(world.revocation(member(&world), &world.member_key, &world.member_key), &world.member_key);
    let ended = world.revoke(&introduces, id, by.clone()).expect("a revocation");
    assert_eq!(ended.status(), "revoked");
    assert_eq!(world.revoke(&introduces, id, by).map(|key| key.end), Ok(ended.end.clone()));
    let another = revoked(world.revocation(member(&world), &world.member_key, &world.member_key), &world.member_key);
    assert_eq!(world.revoke(&introduces, id, another), Err(RevokeKeyError::Ended("revoked")));
    assert_eq!(world.refer(&world.signed("R-3")).expect_err("a refusal").code(), "key_ended");
    let registered = world.registration(member(&world), &world.member_key).sign(&world.member_key);
    let registered = world.registered(&introduces, &registered.expect("an envelope"));
    assert!(registered.is_err_and(|error| format!("{error:?}") == "KeyTaken"));
    // The offer was made in time, so it may still be accepted; the provider's key then signs no more either.
    let _ = world.countersign(&world.accepted(&waits)).expect("a seal");
    let late = world.refer(&world.signed_with(&world.introducer_key, "R-4")).expect_err("a refusal");
    assert_eq!(late.code(), "party_mismatch", "the member's key is gone, and the organisation signs as itself");
    let provider = world.key_id(&world.provider_key);
    let lost = world.revoke(&provides, provider, RevokedBy::Word(RevocationReason::Lost)).expect("a revocation");
    assert_eq!(lost.end.as_ref().map(|end| end.assurance), Some(Assurance::Attested));
    let _ = world.platform.sequence();
    let kid = world.member_key.kid();
    let at = seen(&world, &world.member_key, &Viewer::Everything).end_index.expect("an index");
    for actor in [&introduces, &provides] {
        for made in [&before, &waits] {
            let findings = judged(&world, actor, made);
            assert!(findings.holds(), "{:?}", findings.faults);
            assert!(says(
                &findings.proved,
                &format!("Key {kid} was revoked at leaf {at}, after this (compromised; signed by itself, self)")
            ));
            assert!(says(&findings.proved, "after this (lost; the platform attests, on somebody's word, attested)"));
        }
    }
    // A member whose only key is gone has none: the platform may sign for it, and says so.
    let mut custodial = world.signed("R-5");
    custodial.offer = domain::deals::referral::OfferBy::Custodian;
    assert_eq!(world.refer(&custodial).expect("a referral").assurance, "custodial");
}

#[test]
fn an_accept_and_a_declaration_under_an_ended_key_are_refused() {
    use domain::chain::declaration::declare;
    use domain::chain::statement::{Declared, ImportDeclaration, VERSION};
    let world = World::new();
    let (introduces, provides) = (partner(world.platform.introducer), partner(world.platform.provider));
    let made = world.refer(&world.signed("R-1")).expect("a referral");
    let sealed = world.refer(&world.signed("R-2")).expect("a referral");
    let in_time = world.accepted(&sealed);
    let _ = world.countersign(&in_time).expect("a seal");
    let lost = || RevokedBy::Word(RevocationReason::Lost);
    let _ = world.revoke(&provides, world.key_id(&world.provider_key), lost()).expect("a revocation");
    assert_eq!(world.countersign(&world.accepted(&made)).expect_err("a refusal").code(), "key_ended");
    assert!(!world.countersign(&in_time).expect("the same").new);
    let _ = world.revoke(&introduces, world.key_id(&world.introducer_key), lost()).expect("a revocation");
    let declaration = Statement::ImportDeclaration(ImportDeclaration {
        consent: Declared { declared: true, text_sha256: None },
        disclosure: Declared { declared: true, text_sha256: None },
        file_sha256: domain::kernel::Digest::of(b"a file"),
        import: None,
        kid: world.introducer_key.kid(),
        log: harness::platform::ORIGIN.to_owned(),
        organisation: PartyId::organisation(world.platform.introducer),
        salt: world.salt(),
        seen: crate::world::nothing(),
        v: VERSION,
    });
    let declaration = declaration.sign(&world.introducer_key).expect("an envelope");
    let env = world.env(&introduces);
    let refused = world.platform.store().transaction(|uow| declare(uow, &env, &declaration)).expect_err("a refusal");
    assert!(format!("{refused:?}").contains("KeyEnded"), "{refused:?}");
}

#[test]
fn another_key_of_the_party_revokes_and_nobody_elses() {
    let world = World::new();
    let introduces = partner(world.platform.introducer);
    let made = world.refer(&world.signed("R-1")).expect("a referral");
    let _ = world.countersign(&world.accepted(&made)).expect("a seal");
    let second = MemorySigner::new(41);
    let registration = world.registration(member(&world), &second).sign(&second).expect("an envelope");
    let _ = world.registered(&world.itself(), &registration).expect("a registration");
    let id = world.key_id(&world.member_key);
    let bent = |by: &MemorySigner, bend: &dyn Fn(&mut KeyRevocation)| {
        let mut revocation = world.revocation(member(&world), &world.member_key, by);
        bend(&mut revocation);
        match world.revoke(&introduces, id, revoked(revocation, by)).expect_err("a refusal") {
            RevokeKeyError::Statement(refusal) => refusal.code().to_owned(),
            error => format!("{error:?}"),
        }
    };
    assert_eq!(bent(&world.introducer_key, &|_| ()), "unknown_key");
    assert_eq!(bent(&world.provider_key, &|_| ()), "unknown_key");
    assert_eq!(bent(&world.platform.signer, &|r| r.assurance = Assurance::Attested), "unknown_key");
    assert_eq!(bent(&second, &|r| r.key = second.kid()), "statement_malformed");
    assert_eq!(bent(&second, &|r| r.asked_by = Some(uuid::Uuid::nil())), "statement_malformed");
    assert_eq!(bent(&second, &|r| r.assurance = Assurance::Attested), "assurance_mismatch");
    assert_eq!(bent(&second, &|r| r.party = PartyId::organisation(world.platform.introducer)), "party_mismatch");
    assert_eq!(bent(&second, &|r| r.log = "another.example/log".to_owned()), "log_mismatch");
    let by_second = revoked(world.revocation(member(&world), &world.member_key, &second), &second);
    assert!(!world.revoke(&introduces, id, by_second).expect("a revocation").is_active());
    // The second is revoked in its turn: it revokes nothing any more.
    let itself = revoked(world.revocation(member(&world), &second, &second), &second);
    let _ = world.revoke(&introduces, world.key_id(&second), itself).expect("a revocation");
    let third = MemorySigner::new(42);
    let registration = world.registration(member(&world), &third).sign(&third).expect("an envelope");
    let _ = world.registered(&world.itself(), &registration).expect("a registration");
    let by_ended = revoked(world.revocation(member(&world), &third, &second), &second);
    let refused = world.revoke(&introduces, world.key_id(&third), by_ended).expect_err("a refusal");
    assert!(matches!(refused, RevokeKeyError::Statement(ref refusal) if refusal.code() == "key_ended"), "{refused:?}");
    let _ = world.platform.sequence();
    for organisation in [world.platform.introducer, world.platform.provider] {
        let findings = judged(&world, &partner(organisation), &made);
        assert!(findings.holds(), "{:?}", findings.faults);
        assert!(says(&findings.proved, &format!("signed by {}, self", second.kid())), "{:?}", findings.proved);
    }
}

#[test]
fn only_an_administrator_or_the_member_itself_is_believed_without_a_signature() {
    let world = World::new();
    let lost = || RevokedBy::Word(RevocationReason::Lost);
    let id = world.key_id(&world.member_key);
    let with_role = |role: Role, organisation: Option<OrganisationId>, member| Actor {
        id: uuid::Uuid::from_u128(5),
        roles: [role].into(),
        scopes: role.scopes().iter().copied().collect(),
        organisation,
        member,
    };
    let introducer = Some(world.platform.introducer);
    let agent = with_role(Role::PartnerAgent, introducer, None);
    assert_eq!(world.revoke(&agent, id, lost()), Err(RevokeKeyError::NotAdministrator));
    let sibling = with_role(Role::Member, introducer, Some(world.keyless));
    assert_eq!(world.revoke(&sibling, id, lost()), Err(RevokeKeyError::UnknownKey));
    assert_eq!(world.revoke(&partner(world.platform.provider), id, lost()), Err(RevokeKeyError::UnknownKey));
    let itself = with_role(Role::Member, introducer, Some(world.member));
    let organisations = world.key_id(&world.introducer_key);
    assert_eq!(world.revoke(&itself, organisations, lost()), Err(RevokeKeyError::UnknownKey));
    let ended = world.revoke(&itself, id, lost()).expect("a revocation").end.expect("an end");
    assert_eq!((ended.assurance, ended.kid), (Assurance::Attested, world.platform.signer.kid()));
    assert!(world.revoke(&partner(world.platform.introducer), organisations, lost()).is_ok());
    let operator = with_role(Role::OperatorAdmin, None, None);
    assert!(world.revoke(&operator, world.key_id(&world.provider_key), lost()).is_ok());
    let kept = "select count(*) from signing_key_end where assurance = 'attested' and reason = 'lost'";
    assert_eq!(world.platform.number(kept), 3);
}

#[test]
fn a_succession_is_as_long_as_it_may_be_and_its_receipt_holds() {
    let world = World::new();
    let introduces = partner(world.platform.introducer);
    let mut current = MemorySigner::new(PROMISED);
    let first = signed(world.rotation(member(&world), (&world.member_key, &current), None), &world.member_key);
    let _ = world.rotate(&introduces, world.key_id(&world.member_key), &first).expect("a rotation");
    for seed in 101..101 + u8::try_from(MOST_ROTATIONS).expect("few") - 1 {
        let next = MemorySigner::new(seed);
        let rotation = signed(world.rotation(member(&world), (&current, &next), None), &current);
        let _ = world.rotate(&introduces, world.key_id(&current), &rotation).expect("a rotation");
        current = next;
    }
    let beyond = signed(world.rotation(member(&world), (&current, &MemorySigner::new(250)), None), &current);
    let refused = world.rotate(&introduces, world.key_id(&current), &beyond);
    assert_eq!(refused, Err(RotateKeyError::TooManyRotations));
    let made = world.refer(&world.signed_with(&current, "R-1")).expect("a referral");
    let _ = world.countersign(&world.accepted(&made)).expect("a seal");
    let _ = world.platform.sequence();
    let findings = judged(&world, &partner(world.platform.provider), &made);
    assert!(findings.holds(), "{:?}", findings.faults);
}
