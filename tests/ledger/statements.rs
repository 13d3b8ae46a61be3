//! Statements of payees: opening and movements are closing, to the cent, over histories that nobody chose.

use std::collections::BTreeMap;

use domain::access::{Role, Viewer};
use domain::kernel::ids::PayeeId;
use domain::kernel::{Instant, PageRequest};
use domain::ledger::release;
use domain::payouts::outcome::{self, Came, Outcome};
use domain::payouts::payout::PayoutState;
use domain::payouts::repository::PayoutFilter;
use serde_json::{Value, json};

use crate::world::{World, import, text};

/// Minimal standard generator (Park and Miller 1988): the same walk on every machine.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        self.0 % sides
    }
}

const BUCKETS: [&str; 6] = ["owed", "accrued", "held", "available", "in_transit", "recoverable"];

fn cents(buckets: &Value) -> [i64; 6] {
    BUCKETS.map(|bucket| buckets[bucket]["amount"].as_i64().unwrap_or_else(|| panic!("no {bucket}: {buckets}")))
}

fn plus(one: [i64; 6], other: [i64; 6]) -> [i64; 6] {
    std::array::from_fn(|n| one[n] + other[n])
}

/// Runs, unwinds, corrects, pays and has payments come back, day after day.
fn history(seed: u64) -> World {
    let mut dice = Dice(seed * 7_919);
    let mut world = World::with_deals(&[]);
    let mut deals: BTreeMap<String, bool> = BTreeMap::new();
    for day in 1..=14 {
        world.on(Instant::new(format!("2026-12-{day:02}T02:00:00Z").parse().expect("a time")));
        match dice.throw(5) {
            0 | 1 => {
                let _ = deals.insert(format!("R-{day}"), false);
            }
            2 => {
                let place = usize::try_from(dice.throw(deals.len().max(1) as u64)).expect("small");
                if let Some(unwound) = deals.values_mut().nth(place) {
                    *unwound = !*unwound;
                }
            }
            3 => pay(&world),
            _ => settle(&world, &mut dice),
        }
        let rows: Vec<(&str, &str)> =
            deals.iter().map(|(name, unwound)| (name.as_str(), if *unwound { "2026-06-01" } else { "" })).collect();
        import(&world.service.platform, &rows);
        let platform = &world.service.platform;
        while platform.store().transaction(|uow| release::due(uow, &platform.env())).expect("a release") > 0 {}
    }
    world
}

fn pay(world: &World) {
    let run =
        world.service.post("/v1/payout-runs", &world.finance, &json!({"bank_account_id": world.bank})).expect(201);
    if run["payouts"].as_i64() == Some(0) {
        return;
    }
    let path = |act: &str| format!("/v1/payout-runs/{}/{act}", text(&run, "id"));
    let _ = world.service.post(&path("propose"), &world.finance, &json!({})).expect(200);
    let seen = json!({"content_sha256": run["content_sha256"]});
    let _ = world.service.post(&path("approve"), &world.approver, &seen).expect(200);
    let _ = world.service.post(&path("execute"), &world.finance, &json!({})).expect(200);
}

/// What is under way arrives or comes back.
fn settle(world: &World, dice: &mut Dice) {
    let platform = &world.service.platform;
    let filter = PayoutFilter { state: Some(PayoutState::InTransit), ..PayoutFilter::default() };
    let open = platform.store().read(&Viewer::Everything, |q| q.payouts().list_payouts(&filter, &PageRequest::of(200)));
    let outcomes: Vec<Outcome> = open
        .expect("payouts")
        .data
        .iter()
        .map(|payout| Outcome {
            payout: payout.id,
            came: if dice.throw(2) == 0 { Came::Through } else { Came::Back { reason: "3".into() } },
            effective_on: platform.now.sydney_date(),
            source: payout.id.uuid(),
        })
        .collect();
    let _ = platform.store().transaction(|uow| outcome::record(uow, &platform.env(), &outcomes)).expect("outcomes");
}

fn payees(world: &World) -> Vec<PayeeId> {
    let ids = "select distinct party_id as id from ledger_account where kind like 'payee_%' order by 1";
    world.service.platform.ids_of(ids).into_iter().map(PayeeId::new).collect()
}

fn statement(world: &World, payee: PayeeId, from: &str, to: &str) -> Value {
    let path = format!("/v1/payees/{payee}/statements?from={from}&to={to}&limit=200");
    world.service.get(&path, &world.finance).expect(200)
}

