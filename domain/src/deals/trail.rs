//! The trail of deals: one calculation for each month whose balance is known, worked out again whenever something
//! that it depends on is learned.
//!
//! A month whose outcome is the one that its last calculation came to is left alone, so whatever comes twice changes
//! nothing. Statements: one for the balances of a batch, and one for the outcomes if there are any.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::commission::{self, OutOfRange, Sold};
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
    ) -> Result<Trail, OutOfRange> {
        let mut trail = Trail::default();
        if !version.plan().is_ok_and(Plan::has_trail) {
            return Ok(trail);
        }
        let mut months = self.balances.get(&deal.id).cloned().unwrap_or_default();
        months.extend(said.map(|period| (period.month, period.balance)));
        for (month, balance) in months {
            let period = Period { month, balance };
            let (calculation, output) = commission::calculate(env, deal, sold, version, Some(period))?;
            trail.reversed |= output.reversed;
            if self.outputs.get(&(deal.id, month)) != Some(&calculation.output_sha256) {
                trail.calculated.push((calculation, output));
            }
        }
        Ok(trail)
    }
}
