//! Random histories of keys, logged by a platform that takes anything, against a model written by hand: the verdict of
//! every receipt is the model's.

#![expect(clippy::expect_used, reason = "helpers of tests may panic")]

use std::collections::BTreeMap;

use domain::chain::checkpoint::{Checkpoint, TreeHead};
use domain::chain::key::PublicKey;
use domain::chain::leaf::{LaneHead, Leaf, lane};
use domain::chain::merkle::{MemoryRows, empty_root, leaf_hash};
use domain::chain::note::VerifierKey;
use domain::chain::proof::{prove_inclusion, root};
use domain::chain::receipt::{self, Logged, Receipt, ReceiptKind};
use domain::chain::signer::{PortError, Signer};
use domain::chain::statement::{
    Accept, AgreementRef, Assurance, Declared, KeyRegistration, KeyRevocation, KeyRotation, Offer, Participant, PartyId,
    RevocationReason, Salt, Seal, Statement,
};
use domain::chain::trust::Trust;
use domain::chain::verify::{Findings, join, verify};
use domain::kernel::ids::{AgreementId, DealId, HandshakeId, MemberId, OrganisationId};
use domain::kernel::{Digest, Instant};
use ed25519_dalek::Signer as _;
use proptest::prelude::*;
use uuid::Uuid;

const ORIGIN: &str = "flip360.test/log";
const LOG: u8 = 1;
const PLATFORM: u8 = 2;
const PARTNER: u8 = 3;
/// The first of the keys to play with.
const FIRST: u8 = 10;
const KEYS: u8 = 5;

struct Key(ed25519_dalek::SigningKey);

impl Signer for Key {
    fn public_key(&self) -> PublicKey {
        PublicKey::parse(self.0.verifying_key().as_bytes()).expect("a good key")
    }
    fn sign(&self, message: &[u8]) -> Result<[u8; 64], PortError> {
        Ok(self.0.sign(message).to_bytes())
    }
}

fn key(seed: u8) -> Key {
    Key(ed25519_dalek::SigningKey::from_bytes(&[seed; 32]))
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 | n)
}

fn trust() -> Trust {
    Trust::new(VerifierKey::try_new(ORIGIN, key(LOG).public_key()).expect("a name"), vec![key(PLATFORM).public_key()])
}

/// Two members, so that keys can be of another party.
fn member(which: bool) -> PartyId {
    PartyId::member(MemberId::new(id(if which { 1 } else { 5 })))
}

fn partner() -> PartyId {
    PartyId::organisation(OrganisationId::new(id(2)))
}

fn nothing() -> TreeHead {
    TreeHead { size: 0, root: empty_root() }
}

/// A log in memory, on which everything is on the lane of its kind of subject.
#[derive(Default)]
struct Log {
    lanes: BTreeMap<[u8; 32], LaneHead>,
    leaves: Vec<(Leaf, String)>,
}

impl Log {
    fn add(&mut self, secret: [u8; 32], envelope: String) -> u64 {
        let (_, statement) = Statement::parse(&envelope).expect("a statement");
        let head = self.lanes.entry(secret).or_insert_with(|| LaneHead::new(lane(&secret)));
        let at = Instant::new("2026-11-25T00:00:00Z".parse().expect("a time"));
        self.leaves.push((head.append(statement.kind(), envelope.as_bytes(), at), envelope));
        self.leaves.len() as u64 - 1
    }

    fn receipt(&self, handshake: u128, items: [u64; 3], keys: &[u64]) -> Receipt {
        let rows = MemoryRows::of(self.leaves.iter().map(|(leaf, _)| leaf_hash(&leaf.to_bytes())));
        let size = rows.size();
        let logged = |index: &u64| {
            let (leaf, envelope) = &self.leaves[usize::try_from(*index).expect("small")];
            let proof = prove_inclusion(&rows, *index, size).expect("a proof");
            let leaf = String::from_utf8(leaf.to_bytes()).expect("ASCII");
            Logged { envelope: envelope.clone(), index: *index, leaf, proof }
        };
        let head = TreeHead { size, root: root(&rows, size).expect("a root") };
        let note = Checkpoint { origin: ORIGIN.to_owned(), head }.sign(&key(LOG)).expect("signed");
        Receipt {
            checkpoint: note.to_string(),
            declaration: None,
            id: HandshakeId::new(id(handshake)).to_string(),
            items: items.iter().map(logged).collect(),
            keys: keys.iter().map(logged).collect(),
            kind: ReceiptKind::Handshake,
            log: ORIGIN.to_owned(),
            r#type: receipt::TYPE.to_owned(),
            v: receipt::VERSION,
        }
    }
}

fn registration(seed: u8, party: PartyId, next: Option<u8>) -> String {
    let key = key(seed);
    let statement = Statement::KeyRegistration(KeyRegistration {
        assurance: Assurance::Own,
        jwk: key.public_key().jwk(),
        kid: key.kid(),
        log: ORIGIN.to_owned(),
        next: next.map(promise),
        party,
        salt: Salt([seed; 32]),
        v: 1,
    });
    statement.sign(&key).expect("signed")
}

fn promise(seed: u8) -> Digest {
    key(seed).public_key().digest()
}

fn rotation(from: u8, to: u8, party: PartyId, next: Option<u8>) -> String {
    let mut rotation = KeyRotation {
        assurance: Assurance::Own,
        jwk: key(to).public_key().jwk(),
        kid: key(from).kid(),
        log: ORIGIN.to_owned(),
        next: next.map(promise),
        party,
        proof: String::new(),
        salt: Salt([from; 32]),
        seen: nothing(),
        v: 1,
    };
    rotation.prove(&key(to)).expect("a proof");
    Statement::KeyRotation(Box::new(rotation)).sign(&key(from)).expect("signed")
}

