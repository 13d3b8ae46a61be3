//! Sums of a simulation, as deals go by: whole minor units, checked.
//!
//! Memory: one row for each participant and cohort, one for each month; nothing for a deal.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use jiff::civil::Date;
use serde::Serialize;

use super::desk::SimulatedLine;
use super::scenario::MOST_SCENARIOS;
use crate::kernel::ids::MemberId;
use crate::kernel::money::MoneyError;

/// What came to in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Amounts {
    /// Earned, the platform's share included.
    pub earned_minor: i64,
    /// Taken back of it.
    pub clawed_back_minor: i64,
    /// What stays of the two for the platform.
    pub platform_minor: i64,
    /// What stays for members, uplines and other participants.
    pub participants_minor: i64,
}

/// What may be paid in one month, less what is taken back in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cash {
    /// To members, uplines and other participants.
    pub participants_minor: i64,
    /// What the platform keeps.
    pub platform_minor: i64,
}

/// `to` and `more`, or nothing when that leaves 64 bits.
pub(super) fn add(to: &mut i64, more: i64) -> Result<(), MoneyError> {
    *to = to.checked_add(more).ok_or(MoneyError::OutOfRange)?;
    Ok(())
}

impl Amounts {
    pub(super) fn take(&mut self, line: &SimulatedLine) -> Result<(), MoneyError> {
        add(&mut self.earned_minor, line.earned)?;
        add(&mut self.clawed_back_minor, line.clawed_back)?;
        let whose = if line.participant.is_some() { &mut self.participants_minor } else { &mut self.platform_minor };
        add(whose, line.net())
    }

    pub(super) fn plus(&mut self, more: &Self) -> Result<(), MoneyError> {
        add(&mut self.earned_minor, more.earned_minor)?;
        add(&mut self.clawed_back_minor, more.clawed_back_minor)?;
        add(&mut self.platform_minor, more.platform_minor)?;
        add(&mut self.participants_minor, more.participants_minor)
    }

    /// What stays in all.
    #[must_use]
    pub const fn net(&self) -> i64 {
        self.earned_minor - self.clawed_back_minor
    }
}

/// The number of a month, counted from January of the year 0.
#[must_use]
pub fn month_number(on: Date) -> i32 {
    i32::from(on.year()) * 12 + i32::from(on.month()) - 1
}

/// The first day of a month of this number.
#[must_use]
pub fn month_of(number: i32) -> Option<Date> {
    let (year, month) = (number.div_euclid(12), number.rem_euclid(12) + 1);
    Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, 1).ok()
}

/// Cash by month.
#[derive(Debug, Clone, Default)]
pub(super) struct Months {
    first: i32,
    cash: Vec<Cash>,
}

impl Months {
    fn at(&mut self, number: i32) -> &mut Cash {
        if self.cash.is_empty() {
            self.first = number;
        }
        if number < self.first {
            let more = self.first.abs_diff(number) as usize;
            self.cash.splice(0..0, std::iter::repeat_n(Cash::default(), more));
            self.first = number;
        }
        let place = number.abs_diff(self.first) as usize;
        if place >= self.cash.len() {
            self.cash.resize(place + 1, Cash::default());
        }
        &mut self.cash[place]
    }

    pub(super) fn take(&mut self, line: &SimulatedLine, discharged_on: Option<Date>) -> Result<(), MoneyError> {
        let of_participant = line.participant.is_some();
        let mut book = |on: Date, minor: i64| {
            let cash = self.at(month_number(on));
            add(if of_participant { &mut cash.participants_minor } else { &mut cash.platform_minor }, minor)
        };
        book(line.payable_on, line.earned)?;
        match discharged_on {
            Some(on) if line.clawed_back != 0 => book(on, -line.clawed_back),
            _ => Ok(()),
        }
    }

    /// By the number of the month, those in which nothing happens between others included.
    pub(super) fn by_number(&self) -> impl Iterator<Item = (i32, Cash)> {
        (self.first..).zip(self.cash.iter().copied())
    }
}

/// Ids are drawn at random already: their bits need folding only.
#[derive(Debug, Default)]
pub(super) struct Folded(u64);

impl Hasher for Folded {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..part.len()].copy_from_slice(part);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }
}

/// What stays for each participant, by scenario.
#[derive(Debug, Default)]
pub(super) struct Participants {
    places: HashMap<MemberId, u32, BuildHasherDefault<Folded>>,
    rows: Vec<(MemberId, [i64; MOST_SCENARIOS])>,
}

impl Participants {
    pub(super) fn take(&mut self, member: MemberId, scenario: usize, minor: i64) -> Result<(), MoneyError> {
        let next = u32::try_from(self.rows.len()).map_err(|_| MoneyError::OutOfRange)?;
        let place = *self.places.entry(member).or_insert(next);
        if place == next {
            self.rows.push((member, [0; MOST_SCENARIOS]));
        }
        add(&mut self.rows[place as usize].1[scenario], minor)
    }

    pub(super) fn rows(&self) -> &[(MemberId, [i64; MOST_SCENARIOS])] {
        &self.rows
    }
}

/// Sums by a name, for each scenario.
pub(super) type ByName = BTreeMap<String, [Amounts; MOST_SCENARIOS]>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreements::model::Role;
    use jiff::civil::date;

    fn line(earned: i64, clawed_back: i64, payable_on: Date) -> SimulatedLine {
        let participant = Some(MemberId::new(uuid::Uuid::from_u128(1)));
        SimulatedLine { role: Role::Member, participant, earned, clawed_back, payable_on, period: None }
    }

    #[test]
    fn what_is_taken_back_is_of_its_own_month() {
        let mut months = Months::default();
        months.take(&line(100, 40, date(2026, 3, 5)), Some(date(2026, 1, 9))).expect("in range");
        months.take(&line(5, 0, date(2026, 3, 31)), None).expect("in range");
        let cash: Vec<(Option<Date>, i64)> =
            months.by_number().map(|(n, cash)| (month_of(n), cash.participants_minor)).collect();
        let on = |month| Some(date(2026, month, 1));
        assert_eq!(cash, [(on(1), -40), (on(2), 0), (on(3), 105)]);
    }

    #[test]
    fn sums_do_not_wrap() {
        let mut amounts = Amounts::default();
        amounts.take(&line(i64::MAX, 0, date(2026, 1, 1))).expect("in range");
        assert_eq!(amounts.take(&line(1, 0, date(2026, 1, 1))), Err(MoneyError::OutOfRange));
    }
}
