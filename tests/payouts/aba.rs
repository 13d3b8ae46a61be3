//! The bank file against two programs that nobody here wrote, and against its own rules.

use domain::directory::AbaText;
use domain::directory::{AccountNumber, BankDetails, Bsb};
use domain::payouts::BankAccount;
use domain::payouts::aba::{
    AbaError, Credit, LodgementReference, MAX_LINE_MINOR, ReferenceError, TransactionCode, write,
};
use jiff::civil::date;
use proptest::prelude::*;

use crate::world::{account, cemtexer, details, read_aba};

const PLAIN: &[u8] = include_bytes!("../oracles/fixtures/aba_generator.aba");
const BALANCED: &[u8] = include_bytes!("../oracles/fixtures/aba_generator_balanced.aba");

fn credit(to: BankDetails, amount_minor: i64, reference: &str) -> Credit {
    let reference = LodgementReference::parse(reference).expect("a reference");
    Credit { to, amount_minor, reference, code: TransactionCode::Credit }
}

fn to(bsb: &str, account: &str, title: &str) -> BankDetails {
    BankDetails {
        bsb: Bsb::parse(bsb).expect("a BSB"),
        account: AccountNumber::parse(account).expect("an account"),
        title: AbaText::parse(title).expect("a title"),
    }
}

/// The items of `tests/oracles/aba_generator.js`.
fn generator_items() -> Vec<Credit> {
    let pay = |c: Credit| Credit { code: TransactionCode::Pay, ..c };
    vec![
        pay(credit(to("062-000", "10000001", "JANE CITIZEN"), 123_456, "RUN 1 M001")),
        pay(credit(to("013-006", "000123", "O'BRIEN & CO PTY LTD"), 1, "RUN 1 M002")),
        pay(credit(to("484-799", "123456789", "A TITLE OF THIRTY-TWO LETTERS X."), 9_999_999, "EIGHTEEN LETTERS 1")),
    ]
}

#[test]
fn npm_aba_generator_makes_the_same_bytes_but_for_the_last_line_end() {
    let file = write(&account(false), date(2026, 7, 2), &generator_items()).expect("a file");
    assert_eq!(String::from_utf8_lossy(&file.bytes), format!("{}\r\n", String::from_utf8_lossy(PLAIN)));
    let own = BankAccount { description: AbaText::parse("RUN 1").expect("a text"), ..account(true) };
    let file = write(&own, date(2026, 7, 2), &generator_items()).expect("a file");
    let described = String::from_utf8_lossy(BALANCED).replacen("COMMISSION  020726", "RUN 1       020726", 1);
    assert_eq!(String::from_utf8_lossy(&file.bytes), format!("{described}\r\n"));
}

#[test]
fn cemtexer_finds_nothing_wrong() {
    for balanced in [false, true] {
        let credits: Vec<Credit> =
            (1..=40).map(|n| credit(details(n, "Member M001"), i64::from(n) * 977, "FLIP-01ABC")).collect();
        let file = write(&account(balanced), date(2026, 11, 25), &credits).expect("a file");
        assert_eq!(cemtexer(&file.bytes, if balanced { "balanced" } else { "plain" }), "No errors detected");
        assert_eq!(read_aba(&file.bytes).len(), 40 + usize::from(balanced));
    }
}

#[test]
fn cemtexer_does_find_what_is_wrong() {
    let file = write(&account(false), date(2026, 11, 25), &[credit(details(1, "A"), 1, "R")]).expect("a file");
    let spoilt = String::from_utf8(file.bytes).expect("ASCII").replace("999-999", "999-998");
    assert_ne!(cemtexer(spoilt.as_bytes(), "spoilt"), "No errors detected");
}

#[test]
fn what_a_file_cannot_carry_is_refused() {
    let day = date(2026, 11, 25);
    let of = |amounts: &[i64]| -> Vec<Credit> { amounts.iter().map(|a| credit(details(1, "A"), *a, "R")).collect() };
    assert_eq!(write(&account(false), day, &[]).err(), Some(AbaError::Empty));
    assert_eq!(write(&account(false), day, &of(&[0])).err(), Some(AbaError::NotPositive));
    assert_eq!(write(&account(false), day, &of(&[5, -1])).err(), Some(AbaError::NotPositive));
    assert!(write(&account(true), day, &of(&[MAX_LINE_MINOR])).is_ok());
    assert_eq!(write(&account(false), day, &of(&[MAX_LINE_MINOR + 1])).err(), Some(AbaError::LineTooLarge));
    assert_eq!(write(&account(false), day, &of(&[MAX_LINE_MINOR, 1])).err(), Some(AbaError::TotalTooLarge));
    assert_eq!(write(&account(false), day, &of(&[i64::MAX])).err(), Some(AbaError::LineTooLarge));
    let two = BankAccount { item_limit: 2, ..account(false) };
    assert!(write(&two, day, &of(&[1, 1])).is_ok());
    assert_eq!(write(&two, day, &of(&[1, 1, 1])).err(), Some(AbaError::TooManyLines(2)));
    let two = BankAccount { item_limit: 2, ..account(true) };
    assert_eq!(write(&two, day, &of(&[1, 1])).err(), Some(AbaError::TooManyLines(2)));
}

#[test]
fn a_reference_does_not_begin_with_a_zero_or_a_hyphen() {
    for bad in ["0123", "-A"] {
        assert_eq!(LodgementReference::parse(bad), Err(ReferenceError::BadStart), "{bad}");
    }
    for bad in ["", "NINETEEN LETTERS 12", "A;B"] {
        assert!(matches!(LodgementReference::parse(bad), Err(ReferenceError::Text(_))), "{bad}");
    }
    assert!(LodgementReference::parse("EIGHTEEN LETTERS 1").is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever is paid to whomever: the file says exactly that, twice the same, and adds up.
    #[test]
    fn the_file_says_what_was_asked(
        items in prop::collection::vec((1_u32..900_000, 1_i64..20_000_000, "[A-Z][A-Za-z0-9&'. /-]{0,17}", "[A-Z1-9][A-Z0-9 ]{0,16}"), 1..60),
        balanced: bool,
    ) {
        let credits: Vec<Credit> =
            items.iter().map(|(n, cents, title, reference)| credit(details(*n, title), *cents, reference)).collect();
        let file = write(&account(balanced), date(2026, 2, 28), &credits).expect("a file");
        let again = write(&account(balanced), date(2026, 2, 28), &credits).expect("a file");
        prop_assert!(file == again);
        let read = read_aba(&file.bytes);
        for (credit, detail) in credits.iter().zip(&read) {
            prop_assert_eq!(&detail.bsb, &credit.to.bsb.to_string());
            prop_assert_eq!(&detail.account, credit.to.account.as_str());
            prop_assert_eq!(&detail.title, credit.to.title.as_str());
            prop_assert_eq!(&detail.reference, credit.reference.as_str());
            prop_assert_eq!((detail.cents, detail.code.as_str()), (credit.amount_minor, "50"));
        }
        prop_assert_eq!(read.len(), credits.len() + usize::from(balanced));
        prop_assert_eq!(file.total_minor, items.iter().map(|item| item.1).sum::<i64>());
    }
}
