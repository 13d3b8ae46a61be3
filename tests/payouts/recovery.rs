//! Plans by which clawbacks are got back: never more than the bound in a run, down to nothing over runs, by two people.

use domain::access::{Actor, Role};
use domain::directory::Grounds;
use domain::kernel::Rate;
use domain::kernel::ids::PayeeId;
use domain::ledger::line::CommissionLine;
use domain::payouts::PayoutRun;
use domain::payouts::execute::Execution;
use domain::payouts::plan::{Discrepancy, discrepancies};
use domain::payouts::recovery::command::{Decision, OnPlan};
use domain::payouts::recovery::{Cap, ProposePlan, RecoveryError, RecoveryPlan, Term, Terms, service};
use domain::payouts::repository::PayeeStanding;
use harness::platform::Platform;
use jiff::civil::{Date, date};
use proptest::prelude::*;

use crate::plan::{CUT_OFF, input, line, planned, standing};
use crate::runs::{import, with_deals};
use crate::world::{account, approved, as_, execute, keep, paid, people, person};

fn bounded(cap: Cap) -> PayeeStanding {
    let term = Term { from_on: date(2026, 1, 1), ended_on: None, cap };
    PayeeStanding { recovery: Terms::restore([term]), ..standing(1) }
}

fn cap(share_ppm: Option<i64>, max_minor: Option<i64>) -> Cap {
    Cap { max_share: share_ppm.map(|ppm| Rate::try_new(ppm).expect("a rate")), max_minor }
}

#[test]
fn the_oldest_clawback_is_got_back_first_and_in_part() {
    let lines = [
        line(1, 1, 10_000, 0, date(2026, 3, 1)),
        line(2, 1, 0, 900, date(2026, 2, 1)),
        line(3, 1, 0, 600, date(2026, 1, 1)),
        line(4, 1, 0, 500, date(2026, 1, 15)),
    ];
    let (own, standings) = (account(false), [bounded(cap(Some(100_000), None))]);
    let content = planned(&own, &standings, &lines);
    let [payout] = content.payouts.as_slice() else { panic!("one payout") };
    assert_eq!((payout.gross.0, payout.recovered.0, payout.net.0), (10_000, 1_000, 9_000));
    let settled: Vec<(u128, i64)> = payout.settled.iter().map(|s| (s.line.uuid().as_u128(), s.amount.0)).collect();
    assert_eq!(settled, [(3, 600), (4, 400)]);
    assert_eq!(discrepancies(&content.payouts, &input(&own, &standings, &lines)), []);
    // More that may be paid, or that is younger and to be got back, leaves what was approved as it is.
    let mut more = lines.to_vec();
    more.extend([line(5, 1, 70_000, 0, CUT_OFF), line(6, 1, 0, 700, CUT_OFF)]);
    assert_eq!(discrepancies(&content.payouts, &input(&own, &standings, &more)), []);
    // Another bound does not.
    let told = |recoverable_minor| Discrepancy::OtherRecovery {
        payee: standing(1).id,
        recoverable_minor,
        approved_minor: 1_000,
    };
    for (standing, recoverable_minor) in [(bounded(cap(None, Some(700))), 700), (standing(1), 2_000)] {
        assert_eq!(discrepancies(&content.payouts, &input(&own, &[standing], &lines)), [told(recoverable_minor)]);
    }
}

#[test]
fn a_share_takes_nothing_of_what_is_withheld() {
    // Without an ABN 47 % of 10,000 cents are withheld; half of the other 5,300 go.
    let lines = [
        CommissionLine { earned_minor: 10_000, ..line(1, 1, 10_000, 0, CUT_OFF) },
        line(2, 1, 0, 9_000, date(2026, 1, 1)),
    ];
    let standings = [PayeeStanding { abn: None, ..bounded(cap(Some(500_000), None)) }];
    let own = account(false);
    let content = planned(&own, &standings, &lines);
    let [payout] = content.payouts.as_slice() else { panic!("one payout: {:?}", content.skipped) };
    assert_eq!((payout.withheld.0, payout.recovered.0, payout.net.0), (4_700, 2_650, 2_650));
    assert_eq!(discrepancies(&content.payouts, &input(&own, &standings, &lines)), []);
}

/// What a run does to the lines.
fn applied(content: &domain::payouts::RunContent, lines: &mut [CommissionLine]) {
    let at = |lines: &mut [CommissionLine], id| lines.iter().position(|line| line.id == id).expect("a line");
    for payout in &content.payouts {
        for share in &payout.lines {
            let n = at(lines, share.line);
            if share.set_off.0 > 0 {
                let _ = lines[n].set_off(share.set_off.0).expect("it is there");
            }
            if share.sent.0 > 0 {
                let _ = lines[n].send(share.sent.0).expect("it is there");
            }
        }
        for settled in &payout.settled {
            let n = at(lines, settled.line);
            let _ = lines[n].settle(settled.amount.0).expect("it is owed");
        }
    }
}

