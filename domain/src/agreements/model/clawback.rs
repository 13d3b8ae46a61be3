//! How much is taken back when a deal unwinds, by the whole calendar months since it settled.

use serde::{Deserialize, Serialize};

use crate::kernel::Rate;

/// The longest schedule, in months.
pub const MAX_CLAWBACK_MONTHS: u16 = 120;

/// How much is taken back, by the age of the deal when it unwinds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Clawback {
    /// The first step whose months are not over yet decides; after the last one nothing is taken.
    Step {
        /// Ascending by months.
        steps: Vec<ClawbackStep>,
    },
    /// Everything on the day of settlement, an equal part less with each whole month, nothing after the last.
    StraightLine {
        /// Over so many months.
        months: u16,
    },
    /// Month by month; after the last one nothing is taken.
    Custom {
        /// The first is for the first month after settlement.
        fractions: Vec<Rate>,
    },
}

/// Discharged strictly before settlement + so many calendar months: this fraction is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ClawbackStep {
    /// Calendar months after settlement; a day that the month lacks becomes its last.
    pub before_months: u16,
    /// 0 to 1, of each line.
    pub fraction: Rate,
}
