//! Random histories of keys, logged by a platform that takes anything, against a model written by hand: the verdict of
//! every receipt is the model's.

#![expect(clippy::expect_used, reason = "helpers of tests may panic")]

mod logged;

use std::collections::BTreeMap;

use domain::chain::receipt::Receipt;
use domain::chain::signer::Signer as _;
use domain::chain::statement::{Assurance, Offer, PartyId, Seal};
use domain::chain::trust::Trust;
use domain::chain::verify::{Findings, join, verify};
use domain::kernel::Digest;
use domain::kernel::ids::OrganisationId;
use logged::{
    Log, PARTNER, PLATFORM, declaration, handshake, id, key, member, offer, partner, registration, revocation,
    rotation, sealed, sealed_as, trust,
};
use proptest::prelude::*;

/// The first of the keys to play with.
const FIRST: u8 = 10;
const KEYS: u8 = 5;

#[derive(Debug, Clone, Copy)]
enum Act {
    Register { key: u8, ours: bool, promises: Option<u8> },
    Rotate { from: u8, to: u8, promises: Option<u8> },
    Revoke { key: u8, by: u8 },
    Sign { key: u8 },
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let key = || FIRST..FIRST + KEYS;
    let promises = || prop::option::weighted(0.2, key());
    let by = prop_oneof![4 => key(), 1 => Just(PLATFORM)];
    let act = prop_oneof![
        3 => (key(), prop::bool::weighted(0.8), promises())
            .prop_map(|(key, ours, promises)| Act::Register { key, ours, promises }),
        3 => (key(), key(), promises()).prop_map(|(from, to, promises)| Act::Rotate { from, to, promises }),
        2 => (key(), by).prop_map(|(key, by)| Act::Revoke { key, by }),
        5 => key().prop_map(|key| Act::Sign { key }),
    ];
    prop::collection::vec(act, 1..24)
}

/// What the model knows of a key: whose, since when, until when and how.
#[derive(Debug, Clone, Copy)]
struct Life {
    ours: bool,
    promised: Option<u8>,
    since: u64,
    end: Option<(u64, &'static str)>,
}

type Lives = BTreeMap<u8, Life>;

fn is_good(lives: &Lives, key: u8) -> bool {
    lives.get(&key).is_some_and(|life| life.end.is_none())
}

/// Whether an event is right at its place; then it counts.
fn follow(lives: &mut Lives, act: Act, index: u64) -> bool {
    match act {
        Act::Register { key, ours, promises } => {
            !lives.contains_key(&key)
                && lives.insert(key, Life { ours, promised: promises, since: index, end: None }).is_none()
        }
        Act::Rotate { from, to, promises } => {
            let kept = is_good(lives, from) && lives[&from].promised.is_none_or(|promised| promised == to);
            let right = kept && !lives.contains_key(&to);
            if right {
                let ours = lives[&from].ours;
                lives.insert(to, Life { ours, promised: promises, since: index, end: None });
                lives.get_mut(&from).expect("it is good").end = Some((index, "signed_after_rotation"));
            }
            right
        }
        Act::Revoke { key, by } => {
            let may =
                by == PLATFORM || (is_good(lives, by) && is_good(lives, key) && lives[&by].ours == lives[&key].ours);
            let right = is_good(lives, key) && may;
            if right {
                lives.get_mut(&key).expect("it is good").end = Some((index, "signed_after_revocation"));
            }
            right
        }
        Act::Sign { .. } => true,
    }
}

/// What a stranger should say of an offer at this index.
fn verdict(lives: &Lives, key: u8, index: u64) -> Option<&'static str> {
    match lives.get(&key) {
        None => Some("unknown_key"),
        Some(life) if !life.ours => Some("key_of_other_party"),
        Some(life) if life.since >= index => Some("key_registered_later"),
        Some(life) => life.end.filter(|(at, _)| *at <= index).map(|(_, code)| code),
    }
}

fn judged(receipt: &Receipt) -> Findings {
    let bytes = receipt.to_bytes().expect("bytes");
    verify(&trust(), &Receipt::parse(&bytes).expect("a receipt"))
}

fn codes(findings: &Findings) -> Vec<&'static str> {
    findings.faults.0.iter().map(|fault| fault.code).collect()
}

/// A log with the partner's key, on which the acts have happened; the right key events, the wrong ones, what was signed.
struct Happened {
    log: Log,
    lives: Lives,
    right: Vec<u64>,
    wrong: Vec<u64>,
    signed: Vec<(u8, u128, [u64; 3])>,
}

