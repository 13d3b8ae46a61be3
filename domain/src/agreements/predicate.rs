//! Conditions of a component: a typed tree over facts of the deal.
//!
//! Two-valued: a comparison with a fact that is not known does not hold (neither `eq` nor `ne`).
//! A comparison between different kinds of value is an error, found by the lint and refused by the
//! engine. Bounds: 16 levels, 256 nodes (checked by the lint).

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

// The name under which the API document shows it; `Value` alone would be read there as any JSON.
#[cfg(feature = "schema")]
pub(super) use self::Value as TypedValue;
use super::model::ComponentKey;
use crate::kernel::Money;

/// The deepest tree that may be published.
pub const MAX_DEPTH: usize = 16;
/// The largest tree that may be published.
pub const MAX_NODES: usize = 256;

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Predicate {
    /// Every one holds; none = always.
    All {
        /// The conditions.
        #[cfg_attr(feature = "schema", schema(no_recursion))]
        of: Vec<Predicate>,
    },
    /// At least one holds; none = never.
    Any {
        /// The conditions.
        #[cfg_attr(feature = "schema", schema(no_recursion))]
        of: Vec<Predicate>,
    },
    /// It does not hold.
    Not {
        /// The condition.
        #[cfg_attr(feature = "schema", schema(no_recursion))]
        of: Box<Predicate>,
    },
    /// A fact compared with a value.
    Compare {
        /// The fact.
        attribute: Attribute,
        /// How.
        is: Comparison,
        /// With what.
        #[cfg_attr(feature = "schema", schema(value_type = TypedValue))]
        value: Value,
    },
    /// A fact is one of several values.
    In {
        /// The fact.
        attribute: Attribute,
        /// The values.
        #[cfg_attr(feature = "schema", schema(value_type = Vec<TypedValue>))]
        values: Vec<Value>,
    },
    /// A fact lies between two values, both included.
    Between {
        /// The fact.
        attribute: Attribute,
        /// The least.
        #[cfg_attr(feature = "schema", schema(value_type = TypedValue))]
        from: Value,
        /// The greatest.
        #[cfg_attr(feature = "schema", schema(value_type = TypedValue))]
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
pub fn holds<'v>(predicate: &Predicate, seen: &mut impl FnMut(&Attribute) -> Option<Seen<'v>>) -> bool {
    match predicate {
        Predicate::All { of } => of.iter().all(|p| holds(p, seen)),
        Predicate::Any { of } => of.iter().any(|p| holds(p, seen)),
        Predicate::Not { of } => !holds(of, seen),
        Predicate::Compare { attribute, is, value } => {
            seen(attribute).and_then(|v| v.order(&value.seen())).is_some_and(|order| is.accepts(order))
        }
        Predicate::In { attribute, values } => seen(attribute)
            .is_some_and(|v| values.iter().any(|w| v.order(&w.seen()).is_some_and(std::cmp::Ordering::is_eq))),
        Predicate::Between { attribute, from, to } => seen(attribute).is_some_and(|v| {
            v.order(&from.seen()).is_some_and(std::cmp::Ordering::is_ge)
                && v.order(&to.seen()).is_some_and(std::cmp::Ordering::is_le)
        }),
    }
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
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

macro_rules! attributes {
    ($($(#[$meta:meta])* $name:ident = $text:literal: $kind:ident),* $(,)?) => {
        /// A fact that a condition may ask for. None of them is personal.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Attribute {
            $($(#[$meta])* $name,)*
            /// Money or integer: a running total of the version, this deal included.
            Accumulator(ComponentKey),
        }

        impl Attribute {
            /// Every attribute that has a name of its own.
            pub const NAMED: &'static [Self] = &[$(Self::$name,)*];

            /// The kind of its value; none for a running total, whose measure tells.
            #[must_use]
            pub const fn kind(&self) -> Option<ValueKind> {
                match self { $(Self::$name => Some(ValueKind::$kind),)* Self::Accumulator(_) => None }
            }

            const fn own_name(&self) -> Option<&'static str> {
                match self { $(Self::$name => Some($text),)* Self::Accumulator(_) => None }
            }
        }
    };
}

attributes! {
    /// The code of the product.
    ProductCode = "product.code": Text,
    /// The code of the vertical.
    ProductVertical = "product.vertical": Text,
    /// The day of referral.
    ReferredOn = "deal.referred_on": Date,
    /// The day of contract.
    ContractedOn = "deal.contracted_on": Date,
    /// The day of settlement.
    SettledOn = "deal.settled_on": Date,
    /// The day on which it unwound.
    DischargedOn = "deal.discharged_on": Date,
    /// The amount that settled.
    SettledAmount = "deal.settled_amount": Money,
    /// The balance of the offset account.
    OffsetBalance = "deal.offset_balance": Money,
    /// Settled amount less offset balance.
    NetBalance = "deal.net_balance": Money,
    /// The first year's premium.
    Premium = "deal.premium": Money,
    /// The provider's fee.
    Fee = "deal.fee": Money,
    /// The salary of the person placed.
    Salary = "deal.salary": Money,
    /// A year's rent.
    Rent = "deal.rent": Money,
    /// The provider's margin.
    Margin = "deal.margin": Money,
    /// Units sold.
    Units = "deal.units": Integer,
    /// Connections.
    Connections = "deal.connections": Integer,
    /// Kilowatts installed.
    Kilowatts = "deal.kilowatts": Integer,
    /// Policies issued.
    Policies = "deal.policies": Integer,
    /// People who travel.
    Travellers = "deal.travellers": Integer,
    /// The last day of the trail's period.
    PeriodEndsOn = "period.ends_on": Date,
    /// The balance of the trail's period.
    PeriodBalance = "period.balance": Money,
    /// How many levels of upline the member has.
    UplineLevels = "member.upline_levels": Integer,
    /// The code of the member's cohort.
    Cohort = "member.cohort": Text,
    /// The day on which the member joined.
    JoinedOn = "member.joined_on": Date,
    /// The id of the provider.
    Provider = "deal.provider": Text,
    /// The id of the introducer.
    Introducer = "deal.introducer": Text,
}

const ACCUMULATOR: &str = "accumulator.";

impl Attribute {
    /// Reads the name in the JSON form.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(key) = text.strip_prefix(ACCUMULATOR) {
            return ComponentKey::parse(key).ok().map(Self::Accumulator);
        }
        Self::NAMED.iter().find(|named| named.own_name() == Some(text)).cloned()
    }
}

impl std::fmt::Display for Attribute {
    /// The name in the JSON form.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Accumulator(key) => write!(f, "{ACCUMULATOR}{key}"),
            named => f.write_str(named.own_name().unwrap_or_default()),
        }
    }
}

