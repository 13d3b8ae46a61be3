//! What a payee has available and owes, and the payout that comes of it.

use std::collections::BTreeMap;

use jiff::civil::Date;
use uuid::Uuid;

use super::aba::LodgementReference;
use super::content::{BankDetailsRef, LineShare, PlannedPayout, SettledLine};
use super::plan::Destination;
use super::recovery::Cap;
use crate::kernel::Cents;
use crate::kernel::id;
use crate::kernel::ids::{LineId, PayeeId, PayoutId};
use crate::ledger::line::CommissionLine;
use crate::tax::decide::{Payable, TaxedLine, TaxedPayment};

/// What a payee has available and owes.
#[derive(Debug, Default)]
pub(super) struct Purse {
    pub(super) available: Vec<Payable>,
    recoverable: Vec<(LineId, i64)>,
}

/// The purses of the payees of lines: what may be paid on a day, and what is to be got back, oldest first.
pub(super) fn purses(lines: &[CommissionLine], cut_off_on: Date) -> BTreeMap<PayeeId, Purse> {
    let mut ordered: Vec<&CommissionLine> = lines.iter().collect();
    ordered.sort_by_key(|line| (line.payable_on, line.id));
    let mut purses: BTreeMap<PayeeId, Purse> = BTreeMap::new();
    for line in ordered {
        let Some(payee) = line.payee else { continue };
        let purse = purses.entry(payee).or_default();
        if line.buckets.available_minor > 0 && line.payable_on <= cut_off_on {
            purse.available.push(payable(line, line.buckets.available_minor));
        }
        if line.buckets.recoverable_minor > 0 {
            purse.recoverable.push((line.id, line.buckets.recoverable_minor));
        }
    }
    purses
}

/// What a line has to be taxed for.
pub(super) fn payable(line: &CommissionLine, available_minor: i64) -> Payable {
    Payable { line: line.id, available_minor, value_minor: line.earned_minor - line.clawed_back_minor }
}

/// What these clawbacks come to, in cents.
pub(super) fn total_minor(settled: &[SettledLine]) -> i64 {
    settled.iter().map(|settled| settled.amount.0).sum()
}

impl Purse {
    pub(super) fn gross_minor(&self) -> i64 {
        self.available.iter().map(|payable| payable.available_minor).sum()
    }

    /// Which clawbacks are got back, the oldest first: all, or as much as a bound lets of so much that would be paid.
    pub(super) fn settled(&self, cap: Option<Cap>, base_minor: i64) -> Vec<SettledLine> {
        let mut left = cap.map_or(i64::MAX, |cap| cap.of_minor(base_minor));
        let settled = |&(line, recoverable_minor): &(LineId, i64)| {
            let amount_minor = left.min(recoverable_minor);
            left -= amount_minor;
            (amount_minor > 0).then_some(SettledLine { amount: Cents(amount_minor), line })
        };
        self.recoverable.iter().filter_map(settled).collect()
    }

    /// The payout: clawbacks take from the oldest lines first.
    pub(super) fn payout(
        id: PayoutId,
        payee: PayeeId,
        destination: Destination,
        taxed: &TaxedPayment,
        settled: Vec<SettledLine>,
    ) -> PlannedPayout {
        let (bank_details, stripe_account) = match destination {
            Destination::Bank(details) => (Some(details), None),
            Destination::Stripe(account) => (None, Some(account)),
        };
        let recovered_minor = total_minor(&settled);
        let mut left = recovered_minor;
        let lines = taxed
            .lines
            .iter()
            .map(|line| {
                let set_off = left.min(line.payable_minor());
                left -= set_off;
                LineShare {
                    gst: Cents(line.gst_minor),
                    line: line.line,
                    sent: Cents(line.payable_minor() - set_off),
                    set_off: Cents(set_off),
                    withheld: Cents(line.withheld_minor),
                }
            })
            .collect();
        PlannedPayout {
            bank_details,
            gross: Cents(taxed.gross_minor()),
            gst: Cents(taxed.gst_minor()),
            id,
            lines,
            net: Cents(taxed.lines.iter().map(TaxedLine::payable_minor).sum::<i64>() - recovered_minor),
            payee,
            recovered: Cents(recovered_minor),
            reference: reference(id.uuid()),
            retry_of: None,
            settled,
            stripe_account,
            withheld: Cents(taxed.withheld_minor()),
        }
    }
}

/// What these lines of one payee have available, and what clawbacks take of it.
pub(super) fn sums(lines: &[CommissionLine], cut_off_on: Date, cap: Option<Cap>) -> (i64, i64) {
    let purse = purses(lines, cut_off_on).into_values().next().unwrap_or_default();
    let gross_minor = purse.gross_minor();
    (gross_minor, total_minor(&purse.settled(cap, gross_minor)))
}

/// A payout that sends again what came back on these lines of one payee: no tax, that was done the first time.
pub(super) fn again(
    id: PayoutId,
    retry_of: PayoutId,
    (payee, bank_details): (PayeeId, BankDetailsRef),
    lines: &[CommissionLine],
    cut_off_on: Date,
    cap: Option<Cap>,
) -> PlannedPayout {
    let purse = purses(lines, cut_off_on).remove(&payee).unwrap_or_default();
    let untaxed = TaxedPayment::without_tax(&purse.available);
    let settled = purse.settled(cap, purse.gross_minor());
    let payout = Purse::payout(id, payee, Destination::Bank(bank_details), &untaxed, settled);
    PlannedPayout { retry_of: Some(retry_of), ..payout }
}

/// The reference of a payout: the last 12 letters of its id, which are random.
fn reference(payout: Uuid) -> LodgementReference {
    let letters = id::encode(payout).to_uppercase();
    LodgementReference::numbered(letters.get(14..).unwrap_or_default())
}