fn happened(acts: &[Act]) -> Happened {
    let mut log = Log::default();
    let right = vec![log.add([2; 32], registration(PARTNER, partner(), None))];
    let mut happened = Happened { log, lives: Lives::new(), right, wrong: Vec::new(), signed: Vec::new() };
    for (n, act) in acts.iter().enumerate() {
        let (log, lives) = (&mut happened.log, &mut happened.lives);
        let party = |key: &u8| member(lives.get(key).is_none_or(|life| life.ours));
        let envelope = match act {
            Act::Register { key, ours, promises } => registration(*key, member(*ours), *promises),
            Act::Rotate { from, to, promises } => rotation(*from, *to, party(from), *promises),
            Act::Revoke { key, by } => revocation(*key, *by, party(key)),
            Act::Sign { key } => {
                let n = 100 + n as u128;
                happened.signed.push((*key, n, handshake(log, n, *key)));
                continue;
            }
        };
        let index = log.add([1; 32], envelope);
        if follow(lives, *act, index) {
            happened.right.push(index);
        } else {
            happened.wrong.push(index);
        }
    }
    happened
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_verdict_of_every_receipt_is_the_models(acts in acts(), shuffled in any::<bool>()) {
        let Happened { log, lives, mut right, wrong, signed } = happened(&acts);
        if shuffled {
            right.reverse();
        }
        for (key, n, items) in &signed {
            let findings = judged(&log.receipt(*n, *items, &right));
            let expected: Vec<&str> = verdict(&lives, *key, items[0]).into_iter().collect();
            prop_assert_eq!(codes(&findings), expected, "{:?}", findings.faults);
            // One event that is wrong spoils the receipt, whatever it is about.
            for one in &wrong {
                let spoilt = judged(&log.receipt(*n, *items, &[right.as_slice(), &[*one]].concat()));
                prop_assert!(!spoilt.holds(), "leaf {}", one);
            }
        }
    }
}

#[test]
fn a_revocation_that_is_left_out_cannot_be_seen_and_that_is_said() {
    let acts = [
        Act::Register { key: FIRST, ours: true, promises: None },
        Act::Revoke { key: FIRST, by: FIRST },
        Act::Sign { key: FIRST },
    ];
    let Happened { log, right, signed, .. } = happened(&acts);
    let (_, n, items) = signed[0];
    assert_eq!(codes(&judged(&log.receipt(n, items, &right))), ["signed_after_revocation"]);
    let packed = judged(&log.receipt(n, items, &right[..2]));
    assert!(packed.holds());
    assert!(packed.not_proved.iter().any(|line| line.contains("left out")), "{:?}", packed.not_proved);
}

#[test]
fn a_key_whose_revocation_the_platform_attests_needs_a_key_of_the_platform() {
    let mut log = Log::default();
    let partners = log.add([2; 32], registration(PARTNER, partner(), None));
    let members = log.add([1; 32], registration(FIRST, member(true), None));
    let items = handshake(&mut log, 100, FIRST);
    let attested = log.add([1; 32], revocation(FIRST, PLATFORM, member(true)));
    let findings = judged(&log.receipt(100, items, &[partners, members, attested]));
    assert!(findings.holds(), "{:?}", findings.faults);
    assert!(findings.proved.iter().any(|line| line.contains("the platform attests, on somebody's word")));
    let foreign = Trust::new(trust().log().clone(), vec![key(PARTNER).public_key()]);
    let faults = verify(&foreign, &log.receipt(100, items, &[partners, members, attested]));
    assert!(codes(&faults).contains(&"key_event_not_valid"));
}

/// Who the partner hands over to, and with which key they accept.
fn second() -> PartyId {
    PartyId::organisation(OrganisationId::new(id(6)))
}

/// The member's referral, sealed: the log, the keys that are registered on it, the items, and the digest of the seal.
fn referred() -> (Log, [u64; 3], [u64; 3], Digest) {
    let mut log = Log::default();
    let keys = [
        log.add([1; 32], registration(FIRST, member(true), None)),
        log.add([2; 32], registration(PARTNER, partner(), None)),
        log.add([3; 32], registration(FIRST + 1, second(), None)),
    ];
    let first = handshake(&mut log, 100, FIRST);
    let seal = Digest::of(log.leaves[usize::try_from(first[2]).expect("small")].1.as_bytes());
    (log, keys, first, seal)
}

/// The partner's offer to hand over what a seal sealed.
fn over(n: u128, seal: Digest) -> Offer {
    Offer { kid: key(PARTNER).kid(), party: partner(), previous: Some(seal), to: second(), ..offer(n) }
}

