//! Random histories of keys on the real service, against a model that is a handful of lines: what is taken, what is
//! refused and why, and what every receipt says afterwards.

use std::collections::BTreeMap;

use domain::chain::receipts::{self, Wanted};
use domain::chain::revocation::{RevokeKeyError, RevokedBy};
use domain::chain::rotation::RotateKeyError;
use domain::chain::signer::Signer;
use domain::chain::statement::{PartyId, Statement};
use domain::chain::verify::verify;
use domain::deals::refer::Referred;
use domain::kernel::fault::Reason;
use harness::platform::MemorySigner;
use proptest::prelude::*;

use crate::world::{World, partner};

/// How many keys there are to play with.
const KEYS: u8 = 5;

#[derive(Debug, Clone, Copy)]
enum Act {
    Register { key: u8, promises: Option<u8> },
    Rotate { from: u8, to: u8, promises: Option<u8> },
    Revoke { key: u8, by: u8 },
    Sign { key: u8 },
    Sequence,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let (key, promises) = (0..KEYS, prop::option::weighted(0.3, 0..KEYS));
    let act = prop_oneof![
        3 => (key.clone(), promises.clone()).prop_map(|(key, promises)| Act::Register { key, promises }),
        3 => (key.clone(), key.clone(), promises).prop_map(|(from, to, promises)| Act::Rotate { from, to, promises }),
        2 => (key.clone(), key.clone()).prop_map(|(key, by)| Act::Revoke { key, by }),
        5 => key.prop_map(|key| Act::Sign { key }),
        1 => Just(Act::Sequence),
    ];
    prop::collection::vec(act, 10..40)
}

/// How a key ended, by the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Rotated(u8),
    Revoked,
}

/// What the model knows of a key.
#[derive(Debug, Clone, Copy)]
struct Life {
    promised: Option<u8>,
    end: Option<End>,
}

#[derive(Default)]
struct Model(BTreeMap<u8, Life>);

type Expected = Result<(), &'static str>;

impl Model {
    fn is_active(&self, key: u8) -> bool {
        self.0.get(&key).is_some_and(|life| life.end.is_none())
    }

    fn follow(&mut self, act: Act) -> Expected {
        let known = |key: u8| self.0.contains_key(&key);
        match act {
            Act::Register { key, promises } => match (promises == Some(key), known(key)) {
                (true, _) => return Err("statement_malformed"),
                (false, true) => return Err("key_taken"),
                (false, false) => {
                    let _ = self.0.insert(key, Life { promised: promises, end: None });
                }
            },
            Act::Rotate { from, to, promises } => {
                let Some(old) = self.0.get(&from) else { return Err("no_such_key") };
                match () {
                    () if old.end.is_some() => return Err("ended"),
                    () if old.promised.is_some_and(|promised| promised != to) => return Err("key_not_promised"),
                    () if promises == Some(to) || promises == Some(from) => return Err("statement_malformed"),
                    () if known(to) => return Err("key_taken"),
                    () => {}
                }
                let _ = self.0.insert(to, Life { promised: promises, end: None });
                self.end(from, End::Rotated(to));
            }
            Act::Revoke { key, by } => {
                if !known(key) {
                    return Err("no_such_key");
                }
                if !known(by) {
                    return Err("unknown_key");
                }
                if !self.is_active(key) {
                    return Err("ended");
                }
                if !self.is_active(by) {
                    return Err("key_ended");
                }
                self.end(key, End::Revoked);
            }
            Act::Sign { key } => match self.0.get(&key) {
                None => return Err("unknown_key"),
                Some(Life { end: Some(_), .. }) => return Err("key_ended"),
                Some(_) => {}
            },
            Act::Sequence => {}
        }
        Ok(())
    }

    fn end(&mut self, key: u8, end: End) {
        self.0.get_mut(&key).expect("it is known").end = Some(end);
    }
}

fn signer(key: u8) -> MemorySigner {
    MemorySigner::new(180 + key)
}

