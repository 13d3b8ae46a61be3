//! What an answer means, and when to try again.
//!
//! Source: Standard Webhooks 1.0.0, "Deliverability and reliability"; RFC 9110 (`Retry-After`, 410).

use jiff::SignedDuration;

use crate::kernel::Instant;

/// Waits after the first, second, … failure; together three days. Then the delivery is given up.
pub const SCHEDULE: [SignedDuration; 9] = [
    SignedDuration::from_secs(5),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(5),
    SignedDuration::from_hours(10),
    SignedDuration::from_hours(14),
    SignedDuration::from_hours(20),
    SignedDuration::from_mins(20 * 60 + 30),
];

/// An endpoint that took nothing for so long gets nothing more.
pub const DISABLE_AFTER: SignedDuration = SignedDuration::from_hours(72);

/// The most that a `Retry-After` is waited for.
pub const MAX_RETRY_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// The largest part of a wait that jitter adds, as one in so many.
const JITTER: i64 = 10;

/// What comes of a delivery after an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Taken.
    Delivered,
    /// Not taken; tried again then.
    Again(Instant),
    /// Not taken, and not tried again.
    GivenUp,
    /// The endpoint is gone (410): nothing is sent to it any more.
    Gone,
}

/// What a status means: a 2xx is taken, 410 is the end, everything else (redirects too) is a failure.
///
/// `failures` counts those of this round before this attempt; `jitter` is anything, drawn for this attempt,
/// and spreads those that failed together; `retry_after` is what the answer asked for, and never brings the
/// next attempt forward.
#[must_use]
pub fn next(
    status: Option<u16>,
    retry_after: Option<SignedDuration>,
    failures: u32,
    jitter: u32,
    now: Instant,
) -> Next {
    match status {
        Some(200..=299) => return Next::Delivered,
        Some(410) => return Next::Gone,
        _ => {}
    }
    let Some(wait) = usize::try_from(failures).ok().and_then(|n| SCHEDULE.get(n)) else { return Next::GivenUp };
    let millis = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    let spread = millis / JITTER * i64::from(jitter % 1_000) / 1_000;
    let wait = SignedDuration::from_millis(millis + spread);
    let asked = retry_after.unwrap_or_default().min(MAX_RETRY_AFTER);
    Next::Again(later(now, wait.max(asked)))
}

/// Reads a `Retry-After`: seconds, or a date of HTTP. `None` when it is neither.
#[must_use]
pub fn retry_after(text: &str, now: Instant) -> Option<SignedDuration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(SignedDuration::from_secs(text.parse().unwrap_or(i64::MAX)));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(at.duration_since(now.timestamp()).max(SignedDuration::ZERO))
}

/// So much later; the same moment at the end of time.
#[must_use]
pub fn later(at: Instant, wait: SignedDuration) -> Instant {
    at.timestamp().checked_add(wait).map_or(at, Instant::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn now() -> Instant {
        Instant::new("2026-11-25T12:00:00Z".parse().expect("a time"))
    }

    #[test]
    fn the_waits_come_to_three_days_and_end() {
        let total: SignedDuration = SCHEDULE.iter().fold(SignedDuration::ZERO, |sum, wait| sum + *wait);
        assert!(total >= DISABLE_AFTER && total < DISABLE_AFTER + SignedDuration::from_hours(1), "{total}");
        assert_eq!(next(Some(500), None, 9, 0, now()), Next::GivenUp);
        assert_eq!(next(None, None, u32::MAX, 0, now()), Next::GivenUp);
        assert_eq!(next(None, None, 0, 0, now()), Next::Again(later(now(), SignedDuration::from_secs(5))));
        assert_eq!(next(None, None, 1, 0, now()), Next::Again(later(now(), SignedDuration::from_mins(5))));
    }

    #[test]
    fn only_2xx_is_taken_and_410_is_the_end() {
        for status in 100..=599 {
            let verdict = next(Some(status), None, 0, 0, now());
            match status {
                200..=299 => assert_eq!(verdict, Next::Delivered, "{status}"),
                410 => assert_eq!(verdict, Next::Gone),
                _ => assert!(matches!(verdict, Next::Again(_)), "{status}"),
            }
        }
    }

    #[test]
    fn retry_after_in_both_forms_within_bounds() {
        let seconds = SignedDuration::from_secs;
        assert_eq!(retry_after("120", now()), Some(seconds(120)));
        assert_eq!(retry_after(" 0 ", now()), Some(seconds(0)));
        assert_eq!(retry_after("Wed, 25 Nov 2026 12:01:00 GMT", now()), Some(seconds(60)));
        assert_eq!(retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now()), Some(seconds(0)));
        for nonsense in ["", "-1", "1.5", "soon", "2026-11-25T12:01:00Z"] {
            assert_eq!(retry_after(nonsense, now()), None, "{nonsense}");
        }
        let asked = |text: &str| next(Some(429), retry_after(text, now()), 0, 0, now());
        assert_eq!(asked("120"), Next::Again(later(now(), seconds(120))));
        assert_eq!(asked("1"), Next::Again(later(now(), seconds(5))), "never earlier than the schedule");
        for endless in ["99999999", "99999999999999999999999999", "Wed, 25 Nov 2099 12:01:00 GMT"] {
            assert_eq!(asked(endless), Next::Again(later(now(), MAX_RETRY_AFTER)), "{endless}");
        }
    }

    proptest! {
        #[test]
        fn jitter_adds_at_most_a_tenth_and_takes_nothing(failures in 0_u32..9, jitter: u32) {
            let Next::Again(at) = next(None, None, failures, jitter, now()) else { panic!("there is another try") };
            let waited = at.timestamp().duration_since(now().timestamp());
            let wait = SCHEDULE[failures as usize];
            prop_assert!(waited >= wait && waited <= wait + wait / 10);
        }

        #[test]
        fn no_header_stops_the_reader(text: String) {
            let _ = retry_after(&text, now());
        }
    }
}
