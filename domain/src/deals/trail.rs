//! The trail of deals: one calculation for each month whose balance is known, worked out again whenever something
//! that it depends on is learned.
//!
//! A month whose outcome is the one that its last calculation came to is left alone, so whatever comes twice changes
//! nothing. Statements: one for the balances of a batch, and one for the outcomes if there are any.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::commission::{Sold, Unworkable, WorkedOut};
use super::deal::Deal;
use super::step::Step;
use crate::agreements::evaluate::CalculationOutput;
use crate::agreements::evaluate::v2::Plan;
use crate::agreements::facts::Period;
use crate::agreements::repository::StoredCalculation;
use crate::agreements::version::GoverningVersion;
use crate::env::Env;
use crate::kernel::ids::DealId;
use crate::kernel::{Digest, Money};
use crate::store::{StoreError, UnitOfWork};

/// What is known of the trails of a batch.
#[derive(Default)]
pub(super) struct Trails {
    balances: BTreeMap<DealId, BTreeMap<Date, Money>>,
    outputs: BTreeMap<(DealId, Date), Digest>,
}

/// What the trail of a deal comes to.
#[derive(Default)]
pub(super) struct Trail {
    /// The months that come to something else than before.
    pub(super) calculated: Vec<(StoredCalculation, CalculationOutput)>,
    /// Whether anything of any month is taken back.
    pub(super) reversed: bool,
}

/// What one month of a deal's trail comes to.
pub(super) enum Month {
    /// Nobody has told the balance.
    Missing,
    /// The balance is known; with what is worked out from it, where that is something else than before.
    Known(Option<Box<(StoredCalculation, CalculationOutput)>>),
}

impl Trails {
    /// Reads the trails of these deals, which are locked.
    pub(super) fn gather(uow: &mut dyn UnitOfWork, deals: &[DealId]) -> Result<Self, StoreError> {
        let mut trails = Self::default();
        if deals.is_empty() {
            return Ok(trails);
        }
        for (deal, period) in uow.deals().list_balances(deals)? {
            trails.balances.entry(deal).or_default().insert(period.month, period.balance);
        }
        if !trails.balances.is_empty() {
            let outputs = uow.agreements().list_trail_outputs(deals)?;
            trails.outputs = outputs.into_iter().map(|(deal, month, output)| ((deal, month), output)).collect();
        }
        Ok(trails)
    }

    /// The balance that is known of the month that a step speaks of.
    pub(super) fn balance(&self, deal: DealId, step: &Step) -> Option<Money> {
        let Step::Balance(said) = step else { return None };
        self.balances.get(&deal)?.get(&said.period.month).copied()
    }

    /// Works out every month of a deal, one of them with the balance that was just said.
    pub(super) fn calculated(
        &self,
        env: &Env<'_>,
        deal: &Deal,
        sold: Sold<'_>,
        version: &GoverningVersion,
        said: Option<Period>,
    ) -> Result<Trail, Unworkable> {
        let mut trail = Trail::default();
        if !version.plan().is_ok_and(Plan::has_trail) {
            return Ok(trail);
        }
        let mut months = self.balances.get(&deal.id).cloned().unwrap_or_default();
        months.extend(said.map(|period| (period.month, period.balance)));
        for (month, balance) in months {
            let worked = worked_out(env, deal, sold, version, Period { month, balance })?;
            trail.reversed |= worked.1.reversed;
            trail.calculated.extend(self.is_other(deal, month, &worked.0).then_some(worked));
        }
        Ok(trail)
    }

    /// Works out one month of a deal.
    pub(super) fn month(
        &self,
        env: &Env<'_>,
        deal: &Deal,
        sold: Sold<'_>,
        version: &GoverningVersion,
        month: Date,
    ) -> Result<Month, Unworkable> {
        let known = self.balances.get(&deal.id).and_then(|months| months.get(&month));
        let Some(balance) = known.copied() else { return Ok(Month::Missing) };
        let worked = worked_out(env, deal, sold, version, Period { month, balance })?;
        Ok(Month::Known(self.is_other(deal, month, &worked.0).then(|| Box::new(worked))))
    }

    /// Whether a month comes to something else than its last calculation came to.
    fn is_other(&self, deal: &Deal, month: Date, calculation: &StoredCalculation) -> bool {
        self.outputs.get(&(deal.id, month)) != Some(&calculation.output_sha256)
    }
}

fn worked_out(
    env: &Env<'_>,
    deal: &Deal,
    sold: Sold<'_>,
    version: &GoverningVersion,
    period: Period,
) -> Result<(StoredCalculation, CalculationOutput), Unworkable> {
    WorkedOut::try_new(deal, sold, version, Some(period), &[]).map(|worked| worked.stored(env, deal.id, version))
}
