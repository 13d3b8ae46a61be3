//! A log in memory with one of everything, the same bytes each time.

use std::collections::BTreeMap;

use uuid::Uuid;
use verifier::checkpoint::{Checkpoint, TreeHead};
use verifier::currency::Currency;
use verifier::digest::Digest;
use verifier::encoding::b64url;
use verifier::entry::{LoggedEntry, LoggedPosting};
use verifier::ids::{
    AccountId, AgreementId, DealId, EntryId, GuaranteeRunId, HandshakeId, LineId, MemberId, OrganisationId, PayeeId,
    PayoutId, PayoutRunId,
};
use verifier::instant::Instant;
use verifier::jcs;
use verifier::jws;
use verifier::leaf::{LaneHead, Leaf, LeafKind, lane};
use verifier::merkle::{MemoryRows, empty_root, leaf_hash};
use verifier::note::VerifierKey;
use verifier::paper::{self, LoggedPaper};
use verifier::proof::{prove_inclusion, root};
use verifier::receipt::{self, Logged, Receipt, ReceiptKind};
use verifier::report::{self, Guarantee, GuaranteeResult, Report};
use verifier::signer::Signer;
use verifier::statement::{
    Accept, AgreementApproval, AgreementRef, Amount, Assurance, Declared, KeyRegistration, Offer, Participant, PartyId,
    PayoutApproval, Salt, Seal, Statement, VersionName,
};
use verifier::trust::Trust;

pub use super::signer::key;

pub const ORIGIN: &str = "flip360.example/log";
pub const LOG: u8 = 1;
pub const PLATFORM: u8 = 2;
pub const MEMBER: u8 = 3;
pub const PARTNER: u8 = 4;

pub fn trust() -> Trust {
    Trust::new(VerifierKey::try_new(ORIGIN, key(LOG).public_key()).expect("a name"), vec![key(PLATFORM).public_key()])
}

pub fn id(n: u128) -> Uuid {
    Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 | n)
}

pub fn salt(n: u8) -> Salt {
    Salt([n; 32])
}

pub fn at() -> Instant {
    Instant::new("2026-11-25T00:00:00Z".parse().expect("a time"))
}

/// What every signer claims to have seen: nothing yet.
pub const fn unseen() -> TreeHead {
    TreeHead { size: 0, root: Digest([0; 32]) }
}

/// A log in memory.
#[derive(Default, Clone)]
pub struct Log {
    lanes: BTreeMap<[u8; 32], LaneHead>,
    leaves: Vec<(Leaf, String)>,
}

impl Log {
    /// A log of so many leaves that nobody asks for.
    pub fn filled(leaves: u32) -> Self {
        let mut log = Self::default();
        for n in 0..leaves {
            log.add([0; 32], LeafKind::LedgerEntry, &format!("something else {n}"));
        }
        log
    }

    pub fn add(&mut self, secret: [u8; 32], kind: LeafKind, envelope: &str) -> usize {
        let head = self.lanes.entry(secret).or_insert_with(|| LaneHead::new(lane(&secret)));
        self.leaves.push((head.append(kind, envelope.as_bytes(), at()), envelope.to_owned()));
        self.leaves.len() - 1
    }

    pub fn rows(&self) -> MemoryRows {
        MemoryRows::of(self.leaves.iter().map(|(leaf, _)| leaf_hash(&leaf.to_bytes())))
    }

    pub fn checkpoint(&self, signer: u8) -> String {
        let rows = self.rows();
        let head = TreeHead { size: rows.size(), root: root(&rows, rows.size()).expect("a root") };
        Checkpoint { origin: ORIGIN.to_owned(), head }.sign(&key(signer)).expect("signed").to_string()
    }

    fn logged(&self, rows: &MemoryRows, index: usize) -> Logged {
        let (leaf, envelope) = &self.leaves[index];
        let leaf = String::from_utf8(leaf.to_bytes()).expect("ASCII");
        let proof = prove_inclusion(rows, index as u64, rows.size()).expect("a proof");
        Logged { envelope: envelope.clone(), index: index as u64, leaf, proof }
    }

    pub fn receipt(&self, kind: ReceiptKind, id: &str, items: &[usize], keys: &[usize]) -> Receipt {
        let rows = self.rows();
        Receipt {
            checkpoint: self.checkpoint(LOG),
            declaration: None,
            id: id.to_owned(),
            items: items.iter().map(|index| self.logged(&rows, *index)).collect(),
            keys: keys.iter().map(|index| self.logged(&rows, *index)).collect(),
            kind,
            log: ORIGIN.to_owned(),
            r#type: receipt::TYPE.to_owned(),
            v: receipt::VERSION,
        }
    }
}

