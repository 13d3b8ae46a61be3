//! `make stripe-rehearsal`: walks the checklist of payouts by Stripe and prints a report.
//!
//! Without a key against the double, the whole service and its ledger with it. With `FLIP360_STRIPE_KEY` set to a
//! test-mode key (`sk_test_…`, `rk_test_…`) the steps that need nothing but Stripe run against Stripe itself; live keys
//! are refused. `FLIP360_STRIPE_REHEARSAL_ACCOUNT` names a connected account of the test mode that takes transfers: with
//! it, and a balance of at least one dollar, transfers and reversals are made there too. Ends with 1 if a step failed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

mod against_double;
mod against_stripe;
#[expect(dead_code, reason = "the tests use all of it")]
#[path = "../world.rs"]
mod world;

/// A step: what is shown, and what is done. `Ok` may say more; `Err` says why it could not be done here.
pub type Step = (&'static str, Box<dyn Fn() -> Result<String, String>>);

enum Came {
    Well(String),
    Skipped(String),
    Failed(String),
}

fn done(step: &Step) -> Came {
    match catch_unwind(AssertUnwindSafe(|| (step.1)())) {
        Ok(Ok(said)) => Came::Well(said),
        Ok(Err(why)) => Came::Skipped(why),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            Came::Failed(text.or_else(|| panic.downcast_ref::<&str>().map(|t| (*t).to_owned())).unwrap_or_default())
        }
    }
}

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|_| {}));
    let key = std::env::var("FLIP360_STRIPE_KEY").ok().filter(|key| !key.is_empty());
    let steps = match &key {
        None => {
            println!("Stripe rehearsal against the double (FLIP360_STRIPE_KEY is not set)\n");
            against_double::steps()
        }
        Some(key) if key.starts_with("sk_test_") || key.starts_with("rk_test_") => {
            println!("Stripe rehearsal against Stripe itself, in test mode\n");
            against_stripe::steps(key)
        }
        Some(_) => {
            eprintln!("A rehearsal takes a test-mode key alone: sk_test_… or rk_test_…");
            return ExitCode::from(2);
        }
    };
    let (mut failed, mut skipped) = (0, 0);
    for step in &steps {
        let (mark, said) = match done(step) {
            Came::Well(said) => ("ok     ", said),
            Came::Skipped(why) => {
                skipped += 1;
                ("skipped", why)
            }
            Came::Failed(why) => {
                failed += 1;
                ("FAILED ", why)
            }
        };
        println!("{mark}  {:<58} {said}", step.0);
    }
    println!("\n{} steps: {} well, {failed} failed, {skipped} skipped", steps.len(), steps.len() - failed - skipped);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
