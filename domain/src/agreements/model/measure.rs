//! What can be measured of a deal, and the windows over which it is reckoned.
//!
//! Every window is a run of calendar days of Sydney, so daylight saving never cuts one short. A window
//! is named by its first day; what it counts starts anew with the next one.

use jiff::civil::{Date, date};
use jiff::{ToSpan, Unit};
use serde::{Deserialize, Serialize};

macro_rules! measures {
    ($($(#[$meta:meta])* $name:ident = $text:literal: $kind:ident),* $(,)?) => {
        /// A number that a rate, a tier or an accumulator works with.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
        #[serde(rename_all = "snake_case")]
        pub enum Measure { $($(#[$meta])* $name,)* }

        impl Measure {
            /// Every measure.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in the JSON form.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Whether it is an amount or a count.
            #[must_use]
            pub const fn unit(self) -> MeasureUnit {
                match self { $(Self::$name => MeasureUnit::$kind,)* }
            }
        }
    };
}

measures! {
    /// The amount that settled: a loan, a price.
    SettledAmount = "settled_amount": Money,
    /// The amount that settled less the balance of the offset account.
    NetBalance = "net_balance": Money,
    /// The balance (or the renewal premium) of one period of a trail.
    PeriodBalance = "period_balance": Money,
    /// The first year's premium.
    Premium = "premium": Money,
    /// The provider's fee.
    Fee = "fee": Money,
    /// The salary of the person placed.
    Salary = "salary": Money,
    /// A year's rent.
    Rent = "rent": Money,
    /// The provider's margin.
    Margin = "margin": Money,
    /// One for each deal.
    Deals = "deals": Count,
    /// Units sold.
    Units = "units": Count,
    /// Connections of a telephone, power or network service.
    Connections = "connections": Count,
    /// Kilowatts installed.
    Kilowatts = "kilowatts": Count,
    /// Policies issued.
    Policies = "policies": Count,
    /// People who travel.
    Travellers = "travellers": Count,
}

/// Whether a measure is an amount of money or a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeasureUnit {
    /// Minor units of the currency.
    Money,
    /// Whole numbers.
    Count,
}

/// The days over which something is added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(as = AccumulatorWindow))]
#[serde(rename_all = "snake_case")]
pub enum Window {
    /// One day.
    Day,
    /// Monday to Sunday (ISO 8601).
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

impl Window {
    /// As it is told.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::FinancialYear => "financial year",
            Self::Lifetime => "lifetime",
        }
    }

    /// The first day of the window that this day lies in.
    #[must_use]
    pub fn first_day(self, on: Date) -> Date {
        match self {
            Self::Day => on,
            Self::Week => on.checked_sub(i64::from(on.weekday().to_monday_zero_offset()).days()).unwrap_or(Date::MIN),
            Self::Month => on.first_of_month(),
            Self::Quarter => date(on.year(), (on.month() - 1) / 3 * 3 + 1, 1),
            Self::FinancialYear if on.month() >= 7 => date(on.year(), 7, 1),
            // Before July of the first year of the calendar there is no July to begin with.
            Self::FinancialYear => Date::new(on.year() - 1, 7, 1).unwrap_or(Date::MIN),
            Self::Lifetime => date(1, 1, 1),
        }
    }

    /// The last day of the window that this day lies in; none for a lifetime.
    #[must_use]
    pub fn last_day(self, on: Date) -> Option<Date> {
        let first = self.first_day(on);
        let next = match self {
            Self::Day => first.checked_add(1.day()),
            Self::Week => first.checked_add(7.days()),
            Self::Month => first.checked_add(1.month()),
            Self::Quarter => first.checked_add(3.months()),
            Self::FinancialYear => first.checked_add(12.months()),
            Self::Lifetime => return None,
        };
        next.and_then(|next| next.checked_sub(1.day())).ok()
    }

    /// How many days the window of this day has; none for a lifetime.
    #[must_use]
    pub fn days(self, on: Date) -> Option<i64> {
        self.last_day(on).and_then(|last| days_between(self.first_day(on), last))
    }
}

/// Days from one to the other, both included; none when the second comes first.
#[must_use]
pub fn days_between(first: Date, last: Date) -> Option<i64> {
    let days = first.until((Unit::Day, last)).ok()?.get_days();
    (days >= 0).then(|| i64::from(days) + 1)
}

/// A running total over the deals of one scope and window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Accumulator {
    /// Unique within the version; a later version of the agreement with the same key counts on.
    pub key: super::ComponentKey,
    /// What is added up.
    pub measure: Measure,
    /// Over whose deals.
    pub scope: AccumulatorScope,
    /// Over which days, by the date that governs the deal; it starts anew with each.
    pub window: Window,
    /// Whether a deal that unwound still counts.
    #[serde(default, skip_serializing_if = "Unwound::is_counted")]
    pub unwound: Unwound,
}

/// Whose deals an accumulator adds up: those of the agreement with the same …
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AccumulatorScope {
    /// Member who referred.
    Member,
    /// Introducer.
    Organisation,
    /// Product.
    Product,
    /// Vertical: all of them.
    Vertical,
    /// Cohort of the member who referred.
    Cohort,
}

/// Whether a deal that unwound still counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Unwound {
    /// It counts: what was sold was sold.
    #[default]
    Counted,
    /// It leaves the total, and the deals after it are worked out again.
    LeftOut,
}

impl Unwound {
    /// Whether it is the one that goes without saying.
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        matches!(self, Self::Counted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_begin_and_end_by_the_calendar() {
        // The Sunday on which daylight saving begins in Sydney, and the leap day.
        let (sunday, leap) = (date(2026, 10, 4), date(2028, 2, 29));
        for (window, on, first, last) in [
            (Window::Day, sunday, date(2026, 10, 4), date(2026, 10, 4)),
            (Window::Week, sunday, date(2026, 9, 28), date(2026, 10, 4)),
            (Window::Month, leap, date(2028, 2, 1), date(2028, 2, 29)),
            (Window::Quarter, leap, date(2028, 1, 1), date(2028, 3, 31)),
            (Window::FinancialYear, leap, date(2027, 7, 1), date(2028, 6, 30)),
            (Window::FinancialYear, date(2026, 7, 1), date(2026, 7, 1), date(2027, 6, 30)),
            (Window::FinancialYear, date(2026, 6, 30), date(2025, 7, 1), date(2026, 6, 30)),
        ] {
            assert_eq!((window.first_day(on), window.last_day(on)), (first, Some(last)), "{window:?} of {on}");
        }
        assert_eq!(Window::FinancialYear.days(leap), Some(366));
        assert_eq!(Window::Week.days(sunday), Some(7));
        assert_eq!(Window::Lifetime.days(leap), None);
    }
}
