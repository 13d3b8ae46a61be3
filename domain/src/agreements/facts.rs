//! What a calculation is made from: the facts of a deal, who took part, and what came before it.

use std::collections::BTreeMap;

use jiff::Span;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::model::{ComponentKey, Measure};
use super::version::GoverningVersion;
use crate::catalogue::{ProductCode, VerticalCode};
use crate::kernel::ids::{DealId, MemberId};
use crate::kernel::jcs::{self, JcsError};
use crate::kernel::{Digest, Money};

/// A settlement: when, how much, and what an offset account takes off it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settlement {
    /// The day of settlement.
    pub on: Date,
    /// The amount that settled.
    pub amount: Money,
    /// The balance of the offset account.
    pub offset: Money,
    /// What else the agreement needs to know.
    #[serde(default, skip_serializing_if = "Measures::is_empty")]
    pub measures: Measures,
}

impl Settlement {
    /// A settlement of which only the amount is told.
    #[must_use]
    pub const fn of(on: Date, amount: Money, offset: Money) -> Self {
        Self { on, amount, offset, measures: Measures::NONE }
    }
}

/// Further amounts and counts of a settlement; what is not told is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measures {
    /// The first year's premium.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub premium: Option<Money>,
    /// The provider's fee.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Money>,
    /// The salary of the person placed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub salary: Option<Money>,
    /// A year's rent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rent: Option<Money>,
    /// The provider's margin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin: Option<Money>,
    /// Units sold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub units: Option<i64>,
    /// Connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<i64>,
    /// Kilowatts installed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kilowatts: Option<i64>,
    /// Policies issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<i64>,
    /// People who travel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub travellers: Option<i64>,
}

impl Measures {
    /// Nothing is told.
    pub const NONE: Self = Self {
        premium: None,
        fee: None,
        salary: None,
        rent: None,
        margin: None,
        units: None,
        connections: None,
        kilowatts: None,
        policies: None,
        travellers: None,
    };

    /// The names of those that are amounts, as facts and imports call them.
    pub const AMOUNTS: [&'static str; 5] = ["premium", "fee", "salary", "rent", "margin"];
    /// The names of those that are counts.
    pub const COUNTS: [&'static str; 5] = ["units", "connections", "kilowatts", "policies", "travellers"];

    /// Puts them together, in the order of [`Self::AMOUNTS`] and [`Self::COUNTS`].
    #[must_use]
    pub const fn of(amounts: [Option<Money>; 5], counts: [Option<i64>; 5]) -> Self {
        let [premium, fee, salary, rent, margin] = amounts;
        let [units, connections, kilowatts, policies, travellers] = counts;
        Self { premium, fee, salary, rent, margin, units, connections, kilowatts, policies, travellers }
    }

    /// The amounts, in the order of [`Self::AMOUNTS`].
    #[must_use]
    pub const fn amounts(&self) -> [Option<Money>; 5] {
        [self.premium, self.fee, self.salary, self.rent, self.margin]
    }

    /// The counts, in the order of [`Self::COUNTS`].
    #[must_use]
    pub const fn counts(&self) -> [Option<i64>; 5] {
        [self.units, self.connections, self.kilowatts, self.policies, self.travellers]
    }

    /// Whether nothing is told.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::NONE
    }
}

/// What is known of a deal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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

impl DealFacts {
    /// The value of a measure in minor units or as a count; none when it is not known. The balance of a period is
    /// no fact of the deal.
    #[must_use]
    pub fn measure(&self, measure: Measure) -> Option<i64> {
        let settlement = self.settlement?;
        let told = &settlement.measures;
        let minor = |amount: Option<Money>| amount.map(Money::minor);
        match measure {
            Measure::SettledAmount => Some(settlement.amount.minor()),
            Measure::NetBalance => settlement.amount.minor().checked_sub(settlement.offset.minor()),
            Measure::PeriodBalance => None,
            Measure::Premium => minor(told.premium),
            Measure::Fee => minor(told.fee),
            Measure::Salary => minor(told.salary),
            Measure::Rent => minor(told.rent),
            Measure::Margin => minor(told.margin),
            Measure::Deals => Some(1),
            Measure::Units => told.units,
            Measure::Connections => told.connections,
            Measure::Kilowatts => told.kilowatts,
            Measure::Policies => told.policies,
            Measure::Travellers => told.travellers,
        }
    }
}

/// When the milestones of a deal were reached.
pub type Milestones = BTreeMap<ComponentKey, Date>;

static NO_MILESTONES: Milestones = BTreeMap::new();

/// One period of a trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Period {
    /// The first day of its month.
    pub month: Date,
    /// The balance at the end of it.
    pub balance: Money,
}