/// Judged alone, each of them holds; then together.
fn joined<const N: usize>(receipts: [Receipt; N]) -> [Findings; N] {
    let mut found = receipts.map(|receipt| judged(&receipt));
    assert!(found.iter().all(Findings::holds), "{:?}", found.iter().map(|f| &f.faults).collect::<Vec<_>>());
    join(&mut found);
    found
}

/// A chain: the member's referral, handed over by the partner to a second one; `bend` makes it wrong.
fn chain(bend: impl FnOnce(&mut Offer), seal_as: impl FnOnce(&mut Seal)) -> [Findings; 2] {
    let (mut log, keys, first, seal) = referred();
    let mut over = over(101, seal);
    bend(&mut over);
    let offers = if over.kid == key(PARTNER).kid() { PARTNER } else { FIRST };
    let next = sealed_as(&mut log, 101, over, (offers, FIRST + 1), seal_as);
    joined([log.receipt(100, first, &keys), log.receipt(101, next, &keys)])
}

#[test]
fn a_hand_over_with_other_terms_does_not_hold_beside_what_it_hands_over() {
    let bends: [fn(&mut Seal); 4] = [
        |seal| seal.agreement.version = 2,
        |seal| seal.participants.clear(),
        |seal| seal.consent.text_sha256 = Some(Digest::of(b"other words")),
        |seal| seal.disclosure.text_sha256 = Some(Digest::of(b"other words")),
    ];
    for bend in bends {
        let [first, next] = chain(|_| (), bend);
        assert!(first.holds());
        assert_eq!((codes(&next), next.proved.len()), (vec!["other_terms"], 0));
    }
}

#[test]
fn one_seal_that_is_handed_over_twice_proves_neither() {
    let (mut log, keys, first, seal) = referred();
    let one = sealed(&mut log, 101, over(101, seal), (PARTNER, FIRST + 1));
    let other = sealed(&mut log, 102, over(102, seal), (PARTNER, FIRST + 1));
    let receipts = [(100, first), (101, one), (102, other)].map(|(n, items)| log.receipt(n, items, &keys));
    let [first, one, other] = joined(receipts.clone());
    assert!(first.holds());
    for found in [one, other] {
        assert_eq!((codes(&found), found.proved.len()), (vec!["handed_over_twice"], 0));
    }
    // The same receipt twice is one.
    let [first, one, again] = joined([receipts[0].clone(), receipts[1].clone(), receipts[1].clone()]);
    assert!(first.holds() && one.holds() && again.holds());
}

#[test]
fn a_hand_over_is_proved_back_to_the_seal_that_it_names_when_both_receipts_are_in_hand() {
    let proves = |findings: &Findings| findings.proved.iter().any(|line| line.contains("had accepted it there"));
    let [first, next] = chain(|_| (), |_| ());
    assert!(first.holds() && next.holds() && proves(&next) && !proves(&first));
    // Another seal than the one in hand: nothing is said of what came before.
    let [first, next] = chain(|offer| offer.previous = Some(Digest::of(b"another seal")), |_| ());
    assert!(first.holds() && next.holds() && !proves(&next));
    // Handed over by somebody who had not accepted it.
    let [first, next] = chain(|offer| (offer.party, offer.kid) = (member(true), key(FIRST).kid()), |_| ());
    assert!(first.holds());
    assert_eq!((codes(&next), next.proved.len()), (vec!["other_party"], 0));
}

#[test]
fn a_declaration_comes_before_the_offers_that_rest_on_it() {
    // The offer names the digest of a declaration that is signed; when it was logged is another matter.
    let with = |late: bool| {
        let mut log = Log::default();
        let declaration = declaration();
        let digest = Some(Digest::of(declaration.as_bytes()));
        let attested =
            Offer { assurance: Assurance::Attested, declaration: digest, kid: key(PLATFORM).kid(), ..offer(100) };
        let early = (!late)
            .then(|| [log.add([2; 32], registration(PARTNER, partner(), None)), log.add([4; 32], declaration.clone())]);
        let items = sealed(&mut log, 100, attested, (PLATFORM, PLATFORM));
        let keys = early.unwrap_or_else(|| {
            [log.add([2; 32], registration(PARTNER, partner(), None)), log.add([4; 32], declaration)]
        });
        judged(&log.receipt(100, items, &keys[..1]))
    };
    let early = with(false);
    assert!(early.holds(), "{:?}", early.faults);
    assert!(early.proved.iter().any(|line| line.contains("by its signed declaration")));
    assert_eq!(codes(&with(true)), ["out_of_order"]);
}