pub fn agreement_approval() -> AgreementApproval {
    AgreementApproval {
        acknowledged: vec!["cliff".to_owned()],
        agreement: AgreementId::new(id(3)),
        approved_by: id(21),
        content_sha256: Digest::of(b"the content of the version"),
        kid: key(PLATFORM).kid(),
        log: ORIGIN.to_owned(),
        number: 2,
        proposed_by: Some(id(20)),
        salt: salt(31),
        seen: unseen(),
        v: 1,
    }
}

pub fn payout_approval() -> PayoutApproval {
    PayoutApproval {
        approved_by: id(21),
        content_sha256: Digest::of(b"the content of the run"),
        kid: key(PLATFORM).kid(),
        log: ORIGIN.to_owned(),
        payouts: 14,
        proposed_by: Some(id(20)),
        run: PayoutRunId::new(id(30)),
        salt: salt(32),
        seen: unseen(),
        total: Amount { amount: "2535000".to_owned(), currency: Currency::Aud },
        v: 1,
    }
}

pub fn report() -> Report {
    let result = |guarantee| GuaranteeResult {
        counterexample_count: 0,
        counterexamples: Vec::new(),
        coverage: [("entries".to_owned(), 745), ("leaves".to_owned(), 4_345)].into(),
        figures: [("earned_minor".to_owned(), "123456789".to_owned())].into(),
        guarantee,
        holds: true,
    };
    Report {
        checkpoint: Some(TreeHead { size: 3, root: empty_root() }),
        guarantees: Guarantee::ALL.map(result).to_vec(),
        holds: true,
        id: GuaranteeRunId::new(id(40)),
        kid: key(PLATFORM).kid(),
        ledger_seq: 745,
        log: ORIGIN.to_owned(),
        taken_at: at(),
        r#type: report::TYPE.to_owned(),
        v: report::VERSION,
    }
}

pub fn signed_report(report: &Report) -> String {
    jws::sign(report, report::TYP, &key(PLATFORM)).expect("signed")
}

fn entry() -> String {
    let posting = |account, amount: &str, line| LoggedPosting {
        account: AccountId::new(id(account)),
        amount: amount.to_owned(),
        currency: "AUD".to_owned(),
        line,
    };
    let entry = LoggedEntry {
        r#type: "ledger_entry".to_owned(),
        v: 1,
        log: ORIGIN.to_owned(),
        seq: 7,
        id: EntryId::new(id(50)),
        kind: "accrual".to_owned(),
        deal: Some(DealId::new(id(4))),
        payee: None,
        source: id(51),
        effective_on: "2026-11-25".parse().expect("a date"),
        recorded_at: at(),
        previous_sha256: Digest::of(b"the entry before"),
        salt: b64url(&[33; 32]),
        postings: vec![posting(52, "125000", None), posting(53, "-125000", Some(LineId::new(id(54))))],
    };
    String::from_utf8(jcs::to_bytes(&entry).expect("bytes")).expect("UTF-8")
}

pub fn paper() -> LoggedPaper {
    let content_sha256 = Digest::of(b"the text of the paper");
    LoggedPaper {
        content_sha256,
        id: paper::id_of(content_sha256),
        issued_on: "2026-11-25".parse().expect("a date"),
        kind: "rcti".to_owned(),
        log: ORIGIN.to_owned(),
        number: "RCTI-FY27-000003".to_owned(),
        payee: PayeeId::new(id(60)),
        payout: Some(PayoutId::new(id(61))),
        previous_sha256: Digest::of(b"the text of the paper before"),
        salt: salt(34),
        seq: 7,
        r#type: paper::TYPE.to_owned(),
        v: paper::VERSION,
    }
}

pub fn written(paper: &LoggedPaper) -> String {
    String::from_utf8(paper.to_bytes().expect("bytes")).expect("UTF-8")
}

fn registration(seed: u8, party: PartyId) -> String {
    let key = key(seed);
    let statement = Statement::KeyRegistration(KeyRegistration {
        assurance: Assurance::Own,
        jwk: key.public_key().jwk(),
        kid: key.kid(),
        log: ORIGIN.to_owned(),
        next: None,
        party,
        salt: salt(seed),
        v: 1,
    });
    statement.sign(&key).expect("signed")
}

