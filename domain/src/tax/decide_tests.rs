//! Tables of decisions, each with where it comes from.

use uuid::Uuid;

use super::*;
use crate::directory::sample;
use crate::kernel::Instant;
use crate::tax::facts::StatementReason;

const SUPPLY: Date = Date::constant(2026, 10, 15);
const ISSUE: Date = Date::constant(2026, 11, 29);
const NEVER: &[(Date, bool)] = &[];
const SINCE_JULY: &[(Date, bool)] = &[(Date::constant(2026, 7, 1), true)];
const SINCE_NOVEMBER: &[(Date, bool)] = &[(Date::constant(2026, 11, 1), true)];
const UNTIL_NOVEMBER: &[(Date, bool)] = &[(Date::constant(2026, 7, 1), true), (Date::constant(2026, 11, 1), false)];

fn payee() -> PayeeId {
    PayeeId::new(Uuid::from_u128(1))
}

fn line(n: u128) -> LineId {
    LineId::new(Uuid::from_u128(n))
}

fn payable(n: u128, available_minor: i64) -> Payable {
    Payable { line: line(n), available_minor, value_minor: available_minor }
}

fn agreement(accepted_on: Date, ended_on: Option<Date>) -> RctiAgreement {
    RctiAgreement {
        id: RctiAgreementId::new(Uuid::from_u128(7)),
        payee: payee(),
        wording_version: "2026-1".into(),
        accepted_by: Uuid::from_u128(8),
        accepted_on,
        ended_on,
        recorded_at: Instant::new(jiff::Timestamp::UNIX_EPOCH),
    }
}

fn statement(from_on: Date, to_on: Option<Date>) -> SupplierStatement {
    SupplierStatement {
        id: Uuid::from_u128(9),
        payee: payee(),
        reason: StatementReason::PrivateOrHobby,
        from_on,
        to_on,
        recorded_at: Instant::new(jiff::Timestamp::UNIX_EPOCH),
    }
}

fn facts(agreements: Vec<RctiAgreement>, statements: Vec<SupplierStatement>, documented_minor: i64) -> TaxFacts {
    let known = LineFacts { supplied_on: SUPPLY, documented_minor, description: String::new() };
    TaxFacts {
        recipient: true,
        payees: [(payee(), PayeePapers { agreements, statements })].into(),
        lines: (1..=9).map(|n| (line(n), known.clone())).collect(),
    }
}

fn decided(abn: bool, gst: &[(Date, bool)], payables: &[Payable], facts: &TaxFacts) -> TaxedPayment {
    let gst = GstTimeline::restore(gst.iter().copied());
    let supplier = Supplier { id: payee(), abn: abn.then(|| sample::abn(1)), gst: &gst };
    of_payment(supplier, payables, facts, ISSUE)
}

#[test]
fn gst_needs_registration_at_the_supply_and_at_issue_and_an_agreement_in_force() {
    // GST Act, s 9-5 (a supplier that is registered), s 29-70(3) with LI 2023/20, cl 4 (both registered, agreement in force).
    use TaxException::{GstStatusChanged, RctiAgreementMissing};
    let signed = agreement(Date::constant(2026, 7, 1), None);
    let ended = agreement(Date::constant(2026, 7, 1), Some(ISSUE));
    let later = agreement(Date::constant(2026, 11, 30), None);
    let table: [(&str, &[(Date, bool)], Option<&RctiAgreement>, Result<i64, TaxException>); 8] = [
        ("never registered", NEVER, None, Ok(0)),
        ("never registered, with an agreement", NEVER, Some(&signed), Ok(0)),
        ("registered throughout", SINCE_JULY, Some(&signed), Ok(7_800)),
        ("registered, no agreement", SINCE_JULY, None, Err(RctiAgreementMissing)),
        ("registered, the agreement ends today", SINCE_JULY, Some(&ended), Err(RctiAgreementMissing)),
        ("registered, the agreement begins tomorrow", SINCE_JULY, Some(&later), Err(RctiAgreementMissing)),
        ("registered after the supply", SINCE_NOVEMBER, Some(&signed), Err(GstStatusChanged)),
        ("no longer registered at issue", UNTIL_NOVEMBER, Some(&signed), Err(GstStatusChanged)),
    ];
    for (name, gst, agreement, wanted) in table {
        let facts = facts(agreement.cloned().into_iter().collect(), Vec::new(), 0);
        let found = decided(true, gst, &[payable(1, 78_000)], &facts);
        match wanted {
            Ok(gst_minor) => {
                assert_eq!((found.gst_minor(), found.left_out.len()), (gst_minor, 0), "{name}");
                assert_eq!(matches!(found.treatment, Treatment::Invoice(_)), gst_minor > 0, "{name}");
            }
            Err(exception) => {
                assert_eq!(found.left_out, [(payable(1, 78_000), exception)], "{name}");
                assert_eq!((found.gross_minor(), found.gst_minor()), (0, 0), "{name}");
            }
        }
    }
}

