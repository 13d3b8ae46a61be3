//! What a version of an agreement says: its components, in order.
//!
//! The JSON form is strict (unknown fields are refused) and its RFC 8785 bytes are hashed: that hash
//! is what people approve. New kinds of rate, trigger or schedule are new variants; an old engine
//! never sees them because a version names what it needs by using it.
//! Bounds: at most 64 components and 16 accumulators, 16 shares each, 64 tiers each, names of 120 characters;
//! `check` holds content against them and against itself.

mod clawback;
pub mod measure;
mod rate;
mod split;
mod table;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use self::clawback::{Clawback, ClawbackStep, MAX_CLAWBACK_MONTHS};
pub use self::measure::{Accumulator, AccumulatorScope, Measure, MeasureUnit, Unwound, Window};
pub use self::rate::{BonusMilestone, ComponentRate, MAX_TIERS, Pay, Tier, TierBasis, TierMode};
pub use self::split::{Limit, LimitSpan, ParseRoleError, Proration, Role, Share, ShareSize};
pub use self::table::{LookupKey, LookupRow, LookupTable, LookupUse, MAX_KEYS, MAX_ROWS, Matching, ParseTableError};
use super::predicate::Predicate;
use crate::catalogue::VerticalCode;
use crate::kernel::Digest;
use crate::kernel::fault::Reason;
use crate::kernel::jcs::{self, JcsError};

/// The most components that a version may have.
pub const MAX_COMPONENTS: usize = 64;
/// The most accumulators that a version may have.
pub const MAX_ACCUMULATORS: usize = 16;
/// The longest name of a component, in characters.
pub const MAX_NAME_CHARS: usize = 120;
/// The most shares that a split may have.
pub const MAX_SHARES: usize = 16;
/// The deepest upline level that a split may name.
pub const MAX_UPLINE_LEVEL: u8 = 9;

/// The date of a deal that decides which version governs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum GoverningDate {
    /// When the client was referred.
    Referred,
    /// When the contract was made.
    Contracted,
    /// When the deal settled.
    Settled,
}

/// Everything that a version says, and nothing about its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct VersionContent {
    /// The vertical whose deals it is for.
    pub vertical: VerticalCode,
    /// Which date of the deal decides whether this version governs it.
    pub governing_date: GoverningDate,
    /// The first day on which it governs.
    pub effective_from: Date,
    /// The last day on which it governs; none = until superseded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_until: Option<Date>,
    /// The running totals that components ask for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accumulators: Vec<Accumulator>,
    /// In order of consideration.
    pub components: Vec<Component>,
}

impl VersionContent {
    /// Reads the JSON form.
    ///
    /// # Errors
    /// [`ParseContentError`] naming the first thing that does not fit, with line and column.
    pub fn parse(json: &[u8]) -> Result<Self, ParseContentError> {
        serde_json::from_slice(json).map_err(|e| ParseContentError(e.to_string()))
    }

    /// RFC 8785 canonical bytes.
    ///
    /// # Errors
    /// Never for content that was parsed; the signature keeps the failure visible.
    pub fn canonical_bytes(&self) -> Result<Vec<u8>, JcsError> {
        jcs::to_bytes(self)
    }

    /// SHA-256 of the canonical bytes: what is approved.
    ///
    /// # Errors
    /// As [`Self::canonical_bytes`].
    pub fn content_hash(&self) -> Result<Digest, JcsError> {
        self.canonical_bytes().map(|bytes| Digest::of(&bytes))
    }

    /// The versions of lookup tables that it names, each once.
    #[must_use]
    pub fn tables(&self) -> Vec<&LookupUse> {
        let mut named = Vec::new();
        for component in &self.components {
            if let ComponentRate::Lookup { table, .. } = &component.rate
                && !named.contains(&table)
            {
                named.push(table);
            }
        }
        named
    }

    /// Whether a deal whose governing date is this falls into the effective range.
    #[must_use]
    pub fn in_force_on(&self, on: Date) -> bool {
        on >= self.effective_from && self.effective_until.is_none_or(|until| on <= until)
    }
}

/// The JSON is not the content of a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the content of an agreement version: {0}")]
pub struct ParseContentError(String);

impl Reason for ParseContentError {
    fn code(&self) -> &'static str {
        "invalid_agreement_content"
    }
}

/// One way of earning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Unique within the version; lines carry it for ever.
    #[cfg_attr(feature = "schema", schema(value_type = String))]
    pub key: ComponentKey,
    /// For a person.
    pub name: String,
    /// What sets it off.
    pub trigger: Trigger,
    /// For which deals; an empty `all` = always.
    pub predicate: Predicate,
    /// How much.
    pub rate: ComponentRate,
    /// What may be earned by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<Limit>,
    /// Among whom.
    pub split: Vec<Share>,
    /// From when it may be paid.
    pub hold: Hold,
    /// How much is taken back when the deal unwinds; none = nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clawback: Option<Clawback>,
    /// How it goes together with the others of its group.
    pub combine: Combine,
}

/// The key of a component: 1 to 40 of `a`–`z`, `0`–`9` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct ComponentKey(String);

/// The text is not a component key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a key of 1 to 40 lower-case letters, digits and underscores")]
pub struct ParseComponentKeyError;

impl Reason for ParseComponentKeyError {
    fn code(&self) -> &'static str {
        "invalid_component_key"
    }
}

impl ComponentKey {
    /// Reads a key.
    ///
    /// # Errors
    /// When it is empty, too long or holds another character.
    pub fn parse(text: &str) -> Result<Self, ParseComponentKeyError> {
        let plain = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if plain && (1..=40).contains(&text.len()) { Ok(Self(text.to_owned())) } else { Err(ParseComponentKeyError) }
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for ComponentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ComponentKey {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as Deserialize>::deserialize(d)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// What sets a component off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Trigger {
    /// A date of the deal.
    DealEvent {
        /// Which one.
        event: GoverningDate,
    },
    /// A named milestone of the deal.
    Milestone {
        /// Its name: 1 to 40 of `a`–`z`, `0`–`9` and `_`.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        name: ComponentKey,
    },
    /// Each period of a trail.
    Trail {},
    /// Another component that pays.
    Component {
        /// The key of the other one.
        #[cfg_attr(feature = "schema", schema(value_type = String))]
        key: ComponentKey,
    },
}

/// From when a line may be paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Days after the trigger, by the calendar of Sydney.
    pub days: u16,
    /// Whether the provider must have paid first.
    pub funding_rule: FundingRule,
}

/// Whether the provider must have paid before a line is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum FundingRule {
    /// Released when the hold expires, funded or not.
    OnExpiry,
    /// Released pro rata to what the provider paid.
    OnReceipt,
}

impl FundingRule {
    /// Whether it is the one that goes without saying.
    #[must_use]
    pub const fn is_on_expiry(&self) -> bool {
        matches!(self, Self::OnExpiry)
    }
}

/// How a component goes together with the others of its group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Combine {
    /// Components of one name belong together.
    pub group: String,
    /// The same for all of a group.
    pub mode: CombineMode,
}

/// Which components of a group pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CombineMode {
    /// The first that applies.
    First,
    /// The one that earns most; the earlier of two that earn the same.
    Best,
    /// All that apply.
    Sum,
    /// All that apply, each on what the ones before it left of the amount.
    Stack,
}
