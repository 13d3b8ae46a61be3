//! Runs with tax on real PostgreSQL: invoices, withholding, what comes back, what is clawed back, what is due.

use std::collections::BTreeMap;

use diesel::connection::SimpleConnection as _;
use domain::access::Viewer;
use domain::directory::organisation::{OrganisationKind, OrganisationStatus};
use domain::directory::{LegalName, Organisation, sample};
use domain::kernel::id::IdSource as _;
use domain::kernel::ids::{ContactId, OrganisationId, PayeeId, PayoutId};
use domain::kernel::{Digest, PageRequest};
use domain::payouts::content::PlannedPayout;
use domain::payouts::execute::Execution;
use domain::payouts::outcome::{self, Came, Outcome};
use domain::payouts::plan::Discrepancy;
use domain::payouts::{PayoutRun, Skip};
use domain::tax::document::Content;
use domain::tax::facts::{RecordGstStatus, RecordRctiAgreement, RecordSupplierStatement, StatementReason};
use domain::tax::repository::{DocumentFilter, DocumentRecord};
use domain::tax::{DocumentKind, due, service};
use harness::platform::Platform;
use jiff::civil::{Date, date};
use uuid::Uuid;

use crate::world::{approved, execute, keep, paid, people, preview};

const EXAMPLE_MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");
const HEADER: &str = "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on";
/// Before every supply of the tests.
pub const LONG_AGO: Date = date(2025, 7, 1);

/// A platform whose operator has an ABN, with these deals: reference, member, discharged on.
pub fn with_deals(deals: &[(&str, &str, &str)]) -> Platform {
    let platform = Platform::new();
    platform.onboard(EXAMPLE_MEMBERS);
    let operator = Organisation {
        id: OrganisationId::new(platform.ids.next()),
        kind: OrganisationKind::Operator,
        name: LegalName::parse("Flip 360 Pty Ltd").expect("a name"),
        abn: Some(sample::abn(360)),
        external_ref: None,
        status: OrganisationStatus::Active,
    };
    platform
        .store()
        .transaction(|uow| uow.directory().insert_organisation(&operator, platform.now))
        .expect("the operator is kept");
    import(&platform, deals);
    platform
}

/// Settled on 1 February 2026 over $200,000: 78,000 cents for the member, 13,000 for M016's upline M004.
pub fn import(platform: &Platform, deals: &[(&str, &str, &str)]) {
    let mut text = format!("{HEADER}\n");
    for (reference, member, discharged) in deals {
        text.push_str(&format!(
            "{reference},{member},Ann,FIXED-3Y,2026-01-01,2026-01-10,2026-02-01,200000.00,0.00,{discharged}\n"
        ));
    }
    let report = platform.import(text.as_bytes());
    assert!(report.refused.is_empty(), "{:?}", report.refused);
}

pub fn payee_of(platform: &Platform, member: &str) -> PayeeId {
    let sql = format!(
        "select p.payee_id as id from member_payee p join member m on m.id = p.member_id where m.member_ref = '{member}'"
    );
    PayeeId::new(platform.ids_of(&sql)[0])
}

pub fn tell_gst(platform: &Platform, member: &str, registered: bool, from_on: Date) {
    let (payee, command) = (payee_of(platform, member), RecordGstStatus { registered, from_on });
    let _ = platform
        .store()
        .transaction(|uow| service::record_gst_status(uow, &platform.env(), payee, &command))
        .expect("the fact is kept");
}

pub fn agree(platform: &Platform, member: &str, accepted_on: Date) {
    let payee = payee_of(platform, member);
    let contact = format!("select contact_id as id from member where member_ref = '{member}'");
    let accepted_by = ContactId::new(platform.ids_of(&contact)[0]);
    let command = RecordRctiAgreement { wording_version: "2026-1".into(), accepted_by, accepted_on };
    let _ = platform
        .store()
        .transaction(|uow| service::record_rcti_agreement(uow, &platform.env(), payee, &command))
        .expect("the agreement is kept");
}

/// Registered since long ago, with an agreement.
pub fn register(platform: &Platform, member: &str) {
    tell_gst(platform, member, true, LONG_AGO);
    agree(platform, member, LONG_AGO);
}

pub fn without_abn(platform: &Platform, member: &str) {
    let sql = format!("update payee set abn = null where id = '{}'", payee_of(platform, member).uuid());
    platform.owner().batch_execute(&sql).expect("the statement runs");
}

pub fn payout<'a>(run: &'a PayoutRun, platform: &Platform, member: &str) -> &'a PlannedPayout {
    let payee = payee_of(platform, member);
    run.content.content().payouts.iter().find(|payout| payout.payee == payee).expect("a payout")
}

