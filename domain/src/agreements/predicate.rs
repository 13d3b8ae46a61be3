//! Conditions of a component: a typed tree over facts of the deal.
//!
//! Two-valued: a comparison with a fact that is not known does not hold (neither `eq` nor `ne`).
//! A comparison between different kinds of value is an error, found by the lint and refused by the
//! engine. Bounds: 16 levels, 256 nodes (checked by the lint).

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::kernel::Money;

/// The deepest tree that may be published.
pub const MAX_DEPTH: usize = 16;
/// The largest tree that may be published.
pub const MAX_NODES: usize = 256;

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Predicate {
    /// Every one holds; none = always.
    All {
        /// The conditions.
        of: Vec<Predicate>,
    },
    /// At least one holds; none = never.
    Any {
        /// The conditions.
        of: Vec<Predicate>,
    },
    /// It does not hold.
    Not {
        /// The condition.
        of: Box<Predicate>,
    },
    /// A fact compared with a value.
    Compare {
        /// The fact.
        attribute: Attribute,
        /// How.
        is: Comparison,
        /// With what.
        value: Value,
    },
    /// A fact is one of several values.
    In {
        /// The fact.
        attribute: Attribute,
        /// The values.
        values: Vec<Value>,
    },
    /// A fact lies between two values, both included.
    Between {
        /// The fact.
        attribute: Attribute,
        /// The least.
        from: Value,
        /// The greatest.
        to: Value,
    },
}

impl Predicate {
    /// Holds for every deal.
    #[must_use]
    pub const fn always() -> Self {
        Self::All { of: Vec::new() }
    }
}

/// Whether a condition holds for the facts that `seen` tells; an unknown fact never compares.
pub fn holds(predicate: &Predicate, seen: &mut impl FnMut(Attribute) -> Option<Value>) -> bool {
    match predicate {
        Predicate::All { of } => of.iter().all(|p| holds(p, seen)),
        Predicate::Any { of } => of.iter().any(|p| holds(p, seen)),
        Predicate::Not { of } => !holds(of, seen),
        Predicate::Compare { attribute, is, value } => {
            seen(*attribute).and_then(|v| v.order(value)).is_some_and(|order| is.accepts(order))
        }
        Predicate::In { attribute, values } => {
            seen(*attribute).is_some_and(|v| values.iter().any(|w| v.order(w).is_some_and(std::cmp::Ordering::is_eq)))
        }
        Predicate::Between { attribute, from, to } => seen(*attribute).is_some_and(|v| {
            v.order(from).is_some_and(std::cmp::Ordering::is_ge) && v.order(to).is_some_and(std::cmp::Ordering::is_le)
        }),
    }
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Not equal.
    Ne,
    /// Less.
    Lt,
    /// Less or equal.
    Lte,
    /// Greater.
    Gt,
    /// Greater or equal.
    Gte,
}

impl Comparison {
    /// Whether it holds for this order of left and right.
    #[must_use]
    pub const fn accepts(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Eq => order.is_eq(),
            Self::Ne => order.is_ne(),
            Self::Lt => order.is_lt(),
            Self::Lte => order.is_le(),
            Self::Gt => order.is_gt(),
            Self::Gte => order.is_ge(),
        }
    }

    /// As a sign.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "≠",
            Self::Lt => "<",
            Self::Lte => "≤",
            Self::Gt => ">",
            Self::Gte => "≥",
        }
    }
}

/// A fact that a condition may ask for. None of them is personal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attribute {
    /// Text: the code of the product.
    #[serde(rename = "product.code")]
    ProductCode,
    /// Text: the code of the vertical.
    #[serde(rename = "product.vertical")]
    ProductVertical,
    /// Date.
    #[serde(rename = "deal.referred_on")]
    ReferredOn,
    /// Date.
    #[serde(rename = "deal.contracted_on")]
    ContractedOn,
    /// Date.
    #[serde(rename = "deal.settled_on")]
    SettledOn,
    /// Money.
    #[serde(rename = "deal.settled_amount")]
    SettledAmount,
    /// Money.
    #[serde(rename = "deal.offset_balance")]
    OffsetBalance,
    /// Money: settled amount less offset balance.
    #[serde(rename = "deal.net_balance")]
    NetBalance,
    /// Integer: how many levels of upline the member has.
    #[serde(rename = "member.upline_levels")]
    UplineLevels,
}

impl Attribute {
    /// The kind of its value.
    #[must_use]
    pub const fn kind(self) -> ValueKind {
        match self {
            Self::ProductCode | Self::ProductVertical => ValueKind::Text,
            Self::ReferredOn | Self::ContractedOn | Self::SettledOn => ValueKind::Date,
            Self::SettledAmount | Self::OffsetBalance | Self::NetBalance => ValueKind::Money,
            Self::UplineLevels => ValueKind::Integer,
        }
    }

    /// The name in the JSON form.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ProductCode => "product.code",
            Self::ProductVertical => "product.vertical",
            Self::ReferredOn => "deal.referred_on",
            Self::ContractedOn => "deal.contracted_on",
            Self::SettledOn => "deal.settled_on",
            Self::SettledAmount => "deal.settled_amount",
            Self::OffsetBalance => "deal.offset_balance",
            Self::NetBalance => "deal.net_balance",
            Self::UplineLevels => "member.upline_levels",
        }
    }
}

/// The kinds of value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Compared byte by byte.
    Text,
    /// Whole numbers.
    Integer,
    /// Amounts of one currency.
    Money,
    /// Calendar dates.
    Date,
}

/// A value of a condition or a fact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", content = "value", rename_all = "snake_case", deny_unknown_fields)]
pub enum Value {
    /// Text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// An amount.
    Money(Money),
    /// A date.
    Date(Date),
}

impl Value {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> ValueKind {
        match self {
            Self::Text(_) => ValueKind::Text,
            Self::Integer(_) => ValueKind::Integer,
            Self::Money(_) => ValueKind::Money,
            Self::Date(_) => ValueKind::Date,
        }
    }

    /// The order of two values of one kind (and currency); none otherwise.
    #[must_use]
    pub fn order(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(b)),
            (Self::Money(a), Self::Money(b)) if a.currency() == b.currency() => Some(a.minor().cmp(&b.minor())),
            (Self::Date(a), Self::Date(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "«{text}»"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Money(amount) => write!(f, "{amount}"),
            Self::Date(date) => write!(f, "{date}"),
        }
    }
}
