//! Some of a run's payees as they stand: what runs are planned, checked and executed by, so that the memory they take is
//! that of their content and not of everything about everybody.
//!
//! Bounds: [`PART`] payees at a time, three statements each.

use jiff::civil::Date;

use super::bank_account::BankAccount;
use super::plan::PlanInput;
use super::repository::PayeeStanding;
use crate::env::Env;
use crate::kernel::ids::{LineId, PayeeId, PayoutRunId};
use crate::ledger::line::CommissionLine;
use crate::store::{StoreError, UnitOfWork};
use crate::tax::decide::TaxFacts;
use crate::tax::service::facts;

/// How many payees are looked at at once.
pub(super) const PART: usize = 5_000;

/// Of which run, from which account, up to which day.
#[derive(Clone, Copy)]
pub(super) struct Bounds<'a> {
    pub run: PayoutRunId,
    pub account: &'a BankAccount,
    pub cut_off_on: Date,
}

/// Payees, their lines with something available or to be got back, and what tax needs to know of them.
pub(super) struct Part {
    pub standings: Vec<PayeeStanding>,
    pub lines: Vec<CommissionLine>,
    tax: TaxFacts,
}

impl Part {
    /// As they stand now. Nothing is locked by it.
    pub fn of(uow: &mut dyn UnitOfWork, payees: &[PayeeId]) -> Result<Self, StoreError> {
        let standings = uow.payouts().list_standings(payees)?;
        let lines = uow.payouts().list_payable_lines(payees)?;
        let named: Vec<LineId> = lines.iter().map(|line| line.id).collect();
        let tax = facts(uow, payees, &named)?;
        Ok(Self { standings, lines, tax })
    }

    /// What a plan is made from.
    pub fn input<'a>(&'a self, env: &Env<'_>, bounds: Bounds<'a>) -> PlanInput<'a> {
        PlanInput {
            run: bounds.run,
            account: bounds.account,
            cut_off_on: bounds.cut_off_on,
            now: env.now,
            standings: &self.standings,
            lines: &self.lines,
            tax: &self.tax,
        }
    }
}
