//! Files of several ways of writing say the same; what cannot be read is told in full.

use super::*;
use crate::provider_statements::mapping_input::{SaveMapping, StatementMappingInput};

fn input() -> StatementMappingInput {
    let text = |text: &str| Some(text.to_owned());
    StatementMappingInput {
        reference_column: text("Loan"),
        amount_column: text("Paid"),
        gst: text("none"),
        date_column: text("Date"),
        date_format: text("DD/MM/YYYY"),
        sample: text("Loan,Paid,Date\nLN-1,\"1,234.50\",05/08/2026\n"),
        ..StatementMappingInput::default()
    }
}

fn saved(raw: &StatementMappingInput) -> SaveMapping {
    SaveMapping::parse(raw).expect("a good mapping")
}

fn codes(faults: Faults) -> Vec<String> {
    faults.0.into_iter().map(|fault| format!("{} {}", fault.pointer, fault.code)).collect()
}

#[test]
fn a_sample_shows_what_a_mapping_reads() {
    let save = saved(&input());
    let line = &save.sample[0];
    assert_eq!((line.line, line.reference.as_str(), line.kind), (2, "LN-1", LineKind::Upfront));
    assert_eq!((line.amount_minor, line.gst_minor), (123_450, 0));
    assert_eq!(line.month.to_string(), "2026-08-01");
}

#[test]
fn gst_is_told_in_four_ways() {
    let with = |gst: &str, column: Option<&str>, sample: &str| {
        let (gst, sample) = (Some(gst.to_owned()), Some(sample.to_owned()));
        let line =
            saved(&StatementMappingInput { gst, gst_column: column.map(str::to_owned), sample, ..input() }).sample;
        (line[0].amount_minor, line[0].gst_minor)
    };
    // GST Act s 9-90: a half cent goes up.
    assert_eq!(with("exclusive", None, "Loan,Paid,Date\na,10.05,01/07/2026\n"), (1_005, 101));
    assert_eq!(with("inclusive", None, "Loan,Paid,Date\na,110.00,01/07/2026\n"), (10_000, 1_000));
    assert_eq!(with("inclusive", None, "Loan,Paid,Date\na,-110.00,01/07/2026\n"), (-10_000, -1_000));
    assert_eq!(with("column", Some("Tax"), "Loan,Paid,Date,Tax\na,100.00,01/07/2026,9.99\n"), (10_000, 999));
}

#[test]
fn what_is_negative_or_called_so_is_taken_back() {
    let text = |text: &str| Some(text.to_owned());
    let words = |word: &str| Some(vec![word.to_owned()]);
    let raw = StatementMappingInput {
        delimiter: text("semicolon"),
        skip_rows: Some(1),
        header_row: Some(false),
        reference_column: text("1"),
        amount_column: text("2"),
        amount_unit: text("cents"),
        date_column: text("3"),
        kind_column: text("4"),
        upfront_words: words("Upfront"),
        trail_words: words("Trail"),
        clawback_words: words("Clawback"),
        clawbacks: text("by_word"),
        trail_lag_months: Some(1),
        sample: text(
            "Report of July\na;100;31/07/2026;UPFRONT\nb;50;01/08/2026;trail\nc;70;02/08/2026;Clawback\nd;-5;02/08/2026;Upfront\n",
        ),
        ..input()
    };
    let lines = saved(&raw).sample;
    let said: Vec<_> = lines.iter().map(|l| (l.line, l.kind, l.amount_minor, l.month.to_string())).collect();
    assert_eq!(said[0], (2, LineKind::Upfront, 100, "2026-06-01".to_owned()));
    assert_eq!(said[1], (3, LineKind::Trail, 50, "2026-07-01".to_owned()));
    assert_eq!((said[2].1, said[2].2, said[3].1, said[3].2), (LineKind::Clawback, -70, LineKind::Clawback, -5));
}

#[test]
fn every_fault_is_told_with_its_line() {
    let mapping = saved(&input()).mapping;
    let file = b"Loan,Paid,Date\nok,1.00,01/07/2026\na,1.005,01/07/2026\nb,(-1),32/07/2026\n\nc,5\n";
    let told = codes(read(&mapping, file).expect_err("faults"));
    let wanted = [
        "/lines/3/amount invalid_amount",
        "/lines/4/amount invalid_amount",
        "/lines/4/date invalid_date",
        "/lines/6/date field_missing",
    ];
    assert_eq!(told, wanted);
    assert_eq!(codes(read(&mapping, b"Loan,Date\n").expect_err("faults")), ["/file column_missing"]);
    assert_eq!(codes(read(&mapping, b"").expect_err("faults")), ["/file header_missing"]);
    assert_eq!(codes(read(&mapping, b"loan,PAID,date\n\n").expect_err("faults")), ["/file no_lines"]);
}

#[test]
fn every_fault_of_a_mapping_is_told_at_once() {
    let told = codes(SaveMapping::parse(&StatementMappingInput::default()).expect_err("faults"));
    let wanted = [
        "/reference_column required",
        "/amount_column required",
        "/gst required",
        "/date_column required",
        "/date_format required",
        "/sample required",
    ];
    assert_eq!(told, wanted);
    let bad = StatementMappingInput {
        delimiter: Some("slash".to_owned()),
        header_row: Some(false),
        gst: Some("column".to_owned()),
        covers: Some(vec!["trail".to_owned(), "bonus".to_owned()]),
        ..input()
    };
    let told = codes(SaveMapping::parse(&bad).expect_err("faults"));
    let wanted = [
        "/delimiter unknown_value",
        "/reference_column invalid_column",
        "/amount_column invalid_column",
        "/gst_column unexpected",
        "/date_column invalid_column",
        "/covers/1 unknown_value",
    ];
    assert_eq!(told, wanted);
    let broken = StatementMappingInput { sample: Some("Loan,Paid,Date\na,x,01/07/2026\n".to_owned()), ..input() };
    assert_eq!(codes(SaveMapping::parse(&broken).expect_err("a fault")), ["/sample/lines/2/amount invalid_amount"]);
}

#[test]
fn amounts_in_brackets_and_with_a_dollar_sign() {
    for (text, minor) in [("$1,234.50", 123_450), ("(12.50)", -1_250), ("-$3", -300), ("($0.05)", -5)] {
        assert_eq!(cents(AmountUnit::Dollars, text), Some(minor), "{text}");
    }
    for text in ["", "(-1)", "--1", "1.2.3", "$-1", "1e3", "99999999999999"] {
        assert_eq!(cents(AmountUnit::Dollars, text), None, "{text}");
    }
    assert_eq!((cents(AmountUnit::Cents, "-250"), cents(AmountUnit::Cents, "2.5")), (Some(-250), None));
}
