//! Members are erased: what the law asks of somebody who was paid stays for its time, and is told with its reason.

use std::collections::BTreeSet;

use domain::access::Viewer;
use domain::deals::deal::Stage;
use domain::directory::erase::{self, Erased};
use domain::directory::erasure::{ERASED_NAME, KeptReason, KeptThing, Report};
use domain::directory::error::DirectoryError;
use domain::directory::record::PayeeFilter;
use domain::kernel::ids::ContactId;
use domain::kernel::{Instant, PageRequest};
use harness::platform::Platform;

use crate::payouts;
use crate::support::{EXAMPLE, MEMBERS, audit_of, holding, text};

fn at(text: &str) -> Instant {
    Instant::new(text.parse().expect("a time"))
}

/// The example, its holds expired, one run paid on 30 June 2028, everything logged and signed.
fn paid() -> Platform {
    let mut platform = Platform::new();
    platform.onboard(MEMBERS);
    let _ = platform.import(EXAMPLE);
    platform.now = at("2028-06-30T02:00:00Z");
    let people = payouts::people();
    let account = payouts::keep(&platform, &people.finance, false);
    let _ = payouts::paid(&platform, &people, &account);
    let _ = platform.sequence();
    platform
}

fn erased(platform: &Platform, contact: ContactId) -> Result<Erased, DirectoryError> {
    let version = platform.number(&format!("select version from contact where id = '{}'", contact.uuid()));
    let version = i32::try_from(version).expect("a version");
    platform.store().transaction(|uow| erase::erase_contact(uow, &platform.env(), contact, version))
}

/// What the erasures of a contact told, oldest first.
fn reports(platform: &Platform, contact: ContactId) -> Vec<Report> {
    let page = PageRequest::of(10);
    let found = platform.store().read(&Viewer::Everything, |queries| queries.erasures().list_erasures(contact, &page));
    found.expect("the store answers").data.into_iter().map(|seen| seen.record.report).collect()
}

fn kept(report: &Report) -> Vec<(KeptThing, KeptReason, Option<String>)> {
    report.kept.iter().map(|kept| (kept.what, kept.why, kept.until.map(|day| day.to_string()))).collect()
}

/// A contact and its member, as a query finds them.
fn found(platform: &Platform, condition: &str) -> (ContactId, String) {
    let sql = format!(
        "select m.contact_id as id from member m join member_payee p on p.member_id = m.id where {condition} order by m.id limit 1"
    );
    let contact = platform.ids_of(&sql).first().copied().unwrap_or_else(|| panic!("nobody: {condition}"));
    let sql = format!("select id from member where contact_id = '{contact}'");
    let member = platform.ids_of(&sql)[0];
    (ContactId::new(contact), member.to_string())
}

const NEVER_PAID: &str = "not exists (select from commission_line l where l.member_id = m.id)
  and not exists (select from deal d where d.member_id = m.id)";
const PAID: &str = "exists (select from payout o where o.payee_id = p.payee_id)
  and exists (select from deal d where d.member_id = m.id)
  and not exists (select from deal d where d.member_id = m.id and not exists (
    select from commission_line l join payout_line s on s.line_id = l.id where l.deal_id = d.id))
  and not exists (select from ledger_account a join ledger_balance b on b.account_id = a.id
    where a.party_id = p.payee_id and a.kind <> 'payee_in_transit' and b.balance_minor <> 0)
  and not exists (select from deal d join commission_line l on l.deal_id = d.id and l.member_id is not null where d.member_id = m.id
    and (suspense_minor, accrued_minor, held_minor, available_minor, recoverable_minor) <> (0, 0, 0, 0, 0))";

#[test]
fn who_was_never_paid_loses_everything() {
    let platform = paid();
    let (contact, member) = found(&platform, NEVER_PAID);
    let title = title(&platform, &member);
    assert!(holding(&platform, &[&title]).contains("payee_bank_details.account_title"));
    assert_eq!(erased(&platform, contact).expect("erased").payees.len(), 1);
    assert_eq!(holding(&platform, &[&title]), BTreeSet::new());
    let reports = reports(&platform, contact);
    assert_eq!((reports[0].payees, kept(&reports[0])), (1, vec![]));
    let bank = format!(
        "select count(*) from payee_bank_details d join member_payee p using (payee_id) where p.member_id = '{member}'"
    );
    assert_eq!(platform.number(&bank), 0);
}

/// What a member's payee and account are called.
fn title(platform: &Platform, member: &str) -> String {
    format!("Member {}", text(platform, &format!("select member_ref from member where id = '{member}'")))
}