impl Serialize for Attribute {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Attribute {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str> as Deserialize>::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!("there is no attribute {:?}", text.chars().take(60).collect::<String>()))
        })
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

impl ValueKind {
    /// As it is told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "a whole number",
            Self::Money => "an amount of money",
            Self::Date => "a date",
        }
    }
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

    /// Minor units or the count; none of text and dates.
    #[must_use]
    pub const fn number(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Money(amount) => Some(amount.minor()),
            Self::Text(_) | Self::Date(_) => None,
        }
    }

    /// The same, borrowed.
    #[must_use]
    pub fn seen(&self) -> Seen<'_> {
        match self {
            Self::Text(text) => Seen::Text(text),
            Self::Integer(number) => Seen::Integer(*number),
            Self::Money(amount) => Seen::Money(*amount),
            Self::Date(date) => Seen::Date(*date),
        }
    }
}

/// A value that a fact has, borrowed from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen<'v> {
    /// Text.
    Text(&'v str),
    /// A whole number.
    Integer(i64),
    /// An amount.
    Money(Money),
    /// A date.
    Date(Date),
}

impl Seen<'_> {
    /// The order of two values of one kind (and currency); none otherwise.
    #[must_use]
    pub fn order(&self, other: &Seen<'_>) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Text(a), Seen::Text(b)) => Some(a.cmp(b)),
            (Self::Integer(a), Seen::Integer(b)) => Some(a.cmp(b)),
            (Self::Money(a), Seen::Money(b)) if a.currency() == b.currency() => Some(a.minor().cmp(&b.minor())),
            (Self::Date(a), Seen::Date(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

impl std::fmt::Display for Seen<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "«{text}»"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Money(amount) => write!(f, "{amount}"),
            Self::Date(date) => write!(f, "{date}"),
        }
    }
}
