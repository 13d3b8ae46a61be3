//! Commission lines: what one participant earns on one deal by one component, and where it lies now.
//!
//! Invariant: earned − clawed back + GST is suspense + accrued + held + available + in transit + paid + withheld +
//! set off − recoverable, for every line that is owed to somebody; the platform's own line has no buckets.
//! Each movement returns its postings, which sum to zero unless it says otherwise.

use jiff::civil::Date;
use uuid::Uuid;

use super::account::{AccountKey, AccountKind};
use super::entry::Posting;
use crate::agreements::model::{ComponentKey, FundingRule, Role};
use crate::kernel::ids::{CalculationId, DealId, LineId, MemberId, PayeeId};

/// Where the money of a line lies, in minor units; none but what is set off is negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Buckets {
    /// Earned, and nobody to pay.
    pub suspense_minor: i64,
    /// Earned, on hold.
    pub accrued_minor: i64,
    /// In dispute.
    pub held_minor: i64,
    /// May be paid.
    pub available_minor: i64,
    /// Sent, not confirmed.
    pub in_transit_minor: i64,
    /// Paid.
    pub paid_minor: i64,
    /// Withheld for the tax office.
    pub withheld_minor: i64,
    /// To be got back.
    pub recoverable_minor: i64,
    /// Paid by setting it off against clawbacks of other lines of the payee; negative on a line whose
    /// clawback was got back so. Sums to zero per payee.
    pub set_off_minor: i64,
}

/// A line does not hold what is to be moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{line} does not hold the {amount_minor} cents that are to be moved")]
pub struct LineError {
    /// The line.
    pub line: LineId,
    /// What was to be moved.
    pub amount_minor: i64,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommissionLine {
    /// Its id.
    pub id: LineId,
    /// The deal.
    pub deal: DealId,
    /// The component.
    pub component: ComponentKey,
    /// The role.
    pub role: Role,
    /// Who earns; none for the platform.
    pub member: Option<MemberId>,
    /// Who is paid, fixed at accrual; none = member suspense.
    pub payee: Option<PayeeId>,
    /// The first day of the month of a trail that it is of; none = the deal itself.
    pub period: Option<Date>,
    /// Whether the provider must have paid before it may be paid on.
    pub funding_rule: FundingRule,
    /// From when it may be paid.
    pub payable_on: Date,
    /// What was earned, as posted.
    pub earned_minor: i64,
    /// What was taken back, as posted; positive.
    pub clawed_back_minor: i64,
    /// GST that documents added to it, less what adjustment notes took off.
    pub gst_minor: i64,
    /// Where it lies.
    pub buckets: Buckets,
    /// The calculation that it stands on.
    pub calculation: CalculationId,
    /// Who may see it.
    pub visible_to: Vec<Uuid>,
}

impl CommissionLine {
    /// Whether the line is the platform's own margin.
    #[must_use]
    pub const fn is_platform(&self) -> bool {
        self.member.is_none()
    }

    fn posting(&self, kind: AccountKind, party: Uuid, amount_minor: i64) -> Posting {
        Posting { account: AccountKey::of_party(kind, party), amount_minor, line: Some(self.id) }
    }

    /// Owes more to the participant: what is to be got back goes first, the rest on hold (or into suspense).
    /// Returns the postings, which sum to `-amount_minor`.
    pub fn give(&mut self, amount_minor: i64) -> Vec<Posting> {
        let mut postings = Vec::new();
        let (Some(member), payee) = (self.member, self.payee) else { return postings };
        let mut left = amount_minor;
        if let Some(payee) = payee {
            let back = left.min(self.buckets.recoverable_minor);
            if back > 0 {
                self.buckets.recoverable_minor -= back;
                left -= back;
                postings.push(self.posting(AccountKind::ClawbackRecoverable, payee.uuid(), -back));
            }
        }
        if left > 0 {
            postings.push(match payee {
                Some(payee) => {
                    self.buckets.accrued_minor += left;
                    self.posting(AccountKind::PayeeAccrued, payee.uuid(), -left)
                }
                None => {
                    self.buckets.suspense_minor += left;
                    self.posting(AccountKind::MemberSuspense, member.uuid(), -left)
                }
            });
        }
        postings
    }