impl Period {
    /// Its last day.
    #[must_use]
    pub fn ends_on(&self) -> Date {
        self.month.last_of_month()
    }

    /// The period that so many months later follows.
    #[must_use]
    pub fn month_after(&self, months: i64) -> Option<Date> {
        let span = Span::new().try_months(months).ok()?;
        self.month.first_of_month().checked_add(span).ok()
    }
}

/// What the deals before this one came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// What was measured, or earned before limits.
    pub total: i64,
    /// What was paid after limits, in minor units.
    pub paid: i64,
    /// In how many deals.
    pub awards: i64,
}

/// A running total or a limit, of one scope in one window.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CounterKey {
    /// `accumulator.<key>` or `limit.<component>.<its place>`.
    pub counter: String,
    /// Whose: the id of a member or an organisation, the code of a product, a vertical or a cohort.
    pub scope: String,
    /// The first day of the window.
    pub window_from: Date,
}

/// A counter and where it stood before the deal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counter {
    /// Which one.
    pub key: CounterKey,
    /// Where it stood.
    pub before: Standing,
}

/// Everything that a calculation depends on, beside the engine. What engine 1 does not know is left out of the
/// bytes when it says nothing, so that stored inputs stay what they are.
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
    /// The levels of upline whose contact or payee is the referrer's: their share goes to the platform.
    #[serde(skip_serializing_if = "<[u8]>::is_empty")]
    pub own_uplines: &'a [u8],
    /// Other members who took part.
    #[serde(skip_serializing_if = "<[MemberId]>::is_empty")]
    pub participants: &'a [MemberId],
    /// The code of the member's cohort, frozen with the seal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cohort: Option<&'a str>,
    /// The day on which the member joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined_on: Option<Date>,
    /// The id of who sells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<&'a str>,
    /// The id of whose member referred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub introducer: Option<&'a str>,
    /// The milestones that were reached.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub milestones: &'a Milestones,
    /// The period of a trail; none = the deal itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// Where the counters stood that the version asks for, in its order.
    #[serde(skip_serializing_if = "<[Counter]>::is_empty")]
    pub counters: &'a [Counter],
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

impl<'a> CalculationInput<'a> {
    /// The least that a deal is worked out from; the rest says nothing.
    #[must_use]
    pub fn new(
        deal: DealId,
        sold: (VerticalCode, &'a ProductCode),
        facts: DealFacts,
        member: MemberId,
        uplines: &'a [MemberId],
        version: &'a GoverningVersion,
    ) -> Self {
        Self {
            deal,
            vertical: sold.0,
            product: sold.1,
            facts,
            member,
            uplines,
            own_uplines: &[],
            participants: &[],
            cohort: None,
            joined_on: None,
            provider: None,
            introducer: None,
            milestones: &NO_MILESTONES,
            period: None,
            counters: &[],
            version,
        }
    }

    /// The compact bytes that are stored (RFC 8785).
    ///
    /// # Errors
    /// When a number is beyond what JSON carries.
    pub fn canonical_bytes(&self) -> Result<Vec<u8>, JcsError> {
        jcs::to_bytes(self)
    }

    /// SHA-256 of them.
    ///
    /// # Errors
    /// As [`Self::canonical_bytes`].
    pub fn digest(&self) -> Result<Digest, JcsError> {
        self.canonical_bytes().map(|bytes| Digest::of(&bytes))
    }
}
