//! The one place that says what a deal's commission is worked out from.
//!
//! A deal that was sealed before its parties were frozen in full has its direct upline and nothing else: what was
//! calculated from it then is calculated from the same bytes now.

use super::commission::Sold;
use super::deal::Deal;
use crate::agreements::facts::{CalculationInput, Period};
use crate::agreements::version::GoverningVersion;
use crate::kernel::ids::MemberId;

/// What an input borrows beside the deal itself.
pub(super) struct Parties<'d> {
    deal: &'d Deal,
    uplines: Vec<MemberId>,
    provider: String,
    introducer: String,
}

impl<'d> Parties<'d> {
    pub(super) fn of(deal: &'d Deal) -> Self {
        let uplines = match &deal.frozen {
            Some(frozen) => frozen.uplines.clone(),
            None => deal.upline.into_iter().collect(),
        };
        Self { deal, uplines, provider: deal.provider.to_string(), introducer: deal.introducer.to_string() }
    }

    /// The input of the deal itself, or of one period of its trail.
    pub(super) fn input<'a>(
        &'a self,
        sold: Sold<'a>,
        version: &'a GoverningVersion,
        period: Option<Period>,
    ) -> CalculationInput<'a> {
        let deal = self.deal;
        let sold = (sold.vertical, sold.product);
        let input = CalculationInput {
            milestones: &deal.milestones,
            period,
            ..CalculationInput::new(deal.id, sold, deal.facts, deal.member, &self.uplines, version)
        };
        let Some(frozen) = &deal.frozen else { return input };
        CalculationInput {
            own_uplines: &frozen.own_uplines,
            participants: &frozen.participants,
            cohort: frozen.cohort.as_deref(),
            joined_on: frozen.joined_on,
            provider: Some(&self.provider),
            introducer: Some(&self.introducer),
            ..input
        }
    }
}
