//! A statement and the end of its key in one moment: whichever is first, the log tells the same story.

use std::sync::Barrier;
use std::sync::mpsc::channel;

use domain::chain::revocation::{RevokeKey, RevokedBy, revoke};
use domain::chain::statement::{PartyId, RevocationReason};
use domain::deals::refer::{ReferError, refer};
use domain::kernel::fault::Reason;
use harness::platform::MemorySigner;

use crate::world::{World, each, partner};

/// The index of the one leaf that a query names the source of.
fn index(world: &World, source: &str) -> i64 {
    world.platform.number(&format!("select index from chain_leaf where source_id = ({source})"))
}

/// Waits until somebody waits for the lock of a key.
fn until_somebody_waits(world: &World) {
    let here = "select count(*) from pg_locks where locktype = 'advisory' and not granted and database = (select oid from pg_database where datname = current_database())";
    while world.platform.number(here) == 0 {
        std::thread::yield_now();
    }
}

#[test]
fn who_signs_while_the_key_is_being_revoked_waits_and_is_refused() {
    let world = World::new();
    let actor = partner(world.platform.introducer);
    let env = world.env(&actor);
    let command = RevokeKey { key: world.key_id(&world.member_key), by: RevokedBy::Word(RevocationReason::Lost) };
    let referral = world.signed("R-1");
    let outcome = std::thread::scope(|scope| {
        let signs = world.platform.store().transaction(|uow| {
            let _ = revoke(uow, &env, &command)?;
            // The revocation is made and not committed yet.
            let signs = scope.spawn(|| world.refer(&referral));
            until_somebody_waits(&world);
            Ok::<_, domain::chain::revocation::RevokeKeyError>(signs)
        });
        signs.expect("a revocation").join().expect("no panic")
    });
    assert_eq!(outcome.expect_err("a refusal").code(), "key_ended");
    assert_eq!(world.platform.number("select count(*) from deal"), 0);
}

#[test]
fn who_revokes_while_the_key_is_signing_waits_and_comes_after() {
    let world = World::new();
    let actor = partner(world.platform.introducer);
    let env = world.env(&actor);
    let key = world.key_id(&world.member_key);
    let referral = [world.signed("R-1")];
    let ended = std::thread::scope(|scope| {
        let revokes = world.platform.store().transaction(|uow| {
            let made = refer(uow, &env, &each(&actor, &referral))?;
            assert!(made[0].is_ok());
            let revokes = scope.spawn(|| world.revoke(&actor, key, RevokedBy::Word(RevocationReason::Lost)));
            until_somebody_waits(&world);
            Ok::<_, ReferError>(revokes)
        });
        revokes.expect("a referral").join().expect("no panic")
    });
    assert!(!ended.expect("a revocation").is_active());
    let _ = world.platform.sequence();
    let signed = index(&world, "select id from handshake_statement");
    let revoked = index(&world, "select source_id from signing_key_end");
    assert!(signed < revoked, "{signed} {revoked}");
}

#[test]
fn many_sign_while_one_revokes_and_the_log_is_in_one_order() {
    let world = World::new();
    let actor = partner(world.platform.introducer);
    let (mut taken, mut refused) = (0, 0);
    for round in 0..6_u8 {
        let key = MemorySigner::new(150 + round);
        let registration = world.registration(PartyId::member(world.member), &key).sign(&key).expect("an envelope");
        let _ = world.registered(&world.itself(), &registration).expect("a registration");
        let (id, start, (told, outcomes)) = (world.key_id(&key), Barrier::new(4), channel());
        std::thread::scope(|scope| {
            for signer in 0..3_u8 {
                let (world, key, start, told) = (&world, &key, &start, told.clone());
                scope.spawn(move || {
                    let referrals: Vec<_> =
                        (0..4).map(|n| world.signed_with(key, &format!("R-{round}-{signer}-{n}"))).collect();
                    let _ = start.wait();
                    for referral in &referrals {
                        told.send(world.refer(referral).map(|_| ()).map_err(|refusal| refusal.code())).expect("heard");
                    }
                });
            }
            let _ = start.wait();
            let revoked = world.revoke(&actor, id, RevokedBy::Word(RevocationReason::Compromised));
            assert!(!revoked.expect("a revocation").is_active());
        });
        drop(told);
        for outcome in outcomes {
            match outcome {
                Ok(()) => taken += 1,
                Err(code) => {
                    assert_eq!(code, "key_ended");
                    refused += 1;
                }
            }
        }
    }
    assert_eq!(taken + refused, 72);
    let _ = world.platform.sequence();
    assert_eq!(world.platform.number("select count(*) from handshake_statement"), taken);
    let late = "select count(*) from handshake_statement s join chain_leaf l on l.source_id = s.id join signing_key k on k.kid = s.kid
        join signing_key_end e on e.key_id = k.id join chain_leaf x on x.source_id = e.source_id where l.index >= x.index";
    assert_eq!(world.platform.number(late), 0);
}