    /// Takes back from the participant: what is unpaid first, the rest is to be got back.
    /// Returns the postings, which sum to `amount_minor`.
    pub fn take(&mut self, amount_minor: i64) -> Vec<Posting> {
        let mut postings = Vec::new();
        let Some(member) = self.member else { return postings };
        let mut left = amount_minor;
        let buckets = [
            (AccountKind::MemberSuspense, &mut self.buckets.suspense_minor),
            (AccountKind::PayeeAccrued, &mut self.buckets.accrued_minor),
            (AccountKind::PayeeHeld, &mut self.buckets.held_minor),
            (AccountKind::PayeeAvailable, &mut self.buckets.available_minor),
        ];
        let mut taken_from = Vec::new();
        for (kind, bucket) in buckets {
            let taken = left.min(*bucket);
            if taken > 0 {
                *bucket -= taken;
                left -= taken;
                taken_from.push((kind, taken));
            }
        }
        if left > 0 {
            self.buckets.recoverable_minor += left;
            taken_from.push((AccountKind::ClawbackRecoverable, left));
        }
        for (kind, taken) in taken_from {
            let party = match (kind, self.payee) {
                (AccountKind::MemberSuspense, _) | (_, None) => member.uuid(),
                (_, Some(payee)) => payee.uuid(),
            };
            postings.push(self.posting(kind, party, taken));
        }
        postings
    }

    /// The hold has expired: everything accrued may be paid. `None` when there is nothing to release.
    pub fn release(&mut self) -> Option<[Posting; 2]> {
        let payee = self.payee?;
        let amount = std::mem::take(&mut self.buckets.accrued_minor);
        if amount == 0 {
            return None;
        }
        self.buckets.available_minor += amount;
        Some([
            self.posting(AccountKind::PayeeAccrued, payee.uuid(), amount),
            self.posting(AccountKind::PayeeAvailable, payee.uuid(), -amount),
        ])
    }

    /// Releases so much of what is accrued, or all of it when less is. `None` when there is nothing to release.
    pub fn release_up_to(&mut self, amount_minor: i64) -> Option<[Posting; 2]> {
        let payee = self.payee?;
        let amount = amount_minor.min(self.buckets.accrued_minor);
        if amount <= 0 {
            return None;
        }
        self.buckets.accrued_minor -= amount;
        self.buckets.available_minor += amount;
        Some([
            self.posting(AccountKind::PayeeAccrued, payee.uuid(), amount),
            self.posting(AccountKind::PayeeAvailable, payee.uuid(), -amount),
        ])
    }

    /// Sends what is available to a rail.
    ///
    /// # Errors
    /// When less is available, or the amount is not positive.
    pub fn send(&mut self, amount_minor: i64) -> Result<[Posting; 2], LineError> {
        let payee = self.holds(self.buckets.available_minor, amount_minor)?;
        self.buckets.available_minor -= amount_minor;
        self.buckets.in_transit_minor += amount_minor;
        Ok([
            self.posting(AccountKind::PayeeAvailable, payee, amount_minor),
            self.posting(AccountKind::PayeeInTransit, payee, -amount_minor),
        ])
    }

    /// The rail says that it arrived; `from` is the account that paid it.
    ///
    /// # Errors
    /// When less is in transit, or the amount is not positive.
    pub fn pay(&mut self, amount_minor: i64, from: AccountKey) -> Result<[Posting; 2], LineError> {
        let payee = self.holds(self.buckets.in_transit_minor, amount_minor)?;
        self.buckets.in_transit_minor -= amount_minor;
        self.buckets.paid_minor += amount_minor;
        Ok([
            self.posting(AccountKind::PayeeInTransit, payee, amount_minor),
            Posting { account: from, amount_minor: -amount_minor, line: Some(self.id) },
        ])
    }

    /// What was sent came back before anybody said that it had arrived.
    ///
    /// # Errors
    /// When less is in transit, or the amount is not positive.
    pub fn come_back(&mut self, amount_minor: i64) -> Result<[Posting; 2], LineError> {
        let payee = self.holds(self.buckets.in_transit_minor, amount_minor)?;
        self.buckets.in_transit_minor -= amount_minor;
        self.buckets.available_minor += amount_minor;
        Ok([
            self.posting(AccountKind::PayeeInTransit, payee, amount_minor),
            self.posting(AccountKind::PayeeAvailable, payee, -amount_minor),
        ])
    }

    /// What had arrived came back; `into` is the account that has it again.
    ///
    /// # Errors
    /// When less was paid, or the amount is not positive.
    pub fn pay_back(&mut self, amount_minor: i64, into: AccountKey) -> Result<[Posting; 2], LineError> {
        let payee = self.holds(self.buckets.paid_minor, amount_minor)?;
        self.buckets.paid_minor -= amount_minor;
        self.buckets.available_minor += amount_minor;
        Ok([
            Posting { account: into, amount_minor, line: Some(self.id) },
            self.posting(AccountKind::PayeeAvailable, payee, -amount_minor),
        ])
    }

    /// What had arrived came back and makes up for what was to be got back; `into` is the account that has it again.
    ///
    /// # Errors
    /// When less was paid or is to be got back, or the amount is not positive.
    pub fn get_back(&mut self, amount_minor: i64, into: AccountKey) -> Result<[Posting; 2], LineError> {
        let held_minor = self.buckets.paid_minor.min(self.buckets.recoverable_minor);
        let payee = self.holds(held_minor, amount_minor)?;
        self.buckets.paid_minor -= amount_minor;
        self.buckets.recoverable_minor -= amount_minor;
        Ok([
            Posting { account: into, amount_minor, line: Some(self.id) },
            self.posting(AccountKind::ClawbackRecoverable, payee, -amount_minor),
        ])
    }

