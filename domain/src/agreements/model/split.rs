//! Who gets a share, of how much, and within which limits.

use serde::{Deserialize, Serialize};

use super::measure::Window;
use crate::kernel::fault::Reason;
use crate::kernel::{Money, Rate};

/// Who gets a share: `member`, `upline_1` … `upline_9`, `participant_1` … `participant_9` or `platform`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The member who referred.
    Member,
    /// So many levels above the member, from 1.
    Upline(u8),
    /// Another member who took part, in the order of the deal, from 1.
    Participant(u8),
    /// The operator of the platform.
    Platform,
}

/// The text is not a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected member, upline_1 to upline_9, participant_1 to participant_9, or platform")]
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
        let place = |text: &str| match text.as_bytes() {
            [place @ b'1'..=b'9'] => Ok(place - b'0'),
            _ => Err(ParseRoleError),
        };
        match text.split_once('_') {
            None if text == "member" => Ok(Self::Member),
            None if text == "platform" => Ok(Self::Platform),
            Some(("upline", level)) => place(level).map(Self::Upline),
            Some(("participant", n)) => place(n).map(Self::Participant),
            _ => Err(ParseRoleError),
        }
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Member => f.write_str("member"),
            Self::Upline(level) => write!(f, "upline_{level}"),
            Self::Participant(n) => write!(f, "participant_{n}"),
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

/// What may be earned by a component: by one role, or by all together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = ComponentLimit))]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Whose share; none = the whole, before it is split, over the deals of the member who referred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Over which span it is reckoned.
    pub per: LimitSpan,
    /// At most; of a role the rest goes to the share's `excess_to`, of the whole it is not earned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<Money>,
    /// At least, once anything is earned in the span; a role is topped up from the share's `excess_to`, as far as
    /// that has something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Money>,
    /// So many deals at most; only for the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_count: Option<u32>,
    /// Whether cap and floor shrink when the version governs only a part of the span.
    #[serde(default, skip_serializing_if = "Proration::is_none")]
    pub proration: Proration,
}

/// The span over which a limit is reckoned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum LimitSpan {
    /// Each deal by itself.
    Deal,
    /// One day.
    Day,
    /// Monday to Sunday.
    Week,
    /// A calendar month.
    Month,
    /// A calendar quarter.
    Quarter,
    /// 1 July to 30 June.
    FinancialYear,
    /// For ever.
    Lifetime,
}

impl LimitSpan {
    /// The window over which it is reckoned; none for a deal by itself.
    #[must_use]
    pub const fn window(self) -> Option<Window> {
        match self {
            Self::Deal => None,
            Self::Day => Some(Window::Day),
            Self::Week => Some(Window::Week),
            Self::Month => Some(Window::Month),
            Self::Quarter => Some(Window::Quarter),
            Self::FinancialYear => Some(Window::FinancialYear),
            Self::Lifetime => Some(Window::Lifetime),
        }
    }
}

/// Whether a limit shrinks when the version governs only a part of its span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Proration {
    /// It does not.
    #[default]
    None,
    /// By the days of the span on which the version governs, rounded once.
    DaysInForce,
}

impl Proration {
    /// Whether it is the one that goes without saying.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }
}

/// One share of a split; the order of the shares breaks ties of the largest remainder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Who gets it.
    pub role: Role,
    /// Of the whole: 0 to 1, or `remainder` for what the others leave.
    pub share: ShareSize,
    /// Who gets it when there is no such participant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absent_to: Option<Role>,
    /// Who gets what is above a cap, and pays what is below a floor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub excess_to: Option<Role>,
}

/// How large a share is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShareSize {
    /// So much of the whole.
    Fixed(Rate),
    /// What the others leave; at most one share of a split.
    Remainder,
}

impl Share {
    /// What each share comes to, in order; none unless they make up the whole, none of them negative.
    #[must_use]
    pub fn sizes(split: &[Self]) -> Option<Vec<Rate>> {
        let fixed = |share: &Self| match share.share {
            ShareSize::Fixed(rate) => rate.ppm(),
            ShareSize::Remainder => 0,
        };
        let left = Rate::WHOLE.ppm() - split.iter().map(fixed).sum::<i64>();
        let remainders = split.iter().filter(|share| share.share == ShareSize::Remainder).count();
        let whole = if remainders == 0 { left == 0 } else { remainders == 1 && left >= 0 };
        if !whole || split.iter().any(|share| fixed(share) < 0) {
            return None;
        }
        let sized = |share: &Self| match share.share {
            ShareSize::Fixed(rate) => Ok(rate),
            ShareSize::Remainder => Rate::try_new(left),
        };
        split.iter().map(sized).collect::<Result<_, _>>().ok()
    }
}

impl Serialize for ShareSize {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fixed(rate) => rate.serialize(s),
            Self::Remainder => s.serialize_str("remainder"),
        }
    }
}

impl<'de> Deserialize<'de> for ShareSize {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as Deserialize>::deserialize(d)?;
        if text == "remainder" {
            return Ok(Self::Remainder);
        }
        Rate::parse(&text).map(Self::Fixed).map_err(serde::de::Error::custom)
    }
}