/// What the postings say of a payee's bucket up to a day, read behind the store's back.
fn stands(world: &World, payee: PayeeId, to: &str) -> [i64; 6] {
    let bucket = |kind: &str, sign: i64| {
        sign * world.count(&format!(
            "select coalesce(sum(p.amount_minor), 0) from ledger_posting p join ledger_account a on a.id = p.account_id
             join ledger_entry e on e.seq = p.entry_seq where a.kind = '{kind}' and a.party_id = '{}' and e.effective_on <= '{to}'",
            payee.uuid()
        ))
    };
    let [accrued, held, available, in_transit] =
        ["payee_accrued", "payee_held", "payee_available", "payee_in_transit"].map(|kind| bucket(kind, -1));
    let recoverable = bucket("clawback_recoverable", 1);
    [accrued + held + available + in_transit - recoverable, accrued, held, available, in_transit, recoverable]
}

#[test]
fn opening_and_movements_are_closing_over_any_days_of_any_history() {
    for seed in 1..=3 {
        let world = history(seed);
        let days = ["2026-01-01", "2026-02-01", "2026-06-01", "2026-12-05", "2026-12-10", "2027-01-01"];
        let payees = payees(&world);
        assert!(!payees.is_empty());
        for payee in payees {
            let mut last = [0; 6];
            for pair in days.windows(2) {
                // The day before the next one begins.
                let to: jiff::civil::Date = pair[1].parse().expect("a date");
                let to = to.yesterday().expect("a date").to_string();
                let told = statement(&world, payee, pair[0], &to);
                let opening = cents(&told["opening"]);
                assert_eq!(opening, last, "where one period ends the next begins");
                let moved = told["movements"].as_array().expect("movements");
                let sum = moved.iter().map(|movement| cents(&movement["change"])).fold([0; 6], plus);
                let closing = cents(&told["closing"]);
                assert_eq!(plus(opening, sum), closing);
                assert_eq!(closing, stands(&world, payee, &to), "{payee} on {to} of history {seed}");
                let lines = told["data"].as_array().expect("lines");
                let by_line = lines.iter().map(|line| cents(&line["change"])).fold([0; 6], plus);
                assert_eq!(by_line, sum, "the entries are the movements");
                for (n, kind) in ["released", "sent", "recovered"].iter().enumerate() {
                    let owed = moved.iter().filter(|m| m["movement"] == *kind).map(|m| cents(&m["change"])[0]);
                    assert_eq!(owed.sum::<i64>(), 0, "{n}: moving within changes nothing of what is owed");
                }
                last = closing;
            }
        }
    }
}

#[test]
fn each_entry_leads_to_its_explanation_and_its_receipt() {
    let world = World::with_deals(&[("C-1", "")]);
    world.service.sequence();
    let payee = payees(&world)[0];
    let told = statement(&world, payee, "2026-01-01", "2026-12-31");
    let reader = world.service.token(&[Role::Auditor], None, None);
    let lines = told["data"].as_array().expect("lines");
    assert!(!lines.is_empty());
    for line in lines {
        assert_eq!(world.service.get(&text(line, "explanation"), &reader).status, 200, "{line}");
        assert_eq!(world.service.get(&text(line, "receipt"), &reader).status, 200, "{line}");
    }
    let earned = told["movements"].as_array().expect("movements").iter().find(|m| m["movement"] == "earned");
    assert!(earned.is_some_and(|earned| earned["moved"]["amount"].as_i64() > Some(0)));
}

#[test]
fn the_payees_organisation_reads_the_same_and_nobody_else_anything() {
    let world = history(2);
    let partner = world.service.partner();
    for payee in payees(&world) {
        let path = format!("/v1/payees/{payee}/statements?from=2026-01-01&to=2026-12-31&limit=200");
        let own = world.service.get(&path, &partner).expect(200);
        assert_eq!(own, world.service.get(&path, &world.finance).expect(200));
        let _ = world.service.get(&path, &world.service.stranger()).problem(404, "not_found");
        let short = format!("/v1/payees/{payee}/statements?from=2026-01-01&to=2026-12-31&limit=1");
        let first = world.service.get(&short, &partner).expect(200);
        assert_eq!((&first["opening"], &first["closing"]), (&own["opening"], &own["closing"]));
    }
    let payee = payees(&world)[0];
    let path = format!("/v1/payees/{payee}/statements?from=2026-12-31&to=2026-01-01");
    let _ = world.service.get(&path, &partner).problem(400, "invalid_value");
    let _ = world.service.get(&format!("/v1/payees/{payee}/statements"), &partner).problem(400, "required");
}
