//! The execution of a payout run under fire: killed before and after each of its statements, run by two processes at
//! once, and on a disk that is full. Either all of it is there, or nothing; no cent is wrong, and the guarantees hold.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output, Stdio};

use diesel::connection::SimpleConnection as _;
use domain::chain::signer::Signer as _;
use domain::guarantees::run::{RunLabel, examine};
use domain::kernel::id::IdSource as _;
use domain::kernel::ids::GuaranteeRunId;
use domain::payouts::PayoutRun;
use harness::platform::Platform;

use crate::Draws;
use crate::world::{People, approved, keep, people};

/// How many seeds are killed at the four points that matter most.
const SEEDS: u64 = 25;
/// Those points: around the writing of the bank file, and around the commit.
const POINTS: [&str; 4] =
    ["before:insert into bank_file (", "after:insert into bank_file (", "before:COMMIT", "after:COMMIT"];

/// How many seeds are killed at every statement; `FLIP360_PAYOUT_KILL_SEEDS` asks for more (25 take a quarter of an hour).
fn swept_seeds() -> u64 {
    std::env::var("FLIP360_PAYOUT_KILL_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

const MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");
const HEADER: &str = "external_ref,member_ref,client_name,product_code,referred_on,contracted_on,settled_on,settled_amount,offset_balance,discharged_on";

/// A platform with a few deals, and an approved run over them.
fn ready(draws: &mut Draws) -> (Platform, People, PayoutRun) {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let mut file = format!("{HEADER}\n");
    for n in 0..=draws.below(3) {
        let member = ["M016", "M001", "M002"][usize::try_from(draws.below(3)).expect("small")];
        let dollars = 100_000 + draws.below(400_000);
        file.push_str(&format!("K-{n},{member},Ann,FIXED-3Y,2026-01-01,2026-01-10,2026-02-01,{dollars}.00,0.00,\n"));
    }
    assert!(platform.import(file.as_bytes()).refused.is_empty());
    let people = people();
    let account = keep(&platform, &people.finance, draws.below(2) == 0);
    let run = approved(&platform, &people, &account);
    (platform, people, run)
}

fn worker(platform: &Platform, people: &People, run: &PayoutRun, moment: Option<&str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_payout-worker"));
    command.arg(platform.database.url("flip360_owner")).arg(run.id.to_string()).arg(people.finance.id.to_string());
    command.args(moment);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Everything that an execution writes, counted.
fn written(platform: &Platform) -> [i64; 6] {
    [
        "select count(*) from payout",
        "select count(*) from payout_line",
        "select count(*) from bank_file",
        "select count(*) from bank_file_payout",
        "select count(*) from ledger_entry where kind = 'payout_initiated'",
        "select count(*) from payout_run where state = 'executed'",
    ]
    .map(|sql| platform.number(sql))
}

fn whole(platform: &Platform, run: &PayoutRun) {
    let payouts = i64::try_from(run.content.content().payouts.len()).expect("small");
    let [made, lines, files, held, entries, executed] = written(platform);
    assert_eq!((made, files, held, entries, executed), (payouts, 1, payouts, payouts, 1));
    assert!(lines >= payouts);
    assert_eq!(platform.number("select sum(total_minor) from bank_file"), run.content.content().total.0);
    let _ = platform.sequence();
    let id = GuaranteeRunId::new(platform.ids.next());
    let label = RunLabel { id, kid: platform.signer.kid(), taken_at: platform.now };
    let report = examine(platform.store(), &platform.trust(), &label, &mut |_| ()).expect("the store answers");
    assert!(report.holds, "{:?}", report.guarantees);
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn draws(seed: u64) -> Draws {
    Draws(0x0f11_9360_2026_1130 ^ (seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// One seed: killed at each point in turn, then executed by whoever asks again.
fn killed_at_the_points(seed: u64) {
    let (platform, people, run) = ready(&mut draws(seed));
    for point in POINTS {
        let output = worker(&platform, &people, &run, Some(point)).output().expect("it runs");
        assert_eq!(output.status.signal(), Some(9), "seed {seed}, {point}: {}", said(&output));
        let after = written(&platform);
        assert_eq!(after[5], i64::from(point == "after:COMMIT"), "seed {seed}, {point}");
        assert!(after[5] == 1 || after == [0; 6], "seed {seed}, {point}: {after:?}");
    }
    let again = worker(&platform, &people, &run, None).output().expect("it runs");
    assert!(said(&again).starts_with("executed"), "{}", said(&again));
    whole(&platform, &run);
}

/// One seed: killed at every moment in turn until it survives. Gives how many died.
fn swept(seed: u64) -> u64 {
    let (platform, people, run) = ready(&mut draws(seed));
    let before = written(&platform);
    assert_eq!(before, [0; 6]);
    let mut deaths = 0;
    loop {
        let output = worker(&platform, &people, &run, Some(&(deaths + 1).to_string())).output().expect("it runs");
        if output.status.signal() != Some(9) {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            assert!(said(&output).starts_with("executed"), "{}", said(&output));
            break;
        }
        deaths += 1;
        let after = written(&platform);
        // Only a death behind the commit leaves anything, and then it leaves everything.
        assert!(after == [0; 6] || after[5] == 1, "seed {seed}, moment {deaths}: {after:?}");
        if after[5] == 1 {
            break;
        }
    }
    // Whoever asks again gets what there is.
    let again = worker(&platform, &people, &run, None).output().expect("it runs");
    assert!(said(&again).starts_with("executed"), "{}", said(&again));
    whole(&platform, &run);
    deaths
}

/// The work for each seed, on two threads.
fn on_two_threads<R: Send>(seeds: u64, work: impl Fn(u64) -> R + Sync) -> Vec<R> {
    let work = &work;
    std::thread::scope(|scope| {
        let halves: Vec<_> =
            (0..2).map(|half| scope.spawn(move || (half..seeds).step_by(2).map(work).collect::<Vec<_>>())).collect();
        halves.into_iter().flat_map(|half| half.join().expect("no panic")).collect()
    })
}

#[test]
fn killed_around_the_file_and_the_commit_an_execution_is_whole_or_nothing() {
    let _ = on_two_threads(SEEDS, killed_at_the_points);
}

#[test]
fn killed_at_every_statement_an_execution_is_whole_or_nothing() {
    let deaths = on_two_threads(swept_seeds(), swept);
    // Locking, writing, posting and committing are far more statements than these.
    assert!(!deaths.is_empty() && deaths.iter().all(|deaths| *deaths > 30), "{deaths:?}");
    println!("{} processes died", deaths.iter().sum::<u64>());
}

#[test]
fn two_processes_execute_one_run_once() {
    for seed in 0..8 {
        let (platform, people, run) = ready(&mut Draws(77 + seed));
        let mut both = [0, 1].map(|_| worker(&platform, &people, &run, None).spawn().expect("it starts"));
        for child in &mut both {
            assert!(child.wait().expect("it ends").success());
        }
        whole(&platform, &run);
    }
}

#[test]
fn a_disk_that_is_full_while_the_file_is_written_leaves_nothing() {
    let (platform, people, run) = ready(&mut Draws(5));
    let mut owner = platform.owner();
    // What PostgreSQL says when it cannot extend a file, raised where the bank file is written, and at the commit.
    for name in ["at_once", "at_commit"] {
        let constraint = if name == "at_commit" { ("constraint", "deferrable initially deferred") } else { ("", "") };
        owner
            .batch_execute(&format!(
                "create function {name}() returns trigger language plpgsql as $$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$;
                 create {} trigger {name} after insert on bank_file {} for each row execute function {name}();",
                constraint.0, constraint.1
            ))
            .expect("a trigger");
        let output = worker(&platform, &people, &run, None).output().expect("it runs");
        assert_eq!(output.status.code(), Some(3), "{name}: {}", said(&output));
        assert_eq!(written(&platform), [0; 6], "{name}");
        owner.batch_execute(&format!("drop trigger {name} on bank_file; drop function {name}()")).expect("dropped");
    }
    // With room again, it goes.
    assert!(said(&worker(&platform, &people, &run, None).output().expect("it runs")).starts_with("executed"));
    whole(&platform, &run);
}
