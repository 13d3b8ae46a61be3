//! Whom a run pays: a pure function of what lies available, and the check that it still does.
//!
//! Clawbacks that are to be got back from a payee are taken first, from its oldest lines; a payee from
//! whom they take everything is left out whole, so that nothing is half recovered. Lines stand in the order
//! of the date from which they may be paid, then of their ids; payees in the order of their ids. What a payment owes in
//! GST or withholding is decided by [`crate::tax::decide`]; a line that it leaves out is told as a payee that is skipped.

use std::collections::BTreeMap;

use jiff::civil::Date;
use uuid::Uuid;

use super::aba::{LodgementReference, MAX_LINE_MINOR};
use super::bank_account::BankAccount;
use super::content::{
    BankDetailsRef, ContentType, LineShare, PlannedPayout, RunContent, SettledLine, Skip, SkippedPayee, VERSION,
};
use super::repository::PayeeStanding;
use crate::directory::payee::Rail;
use crate::kernel::id::{self, IdSource};
use crate::kernel::ids::{LineId, PayeeId, PayoutId, PayoutRunId};
use crate::kernel::{Cents, Currency, Instant};
use crate::ledger::line::CommissionLine;
use crate::tax::decide::{self, Payable, Supplier, TaxException, TaxFacts, TaxedPayment};

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

/// Works out the content.
#[must_use]
pub fn plan(input: &PlanInput<'_>, ids: &dyn IdSource) -> RunContent {
    let mut content = RunContent {
        bank_account: input.account.id,
        currency: Currency::Aud,
        cut_off_on: input.cut_off_on,
        payouts: Vec::new(),
        run: input.run,
        skipped: Vec::new(),
        total: Cents(0),
        r#type: ContentType::PayoutRun,
        v: VERSION,
    };
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
        match pays(input, standing, (purse, &taxed)) {
            Ok(destination) => {
                let payout = purse.payout(PayoutId::new(ids.next()), standing.id, destination, &taxed);
                content.total.0 += payout.net.0;
                content.payouts.push(payout);
            }
            Err(code) => content.skipped.push(SkippedPayee {
                code,
                gross: Cents(taxed.gross_minor()),
                payee: standing.id,
                recoverable: Cents(purse.recoverable_minor()),
            }),
        }
    }
    content
}