    /// Keeps back what is available for the tax office.
    ///
    /// # Errors
    /// When less is available, or the amount is not positive.
    pub fn withhold(&mut self, amount_minor: i64) -> Result<[Posting; 2], LineError> {
        let payee = self.holds(self.buckets.available_minor, amount_minor)?;
        self.buckets.available_minor -= amount_minor;
        self.buckets.withheld_minor += amount_minor;
        Ok([
            self.posting(AccountKind::PayeeAvailable, payee, amount_minor),
            Posting {
                account: AccountKey::of_platform(AccountKind::WithholdingPayable),
                amount_minor: -amount_minor,
                line: Some(self.id),
            },
        ])
    }

    /// Adds the GST of an invoice to what may be paid.
    ///
    /// # Errors
    /// When the line has no payee, or the amount is not positive.
    pub fn add_gst(&mut self, amount_minor: i64) -> Result<[Posting; 2], LineError> {
        let payee = self.holds(i64::MAX, amount_minor)?;
        self.gst_minor += amount_minor;
        self.buckets.available_minor += amount_minor;
        Ok([
            Posting { account: AccountKey::of_platform(AccountKind::GstPaid), amount_minor, line: Some(self.id) },
            self.posting(AccountKind::PayeeAvailable, payee, -amount_minor),
        ])
    }

    /// Owes the GST of an invoice that no payment brings about: what is to be got back goes first, the rest where the
    /// line lies. Returns the postings, which sum to zero; none when there is nothing to owe.
    pub fn owe_gst(&mut self, amount_minor: i64) -> Vec<Posting> {
        let Some(payee) = self.payee.filter(|_| amount_minor > 0) else { return Vec::new() };
        let paid = AccountKey::of_platform(AccountKind::GstPaid);
        let mut postings = vec![Posting { account: paid, amount_minor, line: Some(self.id) }];
        self.gst_minor += amount_minor;
        let back = amount_minor.min(self.buckets.recoverable_minor);
        if back > 0 {
            self.buckets.recoverable_minor -= back;
            postings.push(self.posting(AccountKind::ClawbackRecoverable, payee.uuid(), -back));
        }
        let left = amount_minor - back;
        if left > 0 {
            let buckets = &mut self.buckets;
            let (kind, bucket) = if buckets.accrued_minor > 0 {
                (AccountKind::PayeeAccrued, &mut buckets.accrued_minor)
            } else if buckets.held_minor > 0 {
                (AccountKind::PayeeHeld, &mut buckets.held_minor)
            } else {
                (AccountKind::PayeeAvailable, &mut buckets.available_minor)
            };
            *bucket += left;
            postings.push(self.posting(kind, payee.uuid(), -left));
        }
        postings
    }

    /// Takes GST off, as an adjustment note says: off what is unpaid first, the rest is to be got back. Returns the
    /// postings, which sum to zero; none when there is nothing to take.
    pub fn remove_gst(&mut self, amount_minor: i64) -> Option<Vec<Posting>> {
        if amount_minor <= 0 {
            return None;
        }
        self.gst_minor -= amount_minor;
        let paid = AccountKey::of_platform(AccountKind::GstPaid);
        let mut postings = vec![Posting { account: paid, amount_minor: -amount_minor, line: Some(self.id) }];
        postings.extend(self.take(amount_minor));
        Some(postings)
    }

    /// Gives what is available to settle clawbacks of other lines.
    ///
    /// # Errors
    /// When less is available, or the amount is not positive.
    pub fn set_off(&mut self, amount_minor: i64) -> Result<Posting, LineError> {
        let payee = self.holds(self.buckets.available_minor, amount_minor)?;
        self.buckets.available_minor -= amount_minor;
        self.buckets.set_off_minor += amount_minor;
        Ok(self.posting(AccountKind::PayeeAvailable, payee, amount_minor))
    }

    /// What was to be got back has been, by setting off.
    ///
    /// # Errors
    /// When less is to be got back, or the amount is not positive.
    pub fn settle(&mut self, amount_minor: i64) -> Result<Posting, LineError> {
        let payee = self.holds(self.buckets.recoverable_minor, amount_minor)?;
        self.buckets.recoverable_minor -= amount_minor;
        self.buckets.set_off_minor -= amount_minor;
        Ok(self.posting(AccountKind::ClawbackRecoverable, payee, -amount_minor))
    }

    fn holds(&self, held_minor: i64, amount_minor: i64) -> Result<Uuid, LineError> {
        match self.payee {
            Some(payee) if amount_minor > 0 && amount_minor <= held_minor => Ok(payee.uuid()),
            _ => Err(LineError { line: self.id, amount_minor }),
        }
    }
}
