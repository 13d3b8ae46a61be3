//! Documents of banks: camt.053 against the published schemas, CSV by profile, and what is wrong with them told at once.

use std::io::Write as _;
use std::process::{Command, Stdio};

use domain::payouts::bank::csv_profile::{CsvProfile, CsvProfileInput};
use domain::payouts::bank::matching::references;
use harness::camt::{Entry, document, entry};
use harness::skip::{installed, skip, workspace};
use integrations::bank_statements::{camt, csv};
use jiff::civil::date;
use proptest::prelude::*;

use crate::bank::day;

/// Whether the published schema of this version takes the document; nothing where no validator is here.
fn judged(version: &str, xml: &str) -> Option<bool> {
    let python = installed("xsd/bin/python3");
    if !python.exists() {
        skip("the published schemas of camt.053 do not judge our documents");
        return None;
    }
    let mut child = Command::new(python)
        .arg(workspace().join("tests/oracles/camt_check.py"))
        .arg(version)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("a pipe").write_all(xml.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.ends_with("valid\n"), "{said}");
    Some(output.status.success())
}

fn many() -> Vec<Entry> {
    vec![
        entry("2026-11-24", -91_000, "COMMISSION FLIP 360 PTY LTD"),
        Entry { end_to_end: "FLIP-7V8E2RTF3K2M".into(), ..entry("2026-11-25", 13_000, "RETURN") },
        Entry { remittance: "O'Brien & Co <flip-7v8e2rtf3k2m>".into(), ..entry("2026-11-25", 1, "X") },
    ]
}

#[test]
fn documents_of_the_tests_are_what_the_standard_says_and_are_read() {
    for version in ["02", "08"] {
        let statement = day(-5_000, "2026-11-25", many());
        let xml = document(version, &[statement.clone(), day(7, "2026-11-26", Vec::new())]);
        assert_ne!(judged(version, &xml), Some(false), "{xml}");
        let read = camt::read(xml.as_bytes()).expect("statements");
        assert_eq!(read.len(), 2);
        let first = &read[0];
        assert_eq!((first.opening_minor, first.closing_minor), (Some(-5_000), Some(-82_999)));
        assert_eq!((first.reference.as_str(), first.to_on), ("S-2026-11-25", date(2026, 11, 25)));
        assert!(first.is_of("062000", "12345678") && !first.is_of("062000", "2345678") && !first.is_of("062001", "1"));
        let lines: Vec<_> = first.lines.iter().map(|l| (l.booked_on, l.amount_minor)).collect();
        let day = date(2026, 11, 25);
        assert_eq!(lines, [(date(2026, 11, 24), -91_000), (day, 13_000), (day, 1)]);
        assert_eq!(first.lines[1].text, "FLIP-7V8E2RTF3K2M | RETURN");
        let named = |n: usize| references(&first.lines[n].text).into_iter().collect::<Vec<_>>();
        assert_eq!((named(1), named(2)), (vec!["FLIP-7V8E2RTF3K2M".to_owned()], vec!["FLIP-7V8E2RTF3K2M".to_owned()]));
        assert!(named(0).is_empty(), "our own name is no reference");
        // The judge does judge.
        assert_ne!(judged(version, &xml.replace("<CdtDbtInd>DBIT</CdtDbtInd>", "")), Some(true));
    }
}

#[test]
fn what_is_pending_is_no_line_and_a_line_of_nothing_is_none() {
    let xml =
        document("08", &[day(0, "2026-11-25", vec![entry("2026-11-25", 100, "A"), entry("2026-11-25", 200, "B")])]);
    let pending = xml.replacen("<Sts><Cd>BOOK</Cd></Sts>", "<Sts><Cd>PDNG</Cd></Sts>", 1);
    let read = camt::read(pending.as_bytes()).expect("a statement");
    assert_eq!(read[0].lines.iter().map(|l| l.amount_minor).collect::<Vec<_>>(), [200]);
    let nothing = document("02", &[day(0, "2026-11-25", vec![entry("2026-11-25", 0, "A NOTE")])]);
    assert!(camt::read(nothing.as_bytes()).expect("a statement")[0].lines.is_empty());
}

fn told(outcome: Result<impl Sized, domain::kernel::Faults>) -> Vec<(String, &'static str)> {
    outcome.err().expect("faults").0.into_iter().map(|f| (f.pointer, f.code)).collect()
}