fn revocation(revoked: u8, by: u8, party: PartyId) -> String {
    let attested = by == PLATFORM;
    let statement = Statement::KeyRevocation(KeyRevocation {
        asked_by: attested.then(|| id(77)),
        assurance: if attested { Assurance::Attested } else { Assurance::Own },
        key: key(revoked).kid(),
        kid: key(by).kid(),
        log: ORIGIN.to_owned(),
        party,
        reason: RevocationReason::Lost,
        salt: Salt([revoked; 32]),
        seen: nothing(),
        v: 1,
    });
    statement.sign(&key(by)).expect("signed")
}

/// A whole handshake whose offer a key signed as the first member; `previous` makes it a hand-over by the partner.
fn handshake(log: &mut Log, n: u128, seed: u8) -> [u64; 3] {
    let offer = Offer { kid: key(seed).kid(), party: member(true), to: partner(), ..offer(n) };
    sealed(log, n, offer, (seed, PARTNER))
}

fn offer(n: u128) -> Offer {
    Offer {
        assurance: Assurance::Own,
        declaration: None,
        handshake: HandshakeId::new(id(n)),
        kid: String::new(),
        log: ORIGIN.to_owned(),
        party: member(true),
        previous: None,
        referred: None,
        row_sha256: None,
        salt: Salt([11; 32]),
        seen: nothing(),
        to: partner(),
        v: 1,
        value: None,
    }
}

fn sealed(log: &mut Log, n: u128, offer: Offer, (offers, accepts): (u8, u8)) -> [u64; 3] {
    let lane = [7; 32];
    let (id_of, to) = (HandshakeId::new(id(n)), offer.to.clone());
    let offer = Statement::Offer(offer).sign(&key(offers)).expect("signed");
    let accept = Statement::Accept(Accept {
        assurance: Assurance::Own,
        declaration: None,
        handshake: id_of,
        kid: key(accepts).kid(),
        log: ORIGIN.to_owned(),
        offer_sha256: Digest::of(offer.as_bytes()),
        party: to,
        salt: Salt([12; 32]),
        seen: nothing(),
        v: 1,
    });
    let accept = accept.sign(&key(accepts)).expect("signed");
    let seal = Statement::Seal(Box::new(Seal {
        accept_sha256: Digest::of(accept.as_bytes()),
        agreement: AgreementRef { content_sha256: Digest::of(b"terms"), id: AgreementId::new(id(3)), version: 1 },
        assurance: Assurance::Own,
        consent: Declared { declared: true, text_sha256: None },
        deal: DealId::new(id(4)),
        declaration: None,
        disclosure: Declared { declared: true, text_sha256: None },
        handshake: id_of,
        kid: key(PLATFORM).kid(),
        log: ORIGIN.to_owned(),
        offer_sha256: Digest::of(offer.as_bytes()),
        participants: vec![Participant { member: MemberId::new(id(1)), role: "member".to_owned() }],
        party: PartyId::platform(),
        salt: Salt([13; 32]),
        seen: nothing(),
        v: 1,
    }));
    let seal = seal.sign(&key(PLATFORM)).expect("signed");
    [log.add(lane, offer), log.add(lane, accept), log.add(lane, seal)]
}

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
            let may = by == PLATFORM || (is_good(lives, by) && is_good(lives, key) && lives[&by].ours == lives[&key].ours);
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

/// A chain: the member's referral, handed over by the partner to a second one; `bend` makes it wrong.
fn chain(bend: impl FnOnce(&mut Offer)) -> [Findings; 2] {
    let (mut log, second) = (Log::default(), PartyId::organisation(OrganisationId::new(id(6))));
    let keys = [
        log.add([1; 32], registration(FIRST, member(true), None)),
        log.add([2; 32], registration(PARTNER, partner(), None)),
        log.add([3; 32], registration(FIRST + 1, second.clone(), None)),
    ];
    let first = handshake(&mut log, 100, FIRST);
    let seal = &log.leaves[usize::try_from(first[2]).expect("small")].1;
    let previous = Some(Digest::of(seal.as_bytes()));
    let mut over = Offer { kid: key(PARTNER).kid(), party: partner(), previous, to: second, ..offer(101) };
    bend(&mut over);
    let offers = if over.kid == key(PARTNER).kid() { PARTNER } else { FIRST };
    let next = sealed(&mut log, 101, over, (offers, FIRST + 1));
    let mut found = [log.receipt(100, first, &keys), log.receipt(101, next, &keys)].map(|receipt| judged(&receipt));
    assert!(found.iter().all(Findings::holds), "{:?} {:?}", found[0].faults, found[1].faults);
    join(&mut found);
    found
}

#[test]
fn a_hand_over_is_proved_back_to_the_seal_that_it_names_when_both_receipts_are_in_hand() {
    let proves = |findings: &Findings| findings.proved.iter().any(|line| line.contains("had accepted it there"));
    let [first, next] = chain(|_| ());
    assert!(first.holds() && next.holds() && proves(&next) && !proves(&first));
    // Another seal than the one in hand: nothing is said of what came before.
    let [first, next] = chain(|offer| offer.previous = Some(Digest::of(b"another seal")));
    assert!(first.holds() && next.holds() && !proves(&next));
    // Handed over by somebody who had not accepted it.
    let [first, next] = chain(|offer| (offer.party, offer.kid) = (member(true), key(FIRST).kid()));
    assert!(first.holds());
    assert_eq!((codes(&next), next.proved.len()), (vec!["other_party"], 0));
}
