//! Requests about plans.

use jiff::civil::Date;

use super::{Cap, RecoveryError};
use crate::directory::required;
use crate::directory::text::Grounds;
use crate::kernel::ids::RecoveryPlanId;
use crate::kernel::{Faults, Rate};

/// A request to bound what runs set off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposePlan {
    /// The bound.
    pub cap: Cap,
    /// From this day on.
    pub from_on: Date,
    /// Why.
    pub reason: Grounds,
}

/// The same, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProposePlanInput {
    /// `/max_share`, a decimal fraction
    pub max_share: Option<String>,
    /// `/max_amount/amount` in cents, `/max_amount/currency`
    pub max_amount: Option<(i64, String)>,
    /// `/from_on`
    pub from_on: Option<String>,
    /// `/reason`
    pub reason: Option<String>,
}

impl ProposePlan {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &ProposePlanInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let max_share = raw.max_share.as_deref().and_then(|text| faults.keep("/max_share", Rate::parse(text)));
        if max_share.is_some_and(|rate| rate <= Rate::ZERO || rate > Rate::WHOLE) {
            faults.push("/max_share", "out_of_range", "expected more than 0 and at most 1");
        }
        let max_minor = raw.max_amount.as_ref().map(|(amount, _)| *amount);
        if raw.max_amount.as_ref().is_some_and(|(_, currency)| currency != "AUD") {
            faults.push("/max_amount/currency", "unknown_value", "expected AUD");
        } else if max_minor.is_some_and(|amount| amount <= 0) {
            faults.push("/max_amount/amount", "out_of_range", "expected a positive amount");
        }
        if raw.max_share.is_none() && max_minor.is_none() {
            faults.push("/max_share", "required", "a share or an amount is required");
        }
        let from_on = match raw.from_on.as_deref() {
            None => {
                faults.push("/from_on", "required", "this field is required");
                None
            }
            Some(text) => date(&mut faults, "/from_on", text),
        };
        let reason = required(&mut faults, "/reason", raw.reason.as_deref(), Grounds::parse);
        faults.clone().check()?;
        let cap = Cap { max_share, max_minor };
        let made = (|| Some(Self { cap, from_on: from_on?, reason: reason? }))();
        made.ok_or(faults)
    }
}

fn date(faults: &mut Faults, pointer: &str, text: &str) -> Option<Date> {
    let read = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
    if read.is_none() {
        faults.push(pointer, "invalid_date", "expected a date such as 2026-07-01");
    }
    read
}

/// Reads `/ended_on`; none = today.
///
/// # Errors
/// The fault.
pub fn ended_on(text: Option<&str>) -> Result<Option<Date>, Faults> {
    let mut faults = Faults::default();
    let read = text.map(|text| date(&mut faults, "/ended_on", text));
    faults.check()?;
    Ok(read.flatten())
}

/// A fault of one field.
pub(super) fn fault(pointer: &str, code: &'static str, detail: &str) -> RecoveryError {
    let mut faults = Faults::default();
    faults.push(pointer, code, detail);
    RecoveryError::Faults(faults)
}

/// Names a plan, and the version at which the caller saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnPlan {
    /// The plan.
    pub id: RecoveryPlanId,
    /// The version that it must be at; any if absent.
    pub version: Option<u32>,
}

/// What a second person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Yes.
    Approve,
    /// No.
    Reject,
}