/// Does it to the service; a referral that was made is noted.
fn done(world: &World, act: Act, made: &mut Vec<(u8, Referred)>) -> Expected {
    let (actor, party) = (partner(world.platform.introducer), PartyId::member(world.member));
    match act {
        Act::Register { key, promises } => {
            let Statement::KeyRegistration(mut statement) = world.registration(party, &signer(key)) else {
                panic!("a registration")
            };
            statement.next = promises.map(|next| signer(next).public_key().digest());
            let envelope = Statement::KeyRegistration(statement).sign(&signer(key)).expect("an envelope");
            match world.registered(&world.itself(), &envelope) {
                Ok(_) => Ok(()),
                Err(domain::chain::registration::RegisterKeyError::Statement(refusal)) => Err(refusal.code()),
                Err(domain::chain::registration::RegisterKeyError::KeyTaken) => Err("key_taken"),
                Err(other) => panic!("{other:?}"),
            }
        }
        Act::Rotate { from, to, promises } => {
            let rotation = world.rotation(party, (&signer(from), &signer(to)), promises.map(|next| 180 + next));
            let envelope = Statement::KeyRotation(Box::new(rotation)).sign(&signer(from)).expect("an envelope");
            let Some(id) = known(world, from) else { return Err("no_such_key") };
            match world.rotate(&actor, id, &envelope) {
                Ok(rotated) => {
                    assert!(rotated.new);
                    Ok(())
                }
                Err(RotateKeyError::Statement(refusal)) => Err(refusal.code()),
                Err(RotateKeyError::Ended(_)) => Err("ended"),
                Err(RotateKeyError::KeyTaken) => Err("key_taken"),
                Err(other) => panic!("{other:?}"),
            }
        }
        Act::Revoke { key, by } => {
            let revocation = world.revocation(party, &signer(key), &signer(by));
            let envelope = Statement::KeyRevocation(revocation).sign(&signer(by)).expect("an envelope");
            let Some(id) = known(world, key) else { return Err("no_such_key") };
            match world.revoke(&actor, id, RevokedBy::Party(envelope)) {
                Ok(_) => Ok(()),
                Err(RevokeKeyError::Statement(refusal)) => Err(refusal.code()),
                Err(RevokeKeyError::Ended(_)) => Err("ended"),
                Err(other) => panic!("{other:?}"),
            }
        }
        Act::Sign { key } => {
            let referral = world.signed_with(&signer(key), &format!("H-{}", made.len()));
            let outcome = world.refer(&referral).map_err(|refusal| refusal.code())?;
            made.push((key, outcome));
            Ok(())
        }
        Act::Sequence => {
            let _ = world.platform.sequence();
            Ok(())
        }
    }
}

fn known(world: &World, key: u8) -> Option<domain::kernel::ids::SigningKeyId> {
    let kids = [signer(key).kid()];
    let found = world.platform.store().transaction(|uow| uow.keys().find_keys(&kids)).expect("a look");
    found.first().map(|key| key.id)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, max_shrink_iters: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_is_taken_refused_and_proved_as_the_model_says(acts in acts()) {
        let world = World::new();
        let (mut model, mut made) = (Model::default(), Vec::new());
        for act in acts {
            let outcome = done(&world, act, &mut made);
            prop_assert_eq!(outcome, model.follow(act), "{:?}", act);
        }
        for (_, referred) in &made {
            let _ = world.countersign(&world.accepted(referred)).expect("a seal");
        }
        let _ = world.platform.sequence();
        let trust = world.platform.trust();
        let wanted: Vec<Wanted> = made.iter().map(|(_, referred)| Wanted::Handshake(referred.handshake)).collect();
        for organisation in [world.platform.introducer, world.platform.provider] {
            let found = receipts::find(world.platform.store(), &partner(organisation), &wanted).expect("an answer");
            for ((key, _), receipt) in made.iter().zip(found) {
                let findings = verify(&trust, &receipt.expect("a receipt"));
                prop_assert!(findings.holds(), "{:?}", findings.faults);
                let kid = signer(*key).kid();
                let said = |text: String| findings.proved.iter().any(|line| line.starts_with(&text));
                let end = model.0[key].end;
                prop_assert_eq!(said(format!("Key {kid} was revoked at leaf")), end == Some(End::Revoked));
                let to = if let Some(End::Rotated(to)) = end { Some(signer(to).kid()) } else { None };
                prop_assert_eq!(to.as_ref().is_some_and(|to| said(format!("Key {kid} gave way to {to} at leaf"))), to.is_some());
                prop_assert_eq!(said(format!("Key {kid} gave way to")), to.is_some());
                let from = model.0.iter().find(|(_, life)| life.end == Some(End::Rotated(*key))).map(|(old, _)| signer(*old).kid());
                prop_assert_eq!(from.as_ref().is_some_and(|from| said(format!("Key {kid} follows {from}, "))), from.is_some());
            }
        }
    }
}
