//! Requests to place or release a hold.

use super::HoldReason;
use crate::directory::required;
use crate::directory::text::Grounds;
use crate::kernel::Faults;
use crate::kernel::ids::{HoldId, LineId};

/// A request to place a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceHold {
    /// The line.
    pub line: LineId,
    /// How much, in cents; all that is not paid when it is not said.
    pub amount_minor: Option<i64>,
    /// Why, as a word.
    pub reason: HoldReason,
    /// Why, in words.
    pub note: Grounds,
}

/// The same, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlaceHoldInput {
    /// `/line_id`
    pub line_id: Option<String>,
    /// `/amount/amount` in cents, `/amount/currency`
    pub amount: Option<(i64, String)>,
    /// `/reason`
    pub reason: Option<String>,
    /// `/note`
    pub note: Option<String>,
}

impl PlaceHold {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &PlaceHoldInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let line = required(&mut faults, "/line_id", raw.line_id.as_deref(), LineId::parse);
        let amount_minor = raw.amount.as_ref().map(|(amount, _)| *amount);
        if raw.amount.as_ref().is_some_and(|(_, currency)| currency != "AUD") {
            faults.push("/amount/currency", "unknown_value", "expected AUD");
        } else if amount_minor.is_some_and(|amount| amount <= 0) {
            faults.push("/amount/amount", "out_of_range", "expected a positive amount");
        }
        let reason = required(&mut faults, "/reason", raw.reason.as_deref(), HoldReason::parse);
        let note = required(&mut faults, "/note", raw.note.as_deref(), Grounds::parse);
        faults.clone().check()?;
        let made = (|| Some(Self { line: line?, amount_minor, reason: reason?, note: note? }))();
        made.ok_or(faults)
    }
}

/// Names a hold, and the version at which the caller saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnHold {
    /// The hold.
    pub id: HoldId,
    /// The version that it must be at; any if absent.
    pub version: Option<u32>,
}
