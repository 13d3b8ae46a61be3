//! A worker of its own process, which can be killed: sends payouts by Stripe, and takes back parts of transfers, until
//! nothing is due.
//!
//! `stripe-worker DATABASE-URL STRIPE-URL NOW [POINT N]`: its clock stands at NOW (RFC 3339). When it passes the point
//! (`before-call`, `after-call`, `before-commit`, `after-commit`) for the so-manieth time, it kills itself (SIGKILL).
//! Ends with 0 when nothing is due, with 3 when the store fails.

use std::process::{Command, ExitCode, id};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use domain::access::Actor;
use domain::chain::checkpoint::TreeHead;
use domain::chain::merkle::empty_root;
use domain::env::Env;
use domain::kernel::Instant;
use domain::payouts::stripe::recall;
use domain::payouts::stripe::sending::{self, BATCH, Point};
use harness::platform::{MemorySigner, ORIGIN};
use harness::stripe::KEY;
use integrations::ids::SystemIds;
use integrations::randomness::SystemRandomness;
use integrations::stripe::{Stripe, StripeConfig};
use persistence::{PgStore, PoolSizes};

fn point(text: &str) -> Option<Point> {
    Some(match text {
        "before-call" => Point::BeforeCall,
        "after-call" => Point::AfterCall,
        "before-commit" => Point::BeforeCommit,
        "after-commit" => Point::AfterCommit,
        _ => return None,
    })
}

#[expect(clippy::expect_used, reason = "a program of tests fails loudly")]
fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, stripe, now, rest @ ..] = arguments.as_slice() else { return ExitCode::from(2) };
    let dies = match rest {
        [at, n] => Some((point(at).expect("a point"), n.parse::<u32>().expect("a number"))),
        _ => None,
    };
    let config =
        StripeConfig { url: stripe.clone(), key: KEY.parse().expect("a key"), patience: Duration::from_secs(15) };
    let rail = Stripe::new(config).expect("a client");
    let store = PgStore::new(database, PoolSizes { writers: 2, readers: 1 });
    let (actor, signer) = (Actor::service(), MemorySigner::new(7));
    let env = Env {
        now: Instant::new(now.parse().expect("a time")),
        actor: &actor,
        ids: &SystemIds,
        randomness: &SystemRandomness,
        origin: ORIGIN,
        platform: &signer,
        seen: TreeHead { size: 0, root: empty_root() },
        environment: domain::access::Environment::Live,
    };
    let passed = AtomicU32::new(0);
    let pass = |at: Point| {
        if dies.is_some_and(|(wanted, n)| wanted == at && passed.fetch_add(1, Ordering::Relaxed) + 1 == n) {
            let _ = Command::new("kill").args(["-KILL", &id().to_string()]).status();
            // The signal is on its way.
            loop {
                std::thread::park();
            }
        }
    };
    loop {
        let sent = sending::turn(&store, &rail, &env, BATCH, &pass);
        match sent.and_then(|sent| Ok(sent + recall::turn(&store, &rail, &env, &pass)?)) {
            Ok(0) => return ExitCode::SUCCESS,
            Ok(_) => {}
            Err(error) => {
                eprintln!("{error}");
                return ExitCode::from(3);
            }
        }
    }
}
