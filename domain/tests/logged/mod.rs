//! A log in memory with keys, key events and handshakes on it, and receipts out of it: whatever a platform might log.

use std::collections::BTreeMap;

use domain::chain::checkpoint::{Checkpoint, TreeHead};
use domain::chain::leaf::{LaneHead, Leaf, LeafKind, lane};
use domain::chain::merkle::{MemoryRows, empty_root, leaf_hash};
use domain::chain::note::VerifierKey;
use domain::chain::proof::{prove_inclusion, root};
use domain::chain::receipt::{self, Logged, Receipt, ReceiptKind};
use domain::chain::signer::Signer;
use domain::chain::statement::{
    Accept, AgreementRef, Assurance, Declared, ImportDeclaration, KeyRegistration, KeyRevocation, KeyRotation, Offer,
    Participant, PartyId, RevocationReason, Salt, Seal, Statement,
};
use domain::chain::trust::Trust;
use domain::kernel::ids::{AgreementId, DealId, HandshakeId, MemberId, OrganisationId};
use domain::kernel::{Digest, Instant};
use uuid::Uuid;

#[path = "../../../verifier/tests/receipts/signer.rs"]
mod signer;
pub use signer::key;

pub const ORIGIN: &str = "flip360.test/log";
pub const LOG: u8 = 1;
pub const PLATFORM: u8 = 2;
pub const PARTNER: u8 = 3;

pub fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 | n)
}

pub fn trust() -> Trust {
    Trust::new(VerifierKey::try_new(ORIGIN, key(LOG).public_key()).expect("a name"), vec![key(PLATFORM).public_key()])
}

/// Two members, so that keys can be of another party.
pub fn member(which: bool) -> PartyId {
    PartyId::member(MemberId::new(id(if which { 1 } else { 5 })))
}

pub fn partner() -> PartyId {
    PartyId::organisation(OrganisationId::new(id(2)))
}

pub fn nothing() -> TreeHead {
    TreeHead { size: 0, root: empty_root() }
}

/// A log in memory, on which everything is on the lane of its kind of subject.
#[derive(Default)]
pub struct Log {
    lanes: BTreeMap<[u8; 32], LaneHead>,
    pub leaves: Vec<(Leaf, String)>,
}

impl Log {
    pub fn add(&mut self, secret: [u8; 32], envelope: String) -> u64 {
        let (_, statement) = Statement::parse(&envelope).expect("a statement");
        let head = self.lanes.entry(secret).or_insert_with(|| LaneHead::new(lane(&secret)));
        let at = Instant::new("2026-11-25T00:00:00Z".parse().expect("a time"));
        self.leaves.push((head.append(statement.kind(), envelope.as_bytes(), at), envelope));
        self.leaves.len() as u64 - 1
    }

    pub fn receipt(&self, handshake: u128, items: [u64; 3], keys: &[u64]) -> Receipt {
        let rows = MemoryRows::of(self.leaves.iter().map(|(leaf, _)| leaf_hash(&leaf.to_bytes())));
        let size = rows.size();
        let logged = |index: &u64| {
            let (leaf, envelope) = &self.leaves[usize::try_from(*index).expect("small")];
            let proof = prove_inclusion(&rows, *index, size).expect("a proof");
            let leaf = String::from_utf8(leaf.to_bytes()).expect("ASCII");
            Logged { envelope: envelope.clone(), index: *index, leaf, proof }
        };
        let declared = |(leaf, _): &(Leaf, String)| leaf.kind == LeafKind::ImportDeclaration;
        let declaration = self.leaves.iter().position(declared).map(|at| at as u64);
        let head = TreeHead { size, root: root(&rows, size).expect("a root") };
        let note = Checkpoint { origin: ORIGIN.to_owned(), head }.sign(&key(LOG)).expect("signed");
        Receipt {
            checkpoint: note.to_string(),
            declaration: declaration.as_ref().map(logged),
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

pub fn registration(seed: u8, party: PartyId, next: Option<u8>) -> String {
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

pub fn promise(seed: u8) -> Digest {
    key(seed).public_key().digest()
}

pub fn rotation(from: u8, to: u8, party: PartyId, next: Option<u8>) -> String {
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

pub fn revocation(revoked: u8, by: u8, party: PartyId) -> String {
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
pub fn handshake(log: &mut Log, n: u128, seed: u8) -> [u64; 3] {
    let offer = Offer { kid: key(seed).kid(), party: member(true), to: partner(), ..offer(n) };
    sealed(log, n, offer, (seed, PARTNER))
}

pub fn offer(n: u128) -> Offer {
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

/// The partner answers for an imported file.
pub fn declaration() -> String {
    let declared = Declared { declared: true, text_sha256: None };
    let statement = Statement::ImportDeclaration(ImportDeclaration {
        consent: declared.clone(),
        disclosure: declared,
        file_sha256: Digest::of(b"a file"),
        import: None,
        kid: key(PARTNER).kid(),
        log: ORIGIN.to_owned(),
        organisation: partner(),
        salt: Salt([14; 32]),
        seen: nothing(),
        v: 1,
    });
    statement.sign(&key(PARTNER)).expect("signed")
}

pub fn sealed(log: &mut Log, n: u128, offer: Offer, keys: (u8, u8)) -> [u64; 3] {
    sealed_as(log, n, offer, keys, |_| ())
}

/// A whole handshake whose seal is bent before the platform signs it.
pub fn sealed_as(
    log: &mut Log,
    n: u128,
    offer: Offer,
    (offers, accepts): (u8, u8),
    bend: impl FnOnce(&mut Seal),
) -> [u64; 3] {
    let lane = [7; 32];
    let (id_of, to) = (HandshakeId::new(id(n)), offer.to.clone());
    let (assurance, declaration) = (offer.assurance, offer.declaration);
    let offer = Statement::Offer(offer).sign(&key(offers)).expect("signed");
    let accept = Statement::Accept(Accept {
        assurance,
        declaration,
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
    let mut seal = Seal {
        accept_sha256: Digest::of(accept.as_bytes()),
        agreement: AgreementRef { content_sha256: Digest::of(b"terms"), id: AgreementId::new(id(3)), version: 1 },
        assurance,
        consent: Declared { declared: true, text_sha256: None },
        deal: DealId::new(id(4)),
        declaration,
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
    };
    bend(&mut seal);
    let seal = Statement::Seal(Box::new(seal)).sign(&key(PLATFORM)).expect("signed");
    [log.add(lane, offer), log.add(lane, accept), log.add(lane, seal)]
}
