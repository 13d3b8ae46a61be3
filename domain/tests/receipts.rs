//! Receipts under attack: a log built by hand, honest and dishonest, and every byte of a receipt flipped.

#![expect(clippy::expect_used, reason = "helpers of tests may panic")]

use domain::chain::checkpoint::{Checkpoint, TreeHead};
use domain::chain::leaf::{LaneHead, Leaf, LeafKind, lane};
use domain::chain::merkle::{MemoryRows, empty_root, leaf_hash};
use domain::chain::note::VerifierKey;
use domain::chain::proof::{prove_inclusion, root};
use domain::chain::receipt::{self, Logged, Receipt, ReceiptKind};
use domain::chain::signer::Signer;
use domain::chain::statement::{
    Accept, AgreementRef, Assurance, Declared, KeyRegistration, Offer, Participant, PartyId, Salt, Seal, Statement,
};
use domain::chain::trust::Trust;
use domain::chain::verify::{Findings, verify};
use domain::kernel::ids::{AgreementId, DealId, HandshakeId, MemberId, OrganisationId};
use domain::kernel::{Digest, Instant};
use proptest::prelude::*;
use uuid::Uuid;

#[path = "../../verifier/tests/receipts/signer.rs"]
mod signer;
use signer::key;

const ORIGIN: &str = "flip360.test/log";

const LOG: u8 = 1;
const PLATFORM: u8 = 2;
const MEMBER: u8 = 3;
const PARTNER: u8 = 4;

fn trust() -> Trust {
    Trust::new(VerifierKey::try_new(ORIGIN, key(LOG).public_key()).expect("a name"), vec![key(PLATFORM).public_key()])
}

fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 | n)
}

fn member() -> PartyId {
    PartyId::member(MemberId::new(id(1)))
}

fn partner() -> PartyId {
    PartyId::organisation(OrganisationId::new(id(2)))
}

/// What a dishonest (or honest) platform makes a receipt of.
#[derive(Clone)]
struct Plan {
    origin: &'static str,
    assurance: Assurance,
    registered_as: Assurance,
    registered_party: PartyId,
    registered_last: bool,
    offer_key: u8,
    accept_key: u8,
    seal_key: u8,
    accept_party: PartyId,
    accept_of: Option<Digest>,
    seal_of: Option<Digest>,
    seal_assurance: Assurance,
    seal_handshake: u128,
    accept_lane: [u8; 32],
    swapped: bool,
    seen: u64,
    log_key: u8,
    /// Leaves that the checkpoint does not hold.
    cut: u64,
}

impl Plan {
    fn honest(assurance: Assurance) -> Self {
        let attested = assurance == Assurance::Attested;
        Self {
            origin: ORIGIN,
            assurance,
            registered_as: assurance,
            registered_party: member(),
            registered_last: false,
            offer_key: if attested { PLATFORM } else { MEMBER },
            accept_key: if attested { PLATFORM } else { PARTNER },
            seal_key: PLATFORM,
            accept_party: partner(),
            accept_of: None,
            seal_of: None,
            seal_assurance: assurance,
            seal_handshake: 9,
            accept_lane: [7; 32],
            swapped: false,
            seen: 0,
            log_key: LOG,
            cut: 0,
        }
    }
}

/// A log in memory.
#[derive(Default)]
struct Log {
    lanes: std::collections::BTreeMap<[u8; 32], LaneHead>,
    leaves: Vec<(Leaf, String)>,
}

impl Log {
    fn add(&mut self, secret: [u8; 32], kind: LeafKind, envelope: &str) -> usize {
        let head = self.lanes.entry(secret).or_insert_with(|| LaneHead::new(lane(&secret)));
        let at = Instant::new("2026-11-25T00:00:00Z".parse().expect("a time"));
        self.leaves.push((head.append(kind, envelope.as_bytes(), at), envelope.to_owned()));
        self.leaves.len() - 1
    }

    fn logged(&self, rows: &MemoryRows, size: u64, index: usize) -> Logged {
        let (leaf, envelope) = &self.leaves[index];
        let proof = prove_inclusion(rows, index as u64, size).unwrap_or_default();
        let leaf = String::from_utf8(leaf.to_bytes()).expect("ASCII");
        Logged { envelope: envelope.clone(), index: index as u64, leaf, proof }
    }
}

fn salt(n: u8) -> Salt {
    Salt([n; 32])
}