/// Offer, accept and seal of two parties with keys of their own.
fn handshake() -> [String; 3] {
    let (member, partner) = (PartyId::member(MemberId::new(id(1))), PartyId::organisation(OrganisationId::new(id(2))));
    let (handshake, log, v) = (HandshakeId::new(id(9)), ORIGIN.to_owned(), 1);
    let offer = Statement::Offer(Offer {
        assurance: Assurance::Own,
        declaration: None,
        handshake,
        kid: key(MEMBER).kid(),
        log: log.clone(),
        party: member,
        previous: None,
        referred: None,
        row_sha256: None,
        salt: salt(11),
        seen: unseen(),
        to: partner.clone(),
        v,
        value: None,
    });
    let offer = offer.sign(&key(MEMBER)).expect("signed");
    let accept = Statement::Accept(Accept {
        assurance: Assurance::Own,
        declaration: None,
        handshake,
        kid: key(PARTNER).kid(),
        log: log.clone(),
        offer_sha256: Digest::of(offer.as_bytes()),
        party: partner,
        salt: salt(12),
        seen: unseen(),
        v,
    });
    let accept = accept.sign(&key(PARTNER)).expect("signed");
    let declared = || Declared { declared: true, text_sha256: None };
    let seal = Statement::Seal(Box::new(Seal {
        accept_sha256: Digest::of(accept.as_bytes()),
        agreement: AgreementRef {
            content_sha256: agreement_approval().content_sha256,
            id: AgreementId::new(id(3)),
            version: 2,
        },
        assurance: Assurance::Own,
        consent: declared(),
        deal: DealId::new(id(4)),
        declaration: None,
        disclosure: declared(),
        handshake,
        kid: key(PLATFORM).kid(),
        log,
        offer_sha256: Digest::of(offer.as_bytes()),
        participants: vec![Participant { member: MemberId::new(id(1)), role: "member".to_owned() }],
        party: PartyId::platform(),
        salt: salt(13),
        seen: unseen(),
        v,
    }));
    let seal = seal.sign(&key(PLATFORM)).expect("signed");
    [offer, accept, seal]
}

/// One receipt of each kind, in the order of [`ReceiptKind::ALL`], all under one checkpoint.
pub fn one_of_each() -> Vec<Receipt> {
    let mut log = Log::filled(12);
    let keys = [
        log.add([1; 32], LeafKind::KeyRegistration, &registration(MEMBER, PartyId::member(MemberId::new(id(1))))),
        log.add(
            [2; 32],
            LeafKind::KeyRegistration,
            &registration(PARTNER, PartyId::organisation(OrganisationId::new(id(2)))),
        ),
    ];
    let approval = Statement::AgreementApproval(agreement_approval()).sign(&key(PLATFORM)).expect("signed");
    let approval = log.add([3; 32], LeafKind::AgreementApproval, &approval);
    let [offer, accept, seal] = handshake();
    let statements = [
        log.add([4; 32], LeafKind::Offer, &offer),
        log.add([4; 32], LeafKind::Accept, &accept),
        log.add([4; 32], LeafKind::Seal, &seal),
    ];
    let entry = log.add([4; 32], LeafKind::LedgerEntry, &entry());
    let run = Statement::PayoutApproval(payout_approval()).sign(&key(PLATFORM)).expect("signed");
    let run = log.add([5; 32], LeafKind::PayoutApproval, &run);
    let report = log.add([6; 32], LeafKind::GuaranteeRun, &signed_report(&report()));
    let issued = log.add([7; 32], LeafKind::TaxDocument, &written(&paper()));
    let version = VersionName { agreement: AgreementId::new(id(3)), number: 2 };
    vec![
        log.receipt(ReceiptKind::Handshake, &HandshakeId::new(id(9)).to_string(), &statements, &keys),
        log.receipt(ReceiptKind::LedgerEntry, &EntryId::new(id(50)).to_string(), &[entry], &[]),
        log.receipt(ReceiptKind::AgreementApproval, &version.to_string(), &[approval], &[]),
        log.receipt(ReceiptKind::PayoutApproval, &PayoutRunId::new(id(30)).to_string(), &[run], &[]),
        log.receipt(ReceiptKind::GuaranteeRun, &GuaranteeRunId::new(id(40)).to_string(), &[report], &[]),
        log.receipt(ReceiptKind::TaxDocument, &paper().id.to_string(), &[issued], &[]),
    ]
}
