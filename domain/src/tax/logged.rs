//! Papers in the log: each has one leaf, which commits to its number and the digest of its text under a salt.
//!
//! All papers share one lane, in the order of their numbers, so that none can be left out unnoticed and no lane tells
//! whose a paper is. Whoever logs holds the lock of the head of the papers, so that the lane is never waited for.
//! Invariant: from the first paper that is logged on every one is. A program of before, which still ran when that
//! began, issued some without a leaf: whoever issues next logs those first. Papers from before stay without one.
//! Bounds: a fixed number of statements for any number of papers.

use jiff::civil::Date;
use uuid::Uuid;

use super::document::{DocumentKind, TaxDocument};
use super::repository::DocumentHead;
use crate::chain::leaf::LeafKind;
use crate::chain::log::{self, LogItem};
use crate::chain::paper::{LoggedPaper, TYPE, VERSION};
use crate::chain::statement::Salt;
use crate::env::Env;
use crate::kernel::Digest;
use crate::kernel::ids::{PayeeId, PayoutId, TaxDocumentId};
use crate::store::{StoreError, UnitOfWork};

/// Whose lane all papers are on.
const LANE: Uuid = Uuid::from_u128(0x0198_0000_0000_7000_8004_0000_0000_0003);

/// What the log is told of a paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loggable {
    /// Its place among all papers.
    pub seq: i64,
    /// Its id.
    pub id: TaxDocumentId,
    /// Its kind.
    pub kind: DocumentKind,
    /// Its number.
    pub number: String,
    /// The payee.
    pub payee: PayeeId,
    /// The payout that it goes with.
    pub payout: Option<PayoutId>,
    /// The day on which it is issued.
    pub issued_on: Date,
    /// The digest of its text.
    pub sha256: Digest,
    /// The digest of the text of the paper before.
    pub previous_sha256: Digest,
}

impl From<&TaxDocument> for Loggable {
    fn from(document: &TaxDocument) -> Self {
        Self {
            seq: document.seq,
            id: document.id,
            kind: document.kind,
            number: document.number.clone(),
            payee: document.payee,
            payout: document.payout,
            issued_on: document.issued_on,
            sha256: document.sha256,
            previous_sha256: document.previous_sha256,
        }
    }
}

/// The papers up to a head that somebody issued without a leaf since papers are logged.
pub(super) fn behind(uow: &mut dyn UnitOfWork, head: &DocumentHead) -> Result<Vec<Loggable>, StoreError> {
    match head.logged_seq {
        Some(logged) if logged < head.last_seq => uow.tax().list_papers_after(logged),
        Some(_) | None => Ok(Vec::new()),
    }
}

/// Logs papers that are kept, in their order.
pub(super) fn log(uow: &mut dyn UnitOfWork, env: &Env<'_>, papers: &[Loggable]) -> Result<(), StoreError> {
    let envelopes = papers.iter().map(|paper| envelope(env, paper)).collect::<Result<Vec<_>, _>>()?;
    let item = |(paper, envelope): (&Loggable, &Vec<u8>)| LogItem {
        subject: LANE,
        source: paper.id.uuid(),
        kind: LeafKind::TaxDocument,
        envelope: envelope.clone(),
        keep_envelope: false,
    };
    let items: Vec<LogItem> = papers.iter().zip(&envelopes).map(item).collect();
    log::append(uow, env, &items)?;
    let kept: Vec<(TaxDocumentId, Vec<u8>)> = papers.iter().map(|paper| paper.id).zip(envelopes).collect();
    uow.tax().append_envelopes(&kept)
}

/// What the leaf of a paper commits to.
fn envelope(env: &Env<'_>, paper: &Loggable) -> Result<Vec<u8>, StoreError> {
    let logged = LoggedPaper {
        content_sha256: paper.sha256,
        id: paper.id,
        issued_on: paper.issued_on,
        kind: paper.kind.code().to_owned(),
        log: env.origin.to_owned(),
        number: paper.number.clone(),
        payee: paper.payee,
        payout: paper.payout,
        previous_sha256: paper.previous_sha256,
        salt: Salt(env.draw()),
        seq: paper.seq,
        r#type: TYPE.to_owned(),
        v: VERSION,
    };
    logged.to_bytes().map_err(|error| StoreError::Failed(error.to_string()))
}