fn registration(plan: &Plan, seed: u8, party: PartyId) -> String {
    let key = key(seed);
    let statement = Statement::KeyRegistration(KeyRegistration {
        assurance: plan.registered_as,
        jwk: key.public_key().jwk(),
        kid: key.kid(),
        log: plan.origin.to_owned(),
        next: None,
        party,
        salt: salt(seed),
        v: 1,
    });
    statement.sign(&key).expect("signed")
}

fn statements(plan: &Plan) -> [String; 3] {
    let declaration = (plan.assurance == Assurance::Attested).then(|| Digest::of(b"declaration"));
    let seen = TreeHead { size: plan.seen, root: empty_root() };
    let (log, handshake, v) = (plan.origin.to_owned(), HandshakeId::new(id(9)), 1);
    let offer = Statement::Offer(Offer {
        assurance: plan.assurance,
        declaration,
        handshake,
        kid: key(plan.offer_key).kid(),
        log: log.clone(),
        party: member(),
        previous: None,
        referred: None,
        row_sha256: None,
        salt: salt(11),
        seen,
        to: partner(),
        v,
        value: None,
    });
    let offer = offer.sign(&key(plan.offer_key)).expect("signed");
    let accept = Statement::Accept(Accept {
        assurance: plan.assurance,
        declaration,
        handshake,
        kid: key(plan.accept_key).kid(),
        log: log.clone(),
        offer_sha256: plan.accept_of.unwrap_or_else(|| Digest::of(offer.as_bytes())),
        party: plan.accept_party.clone(),
        salt: salt(12),
        seen,
        v,
    });
    let accept = accept.sign(&key(plan.accept_key)).expect("signed");
    let seal = Statement::Seal(Box::new(Seal {
        accept_sha256: Digest::of(accept.as_bytes()),
        agreement: AgreementRef { content_sha256: Digest::of(b"terms"), id: AgreementId::new(id(3)), version: 1 },
        assurance: plan.seal_assurance,
        consent: Declared { declared: true, text_sha256: None },
        deal: DealId::new(id(4)),
        declaration,
        disclosure: Declared { declared: true, text_sha256: None },
        handshake: HandshakeId::new(id(plan.seal_handshake)),
        kid: key(plan.seal_key).kid(),
        log,
        offer_sha256: plan.seal_of.unwrap_or_else(|| Digest::of(offer.as_bytes())),
        participants: vec![Participant { member: MemberId::new(id(1)), role: "member".to_owned() }],
        party: PartyId::platform(),
        salt: salt(13),
        seen,
        v,
    }));
    let seal = seal.sign(&key(plan.seal_key)).expect("signed");
    [offer, accept, seal]
}

fn made(plan: &Plan) -> Receipt {
    let mut log = Log::default();
    for n in 0..300_u32 {
        log.add([0; 32], LeafKind::LedgerEntry, &format!("something else {n}"));
    }
    let own = plan.assurance != Assurance::Attested;
    let keys = [
        ([1; 32], registration(plan, MEMBER, plan.registered_party.clone())),
        ([2; 32], registration(plan, PARTNER, partner())),
    ];
    let mut registered = Vec::new();
    let mut register = |log: &mut Log| {
        for (secret, envelope) in &keys {
            registered.push(log.add(*secret, LeafKind::KeyRegistration, envelope));
        }
    };
    if own && !plan.registered_last {
        register(&mut log);
    }
    let [offer, accept, seal] = statements(plan);
    let mut items = [
        log.add([7; 32], LeafKind::Offer, &offer),
        log.add(plan.accept_lane, LeafKind::Accept, &accept),
        log.add([7; 32], LeafKind::Seal, &seal),
    ];
    if own && plan.registered_last {
        register(&mut log);
    }
    if plan.swapped {
        items.swap(0, 1);
    }
    let rows = MemoryRows::of(log.leaves.iter().map(|(leaf, _)| leaf_hash(&leaf.to_bytes())));
    let size = rows.size() - plan.cut;
    let head = TreeHead { size, root: root(&rows, size).expect("a root") };
    let note = Checkpoint { origin: plan.origin.to_owned(), head }.sign(&key(plan.log_key)).expect("signed");
    Receipt {
        checkpoint: note.to_string(),
        declaration: None,
        id: HandshakeId::new(id(9)).to_string(),
        items: items.iter().map(|index| log.logged(&rows, size, *index)).collect(),
        keys: registered.iter().map(|index| log.logged(&rows, size, *index)).collect(),
        kind: ReceiptKind::Handshake,
        log: plan.origin.to_owned(),
        r#type: receipt::TYPE.to_owned(),
        v: receipt::VERSION,
    }
}

