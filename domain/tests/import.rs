//! Rows that partners get wrong.

#![expect(clippy::expect_used, reason = "a test fails loudly")]

use domain::deals::import::{COLUMNS, ImportReader};

fn codes(body: &[u8]) -> Vec<(u64, Vec<&'static str>)> {
    let file = [COLUMNS.join(",").as_bytes(), b"\r\n", body].concat();
    let rows = ImportReader::new(file.as_slice()).expect("the header").map(|r| r.expect("readable"));
    rows.map(|r| (r.line, r.result.err().unwrap_or_default().iter().map(|f| f.code).collect())).collect()
}

#[test]
fn faults_are_told_by_line_and_all_at_once() {
    let good = b"A,M1,C,P,2026-01-01,,,,,\n";
    assert_eq!(
        codes(&[&good[..], b"B,M1,\xE9,P,2026-01-01,,,,,\nC,M1,\0,P,2026-01-01,,,,,\nD,M1"].concat()),
        [(2, vec![]), (3, vec!["invalid_utf8"]), (4, vec!["control_character"]), (5, vec!["wrong_column_count"])]
    );
    assert_eq!(
        codes(b"A,M1,C,P,2026-01-01,2025-01-01,2026-02-30,-1,1.234,"),
        [(2, vec!["invalid_date", "negative_amount", "invalid_amount", "date_out_of_order"])]
    );
    let long = [b"A,\"", "x\n".repeat(40_000).as_bytes(), good].concat();
    assert_eq!(codes(&long)[0], (2, vec!["record_too_long"]));
    assert_eq!(codes(b"A,\"x"), [(2, vec!["unclosed_quote"])]);
}

#[test]
fn a_row_with_broken_text_names_its_other_faults_too() {
    assert_eq!(
        codes(b"A,M1,\xE9,P,2026-13-01,,2026-02-01,,,\n,\xFF,C\0,P,2026-01-01,,,-5,9,x\n"),
        [
            (2, vec!["invalid_utf8", "invalid_date", "amount_missing"]),
            (
                3,
                vec![
                    "invalid_utf8",
                    "control_character",
                    "required",
                    "invalid_date",
                    "negative_amount",
                    "settled_date_missing",
                    "discharge_without_settlement"
                ]
            )
        ]
    );
    let long = format!("{},M1,C,P,2026-01-01,,,,,\n", "x".repeat(201));
    assert_eq!(codes(long.as_bytes()), [(2, vec!["too_long"])]);
}

/// A carriage return alone is no line break, and nothing after it vanishes.
#[test]
fn a_lone_carriage_return_is_a_fault_of_its_row() {
    assert_eq!(
        codes(b"A,M1,C,P,2026-01-01,,,,,\rB,M1,C,P,2026-01-01,,,,,\nD,M1,C,P,2026-01-01,,,,,\r\n")[1],
        (3, vec![])
    );
    assert!(!codes(b"A,M1,C,P,2026-01-01,,,,,\rB,M1,C,P,2026-01-01,,,,,\n")[0].1.is_empty());
    assert!(!codes(b"A,M1,C,P,2026-01-01,2026-01-02,2026-01-03,1.00,0.00,\r2026-02-02\n")[0].1.is_empty());
    let header = COLUMNS.join(",");
    for file in
        [format!("{header}\rA,M1"), format!("{header}\rA,M1,C,P,2026-01-01,,,,,\r"), format!("{header}\rrubbish\n")]
    {
        assert_eq!(
            ImportReader::new(file.as_bytes()).err().map(|fault| fault.code),
            Some("wrong_header".to_owned()),
            "{file}"
        );
    }
}

/// Wherever a file is cut, the last row says something else than it did, or the same, or is refused: it
/// never loses a discharge in silence.
#[test]
fn a_file_cut_anywhere_never_loses_a_discharge() {
    let row = b"A,M1,C,P,2026-01-01,2026-01-02,2026-01-03,1.00,0.00,2026-02-02\r\n";
    for cut in 1..row.len() {
        let seen = codes(&row[..cut]);
        let whole = cut >= row.len() - 2;
        assert_eq!(seen[0].1.is_empty(), whole, "cut at {cut}: {seen:?}");
    }
    // Nothing can be missing from a deal that never settled: the break at the end may be left out.
    assert_eq!(codes(b"A,M1,C,P,2026-01-01,2026-01-02,,,,"), [(2, vec![])]);
    assert_eq!(codes(b"A,M1,C,P,2026-01-01,2026-01-02,2026-01-03,1.00,0.00,"), [(2, vec!["row_cut_off"])]);
}

#[test]
fn a_stray_quote_inside_a_name_swallows_no_other_row() {
    let header = domain::deals::import::COLUMNS.join(",");
    let file = format!(
        "{header}\nLN-1,M001,Bob \"B,VARIABLE-OO,2025-01-01,,,,,\nLN-2,M001,Ann,VARIABLE-OO,2025-01-01,,,,,\nLN-3,M001,Eve,VARIABLE-OO,2025-01-01,,,,,\n"
    );
    let rows: Vec<_> = domain::deals::import::ImportReader::new(file.as_bytes())
        .expect("a header")
        .map(|row| row.expect("a row"))
        .map(|row| (row.line, row.result.is_ok()))
        .collect();
    assert_eq!(rows, [(2, true), (3, true), (4, true)]);
}
