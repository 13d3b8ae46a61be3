//! Rows that partners get wrong.

#![expect(clippy::expect_used, reason = "a test fails loudly")]

use domain::deals::import::{COLUMNS, ImportFormat, ImportReader, ImportRow};
use proptest::prelude::*;

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

fn rows(format: ImportFormat, file: &[u8]) -> Vec<ImportRow> {
    ImportReader::of(format, file).expect("a file").map(|row| row.expect("readable")).collect()
}

/// Line and codes of each line of an NDJSON file.
fn ndjson(file: &[u8]) -> Vec<(u64, Vec<&'static str>)> {
    let codes = |row: ImportRow| row.result.err().unwrap_or_default().iter().map(|f| f.code).collect();
    rows(ImportFormat::Ndjson, file).into_iter().map(|row| (row.line, codes(row))).collect()
}

#[test]
fn a_line_that_is_no_object_is_refused_and_the_next_one_is_read() {
    let good =
        r#"{"external_ref":"A","member_ref":"M1","client_name":"C","product_code":"P","referred_on":"2026-01-01"}"#;
    let with = |more: &str| format!("{},{more}}}", good.trim_end_matches('}'));
    let long = format!(r#"{{"external_ref":"{}"}}"#, "x".repeat(70_000));
    let deep = with(&format!(r#""offset_balance":{}{}"#, "[".repeat(1_000), "]".repeat(1_000)));
    let lines: Vec<(Vec<u8>, &[&str])> = vec![
        (good.into(), &[]),
        (b"".into(), &[]),
        (format!("{good}\r").into(), &[]),
        (b"[]".into(), &["invalid_json"]),
        (b"A,M1,C,P,2026-01-01,,,,,".into(), &["invalid_json"]),
        (good.repeat(2).into(), &["invalid_json"]),
        (b"{\"client_name\":\"\xE9\"}".into(), &["invalid_utf8"]),
        (with(r#""settled_amount":650000.00"#).into(), &["not_a_text"]),
        (with(r#""settled_on":"2026-01-03","settled_amount":{"amount":1}"#).into(), &["not_a_text"]),
        (with(r#""note":{"a":[1]}"#).into(), &["unknown_field"]),
        (with(r#""contracted_on":null,"contracted_on":"2026-02-02""#).into(), &["duplicate_field"]),
        (with(r#""settled_on":"2026-01-03","settled_amount":"1.234""#).into(), &["invalid_amount"]),
        (with(r#""contracted_on":"2025-12-31\u0000""#).into(), &["control_character"]),
        (with(r#""contracted_on":null,"settled_on":"","settled_amount":" ""#).into(), &[]),
        (deep.into(), &["invalid_json"]),
        (long.into(), &["record_too_long"]),
        (b"{}".into(), &["required"; 5]),
        (good.into(), &[]),
    ];
    let file: Vec<u8> = lines.iter().flat_map(|(line, _)| [line.as_slice(), b"\n"].concat()).collect();
    let expected: Vec<(u64, Vec<&str>)> = (1..)
        .zip(&lines)
        .filter(|(_, (line, _))| !line.is_empty())
        .map(|(n, (_, codes))| (n, codes.to_vec()))
        .collect();
    assert_eq!(ndjson(&file), expected);
    assert_eq!(ndjson(b""), []);
    assert_eq!(ndjson(&[b"\xEF\xBB\xBF", good.as_bytes()].concat()), [(1, vec![])]);
}

/// Wherever a file is cut, its last line is whole or refused.
#[test]
fn an_ndjson_file_cut_anywhere_never_loses_a_discharge() {
    let line = br#"{"external_ref":"A","member_ref":"M1","client_name":"C","product_code":"P","referred_on":"2026-01-01","contracted_on":"2026-01-02","settled_on":"2026-01-03","settled_amount":"1.00","discharged_on":"2026-02-02"}"#;
    for cut in 1..=line.len() {
        assert_eq!(ndjson(&line[..cut])[0].1.is_empty(), cut == line.len(), "cut at {cut}");
    }
}

/// A text that a cell may hold: mostly one that fits, to get past the first fault.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        Just("2026-01-01".to_owned()),
        Just("2026-02-30".to_owned()),
        "20(25|26)-0[1-9]-1[0-9]",
        "-?[0-9]{1,7}(\\.[0-9]{1,3})?",
        "[ A-Za-z0-9,\"'é\u{1}]{0,12}",
    ]
}

proptest! {
    /// The csv crate writes the one file, serde_json the other; what they say is the same.
    #[test]
    fn a_row_says_the_same_in_both_formats(cells in proptest::collection::vec(cell(), 10)) {
        let mut csv = csv::Writer::from_writer(Vec::new());
        csv.write_record(COLUMNS).expect("a header");
        csv.write_record(&cells).expect("a row");
        let csv = csv.into_inner().expect("a file");
        let object: serde_json::Map<String, serde_json::Value> =
            COLUMNS.iter().zip(&cells).map(|(column, text)| ((*column).to_owned(), text.as_str().into())).collect();
        let json = serde_json::to_vec(&object).expect("a line");
        let (one, other) = (rows(ImportFormat::Csv, &csv), rows(ImportFormat::Ndjson, &json));
        prop_assert_eq!((one.len(), other.len()), (1, 1));
        prop_assert_eq!(&one[0].result, &other[0].result);
        prop_assert_eq!(&one[0].external_ref, &other[0].external_ref);
        let digest = |row: &ImportRow| row.result.as_ref().ok().map(|said| said.digest().expect("a digest"));
        prop_assert_eq!(digest(&one[0]), digest(&other[0]));
    }
}
