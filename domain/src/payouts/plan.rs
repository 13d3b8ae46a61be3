//! Whom a run pays: a pure function of what lies available, and the check that it still does.
//!
//! Clawbacks that are to be got back from a payee are taken first, from its oldest lines, all of them or as much as the
//! payee's plan of today lets them ([`super::recovery`]); a payee from whom they take everything is left out whole, so that
//! nothing is recovered that pays nothing. Lines stand in the order
//! of the date from which they may be paid, then of their ids; payees in the order of their ids. What a payment owes in
//! GST or withholding is decided by [`crate::tax::decide`]; a line that it leaves out is told as a payee that is skipped.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::aba::MAX_LINE_MINOR;
use super::bank_account::BankAccount;
use super::content::{BankDetailsRef, LineShare, PlannedPayout, RunContent, SettledLine, Skip, SkippedPayee};
use super::purse::{Purse, payable, purses, total_minor};
use super::repository::PayeeStanding;
use crate::directory::payee::Rail;
use crate::kernel::id::IdSource;
use crate::kernel::ids::{LineId, PayeeId, PayoutId, PayoutRunId};
use crate::kernel::{Cents, Instant};
use crate::ledger::line::CommissionLine;
use crate::tax::decide::{self, Payable, Supplier, TaxException, TaxFacts, TaxedLine, TaxedPayment};

/// What a plan is made from.
pub struct PlanInput<'a> {
    /// The run.
    pub run: PayoutRunId,
    /// From which account.
    pub account: &'a BankAccount,
    /// What may be paid on or before this date.
    pub cut_off_on: Date,
    /// This moment: bank details must be usable by now.
    pub now: Instant,
    /// The payees of the lines.
    pub standings: &'a [PayeeStanding],
    /// Every line of theirs with something available or to be got back.
    pub lines: &'a [CommissionLine],
    /// What tax needs to know of them.
    pub tax: &'a TaxFacts,
}

/// Works out a content of its own.
#[must_use]
pub fn plan(input: &PlanInput<'_>, ids: &dyn IdSource) -> RunContent {
    let mut content = RunContent::nothing(input.run, input.account.id, input.cut_off_on);
    add(&mut content, input, ids);
    content
}

/// Adds these payees to a content, after all whose ids are smaller.
pub fn add(content: &mut RunContent, input: &PlanInput<'_>, ids: &dyn IdSource) {
    let purses = purses(input.lines, input.cut_off_on);
    let mut standings: Vec<&PayeeStanding> = input.standings.iter().collect();
    standings.sort_by_key(|standing| standing.id);
    for standing in standings {
        let Some(purse) = purses.get(&standing.id).filter(|purse| purse.gross_minor() > 0) else { continue };
        let taxed = input.taxed(standing, &purse.available);
        content.skipped.extend(left_out(standing.id, &taxed));
        if taxed.lines.is_empty() {
            continue;
        }
        let settled = purse.settled(standing.recovery.on(input.now.sydney_date()), recoverable_of(&taxed));
        match pays(input, standing, &taxed, total_minor(&settled)) {
            Ok(destination) => {
                let payout = Purse::payout(PayoutId::new(ids.next()), standing.id, destination, &taxed, settled);
                content.total.0 += payout.net.0;
                content.payouts.push(payout);
            }
            Err(code) => content.skipped.push(SkippedPayee {
                code,
                gross: Cents(taxed.gross_minor()),
                payee: standing.id,
                recoverable: Cents(total_minor(&settled)),
            }),
        }
    }
}

/// What of a taxed payment clawbacks may take a share of: no GST, which the payee passes on, and nothing that is withheld.
fn recoverable_of(taxed: &TaxedPayment) -> i64 {
    taxed.lines.iter().map(|line| line.payable_minor() - line.gst_minor).sum()
}

/// Where a payee's money goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Destination {
    /// To a bank account, by a file.
    Bank(BankDetailsRef),
    /// To an account at Stripe.
    Stripe(String),
}

impl Destination {
    /// Whether a payout goes there.
    fn is_of(&self, payout: &PlannedPayout) -> bool {
        match self {
            Self::Bank(details) => payout.bank_details.as_ref() == Some(details) && payout.stripe_account.is_none(),
            Self::Stripe(account) => payout.stripe_account.as_ref() == Some(account) && payout.bank_details.is_none(),
        }
    }
}

