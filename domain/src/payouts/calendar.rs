//! Banking days: when payments between banks are settled.
//!
//! A day is closed on weekends and on public holidays that both New South Wales and Victoria observe.
//! Rules, not a list, so that every year has an answer; a holiday that is declared for one year only
//! (such as a day of mourning) is not known here. Source: RBA, RITS business days; checked against PyPI
//! `holidays` for 2024 to 2035 (`tests/oracles/banking_days.py`).

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

/// The date if banks are open on it, else the first later one on which they are.
#[must_use]
pub fn banking_day_from(from: Date) -> Date {
    let mut day = from;
    while !is_banking_day(day) {
        let Ok(next) = day.tomorrow() else { return day };
        day = next;
    }
    day
}

/// The so-manieth banking day after a date; the date itself is never counted.
#[must_use]
pub fn banking_days_after(from: Date, days: u16) -> Date {
    let mut day = from;
    for _ in 0..days {
        let Ok(next) = day.tomorrow() else { return day };
        day = banking_day_from(next);
    }
    day
}

/// How many banking days lie after a date up to another, that one among them; none when it is no later.
#[must_use]
pub fn banking_days_between(from: Date, to: Date) -> u32 {
    let mut count = 0;
    let mut day = from;
    while day < to {
        let Ok(next) = day.tomorrow() else { return count };
        day = next;
        count += u32::from(is_banking_day(day));
    }
    count
}

/// Whether banks settle on this date.
#[must_use]
pub fn is_banking_day(day: Date) -> bool {
    !is_weekend(day) && !is_holiday(day)
}

fn is_weekend(day: Date) -> bool {
    matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// Whether a weekday is a holiday in both states.
fn is_holiday(day: Date) -> bool {
    let (month, date) = (day.month(), day.day());
    let monday = day.weekday() == Weekday::Monday;
    match month {
        // New Year's Day and Australia Day, or the Monday after one on a weekend.
        1 => matches!(date, 1 | 26) || (monday && matches!(date, 2 | 3 | 27 | 28)),
        3 | 4 => (month, date) == (4, 25) || is_easter(day),
        // The King's Birthday: second Monday of June.
        6 => monday && (8..=14).contains(&date),
        12 => is_christmas(day),
        _ => false,
    }
}

/// Christmas and Boxing Day, or the days that stand for them when they fall on a weekend.
fn is_christmas(day: Date) -> bool {
    match day.day() {
        25 | 26 => true,
        27 => matches!(day.weekday(), Weekday::Monday | Weekday::Tuesday),
        28 => matches!(day.weekday(), Weekday::Monday | Weekday::Tuesday),
        _ => false,
    }
}

/// Good Friday or Easter Monday.
fn is_easter(day: Date) -> bool {
    let Some(sunday) = easter_sunday(day.year()) else { return false };
    [-2, 1].into_iter().any(|days| sunday.checked_add(days.days()).is_ok_and(|date| date == day))
}

/// Gregorian computus (Meeus, Jones and Butcher).
fn easter_sunday(year: i16) -> Option<Date> {
    let y = i32::from(year);
    let (a, b, c) = (y % 19, y / 100, y % 100);
    let (d, e) = (b / 4, b % 4);
    let g = (b - (b + 8) / 25 + 1) / 3;
    let h = (19 * a + b - d - g + 15) % 30;
    let l = (32 + 2 * e + 2 * (c / 4) - h - c % 4) % 7;
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    Date::new(year, i8::try_from(n / 31).ok()?, i8::try_from(n % 31 + 1).ok()?).ok()
}