#[test]
fn who_was_paid_keeps_what_the_law_asks_for_five_years_and_not_a_day_longer() {
    let mut platform = paid();
    let (contact, member) = found(&platform, PAID);
    let title = title(&platform, &member);
    let own = format!(
        "select count(*) from chain_secret c join deal d on d.id = c.subject_id where d.member_id = '{member}'"
    );
    let secrets = platform.number(&own);
    assert!(secrets > 0);
    // The contact of these members has no personal data, so that there is nothing to erase before the time has come.
    platform.now = at("2033-06-29T02:00:00Z");
    let early = erased(&platform, contact).expect("an answer");
    assert_eq!(early.contact.before, early.contact.after, "the day before, nothing goes");
    platform.number_is(&own, secrets);
    // With a name, that goes at once, and what stays is told.
    let name = format!(
        "insert into personal_data (subject_id, subject_kind, name) values ('{}', 'contact', 'Paid Person')",
        contact.uuid()
    );
    diesel::connection::SimpleConnection::batch_execute(&mut platform.owner(), &name).expect("a name");
    let partial = erased(&platform, contact).expect("erased");
    assert_eq!((partial.payees.len(), partial.contact.after.contact.personal), (0, None));
    let told = reports(&platform, contact);
    let until = Some("2033-06-30".to_owned());
    assert_eq!(
        kept(&told[0]),
        [(KeptThing::Handshakes, KeptReason::Paid, until.clone()), (KeptThing::Payee, KeptReason::Paid, until),]
    );
    assert_eq!((told[0].contact, told[0].deals, told[0].payees), (true, 0, 0));
    platform.number_is(&own, secrets);
    assert!(holding(&platform, &[&title]).contains("personal_data.name"));

    platform.now = at("2033-06-30T02:00:00Z");
    assert_eq!(erased(&platform, contact).expect("erased").payees.len(), 1);
    platform.number_is(&own, 0);
    let left = holding(&platform, &[&title]);
    assert_eq!(left, BTreeSet::from(["bank_file.bytes".to_owned()]), "the file as it went to the bank");
    let told = reports(&platform, contact);
    assert_eq!(kept(&told[1]), [(KeptThing::BankFiles, KeptReason::OneRecord, None)]);
    let named = format!("select count(*) from personal_data where name = '{ERASED_NAME}'");
    platform.number_is(&named, 1);
    let usable = format!(
        "select count(*) from payee_bank_details d join member_payee p using (payee_id) where p.member_id = '{member}' and usable_from_at < '9999-01-01'"
    );
    platform.number_is(&usable, 0);
    // The third time nothing is left to take.
    let again = erased(&platform, contact).expect("an answer");
    assert_eq!(again.contact.before, again.contact.after);
    let _ = platform.sequence();
    let report = audit_of(&platform, &[]);
    assert!(report.holds() && report.erased > 0, "{:?}", report.differences);
    // A look at every payee still works, and whoever previews a run finds nobody to pay at that account.
    let page = PageRequest::of(200);
    let payees =
        platform.store().read(&Viewer::Everything, |q| q.directory().list_payees(&PayeeFilter::default(), &page));
    assert!(payees.expect("all payees read").data.iter().any(|p| p.payee.legal_name.as_str() == ERASED_NAME));
}

trait Counted {
    fn number_is(&self, sql: &str, expected: i64);
}

impl Counted for Platform {
    fn number_is(&self, sql: &str, expected: i64) {
        assert_eq!(self.number(sql), expected, "{sql}");
    }
}

#[test]
fn a_deal_that_may_still_settle_keeps_who_will_be_paid_for_it() {
    let mut platform = paid();
    let (contact, member) = found(&platform, PAID);
    // Nothing lies on its lines and what was paid is long ago; but one of its deals is not settled yet.
    platform.now = at("2033-06-30T02:00:00Z");
    let move_to = |stage: &str| {
        platform.tamper(&format!(
            "update deal set stage = '{stage}' where id = (select id from deal where member_id = '{member}' order by id limit 1)"
        ));
    };
    for stage in Stage::ALL.into_iter().filter(|stage| stage.is_open()) {
        move_to(stage.as_str());
        assert_eq!(erased(&platform, contact).expect("an answer").payees.len(), 0, "{}", stage.as_str());
    }
    move_to("lost");
    assert_eq!(erased(&platform, contact).expect("erased").payees.len(), 1);
}
