//! Rates of tax, as dated data: the last that begins on or before a date is in force.
//!
//! GST 10 % since 1 July 2000 (GST Act, s 9-70). Without an ABN the top rate is withheld: 47 % since 1 July 2017
//! (TAA 1953, sch 1, s 12-190; Taxation Administration Regulations, top rate plus Medicare levy), unless the payment is
//! at most $75 without GST (s 12-190(4)(b); Regulations, s 29-80 of the GST Act). A date before the first of a list is
//! under its first: nothing of that time is paid here.

use jiff::civil::Date;

use crate::kernel::rate::{WHOLE_PPM, divide_half_away};

/// GST, in parts per million, by first day.
const GST: [(Date, i64); 1] = [(Date::constant(2000, 7, 1), 100_000)];
/// What is withheld without an ABN, in parts per million, by first day.
const NO_ABN: [(Date, i64); 2] = [(Date::constant(2014, 7, 1), 490_000), (Date::constant(2017, 7, 1), 470_000)];
/// Up to this payment without GST, in cents, nothing is withheld; by first day.
const NO_ABN_FREE: [(Date, i64); 2] = [(Date::constant(2000, 7, 1), 5_000), (Date::constant(2007, 7, 1), 7_500)];

fn in_force(list: &[(Date, i64)], on: Date) -> i64 {
    let begun = list.iter().rev().find(|(from, _)| *from <= on).or_else(|| list.first());
    begun.map_or(0, |(_, value)| *value)
}

/// The GST on an amount without GST, both in cents: half up at the cent on the absolute value, then with its sign
/// (GST Act, s 9-90).
#[must_use]
pub fn gst_on(amount_minor: i64, on: Date) -> i64 {
    share(amount_minor, in_force(&GST, on))
}

/// What is withheld of an amount without an ABN, in cents: half away from zero, once per line.
#[must_use]
pub fn withheld_of(amount_minor: i64, on: Date) -> i64 {
    share(amount_minor, in_force(&NO_ABN, on))
}

/// Whether a payment of so many cents without GST is too small for anything to be withheld.
#[must_use]
pub fn is_too_small(payment_minor: i64, on: Date) -> bool {
    payment_minor <= in_force(&NO_ABN_FREE, on)
}

/// The rate that is withheld without an ABN, in parts per million.
#[must_use]
pub fn no_abn_ppm(on: Date) -> i64 {
    in_force(&NO_ABN, on)
}

fn share(amount_minor: i64, ppm: i64) -> i64 {
    let share = divide_half_away(i128::from(amount_minor) * i128::from(ppm), i128::from(WHOLE_PPM));
    // A rate below one whole: the share is smaller than the amount.
    i64::try_from(share).unwrap_or(amount_minor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TODAY: Date = Date::constant(2026, 11, 29);

    #[test]
    fn gst_is_rounded_half_up_at_the_cent() {
        // GST Act, s 9-90(1): the amount of GST is rounded to the nearest cent, half a cent upwards.
        let table = [
            (0, 0),
            (1, 0),
            (4, 0),
            (5, 1), // 0.5 cents
            (14, 1),
            (15, 2), // 1.5 cents
            (100, 10),
            (1_004, 100), // 100.4 cents
            (1_005, 101), // 100.5 cents
            (78_000, 7_800),
            (9_999_995, 1_000_000), // 999,999.5 cents
        ];
        for (amount, gst) in table {
            assert_eq!(gst_on(amount, TODAY), gst, "GST on {amount} cents");
            assert_eq!(gst_on(-amount, TODAY), -gst, "the sign comes last: {amount} cents");
        }
    }

    #[test]
    fn without_an_abn_47_per_cent_is_withheld_above_75_dollars() {
        // TAA 1953, sch 1, s 12-190; ATO "PAYG withholding: no ABN withholding".
        let table = [
            (7_499, true, 3_525),
            (7_500, true, 3_525),  // $75.00 exactly: nothing is withheld
            (7_501, false, 3_525), // 3,525.47 cents
            (7_550, false, 3_549), // 3,548.5 cents, half away from zero
            (10_000, false, 4_700),
            (100_000, false, 47_000),
        ];
        for (payment, small, withheld) in table {
            assert_eq!((is_too_small(payment, TODAY), withheld_of(payment, TODAY)), (small, withheld), "{payment}");
        }
    }

    #[test]
    fn the_rate_of_the_day_counts() {
        assert_eq!(withheld_of(10_000, Date::constant(2017, 6, 30)), 4_900);
        assert_eq!(withheld_of(10_000, Date::constant(2017, 7, 1)), 4_700);
        assert!(!is_too_small(5_001, Date::constant(2007, 6, 30)));
        assert!(is_too_small(7_500, Date::constant(2007, 7, 1)));
    }
}