/// Whether a payee is paid, and where to; otherwise why not.
fn pays(
    input: &PlanInput<'_>,
    standing: &PayeeStanding,
    taxed: &TaxedPayment,
    recovered_minor: i64,
) -> Result<Destination, Skip> {
    let destination = payable_to(standing, input.now)?;
    let net_minor = taxed.lines.iter().map(TaxedLine::payable_minor).sum::<i64>() - recovered_minor;
    if net_minor <= 0 {
        Err(Skip::NothingNet)
    } else if net_minor < standing.minimum_minor {
        Err(Skip::BelowMinimum)
    } else if net_minor > MAX_LINE_MINOR {
        Err(Skip::AmountTooLarge)
    } else {
        Ok(destination)
    }
}

/// Whether a payee may be paid at all, and into which account.
fn payable_to(standing: &PayeeStanding, now: Instant) -> Result<Destination, Skip> {
    if standing.stripe.as_ref().is_some_and(|stripe| stripe.reversal_open) {
        return Err(Skip::ReversalOpen);
    }
    if standing.rail == Rail::Stripe {
        let stripe = standing.stripe.as_ref().ok_or(Skip::StripeAccountMissing)?;
        let account = Destination::Stripe(stripe.account.to_string());
        return if stripe.payable { Ok(account) } else { Err(Skip::StripeAccountRestricted) };
    }
    bank_of(standing, now).map(Destination::Bank)
}

/// The bank account into which a payee may be paid now.
pub(super) fn bank_of(standing: &PayeeStanding, now: Instant) -> Result<BankDetailsRef, Skip> {
    let bank = standing.bank.as_ref().ok_or(Skip::NoBankDetails)?;
    if bank.is_blocked {
        return Err(Skip::BankDetailsBlocked);
    }
    if bank.usable_from > now {
        return Err(Skip::BankDetailsCoolingOff);
    }
    Ok(BankDetailsRef::new(bank.id, bank.salt, &bank.details))
}

impl PlanInput<'_> {
    fn taxed(&self, standing: &PayeeStanding, payables: &[Payable]) -> TaxedPayment {
        let supplier = Supplier { id: standing.id, abn: standing.abn, gst: &standing.gst };
        decide::of_payment(supplier, payables, self.tax, self.now.sydney_date())
    }

    /// What the tax of approved payouts comes to now, in their order; nothing where the payee is gone.
    #[must_use]
    pub fn taxed_now(&self, payouts: &[PlannedPayout]) -> Vec<Option<TaxedPayment>> {
        let standings: BTreeMap<PayeeId, &PayeeStanding> = self.standings.iter().map(|s| (s.id, s)).collect();
        let lines: BTreeMap<LineId, &CommissionLine> = self.lines.iter().map(|line| (line.id, line)).collect();
        let wanted = |share: &LineShare, line: Option<&CommissionLine>| {
            let wanted_minor = share.sent.0 + share.set_off.0 + share.withheld.0 - share.gst.0;
            Some(payable(line?, wanted_minor))
        };
        let taxed = |payout: &PlannedPayout| {
            let payables: Vec<Payable> =
                payout.lines.iter().filter_map(|share| wanted(share, own(&lines, payout.payee, share.line))).collect();
            Some(self.taxed(standings.get(&payout.payee)?, &payables))
        };
        payouts.iter().map(taxed).collect()
    }
}

/// What tax leaves out of a payment, by reason.
fn left_out(payee: PayeeId, taxed: &TaxedPayment) -> Vec<SkippedPayee> {
    let mut by_reason: BTreeMap<TaxException, i64> = BTreeMap::new();
    for (payable, exception) in &taxed.left_out {
        *by_reason.entry(*exception).or_default() += payable.available_minor;
    }
    let skipped = |(exception, gross)| SkippedPayee {
        code: match exception {
            TaxException::GstStatusChanged => Skip::GstStatusChanged,
            TaxException::RctiAgreementMissing => Skip::RctiAgreementMissing,
            TaxException::RecipientUnknown => Skip::RecipientUnknown,
        },
        gross: Cents(gross),
        payee,
        recoverable: Cents(0),
    };
    by_reason.into_iter().map(skipped).collect()
}

