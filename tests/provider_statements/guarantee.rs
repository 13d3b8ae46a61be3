//! The fifth guarantee: what providers paid is what their statements say, and who cheats is named.

use domain::chain::signer::Signer as _;
use domain::guarantees::Guarantee;
use domain::guarantees::run::{RunLabel, examine};
use domain::kernel::id::{IdSource as _, encode};
use domain::kernel::ids::GuaranteeRunId;

use crate::world::{UPFRONT, World, line};

/// What the payout guarantee says: its figures, and the counterexamples as id and code.
fn payout(world: &World) -> (Vec<(String, String)>, Vec<(String, String)>) {
    let platform = &world.platform;
    let id = GuaranteeRunId::new(platform.ids.next());
    let label = RunLabel { id, kid: platform.signer.kid(), taken_at: platform.now };
    let report = examine(platform.store(), &platform.trust(), &label, &mut |_| ()).expect("the store answers");
    let result = report.guarantees.into_iter().find(|result| result.guarantee == Guarantee::Payout).expect("a result");
    let figures = result.figures.into_iter().collect();
    (figures, result.counterexamples.into_iter().map(|c| (c.id, c.code)).collect())
}

fn told() -> World {
    let world = World::new();
    world.map("exclusive");
    world.loans(&[("L-1", "2026-08-03", ""), ("L-2", "2026-08-04", "")]);
    let lines = [line("L-1", "Upfront", UPFRONT, "20/08/2026"), line("X-1", "Upfront", 1_000, "20/08/2026")];
    let _ = world.state(&lines, UPFRONT + UPFRONT / 10 + 1_100, ("2026-08-01", "2026-08-31"));
    let _ = world.platform.sequence();
    world
}

#[test]
fn its_figures_are_there_and_it_holds() {
    let (figures, broken) = payout(&told());
    assert_eq!(broken, []);
    for (name, minor) in [("received_minor", UPFRONT), ("unapplied_minor", 1_100), ("paid_minor", 0)] {
        assert!(figures.contains(&(name.to_owned(), minor.to_string())), "{name}: {figures:?}");
    }
}

#[test]
fn who_cheats_is_named() {
    let cheats = [
        (
            "update provider_line_step set applied_minor = applied_minor - 1, gst_minor = gst_minor + 1 where deal_id is not null",
            "pline",
            "receipt_differs_from_line",
            "select line_id as id from provider_line_step where deal_id is not null",
        ),
        (
            "delete from provider_line_step where deal_id is null",
            "pline",
            "receipt_differs_from_line",
            "select line_id as id from provider_line_step where deal_id is null",
        ),
        (
            "update commission_line set earned_minor = earned_minor + 1 where role = 'platform'",
            "org",
            "receivable_does_not_add_up",
            "select id from organisation where kind = 'provider'",
        ),
    ];
    for (cheat, prefix, code, of) in cheats {
        let world = told();
        let named = format!("{prefix}_{}", encode(world.platform.ids_of(of)[0]));
        world.platform.tamper(cheat);
        let (_, broken) = payout(&world);
        assert!(broken.contains(&(named.clone(), code.to_owned())), "{named} {code}: {broken:?}");
    }
}
