//! Working out a commission: a pure function of facts, a governing version and an engine version.
//!
//! Invariants: the same input gives the same bytes on any machine, for ever (a fix is a new engine
//! module, old ones stay); nothing panics and nothing overflows silently; money is rounded once per
//! line, half away from zero. A component that pays nothing leaves a non-award with its reason.

pub mod v1;

use jiff::civil::Date;
use serde::Serialize;

use super::model::{ComponentKey, Role, VersionContent};
use super::version::GoverningVersion;
use crate::catalogue::{ProductCode, VerticalCode};
use crate::kernel::ids::{DealId, MemberId};
use crate::kernel::jcs::{self, JcsError};
use crate::kernel::money::MoneyError;
use crate::kernel::{Digest, Money, Rate};

/// The engine that new calculations use.
pub const CURRENT_ENGINE: u16 = v1::ENGINE;

/// A settlement: when, how much, and what an offset account takes off it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Settlement {
    /// The day of settlement.
    pub on: Date,
    /// The amount that settled.
    pub amount: Money,
    /// The balance of the offset account.
    pub offset: Money,
}

/// What is known of a deal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct DealFacts {
    /// The day of referral.
    pub referred_on: Date,
    /// The day of contract.
    pub contracted_on: Option<Date>,
    /// The settlement.
    pub settlement: Option<Settlement>,
    /// The day on which the deal unwound.
    pub discharged_on: Option<Date>,
}

/// Everything that a calculation depends on, beside the engine.
#[derive(Debug, Clone, Serialize)]
pub struct CalculationInput<'a> {
    /// The deal.
    pub deal: DealId,
    /// Its vertical.
    pub vertical: VerticalCode,
    /// Its product.
    pub product: &'a ProductCode,
    /// What is known of it.
    pub facts: DealFacts,
    /// The member who referred.
    pub member: MemberId,
    /// Who stands above the member: the direct upline first.
    pub uplines: &'a [MemberId],
    /// The version that governs, by its hash.
    #[serde(serialize_with = "by_hash")]
    pub version: &'a GoverningVersion,
}

fn by_hash<S: serde::Serializer>(version: &&GoverningVersion, s: S) -> Result<S::Ok, S::Error> {
    use serde::ser::SerializeStruct;
    let mut named = s.serialize_struct("version", 3)?;
    named.serialize_field("agreement", &version.agreement())?;
    named.serialize_field("number", &version.number())?;
    named.serialize_field("content_sha256", &version.content_hash())?;
    named.end()
}

impl CalculationInput<'_> {
    /// The compact bytes that are stored (RFC 8785).
    ///
    /// # Errors
    /// Never for typed input; the signature keeps the failure visible.
    pub fn canonical_bytes(&self) -> Result<Vec<u8>, JcsError> {
        jcs::to_bytes(self)
    }

    fn content(&self) -> &VersionContent {
        self.version.content()
    }
}

/// What one participant earns by one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// The component.
    pub component: ComponentKey,
    /// In which role.
    pub role: Role,
    /// Who; none for the platform.
    pub participant: Option<MemberId>,
    /// What is earned, ex-GST.
    pub earned: Money,
    /// What is taken back of it, as a positive amount.
    pub clawed_back: Money,
    /// The first day on which it may be paid.
    pub payable_on: Date,
}

/// A component that pays nothing, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NonAward {
    /// The component.
    pub component: ComponentKey,
    /// A stable reason.
    pub reason: &'static str,
}

/// What a calculation comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CalculationOutput {
    /// The engine that worked it out.
    pub engine: u16,
    /// In the order of components and shares.
    pub lines: Vec<Line>,
    /// Components that pay nothing.
    pub non_awards: Vec<NonAward>,
    /// Whether anything is taken back, which makes the deal `reversed`.
    pub reversed: bool,
}

impl CalculationOutput {
    /// SHA-256 of the canonical bytes.
    ///
    /// # Errors
    /// Never for typed output; the signature keeps the failure visible.
    pub fn digest(&self) -> Result<Digest, JcsError> {
        jcs::to_bytes(self).map(|bytes| Digest::of(&bytes))
    }

    /// What the provider owes: all lines, the platform's too.
    ///
    /// # Errors
    /// On overflow.
    pub fn gross(&self) -> Result<Money, MoneyError> {
        self.lines.iter().try_fold(Money::ZERO, |sum, line| sum.plus(line.earned))
    }
}

/// One step of a trace, for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TraceStep {
    /// The component that the step belongs to.
    pub component: ComponentKey,
    /// What was done: `trigger`, `predicate`, `base`, `rate`, `split`, `absent`, `cap`, `hold`, `clawback`.
    pub step: &'static str,
    /// With the values seen.
    pub detail: String,
    /// Whose amounts it tells: members, and `None` for the platform. Empty when it tells nobody's.
    pub of: Vec<Option<MemberId>>,
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvaluateError {
    /// An amount left 64 bits of minor units.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// A date left the calendar.
    #[error("a date is out of range")]
    Date,
    /// The version says something that this engine does not know.
    #[error("engine {engine} cannot work out {what}")]
    Unsupported {
        /// The engine.
        engine: u16,
        /// What it met.
        what: &'static str,
    },
}

/// Works out the lines with the current engine.
///
/// # Errors
/// See [`EvaluateError`].
pub fn evaluate(input: &CalculationInput<'_>) -> Result<CalculationOutput, EvaluateError> {
    v1::run(input, &mut v1::Silent)
}

/// Works out the lines again and tells every step.
///
/// # Errors
/// See [`EvaluateError`].
pub fn trace(input: &CalculationInput<'_>) -> Result<(CalculationOutput, Vec<TraceStep>), EvaluateError> {
    let mut steps = v1::Steps::of(input);
    let output = v1::run(input, &mut steps)?;
    Ok((output, steps.into_vec()))
}

/// The fraction that is taken back of each line, for a percentage that a person reads.
pub(crate) fn percent(rate: Rate) -> String {
    let ppm = rate.ppm();
    if ppm % 10_000 == 0 { format!("{} %", ppm / 10_000) } else { format!("{rate} of the whole") }
}
