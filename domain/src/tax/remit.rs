//! Paying the tax office: the settlement of a quarter's activity statement, proposed by one person, approved by another.
//!
//! The amounts are what the books say of the quarter when it is proposed, and must still be when it is approved; the
//! entry takes them off GST collected, GST paid and withholding payable, and what is left goes out of an own account (or
//! comes in). A quarter is settled once.

use jiff::civil::Date;
use uuid::Uuid;

use super::report::{Quarter, QuarterTotals};
use crate::access::{Persons, Scope, ownership};
use crate::directory::payee::date;
use crate::directory::required;
use crate::env::Env;
use crate::events::data::RecordChanged;
use crate::events::{EventKind, NewEvent};
use crate::kernel::ids::{BankAccountId, EntryId, TaxRemittanceId};
use crate::kernel::{Faults, Instant};
use crate::ledger::account::{AccountKey, AccountKind};
use crate::ledger::entry::{EntryDraft, EntryKind, Posting};
use crate::ledger::posting;
use crate::payouts::PayoutError;
use crate::payouts::run::TransitionError;
use crate::store::{StoreError, UnitOfWork};

/// A payment to the tax office.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaxRemittance {
    /// Its id.
    pub id: TaxRemittanceId,
    /// What it settles.
    pub totals: QuarterTotals,
    /// The account that it goes out of.
    pub bank_account: BankAccountId,
    /// The day on which it is paid.
    pub paid_on: Date,
    /// Who proposed it.
    pub proposed_by: Uuid,
    /// When.
    pub proposed_at: Instant,
    /// Who approved it, and when.
    pub approved: Option<(Uuid, Instant)>,
}

impl TaxRemittance {
    /// As it is stored and shown.
    #[must_use]
    pub const fn state(&self) -> &'static str {
        if self.approved.is_some() { "approved" } else { "proposed" }
    }

    /// The sides of its entry.
    fn postings(&self) -> Vec<Posting> {
        let plain = |account, amount_minor| Posting { account, amount_minor, line: None };
        let of = |kind| AccountKey::of_platform(kind);
        let cash = AccountKey::of_party(AccountKind::Cash, self.bank_account.uuid());
        let mut postings = vec![
            plain(of(AccountKind::GstCollected), self.totals.gst_collected_minor),
            plain(of(AccountKind::WithholdingPayable), self.totals.withheld_minor),
            plain(of(AccountKind::GstPaid), -self.totals.gst_paid_minor),
            plain(cash, -self.totals.payable_minor()),
        ];
        postings.retain(|posting| posting.amount_minor != 0);
        postings
    }
}

/// Asks for the settlement of a quarter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProposeRemittance {
    /// The quarter.
    pub quarter: Quarter,
    /// Out of which account.
    pub bank_account: BankAccountId,
    /// The day on which it is paid.
    pub paid_on: Date,
}

impl ProposeRemittance {
    /// Reads `/quarter_from`, `/bank_account_id` and `/paid_on`.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(quarter: Option<&str>, account: Option<&str>, paid_on: Option<&str>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let f = &mut faults;
        let first = required(f, "/quarter_from", quarter, date);
        let bank_account = required(f, "/bank_account_id", account, BankAccountId::parse);
        let paid_on = required(f, "/paid_on", paid_on, date);
        if first.is_some_and(|first| Quarter::of(first).from != first) {
            f.push("/quarter_from", "not_a_quarter", "expected the first day of a quarter, e.g. 2026-10-01");
        }
        faults.clone().check()?;
        match (first, bank_account, paid_on) {
            (Some(first), Some(bank_account), Some(paid_on)) => {
                Ok(Self { quarter: Quarter::of(first), bank_account, paid_on })
            }
            _ => Err(faults),
        }
    }
}

/// Proposes the settlement of a quarter, over what the books say of it.
///
/// # Errors
/// See [`PayoutError`].
pub fn propose(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    command: &ProposeRemittance,
) -> Result<TaxRemittance, PayoutError> {
    require(env, Scope::PayoutsWrite)?;
    let mut faults = Faults::default();
    if uow.payouts().find_bank_account(command.bank_account)?.is_none() {
        faults.push("/bank_account_id", "not_found", "there is no such bank account");
    }
    if command.quarter.to >= env.now.sydney_date() {
        faults.push("/quarter_from", "in_future", "the quarter has not ended");
    }
    let totals = totals(uow, command.quarter)?;
    if (totals.gst_collected_minor, totals.gst_paid_minor, totals.withheld_minor) == (0, 0, 0) {
        faults.push("/quarter_from", "nothing_to_pay", "the books hold no tax of this quarter");
    }
    faults.check().map_err(PayoutError::Faults)?;
    let remittance = TaxRemittance {
        id: TaxRemittanceId::new(env.ids.next()),
        totals,
        bank_account: command.bank_account,
        paid_on: command.paid_on,
        proposed_by: env.actor.id,
        proposed_at: env.now,
        approved: None,
    };
    uow.tax().insert_remittance(&remittance)?;
    Ok(remittance)
}

/// Approves it as somebody else, and posts it. Approving it again gives the same.
///
/// # Errors
/// See [`PayoutError`].
pub fn approve(uow: &mut dyn UnitOfWork, env: &Env<'_>, id: TaxRemittanceId) -> Result<TaxRemittance, PayoutError> {
    require(env, Scope::PayoutsApprove)?;
    let found = uow.tax().lock_remittance(id)?.ok_or(PayoutError::RunNotFound)?;
    if found.approved.is_some() {
        return Err(TransitionError::WrongState { from: found.state(), to: "approved" }.into());
    }
    if Persons::among(uow, &[found.proposed_by, env.actor.id])?.are_one(found.proposed_by, env.actor.id) {
        return Err(TransitionError::SamePerson.into());
    }
    if totals(uow, found.totals.quarter)? != found.totals {
        return Err(TransitionError::OtherContent.into());
    }
    let approved = TaxRemittance { approved: Some((env.actor.id, env.now)), ..found };
    match uow.tax().update_remittance(&approved) {
        Err(StoreError::Violates(rule)) if rule == "tax_remittance_once_a_quarter" => {
            return Err(TransitionError::WrongState { from: "settled", to: "approved" }.into());
        }
        outcome => outcome?,
    }
    let entry = EntryDraft {
        id: EntryId::new(env.ids.next()),
        kind: EntryKind::TaxRemittance,
        deal: None,
        payee: None,
        source: id.uuid(),
        effective_on: found.paid_on,
        postings: approved.postings(),
        visible_to: Vec::new(),
    };
    posting::post(uow, env, vec![entry])?;
    let data = RecordChanged { id: id.to_string(), version: None };
    uow.events().append(&[NewEvent::new(env, EventKind::TaxRemittanceApproved, id.uuid(), &data, &[])?])?;
    Ok(approved)
}

fn totals(uow: &mut dyn UnitOfWork, quarter: Quarter) -> Result<QuarterTotals, StoreError> {
    let found = uow.tax().quarter_totals(quarter.from, quarter.to)?;
    let none = QuarterTotals { quarter, gst_collected_minor: 0, gst_paid_minor: 0, withheld_minor: 0 };
    Ok(found.into_iter().find(|totals| totals.quarter == quarter).unwrap_or(none))
}

fn require(env: &Env<'_>, scope: Scope) -> Result<(), PayoutError> {
    env.actor.require(scope)?;
    if ownership::has(env.actor, None) { Ok(()) } else { Err(PayoutError::RunNotFound) }
}
