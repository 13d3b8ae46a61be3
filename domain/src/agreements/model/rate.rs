//! How much a component earns before it is split.

use serde::{Deserialize, Serialize};

use super::measure::Measure;
use super::{ComponentKey, LookupUse};
#[cfg(feature = "schema")]
use crate::agreements::predicate::TypedValue;
use crate::agreements::predicate::Value;
use crate::kernel::{Money, Rate};

/// The most tiers of a rate, milestones of a bonus.
pub const MAX_TIERS: usize = 64;

/// How much a component earns before it is split. Ex-GST.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ComponentRate {
    /// The same for every deal.
    Flat {
        /// In minor units.
        amount: Money,
    },
    /// So much for each of something that is counted.
    FlatPerUnit {
        /// For one.
        amount: Money,
        /// Of what.
        of: Measure,
    },
    /// A fraction of an amount.
    Percent {
        /// Of what.
        of: Measure,
        /// `"0.0065"` is 0.65 %.
        rate: Rate,
    },
    /// A fraction of what another component earns, before it is split: an override.
    PercentOfComponent {
        /// The other one.
        component: ComponentKey,
        /// `"0.1"` is 10 %.
        rate: Rate,
    },
    /// A rate that follows the size of the deal or of a running total.
    Tiered {
        /// What is paid for.
        of: Measure,
        /// Whether a tier is paid on its own band or on everything.
        mode: TierMode,
        /// What chooses the tier.
        by: TierBasis,
        /// Ascending; below the first nothing is earned.
        tiers: Vec<Tier>,
    },
    /// A rate out of a versioned table with several keys.
    Lookup {
        /// Which one, exactly.
        table: LookupUse,
        /// What the rate of the row is taken of.
        of: Measure,
    },
    /// So much of the balance of each period.
    Trail {
        /// For a year.
        annual_rate: Rate,
        /// 1, 2, 4 or 12.
        periods_per_year: u8,
    },
    /// A bonus each time that a running total passes a milestone.
    MilestoneBonus {
        /// The running total.
        accumulator: ComponentKey,
        /// Ascending.
        milestones: Vec<BonusMilestone>,
    },
}

/// Whether a tier is paid on its own band or on everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum TierMode {
    /// Each band at its own rate, as income tax.
    Marginal,
    /// The whole deal at the rate of the tier that was reached.
    Whole,
    /// As `whole`, and what was earned in the window before is made up to that rate.
    WholeWithTrueUp,
}

/// What chooses the tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum TierBasis {
    /// The deal by itself.
    Deal {},
    /// A running total, this deal included.
    Accumulator {
        /// Its key.
        key: ComponentKey,
    },
}

/// One tier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// From here on, this included.
    #[cfg_attr(feature = "schema", schema(value_type = TypedValue))]
    pub from: Value,
    /// What it pays.
    pub pays: Pay,
}

/// What a tier or a row of a table pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Pay {
    /// A fraction of an amount.
    Percent {
        /// `"0.02"` is 2 %.
        rate: Rate,
    },
    /// So much for each of what is counted.
    PerUnit {
        /// For one.
        amount: Money,
    },
    /// The same whatever the size.
    Flat {
        /// At once.
        amount: Money,
    },
}

/// A milestone of a running total and its bonus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct BonusMilestone {
    /// Where it stands.
    #[cfg_attr(feature = "schema", schema(value_type = TypedValue))]
    pub at: Value,
    /// What it pays, once in a window.
    pub amount: Money,
}