/// Through the bytes, as a stranger gets it.
fn judged(receipt: &Receipt) -> Findings {
    let bytes = receipt.to_bytes().expect("bytes");
    verify(&trust(), &Receipt::parse(&bytes).expect("a receipt"))
}

fn codes(findings: &Findings) -> Vec<&'static str> {
    findings.faults.0.iter().map(|fault| fault.code).collect()
}

#[test]
fn honest_receipts_hold_and_say_how_strong_they_are() {
    for assurance in [Assurance::Own, Assurance::Custodial, Assurance::Attested] {
        let findings = judged(&made(&Plan::honest(assurance)));
        assert_eq!(codes(&findings), Vec::<&str>::new());
        assert_eq!(findings.assurance, Some(assurance));
        assert!(findings.proved.len() >= 4);
        let weak = findings.not_proved.iter().any(|n| n.contains("attested") || n.contains("custodial"));
        assert_eq!(weak, assurance != Assurance::Own, "{:?}", findings.not_proved);
        let keys = if assurance == Assurance::Attested { 1 } else { 3 };
        assert_eq!(findings.keys.len(), keys);
    }
}

#[test]
fn the_platform_may_sign_as_custodian_and_it_shows() {
    let mut plan = Plan::honest(Assurance::Custodial);
    (plan.offer_key, plan.accept_key) = (PLATFORM, PLATFORM);
    let findings = judged(&made(&plan));
    assert_eq!(codes(&findings), Vec::<&str>::new());
    assert_eq!((findings.assurance, findings.keys.len()), (Some(Assurance::Custodial), 1));
    assert!(findings.not_proved.iter().any(|n| n.contains("custodial")));
}

#[test]
fn a_dishonest_platform_is_found_out() {
    type Change = fn(&mut Plan);
    let own: [(&str, Change); 17] = [
        ("other_log", |p| p.origin = "flip360.test/other"),
        ("checkpoint_not_trusted", |p| p.log_key = PLATFORM),
        ("unknown_key", |p| p.offer_key = 5),
        ("unknown_key", |p| p.offer_key = PLATFORM),
        ("unknown_key", |p| p.seal_key = MEMBER),
        ("key_of_other_party", |p| p.accept_key = MEMBER),
        ("key_of_other_party", |p| p.registered_party = partner()),
        ("assurance_overstated", |p| p.registered_as = Assurance::Custodial),
        ("assurance_overstated", |p| p.seal_assurance = Assurance::Custodial),
        ("key_registered_later", |p| p.registered_last = true),
        ("other_party", |p| p.accept_party = member()),
        ("digest_mismatch", |p| p.accept_of = Some(Digest::of(b"another offer"))),
        ("digest_mismatch", |p| p.seal_of = Some(Digest::of(b"another offer"))),
        ("other_handshake", |p| p.seal_handshake = 10),
        ("other_lane", |p| p.accept_lane = [8; 32]),
        ("seen_from_the_future", |p| p.seen = 1_000),
        ("leaf_after_checkpoint", |p| p.cut = 1),
    ];
    for (code, change) in own {
        let mut plan = Plan::honest(Assurance::Own);
        change(&mut plan);
        let findings = judged(&made(&plan));
        assert!(codes(&findings).contains(&code), "expected {code}, found {:?}", findings.faults);
        assert!(findings.proved.is_empty());
    }
    let mut swapped = Plan::honest(Assurance::Own);
    swapped.swapped = true;
    assert!(codes(&judged(&made(&swapped))).contains(&"leaf_of_other_kind"));
    // An attested statement by anybody but the platform.
    let mut attested = Plan::honest(Assurance::Attested);
    attested.offer_key = MEMBER;
    assert!(codes(&judged(&made(&attested))).contains(&"unknown_key"));
}