/// Every paper, oldest first, with its exact bytes and what they say.
pub fn papers(platform: &Platform) -> Vec<(DocumentRecord, Vec<u8>, Content)> {
    let mut found = Vec::new();
    let mut page = PageRequest::of(200);
    page.order = Some(domain::kernel::Order::Ascending);
    let all = DocumentFilter::default();
    let records = platform.store().read(&Viewer::Everything, |q| q.tax().list_documents(&all, &page)).expect("a page");
    for record in records.data {
        let one = platform.store().read(&Viewer::Everything, |q| q.tax().find_document(record.id)).expect("a look");
        let (again, bytes) = one.expect("a paper");
        assert_eq!((again.clone(), Digest::of(&bytes)), (record.clone(), record.sha256));
        let content = Content::restore(&bytes).expect("canonical");
        found.push((again, bytes, content));
    }
    found
}

/// Kind, without GST, GST, withheld of every paper for a member's payee, oldest first.
pub fn told(platform: &Platform, member: &str) -> Vec<(&'static str, i64, i64, i64)> {
    let payee = payee_of(platform, member);
    let of = papers(platform).into_iter().filter(|(record, ..)| record.payee == payee);
    of.map(|(r, ..)| (r.kind.code(), r.net_minor, r.gst_minor, r.withheld_minor)).collect()
}

/// The rail says what became of a payout.
pub fn came(platform: &Platform, payout: PayoutId, came: Came) {
    let outcomes = [Outcome { payout, came, effective_on: platform.now.sydney_date(), source: Uuid::from_u128(77) }];
    let moved =
        platform.store().transaction(|uow| outcome::record(uow, &platform.env(), &outcomes)).expect("an outcome");
    assert_eq!(moved, [payout]);
}

fn back() -> Came {
    Came::Back { reason: "no account".into() }
}

pub fn balance(platform: &Platform, kind: &str) -> i64 {
    platform.number(&format!(
        "select coalesce(sum(b.balance_minor), 0) from ledger_balance b join ledger_account a on a.id = b.account_id where a.kind = '{kind}'"
    ))
}

pub fn later(platform: &mut Platform, at: &str) {
    platform.now = domain::kernel::Instant::new(at.parse().expect("a time"));
}

/// Writes the invoices that are due.
pub fn invoice_due(platform: &Platform) {
    let mut after = Some(Uuid::nil());
    while let Some(last) = after {
        after = platform.store().transaction(|uow| due::invoice(uow, &platform.env(), last)).expect("invoices");
    }
}

#[test]
fn a_registered_payee_is_paid_with_an_invoice_that_we_write() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    register(&platform, "M016");
    let run = paid(&platform, &people, &account);
    let one = payout(&run, &platform, "M016");
    assert_eq!((one.gross.0, one.gst.0, one.withheld.0, one.net.0), (78_000, 7_800, 0, 85_800));
    let upline = payout(&run, &platform, "M004");
    assert_eq!((upline.gross.0, upline.gst.0, upline.net.0), (13_000, 0, 13_000));
    assert_eq!(told(&platform, "M016"), [("rcti", 78_000, 7_800, 0)]);
    assert_eq!(told(&platform, "M004"), [("remittance_statement", 13_000, 0, 0)]);
    let (record, _, content) = papers(&platform).into_iter().find(|(r, ..)| r.kind == DocumentKind::Rcti).expect("one");
    assert_eq!((record.number.as_str(), record.payout), ("RCTI-FY27-000001", Some(one.id)));
    // GST Act, s 29-70; LI 2023/20: what such an invoice must say.
    assert_eq!(content.title, "Recipient created tax invoice");
    assert_eq!((content.supplier.name.as_str(), content.supplier.abn.is_some()), ("Member M016", true));
    let recipient = content.recipient.expect("a recipient");
    assert_eq!((recipient.name.as_str(), recipient.abn), ("Flip 360 Pty Ltd", Some(sample::abn(360).to_string())));
    assert_eq!(content.issued_on, date(2026, 11, 23));
    assert_eq!((content.net.0, content.gst.0, content.total.0), (78_000, 7_800, 85_800));
    assert_eq!(content.extent_taxable, "wholly");
    assert!(content.notes.contains(&"The GST shown is payable by the supplier.".to_owned()));
    let [line] = content.lines.as_slice() else { panic!("one line") };
    assert_eq!((line.quantity, line.net.0, line.gst.0, line.total.0), (1, 78_000, 7_800, 85_800));
    assert!(line.description.contains("FIXED-3Y"), "{}", line.description);
    assert_eq!(balance(&platform, "gst_paid"), 7_800);
    assert!(platform.refusal_of("update tax_document set number = 'X'").is_some());
    assert!(platform.refusal_of("delete from tax_document_content").is_some());
}

