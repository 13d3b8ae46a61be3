//! What a version of an agreement says: its components, in order.
//!
//! The JSON form is strict (unknown fields are refused) and its RFC 8785 bytes are hashed: that hash
//! is what people approve. New kinds of rate, trigger or schedule are new variants; an old engine
//! never sees them because a version names what it needs by using it.
//! Bounds: at most 64 components, 16 shares each, names of 120 characters.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::predicate::Predicate;
use crate::catalogue::VerticalCode;
use crate::kernel::fault::Reason;
use crate::kernel::jcs::{self, JcsError};
use crate::kernel::{Digest, Money, Rate};

/// The most components that a version may have.
pub const MAX_COMPONENTS: usize = 64;
/// The most shares that a split may have.
pub const MAX_SHARES: usize = 16;
/// The deepest upline level that a split may name.
pub const MAX_UPLINE_LEVEL: u8 = 9;

/// The date of a deal that decides which version governs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[serde(deny_unknown_fields)]
pub struct Component {
    /// Unique within the version; lines carry it for ever.
    pub key: ComponentKey,
    /// For a person.
    pub name: String,
    /// What sets it off.
    pub trigger: Trigger,
    /// For which deals; an empty `all` = always.
    pub predicate: Predicate,
    /// How much.
    pub rate: ComponentRate,
    /// What one role may get of one deal.
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
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Trigger {
    /// A date of the deal.
    DealEvent {
        /// Which one.
        event: GoverningDate,
    },
    /// A named milestone of the deal.
    Milestone {
        /// Its name.
        name: String,
    },
    /// Each period of a trail.
    Trail {},
    /// Another component that pays.
    Component {
        /// The key of the other one.
        key: ComponentKey,
    },
}

/// How much a component earns before it is split. Ex-GST.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ComponentRate {
    /// The same for every deal.
    Flat {
        /// In minor units.
        amount: Money,
    },
    /// A fraction of a base.
    Percent {
        /// Of what.
        of: Base,
        /// `"0.0065"` is 0.65 %.
        rate: Rate,
    },
}

/// What a percentage is taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Base {
    /// The amount that settled.
    SettledAmount,
    /// The amount that settled less the balance of the offset account.
    NetBalance,
}

impl Base {
    /// The name in the JSON form.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SettledAmount => "settled_amount",
            Self::NetBalance => "net_balance",
        }
    }
}

/// Who gets a share: `member`, `upline_1` … `upline_9` or `platform`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The member who referred.
    Member,
    /// So many levels above the member, from 1.
    Upline(u8),
    /// The operator of the platform.
    Platform,
}

/// The text is not a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected member, upline_1 to upline_9, or platform")]
pub struct ParseRoleError;

impl Reason for ParseRoleError {
    fn code(&self) -> &'static str {
        "invalid_role"
    }
}

impl Role {
    /// Reads a role.
    ///
    /// # Errors
    /// Anything but the names above.
    pub fn parse(text: &str) -> Result<Self, ParseRoleError> {
        match text.as_bytes() {
            b"member" => Ok(Self::Member),
            b"platform" => Ok(Self::Platform),
            [b'u', b'p', b'l', b'i', b'n', b'e', b'_', level @ b'1'..=b'9'] => Ok(Self::Upline(level - b'0')),
            _ => Err(ParseRoleError),
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Member => f.write_str("member"),
            Self::Upline(level) => write!(f, "upline_{level}"),
            Self::Platform => f.write_str("platform"),
        }
    }
}

impl Serialize for Role {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Role {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as Deserialize>::deserialize(d)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// What one role may get of one deal by one component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Whose share.
    pub role: Role,
    /// Over which span it is reckoned.
    pub per: LimitSpan,
    /// At most; the rest goes to the share's `excess_to`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Money>,
    /// At least; topped up from the share's `excess_to`, as far as that has something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Money>,
}

/// The span over which a limit is reckoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitSpan {
    /// Each deal by itself.
    Deal,
}

/// One share of a split; the order of the shares breaks ties of the largest remainder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Who gets it.
    pub role: Role,
    /// Of the whole, 0 to 1.
    pub share: Rate,
    /// Who gets it when there is no such participant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent_to: Option<Role>,
    /// Who gets what is above a cap.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excess_to: Option<Role>,
}

/// From when a line may be paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// Days after the trigger, by the calendar of Sydney.
    pub days: u16,
    /// Whether the provider must have paid first.
    pub funding_rule: FundingRule,
}

/// Whether the provider must have paid before a line is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FundingRule {
    /// Released when the hold expires, funded or not.
    OnExpiry,
    /// Released pro rata to what the provider paid.
    OnReceipt,
}

/// How much is taken back, by the age of the deal when it unwinds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Clawback {
    /// The first step whose months are not over yet decides; after the last one nothing is taken.
    Step {
        /// Ascending by months.
        steps: Vec<ClawbackStep>,
    },
}

/// Discharged strictly before settlement + so many calendar months: this fraction is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClawbackStep {
    /// Calendar months after settlement; a day that the month lacks becomes its last.
    pub before_months: u16,
    /// 0 to 1, of each line.
    pub fraction: Rate,
}

/// How a component goes together with the others of its group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Combine {
    /// Components of one name belong together.
    pub group: String,
    /// The same for all of a group.
    pub mode: CombineMode,
}

/// Which components of a group pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CombineMode {
    /// The first that applies.
    First,
    /// The one that earns most; the earlier of two that earn the same.
    Best,
    /// All that apply.
    Sum,
}