fn owed(lines: &[CommissionLine]) -> i64 {
    lines.iter().map(|line| line.buckets.recoverable_minor).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Run after run takes the bound and no more, until nothing is to be got back; what is not paid is carried on.
    #[test]
    fn over_runs_it_goes_down_to_nothing_and_never_faster_than_agreed(
        debts in prop::collection::vec((1_i64..10_000, 1_i8..28), 1..6),
        earned in prop::collection::vec(5_000_i64..90_000, 120),
        share_ppm in prop::option::of(100_000_i64..900_000),
        max_minor in prop::option::of(1_000_i64..60_000),
    ) {
        prop_assume!(share_ppm.is_some() || max_minor.is_some());
        let mut lines: Vec<CommissionLine> =
            debts.iter().zip(1_u128..).map(|((debt, day), n)| line(n, 1, 0, *debt, date(2026, 1, *day))).collect();
        let (own, standings) = (account(false), [bounded(cap(share_ppm, max_minor))]);
        let whole = owed(&lines);
        let mut got_back = 0;
        for (earned, n) in earned.into_iter().zip(100_u128..) {
            lines.push(line(n, 1, earned, 0, date(2026, 2, 1)));
            let gross: i64 = lines.iter().map(|line| line.buckets.available_minor).sum();
            let bound = share_ppm.map_or(i64::MAX, |ppm| gross * ppm / 1_000_000).min(max_minor.unwrap_or(i64::MAX));
            let wanted = bound.min(owed(&lines));
            let content = planned(&own, &standings, &lines);
            prop_assert!(discrepancies(&content.payouts, &input(&own, &standings, &lines)).is_empty());
            let before = owed(&lines);
            applied(&content, &mut lines);
            match content.payouts.as_slice() {
                [] => prop_assert!(gross <= wanted && owed(&lines) == before, "only who would get nothing gets nothing"),
                [payout] => {
                    prop_assert_eq!((payout.gross.0, payout.recovered.0, payout.net.0), (gross, wanted, gross - wanted));
                    prop_assert_eq!(payout.lines.iter().map(|l| l.set_off.0).sum::<i64>(), wanted);
                    prop_assert_eq!(payout.settled.iter().map(|s| s.amount.0).sum::<i64>(), wanted);
                    prop_assert_eq!(payout.lines.iter().map(|l| l.sent.0).sum::<i64>(), payout.net.0);
                    prop_assert!(payout.settled.iter().all(|s| s.amount.0 > 0));
                    prop_assert_eq!(before - owed(&lines), wanted);
                    got_back += wanted;
                }
                _ => prop_assert!(false, "one payee, one payout"),
            }
            let mut oldest: Vec<&CommissionLine> = lines.iter().filter(|line| line.id.uuid().as_u128() < 100).collect();
            oldest.sort_by_key(|line| (line.payable_on, line.id));
            let open = oldest.iter().position(|line| line.buckets.recoverable_minor > 0).unwrap_or(oldest.len());
            for (line, n) in oldest.iter().zip(0..).skip(open + 1) {
                let debt = debts[usize::try_from(line.id.uuid().as_u128() - 1).expect("small")].0;
                prop_assert_eq!(line.buckets.recoverable_minor, debt, "the {}th waits for those before it", n);
            }
        }
        prop_assert_eq!((owed(&lines), got_back), (0, whole));
    }
}

pub fn payee_of(platform: &Platform, member: &str) -> PayeeId {
    let sql = format!(
        "select p.payee_id as id from member_payee p join member m on m.id = p.member_id where m.member_ref = '{member}'"
    );
    PayeeId::new(platform.ids_of(&sql)[0])
}

fn propose(platform: &Platform, actor: &Actor, payee: PayeeId, cap: Cap) -> Result<RecoveryPlan, RecoveryError> {
    let reason = Grounds::parse("Agreed by telephone").expect("grounds");
    let command = ProposePlan { cap, from_on: date(2026, 11, 1), reason };
    platform.store().transaction(|uow| service::propose(uow, &as_(platform, actor), payee, &command))
}

fn decide(
    platform: &Platform,
    actor: &Actor,
    plan: &RecoveryPlan,
    said: Decision,
) -> Result<RecoveryPlan, RecoveryError> {
    let on = OnPlan { id: plan.id, version: None };
    let done = platform.store().transaction(|uow| service::decide(uow, &as_(platform, actor), plan.payee, on, said));
    done.map(|altered| altered.after)
}

fn end(
    platform: &Platform,
    actor: &Actor,
    plan: &RecoveryPlan,
    on: Option<Date>,
) -> Result<RecoveryPlan, RecoveryError> {
    let named = OnPlan { id: plan.id, version: None };
    let done = platform.store().transaction(|uow| service::end(uow, &as_(platform, actor), plan.payee, named, on));
    done.map(|altered| altered.after)
}

