//! Whom a run pays: a pure function of what lies available, and the check that it still does.
//!
//! Clawbacks that are to be got back from a payee are taken first, from its oldest lines; a payee from
//! whom they take everything is left out whole, so that nothing is half recovered. Lines stand in the order
//! of the date from which they may be paid, then of their ids; payees in the order of their ids.

use std::collections::BTreeMap;

use jiff::civil::Date;
use uuid::Uuid;

use super::aba::{LodgementReference, MAX_LINE_MINOR};
use super::bank_account::BankAccount;
use super::content::{
    BankDetailsRef, Cents, ContentType, LineShare, PlannedPayout, RunContent, SettledLine, Skip, SkippedPayee, VERSION,
};
use super::repository::PayeeStanding;
use crate::directory::payee::Rail;
use crate::kernel::id::{self, IdSource};
use crate::kernel::ids::{LineId, PayeeId, PayoutId, PayoutRunId};
use crate::kernel::{Currency, Instant};
use crate::ledger::line::CommissionLine;

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
        match pays(input, standing, purse) {
            Ok(bank_details) => {
                let payout = purse.payout(PayoutId::new(ids.next()), standing.id, bank_details);
                content.total.0 += payout.net.0;
                content.payouts.push(payout);
            }
            Err(code) => content.skipped.push(SkippedPayee {
                code,
                gross: Cents(purse.gross_minor()),
                payee: standing.id,
                recoverable: Cents(purse.recoverable_minor()),
            }),
        }
    }
    content
}

/// Whether a payee is paid, with which bank details; otherwise why not.
fn pays(input: &PlanInput<'_>, standing: &PayeeStanding, purse: &Purse) -> Result<BankDetailsRef, Skip> {
    let bank_details = payable_to(standing, input.cut_off_on, input.now)?;
    let net_minor = purse.gross_minor() - purse.recoverable_minor();
    if net_minor <= 0 {
        Err(Skip::NothingNet)
    } else if net_minor < standing.minimum_minor {
        Err(Skip::BelowMinimum)
    } else if net_minor > MAX_LINE_MINOR {
        Err(Skip::AmountTooLarge)
    } else {
        Ok(bank_details)
    }
}

/// Whether a payee may be paid by bank file at all, and into which account.
fn payable_to(standing: &PayeeStanding, cut_off_on: Date, now: Instant) -> Result<BankDetailsRef, Skip> {
    if standing.abn.is_none() {
        return Err(Skip::NoAbn);
    }
    if standing.gst.registered_on(cut_off_on) {
        return Err(Skip::GstDocumentMissing);
    }
    if standing.rail != Rail::Aba {
        return Err(Skip::OtherRail);
    }
    bank_of(standing, now)
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
    available: Vec<(LineId, i64)>,
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
            purse.available.push((line.id, line.buckets.available_minor));
        }
        if line.buckets.recoverable_minor > 0 {
            purse.recoverable.push((line.id, line.buckets.recoverable_minor));
        }
    }
    purses
}

impl Purse {
    fn gross_minor(&self) -> i64 {
        self.available.iter().map(|(_, amount)| amount).sum()
    }

    fn recoverable_minor(&self) -> i64 {
        self.recoverable.iter().map(|(_, amount)| amount).sum()
    }

    fn payout(&self, id: PayoutId, payee: PayeeId, bank_details: BankDetailsRef) -> PlannedPayout {
        let (gross, recovered) = (self.gross_minor(), self.recoverable_minor());
        let mut left = recovered;
        let lines = self
            .available
            .iter()
            .map(|&(line, amount)| {
                let set_off = left.min(amount);
                left -= set_off;
                LineShare {
                    gst: Cents(0),
                    line,
                    sent: Cents(amount - set_off),
                    set_off: Cents(set_off),
                    withheld: Cents(0),
                }
            })
            .collect();
        let settled =
            self.recoverable.iter().map(|&(line, amount)| SettledLine { amount: Cents(amount), line }).collect();
        PlannedPayout {
            bank_details: Some(bank_details),
            gross: Cents(gross),
            gst: Cents(0),
            id,
            lines,
            net: Cents(gross - recovered),
            payee,
            recovered: Cents(recovered),
            reference: reference(id.uuid()),
            retry_of: None,
            settled,
            stripe_account: None,
            withheld: Cents(0),
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
    PlannedPayout { retry_of: Some(retry_of), ..purse.payout(id, payee, bank_details) }
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
    for payout in &content.payouts {
        let payee = payout.payee;
        let standing = standings.get(&payee).ok_or(Skip::NoBankDetails);
        match standing.and_then(|standing| payable_to(standing, content.cut_off_on, input.now)) {
            Err(code) => found.push(Discrepancy::NotPayable { payee, code }),
            Ok(now) if Some(&now) != payout.bank_details.as_ref() => found.push(Discrepancy::BankDetailsChanged(payee)),
            Ok(_) => {}
        }
        for share in &payout.lines {
            let available_minor = lines.get(&share.line).map_or(0, |line| line.buckets.available_minor);
            let wanted_minor = share.sent.0 + share.set_off.0;
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
