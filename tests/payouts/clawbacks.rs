//! Clawbacks around a run: before its execution they void it, during it one of the two waits, after it the next run
//! sets them off.

use std::collections::BTreeMap;

use domain::payouts::execute::Execution;
use domain::payouts::run::{RunState, TransitionError};
use domain::payouts::{PayoutError, Skip};

use crate::runs::{credited, import, with_deals};
use crate::world::{approve, approved, execute, file, keep, paid, people, preview, propose};

#[test]
fn a_clawback_after_approval_voids_it_and_nothing_moves() {
    let platform = with_deals(&[("C-1", "M016", ""), ("C-2", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    let run = approved(&platform, &people, &account);
    import(&platform, &[("C-1", "M016", "2026-06-01")]);
    let entries = platform.number("select count(*) from ledger_entry");
    let Ok(Execution::Voided(back, why)) = execute(&platform, &people.finance, &run) else { panic!("executed") };
    assert_eq!(why.len(), 2, "the line of M016 and that of its upline: {why:?}");
    assert_eq!(platform.number("select count(*) from ledger_entry"), entries);
    assert_eq!(platform.number("select count(*) from payout"), 0);
    assert!(matches!(&back.state, RunState::Previewed { voided: Some(_) }));
    assert_ne!(back.content.sha256(), run.content.sha256());
    assert_eq!(back.content.content().total.0, 78_000 + 13_000);
    assert!(back.state.approved().is_none());
    // It needs both people again, for the new content.
    assert!(execute(&platform, &people.finance, &back).is_err());
    let back = propose(&platform, &people.finance, &back).expect("proposed");
    assert!(matches!(
        approve(&platform, &people.approver, &run),
        Err(PayoutError::Transition(TransitionError::OtherContent))
    ));
    let back = approve(&platform, &people.approver, &back).expect("approved");
    assert!(matches!(execute(&platform, &people.finance, &back), Ok(Execution::Done(_))));
    assert_eq!(platform.number("select count(*) from payout_run_step where step = 'voided'"), 1);
}

#[test]
fn an_execution_and_a_clawback_at_the_same_moment_end_whole() {
    for _ in 0..8 {
        let platform = with_deals(&[("C-1", "M016", ""), ("C-2", "M004", "")]);
        let people = people();
        let account = keep(&platform, &people.finance, false);
        let run = approved(&platform, &people, &account);
        let together = std::sync::Barrier::new(2);
        let outcome = std::thread::scope(|scope| {
            let clawback = scope.spawn(|| {
                together.wait();
                import(&platform, &[("C-1", "M016", "2026-06-01")]);
            });
            together.wait();
            let outcome = execute(&platform, &people.finance, &run).expect("an outcome");
            clawback.join().expect("no panic");
            outcome
        });
        let back = platform.number("select sum(recoverable_minor) from commission_line");
        match outcome {
            Execution::Done(_) => assert_eq!(back, 91_000),
            Execution::Voided(..) => assert_eq!((back, platform.number("select count(*) from payout")), (0, 0)),
        }
    }
}

#[test]
fn a_clawback_of_paid_money_is_set_off_in_the_next_run() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    let first = paid(&platform, &people, &account);
    assert_eq!(credited(&file(&platform, &first))["Member M016"], 78_000);
    // The first deal unwinds after it was paid; two others settle.
    import(&platform, &[("C-1", "M016", "2026-06-01"), ("C-2", "M016", ""), ("C-3", "M016", "")]);
    let owed = "select coalesce(sum(amount_minor), 0) from ledger_posting p join ledger_account a on a.id = p.account_id where a.kind = 'clawback_recoverable'";
    assert_eq!(platform.number(owed), 78_000 + 13_000);
    let second = paid(&platform, &people, &account);
    let bytes = file(&platform, &second);
    assert_eq!(credited(&bytes), BTreeMap::from([("Member M004".into(), 13_000), ("Member M016".into(), 78_000)]));
    assert_eq!(platform.number(owed), 0);
    assert_eq!(platform.number("select count(*) from ledger_entry where kind = 'clawback_recovery'"), 2);
    assert_eq!(platform.number("select sum(amount_minor) from payout_recovery"), 91_000);
    // It was not discharged after all: what was set off is owed again, and is not clawed back twice.
    import(&platform, &[("C-1", "M016", "")]);
    assert_eq!(platform.number(owed), 0);
    assert_eq!(platform.number("select sum(accrued_minor) from commission_line"), 91_000);
}

#[test]
fn a_payee_whose_clawbacks_take_everything_waits() {
    let platform = with_deals(&[("C-1", "M016", ""), ("C-2", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    let _ = paid(&platform, &people, &account);
    import(&platform, &[("C-1", "M016", "2026-06-01"), ("C-2", "M016", "2026-06-01"), ("C-3", "M016", "")]);
    let run = preview(&platform, &people.finance, &account);
    let mut skipped: Vec<(Skip, i64, i64)> =
        run.content.content().skipped.iter().map(|s| (s.code, s.gross.0, s.recoverable.0)).collect();
    skipped.sort_unstable();
    assert_eq!(skipped, [(Skip::NothingNet, 13_000, 26_000), (Skip::NothingNet, 78_000, 156_000)]);
    // What is earned later makes up for all of it first; only what is more is paid.
    import(&platform, &[("C-4", "M016", ""), ("C-5", "M016", "")]);
    let run = paid(&platform, &people, &account);
    let credited = credited(&file(&platform, &run));
    assert_eq!(credited, BTreeMap::from([("Member M004".into(), 13_000), ("Member M016".into(), 78_000)]));
    assert_eq!(platform.number("select sum(recoverable_minor) from commission_line"), 0);
}

#[test]
fn an_execution_locks_every_line_of_its_run_also_one_on_which_nothing_lies_now() {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    let run = approved(&platform, &people, &account);
    let payouts = &run.content.content().payouts;
    let payees: Vec<_> = payouts.iter().map(|payout| payout.payee).collect();
    let lines: Vec<_> = payouts.iter().flat_map(|payout| payout.lines.iter().map(|share| share.line)).collect();
    assert_eq!(lines.len(), 2);
    // All of it is taken back: nothing is available any more, and nothing to be got back.
    import(&platform, &[("C-1", "M016", "2026-06-01")]);
    assert_eq!(platform.number("select sum(available_minor + recoverable_minor) from commission_line"), 0);
    let locked = platform.store().transaction(|uow| {
        uow.payouts().lock_payees(&payees, &lines)?;
        let others =
            "select count(*) from (select from commission_line where available_minor = 0 for update skip locked) free";
        Ok::<_, PayoutError>(platform.number(others))
    });
    assert_eq!(locked, Ok(platform.number("select count(*) from commission_line") - 2));
}
