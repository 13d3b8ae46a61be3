//! Processes that die, and processes that do the same at once: one transfer per payout, to the cent.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};

use domain::payouts::OnRun;
use domain::payouts::execute::{self, Execution};
use serde_json::Value;

use crate::world::{EARNED, World, import, row, text};

/// Longer than a lease.
const LEASE: i64 = 601;
const SEEDS: u32 = 25;

fn worker(world: &World, dies: Option<(&str, u32)>) -> ExitStatus {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stripe-worker"));
    let _ = command.args([world.service.platform.database.url("flip360_owner"), world.double.url.clone()]);
    let _ = command.arg(world.now().to_string());
    if let Some((point, n)) = dies {
        let _ = command.args([point, &n.to_string()]);
    }
    command.status().expect("the worker runs")
}

/// The worker is killed where a payout's sending passes; whoever comes after it finishes its work.
fn killed(point: &str, transfers_before: usize) {
    let world = World::bare();
    world.enable();
    world.fund(EARNED * i64::from(SEEDS));
    for seed in 0..SEEDS {
        if seed > 0 {
            import(&world.service.platform, &row(&format!("K-{seed}"), "200000.00", ""));
        }
        let _ = world.executed();
        let made = world.double.transfers().len();
        let died = worker(&world, Some((point, 1)));
        assert_eq!(died.signal(), Some(9), "{point} {seed}");
        assert_eq!(world.double.transfers().len() - made, transfers_before, "{point} {seed}");
        if seed % 2 == 0 {
            // Nobody else takes it before it counts as dead.
            assert!(worker(&world, None).success());
            assert_eq!(world.double.transfers().len() - made, transfers_before, "{point} {seed}");
        } else {
            // What Stripe tells may come first.
            world.tell(&world.double.events());
        }
        world.wait(LEASE);
        assert!(worker(&world, None).success());
        assert_eq!(world.state(), "settled", "{point} {seed}");
        assert_eq!(world.double.transfers().len() - made, 1, "{point} {seed}");
        if seed % 5 == 0 {
            world.is_whole();
        }
    }
    assert_eq!(world.number("select count(*) from payout where rail = 'stripe' and state <> 'settled'"), 0);
    assert_eq!(world.double.balance(), 0);
    world.is_whole();
}

#[test]
fn killed_before_the_call() {
    killed("before-call", 0);
}

#[test]
fn killed_after_the_call() {
    killed("after-call", 1);
}

#[test]
fn killed_before_the_commit() {
    killed("before-commit", 1);
}

#[test]
fn killed_after_the_commit() {
    killed("after-commit", 1);
}

/// What was reversed at Stripe in all, in cents.
fn reversed(world: &World) -> i64 {
    world.double.transfers().iter().map(|transfer| transfer["amount_reversed"].as_i64().expect("an amount")).sum()
}

/// The worker is killed where the taking back of a clawback passes; whoever comes after it finishes its work.
fn killed_while_taking_back(point: &str, reversed_before: i64) {
    let world = World::bare();
    world.enable();
    world.fund(EARNED * i64::from(SEEDS));
    let debt = "select sum(recoverable_minor) from commission_line l join member m on m.id = l.member_id where m.member_ref = 'M016'";
    for seed in 0..SEEDS {
        let reference = if seed == 0 { "C-1".to_owned() } else { format!("K-{seed}") };
        import(&world.service.platform, &row(&reference, "200000.00", ""));
        let _ = world.executed();
        assert!(worker(&world, None).success());
        assert_eq!(world.state(), "settled", "{point} {seed}");
        import(&world.service.platform, &row(&reference, "200000.00", "2026-05-01"));
        assert_eq!(world.number(debt), EARNED, "{point} {seed}");
        let payout = text(&world.payouts()[0], "id");
        let why = serde_json::json!({"reason": "The deal unwound"});
        let asked = world.service.post(&format!("/v1/payouts/{payout}/reverse"), &world.finance(), &why);
        let _ = asked.expect(202);
        let made = reversed(&world);
        let died = worker(&world, Some((point, 1)));
        assert_eq!(died.signal(), Some(9), "{point} {seed}");
        assert_eq!(reversed(&world) - made, reversed_before, "{point} {seed}");
        if seed % 2 == 0 {
            // Nobody else takes it before it counts as dead.
            assert!(worker(&world, None).success());
            assert_eq!(reversed(&world) - made, reversed_before, "{point} {seed}");
        } else {
            // What Stripe tells may come first.
            world.tell(&world.double.events());
        }
        world.wait(LEASE);
        assert!(worker(&world, None).success());
        assert_eq!(reversed(&world) - made, EARNED, "{point} {seed}");
        assert_eq!(world.number(debt), 0, "{point} {seed}");
        if seed % 5 == 0 {
            world.is_whole();
        }
    }
    assert_eq!(world.number("select count(*) from stripe_recall where state <> 'made'"), 0);
    world.is_whole();
}