/// What a run recovers of a payee and pays it.
fn of(run: &PayoutRun, payee: PayeeId) -> (i64, i64) {
    let payout = run.content.content().payouts.iter().find(|payout| payout.payee == payee).expect("a payout");
    (payout.recovered.0, payout.net.0)
}

/// M016 was paid 78,000 cents for a deal that then unwound.
fn in_debt() -> Platform {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    let _ = paid(&platform, &people, &account);
    import(&platform, &[("C-1", "M016", "2026-06-01")]);
    platform
}

#[test]
fn a_plan_bounds_runs_from_its_approval_to_its_end() {
    let platform = in_debt();
    let people = people();
    let account = own(&platform);
    let payee = payee_of(&platform, "M016");
    import(&platform, &[("C-2", "M016", ""), ("C-3", "M016", "")]);
    let run = approved(&platform, &people, &account);
    assert_eq!(of(&run, payee), (78_000, 78_000), "without a plan everything is set off");
    let plan = propose(&platform, &people.finance, payee, cap(Some(250_000), Some(20_000))).expect("proposed");
    let plan = decide(&platform, &people.approver, &plan, Decision::Approve).expect("approved");
    let Execution::Voided(run, found) = execute(&platform, &people.finance, &run).expect("an outcome") else {
        panic!("it was executed")
    };
    // A quarter of 156,000 cents is 39,000, and 20,000 is less.
    let told = Discrepancy::OtherRecovery { payee, recoverable_minor: 20_000, approved_minor: 78_000 };
    assert_eq!((found, of(&run, payee)), (vec![told], (20_000, 136_000)));
    assert_eq!(of(&paid(&platform, &people, &account), payee), (20_000, 136_000));
    import(&platform, &[("C-4", "M016", "")]);
    assert_eq!(of(&paid(&platform, &people, &account), payee), (19_500, 58_500), "a quarter of 78,000 cents");
    let ended = end(&platform, &people.finance, &plan, None).expect("ended");
    assert_eq!((ended.term.ended_on, ended.version), (Some(date(2026, 11, 23)), 3));
    import(&platform, &[("C-5", "M016", "")]);
    assert_eq!(of(&paid(&platform, &people, &account), payee), (38_500, 39_500), "what is left, all of it");
    let left = "select coalesce(sum(recoverable_minor), 0) from commission_line l join member m on m.id = l.member_id where m.member_ref = 'M016'";
    assert_eq!(platform.number(left), 0);
    let _ = platform.sequence();
}

/// The account of ours that is kept already.
pub fn own(platform: &Platform) -> domain::payouts::BankAccount {
    let page = domain::kernel::PageRequest::of(1);
    let found = platform.store().read(&domain::access::Viewer::Everything, |q| q.payouts().list_bank_accounts(&page));
    found.expect("a look").data.pop().expect("an account")
}

#[test]
fn a_plan_takes_two_people_and_ends_once_and_not_yesterday() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let payee = payee_of(&platform, "M016");
    let admin = person(13, Role::OperatorAdmin);
    let some = cap(None, Some(5_000));
    assert!(matches!(propose(&platform, &people.approver, payee, some), Err(RecoveryError::MissingScope(_))));
    let mut partner = person(20, Role::OperatorAdmin);
    partner.organisation = Some(platform.introducer);
    assert_eq!(propose(&platform, &partner, payee, some).err(), Some(RecoveryError::NotFound));
    let plan = propose(&platform, &admin, payee, some).expect("proposed");
    assert_eq!(decide(&platform, &admin, &plan, Decision::Approve).err(), Some(RecoveryError::SamePerson));
    assert_eq!(end(&platform, &people.finance, &plan, None).err(), Some(RecoveryError::WrongState("proposed")));
    let other = RecoveryPlan { payee: payee_of(&platform, "M004"), ..plan.clone() };
    assert_eq!(decide(&platform, &people.approver, &other, Decision::Approve).err(), Some(RecoveryError::NotFound));
    let approved = decide(&platform, &people.approver, &plan, Decision::Approve).expect("approved");
    assert_eq!(
        decide(&platform, &people.approver, &plan, Decision::Reject).err(),
        Some(RecoveryError::WrongState("approved"))
    );
    let early = end(&platform, &people.finance, &approved, Some(date(2026, 11, 22)));
    assert!(matches!(early, Err(RecoveryError::Faults(faults)) if faults.0[0].pointer == "/ended_on"));
    let _ = end(&platform, &people.finance, &approved, Some(date(2027, 1, 1))).expect("it ends");
    assert_eq!(end(&platform, &people.finance, &approved, None).err(), Some(RecoveryError::WrongState("ended")));
    let refused = propose(&platform, &people.finance, payee, some).expect("proposed");
    let refused = decide(&platform, &people.approver, &refused, Decision::Reject).expect("rejected");
    assert_eq!(refused.state.as_str(), "rejected");
}