#[test]
fn without_an_abn_tax_is_withheld_and_a_summary_is_given() {
    let platform = with_deals(&[("C-1", "M016", ""), ("C-2", "M001", ""), ("C-3", "M002", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    without_abn(&platform, "M016");
    without_abn(&platform, "M001");
    let command = RecordSupplierStatement { reason: StatementReason::PrivateOrHobby, from_on: LONG_AGO, to_on: None };
    let stated = payee_of(&platform, "M001");
    let _ = platform
        .store()
        .transaction(|uow| service::record_supplier_statement(uow, &platform.env(), stated, &command))
        .expect("the statement is kept");
    let run = paid(&platform, &people, &account);
    let one = payout(&run, &platform, "M016");
    assert_eq!((one.gross.0, one.withheld.0, one.net.0), (78_000, 36_660, 41_340));
    assert_eq!(
        told(&platform, "M016"),
        [("remittance_statement", 78_000, 0, 36_660), ("payment_summary", 78_000, 0, 36_660)]
    );
    assert_eq!(payout(&run, &platform, "M001").withheld.0, 0, "a statement is on file");
    assert_eq!(payout(&run, &platform, "M002").withheld.0, 0, "an ABN is quoted");
    assert_eq!(balance(&platform, "withholding_payable"), -36_660);
    // It comes back and goes out again: nothing more is withheld, and no paper is written again.
    came(&platform, one.id, back());
    let again = paid(&platform, &people, &account);
    let second = payout(&again, &platform, "M016");
    assert_eq!((second.gross.0, second.withheld.0, second.net.0), (41_340, 0, 41_340));
    assert_eq!(told(&platform, "M016").len(), 2);
    came(&platform, second.id, Came::Through);
    assert_eq!(balance(&platform, "withholding_payable"), -36_660);
}

#[test]
fn what_comes_back_is_paid_again_without_a_second_invoice() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    register(&platform, "M016");
    let run = paid(&platform, &people, &account);
    let first = payout(&run, &platform, "M016").id;
    came(&platform, first, Came::Through);
    came(&platform, first, back());
    // Not even when the status has changed since: what was invoiced is owed with its GST.
    tell_gst(&platform, "M016", false, date(2026, 11, 1));
    let again = paid(&platform, &people, &account);
    let second = payout(&again, &platform, "M016");
    assert_eq!((second.gross.0, second.gst.0, second.net.0), (85_800, 0, 85_800));
    assert_eq!(told(&platform, "M016"), [("rcti", 78_000, 7_800, 0)]);
    // What is earned later is told by itself, as the payee is then.
    import(&platform, &[("C-2", "M016", "")]);
    let third = paid(&platform, &people, &account);
    assert!(
        third
            .content
            .content()
            .skipped
            .iter()
            .all(|s| s.payee != payee_of(&platform, "M016") || s.code == Skip::GstStatusChanged)
    );
    assert_eq!(balance(&platform, "gst_paid"), 7_800);
}

#[test]
fn who_may_not_be_invoiced_is_left_out_and_told_why() {
    let platform = with_deals(&[("C-1", "M016", ""), ("C-2", "M001", ""), ("C-3", "M002", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    tell_gst(&platform, "M016", true, LONG_AGO);
    tell_gst(&platform, "M001", true, date(2026, 11, 1));
    agree(&platform, "M001", date(2026, 11, 1));
    register(&platform, "M002");
    tell_gst(&platform, "M002", false, date(2026, 11, 1));
    let run = preview(&platform, &people.finance, &account);
    let skipped: BTreeMap<PayeeId, (Skip, i64)> =
        run.content.content().skipped.iter().map(|s| (s.payee, (s.code, s.gross.0))).collect();
    let of = |member| skipped.get(&payee_of(&platform, member)).copied();
    assert_eq!(of("M016"), Some((Skip::RctiAgreementMissing, 78_000)));
    assert_eq!(of("M001"), Some((Skip::GstStatusChanged, 78_000)));
    assert_eq!(of("M002"), Some((Skip::GstStatusChanged, 78_000)));
    // Once there is an agreement, it is paid.
    agree(&platform, "M016", LONG_AGO);
    let run = preview(&platform, &people.finance, &account);
    assert_eq!(payout(&run, &platform, "M016").net.0, 85_800);
}

#[test]
fn a_status_that_changes_after_the_approval_voids_it() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    register(&platform, "M016");
    let run = approved(&platform, &people, &account);
    tell_gst(&platform, "M016", false, date(2026, 11, 20));
    let Ok(Execution::Voided(run, why)) = execute(&platform, &people.finance, &run) else { panic!("executed") };
    assert_eq!(why, [Discrepancy::TaxChanged(payee_of(&platform, "M016"))]);
    assert_eq!(platform.number("select count(*) from tax_document"), 0);
    let skipped: Vec<Skip> = run.content.content().skipped.iter().map(|s| s.code).collect();
    assert_eq!(skipped, [Skip::GstStatusChanged]);
}

#[test]
fn a_clawback_of_what_was_invoiced_brings_an_adjustment_note() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    register(&platform, "M016");
    let run = paid(&platform, &people, &account);
    came(&platform, payout(&run, &platform, "M016").id, Came::Through);
    // Deregistered since: the note copies the treatment of the invoice all the same.
    tell_gst(&platform, "M016", false, date(2026, 11, 20));
    import(&platform, &[("C-1", "M016", "2026-06-01")]);
    assert_eq!(told(&platform, "M016"), [("rcti", 78_000, 7_800, 0), ("adjustment_note", -78_000, -7_800, 0)]);
    let (_, _, note) = papers(&platform).pop().expect("a note");
    assert_eq!(note.title, "Recipient created adjustment note");
    assert_eq!(note.lines[0].adjusts.as_deref(), Some("RCTI-FY27-000001"));
    assert_eq!(note.number, "RCAN-FY27-000001");
    let recoverable = "select sum(recoverable_minor) from commission_line l join member m on m.id = l.member_id where m.member_ref = 'M016'";
    assert_eq!(platform.number(recoverable), 85_800, "gross, with its GST");
    assert_eq!(balance(&platform, "gst_paid"), 0);
    // The same said again changes nothing.
    import(&platform, &[("C-1", "M016", "2026-06-01")]);
    assert_eq!(told(&platform, "M016").len(), 2);
    // It did not unwind after all: what is owed again takes off what was to be got back. Its GST is due by an invoice.
    import(&platform, &[("C-1", "M016", "")]);
    assert_eq!(platform.number(recoverable), 7_800);
    tell_gst(&platform, "M016", true, date(2026, 11, 20));
    let mut platform = platform;
    later(&mut platform, "2027-01-05T02:00:00Z");
    invoice_due(&platform);
    assert_eq!(platform.number(recoverable), 0);
    assert_eq!(told(&platform, "M016").last(), Some(&("rcti", 78_000, 7_800, 0)));
}

#[test]
fn a_clawback_of_what_is_unpaid_and_invoiced_takes_its_gst_off_what_is_available() {
    let platform = with_deals(&[("C-1", "M016", ""), ("C-2", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    register(&platform, "M016");
    let run = paid(&platform, &people, &account);
    came(&platform, payout(&run, &platform, "M016").id, back());
    import(&platform, &[("C-1", "M016", "2026-06-01")]);
    let again = paid(&platform, &people, &account);
    let second = payout(&again, &platform, "M016");
    assert_eq!((second.gross.0, second.gst.0, second.recovered.0, second.net.0), (85_800, 0, 0, 85_800));
    assert_eq!(balance(&platform, "gst_paid"), 7_800);
}

#[test]
fn clawbacks_are_set_off_with_their_gst() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    register(&platform, "M016");
    let _ = paid(&platform, &people, &account);
    import(&platform, &[("C-1", "M016", "2026-06-01"), ("C-2", "M016", ""), ("C-3", "M016", "")]);
    let run = paid(&platform, &people, &account);
    let one = payout(&run, &platform, "M016");
    assert_eq!((one.gross.0, one.gst.0, one.recovered.0, one.net.0), (156_000, 15_600, 85_800, 85_800));
}

#[test]
fn an_invoice_is_due_after_28_days_paid_or_not() {
    let mut platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    register(&platform, "M016");
    let whole = "select sum(available_minor + accrued_minor) from commission_line l join member m on m.id = l.member_id where m.member_ref = 'M016'";
    later(&mut platform, "2026-12-21T11:59:59Z");
    invoice_due(&platform);
    assert_eq!(told(&platform, "M016"), [], "one second short of 28 days");
    later(&mut platform, "2026-12-21T12:00:00Z");
    invoice_due(&platform);
    assert_eq!(told(&platform, "M016"), [("rcti", 78_000, 7_800, 0)]);
    assert_eq!(told(&platform, "M004"), [], "not registered: told when it is paid");
    assert_eq!(platform.number(whole), 85_800);
    invoice_due(&platform);
    assert_eq!(told(&platform, "M016").len(), 1);
    let run = paid(&platform, &people, &account);
    let one = payout(&run, &platform, "M016");
    assert_eq!((one.gross.0, one.gst.0, one.net.0), (85_800, 0, 85_800));
    assert_eq!(told(&platform, "M016").len(), 1);
}
