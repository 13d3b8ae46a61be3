//! The guarantees over real data: they hold, they count what they cover, and each names what breaks it.

mod assigned;
mod broken;
mod cli;
mod counters;
mod holds;
mod http;
mod runs;
mod two_people;

#[expect(dead_code, reason = "the world of the payout tests, of which these need a part")]
#[path = "../payouts/world.rs"]
mod payouts;

use domain::chain::signer::Signer;
use domain::guarantees::run::{RunLabel, examine};
use domain::guarantees::{Guarantee, GuaranteeResult, Report};
use domain::kernel::id::IdSource;
use domain::kernel::ids::GuaranteeRunId;
use harness::platform::Platform;

const EXAMPLE: &[u8] = include_bytes!("../../data/v01/v01-example-deals.csv");
const MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");

/// The example, its holds expired, one run paid, everything logged and signed.
fn paid() -> Platform {
    let mut platform = Platform::new();
    platform.onboard(MEMBERS);
    let _ = platform.import(EXAMPLE);
    platform.now = domain::kernel::Instant::new("2028-06-30T02:00:00Z".parse().expect("a time"));
    let people = payouts::people();
    let account = payouts::keep(&platform, &people.finance, false);
    let _ = payouts::paid(&platform, &people, &account);
    let _ = platform.sequence();
    platform
}

fn report(platform: &Platform) -> Report {
    let label =
        RunLabel { id: GuaranteeRunId::new(platform.ids.next()), kid: platform.signer.kid(), taken_at: platform.now };
    let mut heard = Vec::new();
    let report = examine(platform.store(), &platform.trust(), &label, &mut |guarantee| heard.push(guarantee));
    assert_eq!(heard, Guarantee::ALL);
    report.expect("the store answers")
}

fn of(report: &Report, guarantee: Guarantee) -> &GuaranteeResult {
    report.guarantees.iter().find(|result| result.guarantee == guarantee).expect("a result")
}
