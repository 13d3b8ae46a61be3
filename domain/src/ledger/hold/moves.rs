//! How money of a line is put aside, and let go.

use super::Parts;
use crate::kernel::ids::PayeeId;
use crate::ledger::account::{AccountKey, AccountKind};
use crate::ledger::entry::Posting;
use crate::ledger::line::{CommissionLine, LineError};

impl CommissionLine {
    /// What is owed to the payee and neither paid nor on its way nor put aside, in cents.
    #[must_use]
    pub const fn unpaid_minor(&self) -> i64 {
        self.buckets.available_minor + self.buckets.accrued_minor
    }

    /// Puts so much aside, or what there is when that is less; what is available goes first. Tells what was taken from
    /// where, and the postings, which sum to zero; nothing is taken of a line without a payee.
    pub fn put_aside(&mut self, amount_minor: i64) -> (Parts, Vec<Posting>) {
        let Some(payee) = self.payee else { return (Parts::default(), Vec::new()) };
        let available_minor = amount_minor.min(self.buckets.available_minor).max(0);
        let accrued_minor = (amount_minor - available_minor).min(self.buckets.accrued_minor).max(0);
        let parts = Parts { available_minor, accrued_minor };
        self.buckets.available_minor -= available_minor;
        self.buckets.accrued_minor -= accrued_minor;
        self.buckets.held_minor += parts.sum_minor();
        (parts, self.moved(payee, parts, 1))
    }

    /// Lets go what was put aside. Returns the postings, which sum to zero; none when there is nothing to let go.
    ///
    /// # Errors
    /// When less is put aside.
    pub fn let_go(&mut self, back: Parts) -> Result<Vec<Posting>, LineError> {
        let amount_minor = back.sum_minor();
        let short = LineError { line: self.id, amount_minor };
        let payee = self.payee.filter(|_| amount_minor <= self.buckets.held_minor).ok_or(short)?;
        self.buckets.held_minor -= amount_minor;
        self.buckets.available_minor += back.available_minor;
        self.buckets.accrued_minor += back.accrued_minor;
        Ok(self.moved(payee, back, -1))
    }

    /// What leaves the buckets (`sign` is 1) or comes back to them (−1), against what is put aside.
    fn moved(&self, payee: PayeeId, parts: Parts, sign: i64) -> Vec<Posting> {
        let sides = [
            (AccountKind::PayeeAvailable, parts.available_minor),
            (AccountKind::PayeeAccrued, parts.accrued_minor),
            (AccountKind::PayeeHeld, -parts.sum_minor()),
        ];
        let posting = |(kind, amount_minor): (AccountKind, i64)| Posting {
            account: AccountKey::of_party(kind, payee.uuid()),
            amount_minor: amount_minor * sign,
            line: Some(self.id),
        };
        sides.into_iter().filter(|(_, amount_minor)| *amount_minor != 0).map(posting).collect()
    }
}