#[test]
fn killed_before_a_reversal_is_asked_for() {
    killed_while_taking_back("before-call", 0);
}

#[test]
fn killed_after_a_reversal_was_made() {
    killed_while_taking_back("after-call", EARNED);
}

#[test]
fn killed_before_the_commit_of_a_reversal() {
    killed_while_taking_back("before-commit", EARNED);
}

#[test]
fn killed_after_the_commit_of_a_reversal() {
    killed_while_taking_back("after-commit", EARNED);
}

#[test]
fn the_same_run_from_two_processes_is_one() {
    let world = World::ready();
    let run = domain::kernel::ids::PayoutRunId::parse(&text(&world.approved(), "id")).expect("an id");
    let (ours, theirs) = (world.service.app.clone(), world.service.neighbour());
    let execute = |app: &api::app::App| {
        let actor = domain::access::Actor::service();
        let on = OnRun { run, version: None };
        app.store.transaction(|uow| execute::execute(uow, &app.env(&actor), &on)).expect("an outcome")
    };
    let done: Vec<Execution> = std::thread::scope(|scope| {
        let both = [scope.spawn(|| execute(&ours)), scope.spawn(|| execute(&theirs))];
        both.into_iter().map(|one| one.join().expect("no panic")).collect()
    });
    assert!(done.iter().all(|done| matches!(done, Execution::Done(_))), "{done:?}");
    assert_eq!(world.number("select count(*) from payout where rail = 'stripe'"), 1);
    // And it is sent by processes of their own, at once.
    let sent: Vec<ExitStatus> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..3).map(|_| scope.spawn(|| worker(&world, None))).collect();
        all.into_iter().map(|one| one.join().expect("no panic")).collect()
    });
    assert!(sent.iter().all(ExitStatus::success), "{sent:?}");
    assert_eq!(world.double.transfers().len(), 1);
    assert_eq!(world.double.asked("POST /v1/transfers").len(), 1);
    assert_eq!(world.state(), "settled");
    world.is_whole();
}

#[test]
fn many_processes_over_many_payouts_send_each_once() {
    let world = World::bare();
    world.enable();
    world.fund(EARNED * 6);
    let runs: Vec<Value> = (0..6)
        .map(|n| {
            if n > 0 {
                import(&world.service.platform, &row(&format!("P-{n}"), "200000.00", ""));
            }
            world.executed()
        })
        .collect();
    assert_eq!(runs.len(), 6);
    let sent: Vec<ExitStatus> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| scope.spawn(|| worker(&world, None))).collect();
        all.into_iter().map(|one| one.join().expect("no panic")).collect()
    });
    assert!(sent.iter().all(ExitStatus::success), "{sent:?}");
    assert_eq!(world.double.transfers().len(), 6);
    assert_eq!(world.double.balance(), 0);
    world.is_whole();
}