#[test]
fn parts_of_another_receipt_do_not_fit() {
    let receipt = made(&Plan::honest(Assurance::Own));
    let mut changed: Vec<(&str, Receipt)> = Vec::new();
    let mut change = |code, apply: &dyn Fn(&mut Receipt)| {
        let mut copy = receipt.clone();
        apply(&mut copy);
        changed.push((code, copy));
    };
    change("commitment_mismatch", &|r| {
        let leaf = r.items[2].leaf.clone();
        r.items[1].leaf = leaf;
    });
    change("not_included", &|r| r.items[0].index += 1);
    change("not_included", &|r| r.items[0].index = 0);
    change("not_included", &|r| r.items[0].proof = r.items[1].proof.clone());
    change("not_included", &|r| r.items[0].proof.clear());
    change("leaf_of_other_kind", &|r| r.items.rotate_left(1));
    change("wrong_number_of_items", &|r| r.items.truncate(2));
    change("unknown_key", &|r| r.keys.clear());
    change("key_twice", &|r| r.keys.push(r.keys[0].clone()));
    change("wrong_number_of_items", &|r| r.kind = ReceiptKind::LedgerEntry);
    change("other_handshake", &|r| r.id = HandshakeId::new(id(10)).to_string());
    change("checkpoint_not_trusted", &|r| r.checkpoint = r.checkpoint.replace("flip360.test", "flip361.test"));
    for (code, receipt) in changed {
        let findings = judged(&receipt);
        assert!(codes(&findings).contains(&code), "expected {code}, found {:?}", findings.faults);
    }
}

#[test]
fn a_flipped_byte_is_found_wherever_it_is() {
    for (assurance, step) in [(Assurance::Own, 1), (Assurance::Attested, 17)] {
        let bytes = made(&Plan::honest(assurance)).to_bytes().expect("bytes");
        for place in (0..bytes.len()).step_by(step) {
            let mut flipped = bytes.clone();
            flipped[place] ^= 1 << (place % 7);
            let holds = Receipt::parse(&flipped).is_ok_and(|receipt| verify(&trust(), &receipt).holds());
            assert!(!holds, "byte {place} of {}", String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn only_the_canonical_spelling_is_a_receipt() {
    let text = String::from_utf8(made(&Plan::honest(Assurance::Attested)).to_bytes().expect("bytes")).expect("UTF-8");
    assert!(Receipt::parse(text.as_bytes()).is_ok());
    for other in [
        format!("{text}\n"),
        text.replacen("\"v\":1", "\"v\":2", 1),
        text.replacen("\"v\":1", "\"v\":1,\"w\":1", 1),
        text.replacen("\"type\"", "\"keys\":[],\"type\"", 1),
        text.replacen("\"kind\":\"handshake\"", "\"keys\":[],\"kind\":\"handshake\"", 1),
        text.replacen("\"id\"", "\"declaration\":null,\"id\"", 1),
        " ".repeat(receipt::MAX_BYTES) + &text,
    ] {
        assert!(Receipt::parse(other.as_bytes()).is_err());
    }
}

#[test]
fn a_trust_file_reads_back_and_is_judged() {
    let text = trust().to_json().expect("JSON");
    assert_eq!(Trust::parse(text.as_bytes()), Ok(trust()));
    let (kid, other) = (key(PLATFORM).kid(), key(MEMBER).kid());
    for wrong in [
        text.replacen(ORIGIN, "flip360.test/other", 1),
        text.replace(&kid, &other),
        text.replacen("flip360_trust", "trust", 1),
        text.replacen("\"v\": 1", "\"v\": 2", 1),
        text.replacen("{", "{\"x\": 1,", 1),
        text.replacen('+', "-", 1),
    ] {
        assert_ne!(wrong, text);
        assert!(Trust::parse(wrong.as_bytes()).is_err(), "{wrong}");
    }
}

fn custodial() -> &'static [u8] {
    static BYTES: std::sync::OnceLock<Vec<u8>> = std::sync::OnceLock::new();
    BYTES.get_or_init(|| made(&Plan::honest(Assurance::Custodial)).to_bytes().expect("bytes"))
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Receipt::parse(&bytes).is_err());
        prop_assert!(Trust::parse(&bytes).is_err());
    }

    #[test]
    fn several_changes_at_once_are_found(changes in proptest::collection::vec((any::<prop::sample::Index>(), 1..=255_u8), 1..6)) {
        let bytes = custodial();
        let mut changed = bytes.to_vec();
        for (place, mask) in changes {
            changed[place.index(bytes.len())] ^= mask;
        }
        let holds = Receipt::parse(&changed).is_ok_and(|receipt| verify(&trust(), &receipt).holds());
        prop_assert!(changed == bytes || !holds);
    }
}