/// Why an approved run cannot be executed any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Discrepancy {
    /// The payee may not be paid now.
    #[error("{payee} may not be paid any more: {}", code.code())]
    NotPayable {
        /// The payee.
        payee: PayeeId,
        /// Why.
        code: Skip,
    },
    /// The bank details are not those that were approved.
    #[error("the bank details of {0} are not those that were approved")]
    BankDetailsChanged(PayeeId),
    /// GST or withholding are not what was approved.
    #[error("the tax on the payment to {0} is not what was approved")]
    TaxChanged(PayeeId),
    /// Less is available on a line than was approved.
    #[error("{line} has {available_minor} cents available, {wanted_minor} were approved")]
    LessAvailable {
        /// The line.
        line: LineId,
        /// What is there.
        available_minor: i64,
        /// What was approved.
        wanted_minor: i64,
    },
    /// What is to be got back of a payee is not what was approved to be set off.
    #[error("{recoverable_minor} cents are to be set off of {payee} now, {approved_minor} were approved to be set off")]
    OtherRecovery {
        /// The payee.
        payee: PayeeId,
        /// What is to be got back now, as far as the payee's plan lets it.
        recoverable_minor: i64,
        /// What was approved.
        approved_minor: i64,
    },
}

/// What stands in the way of executing payouts as they were approved; nothing means that they can be.
#[must_use]
pub fn discrepancies(payouts: &[PlannedPayout], input: &PlanInput<'_>) -> Vec<Discrepancy> {
    let lines: BTreeMap<LineId, &CommissionLine> = input.lines.iter().map(|line| (line.id, line)).collect();
    let standings: BTreeMap<PayeeId, &PayeeStanding> = input.standings.iter().map(|s| (s.id, s)).collect();
    let purses = purses(input.lines, input.cut_off_on);
    let mut found = Vec::new();
    for (payout, taxed) in payouts.iter().zip(input.taxed_now(payouts)) {
        let payee = payout.payee;
        let cap = standings.get(&payee).and_then(|standing| standing.recovery.on(input.now.sydney_date()));
        let standing = standings.get(&payee).ok_or(Skip::NoBankDetails);
        match standing.and_then(|standing| payable_to(standing, input.now)) {
            Err(code) => found.push(Discrepancy::NotPayable { payee, code }),
            Ok(now) if !now.is_of(payout) => found.push(Discrepancy::BankDetailsChanged(payee)),
            Ok(_) => {}
        }
        if taxed.is_some_and(|taxed| !is_taxed_so(payout, &taxed)) {
            found.push(Discrepancy::TaxChanged(payee));
        }
        for share in &payout.lines {
            let available_minor = own(&lines, payee, share.line).map_or(0, |line| line.buckets.available_minor);
            let wanted_minor = share.sent.0 + share.set_off.0 + share.withheld.0 - share.gst.0;
            if available_minor < wanted_minor {
                found.push(Discrepancy::LessAvailable { line: share.line, available_minor, wanted_minor });
            }
        }
        let by_line = |settled: &[SettledLine]| -> BTreeMap<LineId, i64> {
            settled.iter().map(|settled| (settled.line, settled.amount.0)).collect()
        };
        // What was approved is still right when more lies there by now: the share is of what was approved.
        let base_minor: i64 = payout.lines.iter().map(|share| share.sent.0 + share.set_off.0 - share.gst.0).sum();
        let owed = by_line(&purses.get(&payee).map(|purse| purse.settled(cap, base_minor)).unwrap_or_default());
        if owed != by_line(&payout.settled) {
            let recoverable_minor = owed.values().sum();
            found.push(Discrepancy::OtherRecovery { payee, recoverable_minor, approved_minor: payout.recovered.0 });
        }
    }
    found
}

/// A line, if it is this payee's: one that became another's since is not there to be paid to this one, also when a run
/// pays both.
fn own<'a>(lines: &BTreeMap<LineId, &'a CommissionLine>, payee: PayeeId, line: LineId) -> Option<&'a CommissionLine> {
    lines.get(&line).copied().filter(|line| line.payee == Some(payee))
}

/// Whether an approved payout has just this tax. A line that holds nothing any more has none.
fn is_taxed_so(payout: &PlannedPayout, taxed: &TaxedPayment) -> bool {
    let now: BTreeMap<LineId, (i64, i64)> =
        taxed.lines.iter().map(|line| (line.line, (line.gst_minor, line.withheld_minor))).collect();
    let same = |share: &LineShare| now.get(&share.line).copied().unwrap_or_default() == (share.gst.0, share.withheld.0);
    taxed.left_out.is_empty() && payout.lines.iter().all(same)
}