#[test]
fn bombs_and_nonsense_are_refused() {
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE Document [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;&b;&b;\">]><Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02\">&c;</Document>";
    assert_eq!(told(camt::read(bomb.as_bytes())), [(String::new(), "dtd_not_allowed")]);
    let outside = "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><x/>";
    assert_eq!(told(camt::read(outside.as_bytes())), [(String::new(), "dtd_not_allowed")]);
    for bad in ["", "<a>", "&undefined;", "<a>&undefined;</a>", "plain"] {
        assert_eq!(told(camt::read(bad.as_bytes())), [(String::new(), "invalid_xml")], "{bad}");
    }
    assert_eq!(told(camt::read(b"\xff")), [(String::new(), "invalid_xml")]);
    for other in ["<Document/>", "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.02\"/>", "<a><b/></a>"]
    {
        assert_eq!(told(camt::read(other.as_bytes())), [(String::new(), "unknown_document")], "{other}");
    }
    let deep = format!("{}{}", "<a>".repeat(50_000), "</a>".repeat(50_000));
    let _ = camt::read(deep.as_bytes()).expect_err("no statement");
}

#[test]
fn faults_of_a_document_are_told_all_at_once() {
    let xml = document("02", &[day(0, "2026-11-25", many())]);
    let spoilt = xml
        .replacen("Ccy=\"AUD\">910.00", "Ccy=\"AUD\">910.005", 1)
        .replacen("Ccy=\"AUD\">130.00", "Ccy=\"USD\">130.00", 1)
        .replace("<Othr><Id>062-000 12345678</Id></Othr>", "<Othr><Id> </Id></Othr>");
    assert_eq!(
        told(camt::read(spoilt.as_bytes())),
        [
            ("/statements/0/entries/0/amount".to_owned(), "invalid_amount"),
            ("/statements/0/entries/1/amount".to_owned(), "unknown_currency"),
            ("/statements/0/account".to_owned(), "required"),
        ]
    );
}

fn profile(amount: Option<&str>) -> CsvProfile {
    let name = |text: &str| Some(text.to_owned());
    let apart = amount.is_none();
    let raw = CsvProfileInput {
        date: name("Date"),
        date_format: None,
        amount: amount.map(str::to_owned),
        debit: apart.then(|| "Debit".to_owned()),
        credit: apart.then(|| "Credit".to_owned()),
        text: name("Narrative"),
        balance: name("Balance"),
    };
    CsvProfile::check(&raw, &mut domain::kernel::Faults::default()).expect("a good profile")
}

#[test]
fn a_csv_is_read_by_the_profile_of_its_account_either_way_round() {
    let newest_first = "Date,Narrative,Amount,Balance\n25/11/2026,\"RETURN FLIP-7V8E2RTF3K2M, thanks\",\"1,130.00\",$220.00\n24/11/2026,COMMISSION,-910.00,-910.00\n";
    let oldest_first = "balance,other,narrative,date,amount\r\n-910,x,COMMISSION,24/11/2026,-910\r\n220,,\"RETURN FLIP-7V8E2RTF3K2M, thanks\",25/11/2026,1130.0\r\n";
    let apart = "Date,Debit,Credit,Narrative,Balance\n24/11/26,910.00,,COMMISSION,-910.00\n25/11/26,,1130.00,\"RETURN FLIP-7V8E2RTF3K2M, thanks\",220.00\n";
    let one = csv::read(newest_first.as_bytes(), &profile(Some("Amount"))).expect("a statement").remove(0);
    assert_eq!((one.opening_minor, one.closing_minor), (Some(0), Some(22_000)));
    assert_eq!((one.from_on, one.to_on), (date(2026, 11, 24), date(2026, 11, 25)));
    assert_eq!(one.lines.iter().map(|l| l.amount_minor).collect::<Vec<_>>(), [-91_000, 113_000]);
    assert_eq!(
        csv::read(oldest_first.as_bytes(), &profile(Some("Amount"))).expect("a statement"),
        std::slice::from_ref(&one)
    );
    assert_eq!(csv::read(apart.as_bytes(), &profile(None)).expect("a statement"), [one]);
    let broken = newest_first.replace("$220.00", "$221.00");
    assert_eq!(told(csv::read(broken.as_bytes(), &profile(Some("Amount")))).len(), 1);
    let faults = told(csv::read(b"Date,Narrative,Amount,Balance\n31/02/2026,A,1.005,x\n", &profile(Some("Amount"))));
    let wanted = ["/lines/0/date", "/lines/0/amount", "/lines/0/balance"];
    assert_eq!(faults.iter().map(|f| f.0.as_str()).collect::<Vec<_>>(), wanted);
    let faults = told(csv::read(b"When,What\n", &profile(Some("Amount"))));
    assert!(faults.len() == 4 && faults.iter().all(|f| *f == ("/header".to_owned(), "column_missing")), "{faults:?}");
    assert_eq!(
        told(csv::read(b"Date,Narrative,Amount,Balance\n", &profile(Some("Amount")))),
        [("/lines".to_owned(), "required")]
    );
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// What a bank writes is what is read, in both versions; the sum is the closing balance.
    #[test]
    fn what_is_written_is_read(
        opening in -900_000_000_i64..900_000_000,
        entries in prop::collection::vec((1_i8..29, -500_000_000_i64..500_000_000, "[A-Z0-9 &<>'.-]{1,30}"), 0..30),
    ) {
        let entries: Vec<Entry> = entries.iter().filter(|e| e.1 != 0).map(|(d, minor, says)| entry(&format!("2026-11-{d:02}"), *minor, says)).collect();
        for version in ["02", "08"] {
            let xml = document(version, &[day(opening, "2026-11-28", entries.clone())]);
            let read = camt::read(xml.as_bytes()).expect("a statement").remove(0);
            let minors: Vec<i64> = read.lines.iter().map(|l| l.amount_minor).collect();
            prop_assert_eq!(&minors, &entries.iter().map(|e| e.minor).collect::<Vec<_>>());
            prop_assert_eq!(read.closing_minor, Some(opening + minors.iter().sum::<i64>()));
            for (line, entry) in read.lines.iter().zip(&entries) {
                prop_assert_eq!(line.booked_on.to_string(), entry.on.clone());
                prop_assert_eq!(line.text.trim(), entry.says.trim());
            }
        }
    }
}
