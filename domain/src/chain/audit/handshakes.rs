//! What the statements of one handshake say of each other, over a whole log.
//!
//! Each is of one lane and names the whole envelope before it: the accept its offer, the seal both, the offer of a hand-over
//! the seal that it hands over; all of them rest on the same declaration, if on any. The codes are those of receipts:
//! `digest_mismatch`, `other_party`, `other_lane`, `other_deal`, `out_of_order`, `assurance_overstated`,
//! `declaration_misplaced`; besides, `handshake_twice`: a second statement of the same kind. Where a statement of the lane was erased or cannot be read, what would be
//! compared with it is not: its absence is told elsewhere.
//! Bounds: some 200 bytes for each handshake, kept until the end.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::AuditReport;
use crate::chain::statement::{Accept, Assurance, Offer, PartyId, Seal, Statement};
use crate::kernel::Digest;
use crate::kernel::ids::{DealId, HandshakeId};

/// Where a statement stands in the log.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) index: u64,
    pub(super) lane: Digest,
    /// The digest of its whole envelope.
    pub(super) envelope: Digest,
}

/// What is known of a handshake.
struct Known {
    lane: Digest,
    offer: Digest,
    to: PartyId,
    assurance: Assurance,
    declaration: Option<Digest>,
    /// Of a hand-over: the deal that was sealed before.
    deal: Option<DealId>,
    accept: Option<(Digest, Assurance)>,
    sealed: bool,
}

/// What was sealed: whose it is since, of which deal, on which lane.
struct Sealed {
    holder: PartyId,
    deal: DealId,
    lane: Digest,
}

/// All handshakes of one audit.
#[derive(Default)]
pub(super) struct Handshakes {
    known: BTreeMap<HandshakeId, Known>,
    seals: BTreeMap<Digest, Sealed>,
    /// Lanes of which a statement cannot be seen.
    gaps: BTreeSet<Digest>,
}

impl Handshakes {
    /// A statement of the lane is erased, or is not what it should be.
    pub(super) fn gap(&mut self, lane: Digest) {
        let _ = self.gaps.insert(lane);
    }

    /// Compares a statement with those before it.
    pub(super) fn take(&mut self, report: &mut AuditReport, at: Place, statement: &Statement) {
        match statement {
            Statement::Offer(offer) => self.offered(report, at, offer),
            Statement::Accept(accept) => self.accepted(report, at, accept),
            Statement::Seal(seal) => self.sealed(report, at, seal),
            Statement::ImportDeclaration(_)
            | Statement::KeyRegistration(_)
            | Statement::KeyRotation(_)
            | Statement::KeyRevocation(_)
            | Statement::AgreementApproval(_)
            | Statement::PayoutApproval(_)
            | Statement::Erasure(_) => {}
        }
    }

    fn offered(&mut self, report: &mut AuditReport, at: Place, offer: &Offer) {
        rests_on(report, at, offer.assurance, offer.declaration);
        let deal = offer.previous.and_then(|previous| self.hands_over(report, at, offer, previous));
        let known = Known {
            lane: at.lane,
            offer: at.envelope,
            to: offer.to.clone(),
            assurance: offer.assurance,
            declaration: offer.declaration,
            deal,
            accept: None,
            sealed: false,
        };
        match self.known.entry(offer.handshake) {
            Entry::Occupied(_) => {
                report.differ(Some(at.index), "handshake_twice", format!("{} was offered before", offer.handshake));
            }
            Entry::Vacant(free) => {
                let _ = free.insert(known);
            }
        }
    }

    /// The deal that the seal of this digest sealed; says so when it is not the offering party's to hand over.
    fn hands_over(&self, report: &mut AuditReport, at: Place, offer: &Offer, previous: Digest) -> Option<DealId> {
        let Some(sealed) = self.seals.get(&previous) else {
            if !self.gaps.contains(&at.lane) {
                let detail = format!("it hands over what the seal {previous} sealed, which is not in the log before");
                report.differ(Some(at.index), "digest_mismatch", detail);
            }
            return None;
        };
        if sealed.lane != at.lane {
            report.differ(Some(at.index), "other_lane", "what it hands over is on another lane".to_owned());
        }
        if sealed.holder != offer.party {
            let detail = format!("{} hands over what {} holds", offer.party, sealed.holder);
            report.differ(Some(at.index), "other_party", detail);
        }
        Some(sealed.deal)
    }

    fn accepted(&mut self, report: &mut AuditReport, at: Place, accept: &Accept) {
        rests_on(report, at, accept.assurance, accept.declaration);
        let gap = self.gaps.contains(&at.lane);
        let Some(known) = self.known.get_mut(&accept.handshake) else {
            return unknown(report, at, gap, "accepts");
        };
        let mut differ = |code, detail: &str| report.differ(Some(at.index), code, detail.to_owned());
        if known.accept.is_some() {
            return differ("handshake_twice", "it was accepted before");
        }
        if known.lane != at.lane {
            differ("other_lane", "the statements of a handshake are on one lane");
        }
        if accept.offer_sha256 != known.offer {
            differ("digest_mismatch", "the accept is of another offer");
        }
        if accept.party != known.to {
            differ("other_party", "somebody else than the offer names accepted");
        }
        if accept.declaration != known.declaration {
            differ("digest_mismatch", "the accept rests on another declaration than the offer");
        }
        known.accept = Some((at.envelope, accept.assurance));
    }

    fn sealed(&mut self, report: &mut AuditReport, at: Place, seal: &Seal) {
        rests_on(report, at, seal.assurance, seal.declaration);
        let gap = self.gaps.contains(&at.lane);
        let Some(known) = self.known.get_mut(&seal.handshake) else {
            return unknown(report, at, gap, "seals");
        };
        let mut differ = |code, detail: &str| report.differ(Some(at.index), code, detail.to_owned());
        if known.sealed {
            return differ("handshake_twice", "it was sealed before");
        }
        known.sealed = true;
        if known.lane != at.lane {
            differ("other_lane", "the statements of a handshake are on one lane");
        }
        match known.accept {
            Some((accept, assurance)) => {
                if seal.accept_sha256 != accept {
                    differ("digest_mismatch", "the seal is of another accept");
                }
                if seal.assurance != known.assurance.min(assurance) {
                    differ("assurance_overstated", "the seal does not say the weaker assurance");
                }
            }
            None if gap => {}
            None => differ("out_of_order", "it seals what was not accepted"),
        }
        if seal.offer_sha256 != known.offer {
            differ("digest_mismatch", "the seal is of another offer");
        }
        if seal.declaration != known.declaration {
            differ("digest_mismatch", "the seal rests on another declaration than the offer");
        }
        if known.deal.is_some_and(|deal| deal != seal.deal) {
            differ("other_deal", "another deal was sealed before than is handed over");
        }
        let sealed = Sealed { holder: known.to.clone(), deal: seal.deal, lane: at.lane };
        let _ = self.seals.insert(at.envelope, sealed);
    }
}

/// An attested statement, and only that, names a declaration.
fn rests_on(report: &mut AuditReport, at: Place, assurance: Assurance, declaration: Option<Digest>) {
    if (assurance == Assurance::Attested) != declaration.is_some() {
        let detail = "an attested statement, and only that, names the declaration it rests on";
        report.differ(Some(at.index), "declaration_misplaced", detail.to_owned());
    }
}

fn unknown(report: &mut AuditReport, at: Place, gap: bool, does: &str) {
    if !gap {
        report.differ(Some(at.index), "out_of_order", format!("it {does} what was not offered"));
    }
}