#[test]
fn gst_is_rounded_on_each_line_and_then_summed() {
    // GST Act, s 9-90; payouts.md: per line, then summed. 3 × 10.5 cents make 33, not 32.
    let facts = facts(vec![agreement(SUPPLY, None)], Vec::new(), 0);
    let found = decided(true, SINCE_JULY, &[payable(1, 105), payable(2, 105), payable(3, 105)], &facts);
    assert_eq!(found.lines.iter().map(|l| l.gst_minor).collect::<Vec<_>>(), [11, 11, 11]);
    assert_eq!(found.gst_minor(), 33);
}

#[test]
fn without_an_abn_tax_is_withheld_unless_the_payment_is_small_or_a_statement_is_on_file() {
    // TAA 1953, sch 1, s 12-190(1), (4)(b), and (5) for the supplier's statement.
    let none = || facts(Vec::new(), Vec::new(), 0);
    let stated = |from_on, to_on| facts(Vec::new(), vec![statement(from_on, to_on)], 0);
    let table = [
        ("an ABN is quoted", true, none(), vec![100_000], 0),
        ("$1,000 without ABN", false, none(), vec![100_000], 47_000),
        ("$75.00 without ABN", false, none(), vec![7_500], 0),
        ("$75.01 without ABN", false, none(), vec![7_501], 3_525),
        ("two lines of $50: it is the payment that counts", false, none(), vec![5_000, 5_000], 4_700),
        ("a statement is on file", false, stated(SUPPLY, None), vec![100_000], 0),
        ("a statement that ends today", false, stated(SUPPLY, Some(ISSUE)), vec![100_000], 0),
        ("a statement that ended", false, stated(SUPPLY, Some(Date::constant(2026, 11, 28))), vec![100_000], 47_000),
        ("a statement that begins tomorrow", false, stated(Date::constant(2026, 11, 30), None), vec![100_000], 47_000),
    ];
    for (name, abn, facts, amounts, withheld) in table {
        let payables: Vec<Payable> = (1..).zip(amounts).map(|(n, amount)| payable(n, amount)).collect();
        let found = decided(abn, NEVER, &payables, &facts);
        assert_eq!((found.withheld_minor(), found.gst_minor(), found.left_out.len()), (withheld, 0, 0), "{name}");
        assert_eq!(found.treatment == Treatment::Withholding, withheld > 0, "{name}");
    }
}

#[test]
fn what_came_back_is_neither_invoiced_nor_withheld_of_again() {
    // The line was invoiced with GST and came back: 85,800 are available, all of it told.
    let back = Payable { line: line(1), available_minor: 85_800, value_minor: 78_000 };
    let told = facts(vec![agreement(SUPPLY, None)], Vec::new(), 78_000);
    let found = decided(true, SINCE_JULY, &[back], &told);
    assert_eq!((found.gst_minor(), found.gross_minor(), found.tells()), (0, 85_800, false));
    // Nor does a status that changed since, or an agreement that ended, keep it back.
    let found = decided(true, UNTIL_NOVEMBER, &[back], &facts(Vec::new(), Vec::new(), 78_000));
    assert_eq!((found.left_out.len(), found.gross_minor()), (0, 85_800));
    // 47 % was withheld of 100,000, and 53,000 came back.
    let back = Payable { line: line(1), available_minor: 53_000, value_minor: 100_000 };
    let found = decided(false, NEVER, &[back], &facts(Vec::new(), Vec::new(), 100_000));
    assert_eq!((found.withheld_minor(), found.tells()), (0, false));
    // What was earned since is taxed, and nothing else.
    let more = Payable { line: line(1), available_minor: 53_000 + 20_000, value_minor: 120_000 };
    let found = decided(false, NEVER, &[more], &facts(Vec::new(), Vec::new(), 100_000));
    assert_eq!(found.withheld_minor(), 9_400);
}

#[test]
fn an_invoice_needs_a_recipient_with_an_abn() {
    let facts = TaxFacts { recipient: false, ..facts(vec![agreement(SUPPLY, None)], Vec::new(), 0) };
    let found = decided(true, SINCE_JULY, &[payable(1, 100)], &facts);
    assert_eq!(found.left_out, [(payable(1, 100), TaxException::RecipientUnknown)]);
}