/// Where a payee's money goes.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Destination {
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
    (purse, taxed): (&Purse, &TaxedPayment),
) -> Result<Destination, Skip> {
    let destination = payable_to(standing, input.now)?;
    let net_minor = purse.net_minor(taxed);
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

/// What a payee has available and owes.
#[derive(Debug, Default)]
struct Purse {
    available: Vec<Payable>,
    recoverable: Vec<(LineId, i64)>,
}

fn purses(lines: &[CommissionLine], cut_off_on: Date) -> BTreeMap<PayeeId, Purse> {
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

impl Purse {
    fn gross_minor(&self) -> i64 {
        self.available.iter().map(|payable| payable.available_minor).sum()
    }

    fn recoverable_minor(&self) -> i64 {
        self.recoverable.iter().map(|(_, amount)| amount).sum()
    }

    /// What is sent: with GST, less what is withheld and what clawbacks take.
    fn net_minor(&self, taxed: &TaxedPayment) -> i64 {
        taxed.lines.iter().map(decide::TaxedLine::payable_minor).sum::<i64>() - self.recoverable_minor()
    }

    fn payout(&self, id: PayoutId, payee: PayeeId, destination: Destination, taxed: &TaxedPayment) -> PlannedPayout {
        let (bank_details, stripe_account) = match destination {
            Destination::Bank(details) => (Some(details), None),
            Destination::Stripe(account) => (None, Some(account)),
        };
        let recovered = self.recoverable_minor();
        let mut left = recovered;
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
        let settled =
            self.recoverable.iter().map(|&(line, amount)| SettledLine { amount: Cents(amount), line }).collect();
        PlannedPayout {
            bank_details,
            gross: Cents(taxed.gross_minor()),
            gst: Cents(taxed.gst_minor()),
            id,
            lines,
            net: Cents(self.net_minor(taxed)),
            payee,
            recovered: Cents(recovered),
            reference: reference(id.uuid()),
            retry_of: None,
            settled,
            stripe_account,
            withheld: Cents(taxed.withheld_minor()),
        }
    }
}

/// What these lines of one payee have available, and what is to be got back of them.
pub(super) fn sums(lines: &[CommissionLine], cut_off_on: Date) -> (i64, i64) {
    let purses = purses(lines, cut_off_on);
    purses.values().next().map_or((0, 0), |purse| (purse.gross_minor(), purse.recoverable_minor()))
}

/// A payout that sends again what came back on these lines of one payee: no tax, that was done the first time.
pub(super) fn again(
    id: PayoutId,
    retry_of: PayoutId,
    (payee, bank_details): (PayeeId, BankDetailsRef),
    lines: &[CommissionLine],
    cut_off_on: Date,
) -> PlannedPayout {
    let purse = purses(lines, cut_off_on).remove(&payee).unwrap_or_default();
    let untaxed = TaxedPayment::without_tax(&purse.available);
    PlannedPayout { retry_of: Some(retry_of), ..purse.payout(id, payee, Destination::Bank(bank_details), &untaxed) }
}

fn payable(line: &CommissionLine, available_minor: i64) -> Payable {
    Payable { line: line.id, available_minor, value_minor: line.earned_minor - line.clawed_back_minor }
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
        let wanted = |share: &LineShare| {
            let wanted_minor = share.sent.0 + share.set_off.0 + share.withheld.0 - share.gst.0;
            Some(payable(lines.get(&share.line)?, wanted_minor))
        };
        let taxed = |payout: &PlannedPayout| {
            let payables: Vec<Payable> = payout.lines.iter().filter_map(wanted).collect();
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

/// The reference of a payout: the last 12 letters of its id, which are random.
fn reference(payout: Uuid) -> LodgementReference {
    let letters = id::encode(payout).to_uppercase();
    LodgementReference::numbered(letters.get(14..).unwrap_or_default())
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
    #[error("{recoverable_minor} cents are to be got back of {payee}, {approved_minor} were approved to be set off")]
    OtherRecovery {
        /// The payee.
        payee: PayeeId,
        /// What is to be got back now.
        recoverable_minor: i64,
        /// What was approved.
        approved_minor: i64,
    },
}

/// What stands in the way of executing a content as it was approved; nothing means that it can be.
#[must_use]
pub fn discrepancies(content: &RunContent, input: &PlanInput<'_>) -> Vec<Discrepancy> {
    let lines: BTreeMap<LineId, &CommissionLine> = input.lines.iter().map(|line| (line.id, line)).collect();
    let standings: BTreeMap<PayeeId, &PayeeStanding> = input.standings.iter().map(|s| (s.id, s)).collect();
    let purses = purses(input.lines, input.cut_off_on);
    let mut found = Vec::new();
    for (payout, taxed) in content.payouts.iter().zip(input.taxed_now(&content.payouts)) {
        let payee = payout.payee;
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
            let available_minor = lines.get(&share.line).map_or(0, |line| line.buckets.available_minor);
            let wanted_minor = share.sent.0 + share.set_off.0 + share.withheld.0 - share.gst.0;
            if available_minor < wanted_minor {
                found.push(Discrepancy::LessAvailable { line: share.line, available_minor, wanted_minor });
            }
        }
        let settled: BTreeMap<LineId, i64> = payout.settled.iter().map(|s| (s.line, s.amount.0)).collect();
        let owed: BTreeMap<LineId, i64> =
            purses.get(&payee).map(|purse| purse.recoverable.iter().copied().collect()).unwrap_or_default();
        if owed != settled {
            let recoverable_minor = owed.values().sum();
            found.push(Discrepancy::OtherRecovery { payee, recoverable_minor, approved_minor: payout.recovered.0 });
        }
    }
    found
}

/// Whether an approved payout has just this tax. A line that holds nothing any more has none.
fn is_taxed_so(payout: &PlannedPayout, taxed: &TaxedPayment) -> bool {
    let now: BTreeMap<LineId, (i64, i64)> =
        taxed.lines.iter().map(|line| (line.line, (line.gst_minor, line.withheld_minor))).collect();
    let same = |share: &LineShare| now.get(&share.line).copied().unwrap_or_default() == (share.gst.0, share.withheld.0);
    taxed.left_out.is_empty() && payout.lines.iter().all(same)
}
