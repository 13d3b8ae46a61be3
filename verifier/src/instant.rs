//! Instants and the calendar of the business.
//!
//! Instants are cut to microseconds on entry, as PostgreSQL keeps them. Periods, months and holds
//! are reckoned in Australia/Sydney dates, with the time zone data that is built in, so that a
//! calculation gives the same result on any machine.

use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};

/// A moment, to the microsecond.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Timestamp);

impl Instant {
    /// Cuts a timestamp to microseconds.
    #[must_use]
    pub fn new(at: Timestamp) -> Self {
        Self(Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at))
    }

    /// The moment as a timestamp.
    #[must_use]
    pub const fn timestamp(self) -> Timestamp {
        self.0
    }

    /// Milliseconds since 1970, as log leaves carry them.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// The calendar date of this moment in Sydney.
    #[must_use]
    pub fn sydney_date(self) -> Date {
        self.0.to_zoned(sydney()).date()
    }
}

/// The zone of the business. The bundled database always has it; UTC would be the fallback.
fn sydney() -> TimeZone {
    TimeZone::get("Australia/Sydney").unwrap_or(TimeZone::UTC)
}

impl std::fmt::Display for Instant {
    /// RFC 3339, UTC.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl std::fmt::Debug for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        <Timestamp as serde::Deserialize>::deserialize(d).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sydney_day_starts_before_the_utc_day() {
        let at = |text: &str| Instant::new(text.parse().expect("a timestamp"));
        assert_eq!(at("2026-06-30T14:00:00Z").sydney_date().to_string(), "2026-07-01");
        assert_eq!(at("2026-01-01T12:59:59Z").sydney_date().to_string(), "2026-01-01");
        assert_eq!(at("2026-01-01T13:00:00Z").sydney_date().to_string(), "2026-01-02");
    }

    #[test]
    fn instants_are_cut_to_microseconds() {
        let at = Instant::new("2026-01-01T00:00:00.123456789Z".parse().expect("a timestamp"));
        assert_eq!(at.to_string(), "2026-01-01T00:00:00.123456Z");
    }
}
