//! Bank statements as banks write them: ISO 20022 camt.053 and CSV.
//!
//! Everything wrong with a document is told at once, with its place. Bounds: those of the domain, and
//! [`camt::MAX_NODES`] nodes of XML; a document type declaration, and so every entity of its own, is refused.

pub mod camt;
pub mod csv;

use domain::kernel::Faults;
use domain::payouts::bank::statement::MAX_TEXT;

/// The most faults that are told of one document.
const MAX_FAULTS: usize = 100;

/// An exact decimal number of dollars as cents: at most two decimals that are not zero.
fn cents(text: &str) -> Option<i64> {
    let text = text.trim();
    let (is_negative, digits) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let fraction = fraction.trim_end_matches('0');
    if whole.is_empty() || whole.len() > 15 || fraction.len() > 2 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let minor = whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(format!("{fraction:0<2}").parse().ok()?)?;
    Some(if is_negative { -minor } else { minor })
}

/// What a line says, without control characters and within its bound.
fn said<'t>(parts: impl IntoIterator<Item = &'t str>) -> String {
    let mut text = String::new();
    for part in parts.into_iter().map(str::trim).filter(|part| !part.is_empty()) {
        if text.split(" | ").any(|known| known == part) {
            continue;
        }
        if !text.is_empty() {
            text.push_str(" | ");
        }
        text.push_str(part);
    }
    text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect()
}

fn fault(faults: &mut Faults, pointer: &str, code: &'static str, detail: &str) {
    if faults.0.len() < MAX_FAULTS {
        faults.push(pointer, code, detail);
    }
}

#[cfg(test)]
mod tests {
    use super::{cents, said};

    #[test]
    fn amounts_are_exact_or_none() {
        let good = [("1", 100), ("1.5", 150), ("-0.01", -1), ("12.34000", 1_234), ("+7.00", 700), ("0.00", 0)];
        for (text, minor) in good {
            assert_eq!(cents(text), Some(minor), "{text}");
        }
        for bad in ["", ".5", "1.005", "1e3", "1,000.00", "--1", "9999999999999999", "1.2.3", "٣"] {
            assert_eq!(cents(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_a_line_says_is_said_once() {
        assert_eq!(said(["A", " A ", "", "B\n"]), "A | B");
        assert_eq!(said(["x".repeat(900).as_str()]).len(), 500);
    }
}
