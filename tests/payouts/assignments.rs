//! What is wholly unpaid of a payee becomes another's: by two people, all of it or nothing, to the cent, once.

use domain::access::{Actor, Role, Viewer};
use domain::directory::{AbaText, DeedReference, Grounds, GstTimeline, LegalName, Payee, PayeeMapping, Rail, sample};
use domain::kernel::Digest;
use domain::kernel::ids::{AssignmentId, LineId, MemberId, OrganisationId, PayeeId};
use domain::ledger::release;
use domain::payouts::PayoutRun;
use domain::payouts::assignment::command::OnAssignment;
use domain::payouts::assignment::{Assignment, AssignmentError, ProposeAssignment, Sum, service};
use domain::payouts::execute::Execution;
use domain::payouts::plan::Discrepancy;
use harness::bounced;
use harness::platform::Platform;
use uuid::Uuid;

use crate::holds::{asked, let_go, line, place};
use crate::recovery::{own, payee_of};
use crate::returns::send;
use crate::runs::{credited, import, with_deals};
use crate::world::{People, approved, as_, execute, file, keep, paid, people, person, preview};

/// The company that a sole trader becomes: a payee of the organisation, with an account of its own.
pub fn company(platform: &Platform, organisation: OrganisationId, n: u32) -> PayeeId {
    let title = format!("Company {n}");
    let payee = Payee {
        id: PayeeId::new(Uuid::from_u128(0x0199_0000_0000_7000_8000_00c0_0000_0000 + u128::from(n))),
        organisation,
        legal_name: LegalName::parse(&title).expect("a name"),
        abn: Some(sample::abn(9_000 + n)),
        bank: Some(sample::bank_details(9_000 + n, AbaText::parse(&title).expect("a title"))),
        gst: GstTimeline::restore([]),
        rail: Rail::Aba,
    };
    let bank = [Uuid::from_u128(0xba00 + u128::from(n))];
    let kept = platform
        .store()
        .transaction(|uow| uow.directory().insert_payees(std::slice::from_ref(&payee), &bank, platform.now));
    kept.map(|()| payee.id).expect("the payee is kept")
}

pub fn deed(to: PayeeId) -> ProposeAssignment {
    let deed_reference = DeedReference::parse("Deed of 20 November 2026, folio 12").expect("a reference");
    let reason = Grounds::parse("The sole trader became a company").expect("grounds");
    ProposeAssignment { to, member: None, deed_reference, reason }
}

pub fn propose(
    platform: &Platform,
    actor: &Actor,
    from: PayeeId,
    command: &ProposeAssignment,
) -> Result<Assignment, AssignmentError> {
    platform.store().transaction(|uow| service::propose(uow, &as_(platform, actor), from, command))
}

fn on(id: AssignmentId) -> OnAssignment {
    OnAssignment { id, version: None }
}

pub fn approve(platform: &Platform, actor: &Actor, assignment: &Assignment) -> Result<Assignment, AssignmentError> {
    let (on, seen) = (on(assignment.id), assignment.content_sha256);
    let done = platform.store().transaction(|uow| service::approve(uow, &as_(platform, actor), on, seen));
    done.map(|altered| altered.after)
}

fn reject(platform: &Platform, actor: &Actor, id: AssignmentId) -> Result<Assignment, AssignmentError> {
    let because = Grounds::parse("The deed is not signed").expect("grounds");
    let done = platform.store().transaction(|uow| service::reject(uow, &as_(platform, actor), on(id), &because));
    done.map(|altered| altered.after)
}

/// From one payee to another, by two people.
fn assigned(platform: &Platform, people: &People, from: PayeeId, to: PayeeId) -> Assignment {
    let proposed = propose(platform, &people.finance, from, &deed(to)).expect("proposed");
    approve(platform, &people.approver, &proposed).expect("approved")
}

/// What lies on the accounts of a payee: accrued, held, available, in transit, to be got back.
fn lies(platform: &Platform, payee: PayeeId) -> [i64; 5] {
    let kinds = ["payee_accrued", "payee_held", "payee_available", "payee_in_transit", "clawback_recoverable"];
    kinds.map(|kind| {
        platform.number(&format!(
            "select abs(coalesce(sum(b.balance_minor), 0)) from ledger_account a join ledger_balance b on b.account_id = a.id
             where a.kind = '{kind}' and a.party_id = '{}'",
            payee.uuid()
        ))
    })
}

fn entries(platform: &Platform) -> i64 {
    platform.number("select count(*) from ledger_entry where kind = 'assignment'")
}

