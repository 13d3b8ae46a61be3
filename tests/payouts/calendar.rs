//! Banking days against PyPI `holidays`.

use std::collections::BTreeSet;

use domain::payouts::calendar::{banking_day_from, is_banking_day};
use jiff::civil::{Date, Weekday, date};

/// Made by `tests/oracles/banking_days.py` with holidays 0.109.
const HOLIDAYS: &str = include_str!("../oracles/fixtures/banking_holidays.csv");

#[test]
fn every_day_of_twelve_years_agrees() {
    let closed: BTreeSet<Date> =
        HOLIDAYS.lines().skip(1).map(|line| line.split(',').next().expect("a date").parse().expect("a date")).collect();
    assert_eq!(closed.len(), 93);
    let mut day = date(2024, 1, 1);
    while day.year() < 2036 {
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        assert_eq!(is_banking_day(day), !weekend && !closed.contains(&day), "{day}");
        day = day.tomorrow().expect("a day");
    }
}

#[test]
fn the_next_banking_day_after_christmas() {
    assert_eq!(banking_day_from(date(2026, 12, 24)), date(2026, 12, 24));
    assert_eq!(banking_day_from(date(2026, 12, 25)), date(2026, 12, 29));
    assert_eq!(banking_day_from(date(2026, 4, 27)), date(2026, 4, 27));
}
