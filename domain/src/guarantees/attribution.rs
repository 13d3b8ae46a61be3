//! Attribution: every accrued cent traces to a signed and logged handshake.
//!
//! Each sealed handshake is packed into the very receipt that a stranger would get and judged by the
//! very code that judges it there; then its seal must be of the deal it is kept for and name everybody
//! who earns on that deal. Attested and custodial ones are counted apart, and so are erased ones. A handshake whose leaves wait
//! for a checkpoint is counted, and broken only when it waits too long.

use uuid::Uuid;

use super::repository::{Check, HandshakeEvidence};
use super::tally::Tally;
use super::{PAGE, erased};
use crate::chain::receipt::Receipt;
use crate::chain::receipts::{self, Wanted, Withheld};
use crate::chain::statement::{Assurance, Seal, Statement};
use crate::chain::trust::Trust;
use crate::chain::verify::verify;
use crate::kernel::Instant;
use crate::store::{Queries, StoreError};

pub(super) fn check(queries: &mut dyn Queries, trust: &Trust, at: Instant) -> Result<Tally, StoreError> {
    let mut tally = Tally::default();
    let totals = queries.guarantees().totals()?;
    tally.cover("deals", totals.deals);
    tally.figure("earned_minor", totals.earned_minor);
    for check in [Check::AccruedUnsealed, Check::StatementUnlogged, Check::StatementDiffers] {
        tally.check(queries.guarantees(), check, at)?;
    }
    erased::check(queries, trust, &mut tally)?;
    for what in ["sealed", "self", "custodial", "attested", "erased", "unsealed", "not_published_yet"] {
        tally.cover(&format!("handshakes_{what}"), 0);
    }
    let mut after = Uuid::nil();
    loop {
        let page = queries.guarantees().handshakes(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(tally) };
        after = last.id.uuid();
        tally.cover("handshakes_unsealed", page.iter().filter(|h| !h.sealed).count() as u64);
        let sealed: Vec<HandshakeEvidence> = page.into_iter().filter(|h| h.sealed).collect();
        let wanted: Vec<Wanted> = sealed.iter().map(|h| Wanted::Handshake(h.id)).collect();
        for (handshake, receipt) in sealed.iter().zip(receipts::packed(queries, &wanted)?) {
            judge(&mut tally, trust, handshake, receipt);
        }
    }
}

fn judge(tally: &mut Tally, trust: &Trust, handshake: &HandshakeEvidence, receipt: Result<Receipt, Withheld>) {
    let id = handshake.id.to_string();
    let receipt = match receipt {
        Ok(receipt) => receipt,
        Err(Withheld::Pending | Withheld::PendingWitness) => return tally.cover("handshakes_not_published_yet", 1),
        Err(Withheld::Erased) => return tally.cover("handshakes_erased", 1),
        Err(withheld) => return tally.broken(id, "no_receipt", withheld.to_string()),
    };
    let findings = verify(trust, &receipt);
    if let Some(fault) = findings.faults.0.first() {
        let detail = format!("{}: {}: {}", fault.pointer, fault.code, fault.detail);
        return tally.broken(id, "receipt_not_valid", detail);
    }
    tally.cover("handshakes_sealed", 1);
    match findings.assurance {
        Some(Assurance::Own) => tally.cover("handshakes_self", 1),
        Some(Assurance::Custodial) => tally.cover("handshakes_custodial", 1),
        Some(Assurance::Attested) | None => tally.cover("handshakes_attested", 1),
    }
    let Some(seal) = seal_of(&receipt) else { return };
    if seal.deal != handshake.deal {
        tally.broken(id, "seal_of_other_deal", format!("kept for {}, sealed for {}", handshake.deal, seal.deal));
        return;
    }
    if seal.participants.first().is_none_or(|first| first.member != handshake.member) {
        let detail = format!("{} says that {} referred, and its seal does not", handshake.deal, handshake.member);
        tally.broken(id.clone(), "referrer_not_sealed", detail);
    }
    for earner in &handshake.earners {
        if !seal.participants.iter().any(|p| p.member == *earner) {
            let detail = format!("{earner} earns on {} and is not in its seal", handshake.deal);
            tally.broken(id.clone(), "earner_not_sealed", detail);
        }
    }
}

fn seal_of(receipt: &Receipt) -> Option<Box<Seal>> {
    match Statement::parse(&receipt.items.get(2)?.envelope) {
        Ok((_, Statement::Seal(seal))) => Some(seal),
        Ok(_) | Err(_) => None,
    }
}