fn release_due(platform: &Platform) {
    let _ = platform.store().transaction(|uow| release::due(uow, &platform.env())).expect("a release");
}

fn seen(platform: &Platform, id: AssignmentId) -> Assignment {
    let found = platform.store().read(&Viewer::Everything, |q| q.assignments().find_assignment(id));
    found.expect("a look").expect("an assignment")
}

fn fault(refused: Result<Assignment, AssignmentError>) -> Vec<(String, &'static str)> {
    match refused {
        Err(AssignmentError::Faults(faults)) => faults.0.into_iter().map(|f| (f.pointer, f.code)).collect(),
        other => panic!("{other:?}"),
    }
}

/// M016 has a deal that is on its way to the bank, one that may be paid, one that waits, and one of which 8,000 cents
/// are held.
fn mixed() -> (Platform, People, PayeeId) {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    let _ = paid(&platform, &people, &account);
    import(&platform, &[("C-2", "M016", ""), ("C-4", "M016", "")]);
    release_due(&platform);
    let _ = place(&platform, &people.finance, &asked(line(&platform, "C-4", "M016"), Some(8_000))).expect("placed");
    import(&platform, &[("C-3", "M016", "")]);
    let payee = payee_of(&platform, "M016");
    (platform, people, payee)
}

#[test]
fn what_is_wholly_unpaid_goes_bucket_by_bucket_and_the_rest_stays() {
    let (platform, people, old) = mixed();
    let new = company(&platform, platform.introducer, 1);
    assert_eq!(lies(&platform, old), [78_000, 8_000, 148_000, 78_000, 0]);
    let proposed = propose(&platform, &people.finance, old, &deed(new)).expect("proposed");
    assert_eq!(proposed.moves, Sum { lines: 2, total_minor: 156_000 });
    assert_eq!(proposed.left_out, Sum { lines: 1, total_minor: 70_000 }, "of C-4, since 8,000 cents of it are held");
    assert_eq!((proposed.state.as_str(), proposed.version, entries(&platform)), ("proposed", 1, 0));
    let content = platform.store().read(&Viewer::Everything, |q| q.assignments().find_assignment_content(proposed.id));
    let content = content.expect("a look").expect("a content");
    assert_eq!(Digest::of(content.bytes()), proposed.content_sha256);
    let mut wanted = [line(&platform, "C-2", "M016"), line(&platform, "C-3", "M016")];
    wanted.sort_unstable();
    let lines: Vec<(LineId, i64)> = content.content().lines.iter().map(|l| (l.line, l.amount.0)).collect();
    assert_eq!(lines, wanted.map(|line| (line, 78_000)));
    let approved = approve(&platform, &people.approver, &proposed).expect("approved");
    assert_eq!((approved.state.as_str(), approved.version), ("approved", 2));
    assert_eq!(lies(&platform, old), [0, 8_000, 70_000, 78_000, 0]);
    assert_eq!(lies(&platform, new), [78_000, 0, 78_000, 0, 0]);
    assert_eq!(entries(&platform), 2, "one for each deal");
    let theirs = format!("select count(*) from commission_line where payee_id = '{}'", new.uuid());
    assert_eq!(platform.number(&theirs), 2);
    // Whoever is told of a line hears whose it is now.
    let told = format!(
        "select count(*) from outbox where type = 'commission_line.changed' and convert_from(data, 'UTF8')::jsonb ->> 'payee_id' = '{new}'"
    );
    assert_eq!(platform.number(&told), 2);
    // What the member earns from now on goes where its mapping says.
    import(&platform, &[("C-5", "M016", "")]);
    assert_eq!(lies(&platform, old), [78_000, 8_000, 70_000, 78_000, 0]);
    let run = paid(&platform, &people, &own(&platform));
    let credits = credited(&file(&platform, &run));
    assert_eq!((credits["Company 1"], credits["Member M016"], credits["Member M004"]), (156_000, 148_000, 52_000));
    let _ = platform.sequence();
}

#[test]
fn a_clawback_follows_the_payee_that_has_the_line_or_was_paid() {
    let (platform, people, old) = mixed();
    let new = company(&platform, platform.introducer, 1);
    let _ = assigned(&platform, &people, old, new);
    // C-2 unwinds before it is paid: off what the new payee has. C-1 was paid to the old one: it owes it.
    import(&platform, &[("C-1", "M016", "2026-06-01"), ("C-2", "M016", "2026-06-01")]);
    assert_eq!(lies(&platform, new), [78_000, 0, 0, 0, 0]);
    assert_eq!(lies(&platform, old), [0, 8_000, 70_000, 78_000, 78_000]);
    // C-3 is paid to the new payee and unwinds after that.
    let run = paid(&platform, &people, &own(&platform));
    assert_eq!(credited(&file(&platform, &run))["Company 1"], 78_000);
    import(&platform, &[("C-3", "M016", "2026-06-01")]);
    assert_eq!(lies(&platform, new), [0, 0, 0, 78_000, 78_000]);
    assert_eq!(lies(&platform, old), [0, 8_000, 70_000, 78_000, 78_000], "70,000 do not pay 78,000 back");
}

#[test]
fn an_approved_run_does_not_pay_the_old_payee_what_went_to_another_that_it_pays_too() {
    let platform = with_deals(&[("C-1", "M016", ""), ("C-2", "M001", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    let run = approved(&platform, &people, &account);
    let [old, new] = ["M016", "M001"].map(|name| payee_of(&platform, name));
    assert_eq!(run.content.content().payouts.len(), 3);
    let _ = assigned(&platform, &people, old, new);
    let Execution::Voided(run, found) = execute(&platform, &people.finance, &run).expect("an outcome") else {
        panic!("it was executed")
    };
    let line = line(&platform, "C-1", "M016");
    assert_eq!(found, [Discrepancy::LessAvailable { line, available_minor: 0, wanted_minor: 78_000 }]);
    assert_eq!(platform.number("select count(*) from payout"), 0);
    let pays =
        |run: &PayoutRun, payee| run.content.content().payouts.iter().find(|p| p.payee == payee).map(|p| p.net.0);
    assert_eq!((pays(&run, old), pays(&run, new)), (None, Some(156_000)));
    let why = Grounds::parse("Another one").expect("grounds");
    let cancelled = platform.store().transaction(|uow| {
        domain::payouts::decide::cancel(uow, &as_(&platform, &people.finance), &crate::world::on(&run), &why)
    });
    assert_eq!(cancelled.expect("cancelled").state.code(), "cancelled");
    let credits = credited(&file(&platform, &paid(&platform, &people, &account)));
    assert_eq!((credits.get("Member M016"), credits["Member M001"]), (None, 156_000));
}

#[test]
fn two_who_approve_at_once_move_it_once() {
    for _ in 0..4 {
        let platform = with_deals(&[("C-1", "M016", ""), ("C-2", "M016", "")]);
        let people = people();
        let (old, new) = (payee_of(&platform, "M016"), company(&platform, platform.introducer, 1));
        let proposed = propose(&platform, &people.finance, old, &deed(new)).expect("proposed");
        let others = [people.approver.clone(), person(13, Role::OperatorAdmin)];
        let together = std::sync::Barrier::new(2);
        let outcomes: Vec<Result<Assignment, AssignmentError>> = std::thread::scope(|scope| {
            let one = |actor| {
                together.wait();
                approve(&platform, actor, &proposed)
            };
            let threads: Vec<_> = others.iter().map(|actor| scope.spawn(move || one(actor))).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
        let second = outcomes.into_iter().find_map(Result::err);
        assert_eq!(second, Some(AssignmentError::Decided("approved")));
        assert_eq!((entries(&platform), lies(&platform, new)), (2, [156_000, 0, 0, 0, 0]));
    }
}

#[test]
fn a_line_that_changed_lets_nothing_move() {
    let platform = with_deals(&[("C-1", "M016", ""), ("C-2", "M016", "")]);
    let people = people();
    let (old, new) = (payee_of(&platform, "M016"), company(&platform, platform.introducer, 1));
    let proposed = propose(&platform, &people.finance, old, &deed(new)).expect("proposed");
    let other = propose(&platform, &people.finance, old, &deed(new)).expect("proposed");
    let refused = |lines| Some(AssignmentError::LinesChanged(lines));
    // A hold on one of two: nothing moves, and it stays proposed.
    let hold = place(&platform, &people.finance, &asked(line(&platform, "C-1", "M016"), Some(1))).expect("placed");
    assert_eq!(approve(&platform, &people.approver, &proposed).err(), refused(1));
    assert_eq!((seen(&platform, proposed.id), entries(&platform)), (proposed.clone(), 0));
    let _ = let_go(&platform, &people.finance, hold.hold.id).expect("released");
    // That what waited may be paid by now changes neither whose it is nor how much.
    release_due(&platform);
    assert_eq!(lies(&platform, old), [0, 0, 156_000, 0, 0]);
    // Half of one is taken back; then it is given again, and stands as it was frozen.
    let corrected = |amount: &str| {
        let text = format!(
            "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on
C-1,M016,Ann,FIXED-3Y,2026-01-01,2026-01-10,2026-02-01,{amount},0.00,\n"
        );
        assert!(platform.import(text.as_bytes()).refused.is_empty());
    };
    corrected("100000.00");
    assert_eq!(approve(&platform, &people.approver, &proposed).err(), refused(1));
    corrected("200000.00");
    let approved = approve(&platform, &people.approver, &proposed).expect("approved");
    assert_eq!((approved.state.as_str(), lies(&platform, old)), ("approved", [0; 5]));
    assert_eq!(lies(&platform, new), [39_000, 0, 117_000, 0, 0]);
    // What went is not there to go again.
    assert_eq!(approve(&platform, &people.approver, &other).err(), refused(2));
    assert_eq!(
        propose(&platform, &people.finance, old, &deed(new)).err(),
        Some(AssignmentError::Nothing { left_out: 0 })
    );
    let rejected = reject(&platform, &people.approver, other.id).expect("rejected");
    assert_eq!(rejected.state.because().map(Grounds::as_str), Some("The deed is not signed"));
    assert_eq!(approve(&platform, &people.approver, &other).err(), Some(AssignmentError::Decided("rejected")));
    // And back again, by another deed.
    let back = assigned(&platform, &people, new, old);
    assert_eq!((back.moves.total_minor, lies(&platform, old)), (156_000, [39_000, 0, 117_000, 0, 0]));
}

#[test]
fn a_line_that_a_paper_names_stays_also_when_its_payment_came_back() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    let run = paid(&platform, &people, &account);
    let payments = bounced::payments(&file(&platform, &run));
    let dear = payments.iter().find(|p| p[20..30].ends_with("78000")).expect("the payment");
    let _ = send(&platform, &people, &[bounced::record(dear, '6')]);
    let (old, new) = (payee_of(&platform, "M016"), company(&platform, platform.introducer, 1));
    assert_eq!(lies(&platform, old), [0, 0, 78_000, 0, 0]);
    let refused = propose(&platform, &people.finance, old, &deed(new));
    assert_eq!(refused.err(), Some(AssignmentError::Nothing { left_out: 1 }));
}

#[test]
fn of_a_payee_of_several_members_one_members_lines_can_go() {
    let platform = with_deals(&[("C-1", "M016", ""), ("C-2", "M001", "")]);
    let people = people();
    let [old, both] = ["M016", "M001"].map(|name| payee_of(&platform, name));
    let _ = assigned(&platform, &people, old, both);
    let new = company(&platform, platform.introducer, 1);
    let member = crate::statements::member(&platform, "M001");
    let command = ProposeAssignment { member: Some(member), ..deed(new) };
    let proposed = propose(&platform, &people.finance, both, &command).expect("proposed");
    assert_eq!(proposed.moves, Sum { lines: 1, total_minor: 78_000 });
    let _ = approve(&platform, &people.approver, &proposed).expect("approved");
    assert_eq!((lies(&platform, both), lies(&platform, new)), ([78_000, 0, 0, 0, 0], [78_000, 0, 0, 0, 0]));
    let whose =
        format!("select payee_id as id from commission_line where id = '{}'", line(&platform, "C-2", "M001").uuid());
    assert_eq!(platform.ids_of(&whose), [new.uuid()]);
}

#[test]
fn a_member_does_not_see_a_payee_that_got_another_members_money() {
    let platform = with_deals(&[("C-1", "M016", ""), ("C-2", "M001", "")]);
    let people = people();
    let [old, other] = ["M016", "M001"].map(|name| payee_of(&platform, name));
    let new = company(&platform, platform.introducer, 1);
    let [own, stranger] = ["M016", "M001"].map(|name| crate::statements::member(&platform, name));
    let mapping = PayeeMapping { member: own, payee: new, from_on: platform.now.sydney_date() };
    platform
        .store()
        .transaction(|uow| uow.directory().append_payee_mappings(&[mapping], platform.now))
        .expect("mapped");
    let sees = |member: MemberId, payee| {
        let found = platform.store().read(&Viewer::Parties(vec![member.uuid()]), |q| q.directory().find_payee(payee));
        found.expect("a look").is_some()
    };
    assert!(sees(own, new) && sees(stranger, other));
    // What goes to one's own company is one's own.
    let _ = assigned(&platform, &people, old, new);
    assert!(sees(own, new) && sees(stranger, other));
    let _ = assigned(&platform, &people, new, other);
    assert!(!sees(stranger, other), "its accounts hold what M016 earned, too");
    assert!(sees(own, new));
}

#[test]
fn it_takes_two_people_of_the_operator_and_payees_of_one_organisation() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let admin = person(13, Role::OperatorAdmin);
    let (old, new) = (payee_of(&platform, "M016"), company(&platform, platform.introducer, 1));
    let foreign = company(&platform, platform.provider, 2);
    let told = |to, member| {
        let command = ProposeAssignment { member, ..deed(to) };
        fault(propose(&platform, &admin, old, &command))
    };
    let to = |code| ("/to_payee_id".to_owned(), code);
    assert_eq!(told(old, None), [to("same_payee")]);
    assert_eq!(told(foreign, None), [to("other_organisation")]);
    let nobody = MemberId::new(Uuid::from_u128(404));
    let unknown = PayeeId::new(Uuid::from_u128(404));
    assert_eq!(told(unknown, Some(nobody)), [to("not_found"), ("/member_id".to_owned(), "not_found")]);
    assert_eq!(propose(&platform, &admin, unknown, &deed(new)).err(), Some(AssignmentError::NotFound));
    let upline = crate::statements::member(&platform, "M004");
    let nothing = propose(&platform, &admin, old, &ProposeAssignment { member: Some(upline), ..deed(new) });
    assert_eq!(nothing.err(), Some(AssignmentError::Nothing { left_out: 0 }));
    let mut partner = person(20, Role::OperatorAdmin);
    partner.organisation = Some(platform.introducer);
    assert_eq!(propose(&platform, &partner, old, &deed(new)).err(), Some(AssignmentError::NotFound));
    assert!(matches!(propose(&platform, &people.approver, old, &deed(new)), Err(AssignmentError::MissingScope(_))));

    let proposed = propose(&platform, &admin, old, &deed(new)).expect("proposed");
    assert_eq!(approve(&platform, &admin, &proposed).err(), Some(AssignmentError::SamePerson));
    assert_eq!(approve(&platform, &partner, &proposed).err(), Some(AssignmentError::NotFound));
    assert!(matches!(approve(&platform, &people.finance, &proposed), Err(AssignmentError::MissingScope(_))));
    let other = Assignment { content_sha256: Digest::of(b"another"), ..proposed.clone() };
    assert_eq!(approve(&platform, &people.approver, &other).err(), Some(AssignmentError::OtherContent));
    let stale = OnAssignment { id: proposed.id, version: Some(2) };
    let done = platform
        .store()
        .transaction(|uow| service::approve(uow, &as_(&platform, &people.approver), stale, proposed.content_sha256));
    assert_eq!(done.err(), Some(AssignmentError::Stale(1)));
    let gone = on(AssignmentId::new(Uuid::from_u128(404)));
    let done = platform
        .store()
        .transaction(|uow| service::approve(uow, &as_(&platform, &people.approver), gone, proposed.content_sha256));
    assert_eq!(done.err(), Some(AssignmentError::NotFound));
    // Who proposed takes back what has not been done.
    assert_eq!(reject(&platform, &admin, proposed.id).expect("rejected").state.as_str(), "rejected");
    assert_eq!(entries(&platform), 0);
    // A run that pays it after all leaves nothing to go.
    let late = propose(&platform, &admin, old, &deed(new)).expect("proposed");
    let account = keep(&platform, &people.finance, false);
    assert_eq!(preview(&platform, &people.finance, &account).content.content().payouts.len(), 2);
    let _ = paid(&platform, &people, &account);
    assert_eq!(approve(&platform, &people.approver, &late).err(), Some(AssignmentError::LinesChanged(1)));
}

#[test]
fn a_payee_that_was_erased_meanwhile_takes_nothing() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let (old, new) = (payee_of(&platform, "M016"), company(&platform, platform.introducer, 1));
    let proposed = propose(&platform, &people.finance, old, &deed(new)).expect("proposed");
    platform.tamper(&format!("update payee set erased_at = now(), abn = null where id = '{}'", new.uuid()));
    assert_eq!(approve(&platform, &people.approver, &proposed).err(), Some(AssignmentError::PayeeErased));
    let erased = fault(propose(&platform, &people.finance, old, &deed(new)));
    assert_eq!(erased, [("/to_payee_id".to_owned(), "erased")]);
}
