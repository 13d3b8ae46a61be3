//! Whatever happens in whatever order: settling, unwinding, correcting, putting aside, assigning, paying. The promises of the harness
//! are checked when each platform is dropped; besides, what a member has been sent and is still owed is
//! what it earned less what was taken back.

use std::collections::BTreeMap;

use domain::kernel::ids::{HoldId, LineId, PayeeId};
use domain::payouts::assignment::AssignmentError;
use harness::platform::Platform;

use uuid::Uuid;

use crate::assignments::{approve, deed, propose};
use crate::holds::{asked, let_go, place};
use crate::runs::{import, with_deals};
use crate::world::{approved, execute, keep, paid, people};

/// Minimal standard generator (Park and Miller 1988): the same walk on every machine.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        self.0 % sides
    }
}

/// Sums of one member's lines, read behind the store's back.
fn member(platform: &Platform, name: &str, what: &str) -> i64 {
    platform.number(&format!(
        "select coalesce(sum({what}), 0) from commission_line l join member m on m.id = l.member_id where m.member_ref = '{name}'"
    ))
}

fn pick(dice: &mut Dice, ids: Vec<Uuid>) -> Option<Uuid> {
    let place = usize::try_from(dice.throw(ids.len().max(1) as u64)).expect("small");
    ids.into_iter().nth(place)
}

#[test]
fn no_order_of_events_loses_or_makes_a_cent() {
    const NAMES: [&str; 3] = ["M016", "M001", "M004"];
    for seed in 1..=4 {
        let mut dice = Dice(seed * 7_919);
        let platform = with_deals(&[]);
        let people = people();
        let account = keep(&platform, &people.finance, seed % 2 == 0);
        let mut deals: BTreeMap<String, (&str, bool)> = BTreeMap::new();
        for n in 0..36 {
            let row = |(reference, (name, unwound)): (&String, &(&'static str, bool))| {
                (reference.clone(), *name, if *unwound { "2026-06-01" } else { "" })
            };
            match dice.throw(7) {
                0 => {
                    let name = NAMES[usize::try_from(dice.throw(3)).expect("small")];
                    deals.insert(format!("R-{n}"), (name, false));
                }
                1 => {
                    let place = usize::try_from(dice.throw(deals.len().max(1) as u64)).expect("small");
                    if let Some((_, (_, unwound))) = deals.iter_mut().nth(place) {
                        *unwound = !*unwound;
                    }
                }
                2 => {
                    let run = crate::world::preview(&platform, &people.finance, &account);
                    if !run.content.content().payouts.is_empty() {
                        let _ = paid(&platform, &people, &account);
                    }
                }
                3 => {
                    let lines =
                        platform.ids_of("select id from commission_line where payee_id is not null order by id");
                    if let Some(line) = pick(&mut dice, lines) {
                        let amount_minor = i64::try_from(1 + dice.throw(100_000)).expect("small");
                        let command = asked(LineId::new(line), Some(amount_minor));
                        let _ = place(&platform, &people.finance, &command).expect("placed");
                    }
                }
                4 => {
                    let holds = platform.ids_of("select id from line_hold where state = 'active' order by id");
                    if let Some(hold) = pick(&mut dice, holds) {
                        let _ = let_go(&platform, &people.finance, HoldId::new(hold)).expect("released");
                    }
                }
                5 => {
                    let payees = platform.ids_of(
                        "select distinct payee_id as id from commission_line where payee_id is not null order by 1",
                    );
                    let [from, to] = [0; 2].map(|_| pick(&mut dice, payees.clone()).map(PayeeId::new));
                    if let (Some(from), Some(to)) = (from, to)
                        && from != to
                    {
                        match propose(&platform, &people.finance, from, &deed(to)) {
                            Ok(proposed) => drop(approve(&platform, &people.approver, &proposed).expect("approved")),
                            Err(AssignmentError::Nothing { .. }) => {}
                            Err(error) => panic!("{error}"),
                        }
                    }
                }
                _ => {
                    let run = crate::world::preview(&platform, &people.finance, &account);
                    if !run.content.content().payouts.is_empty() {
                        let run = approved(&platform, &people, &account);
                        deals.insert(format!("R-{n}"), (NAMES[0], true));
                        let rows: Vec<_> = deals.iter().map(row).collect();
                        import(&platform, &rows.iter().map(|r| (r.0.as_str(), r.1, r.2)).collect::<Vec<_>>());
                        let _ = execute(&platform, &people.finance, &run).expect("an outcome");
                    }
                }
            }
            let rows: Vec<_> = deals.iter().map(row).collect();
            import(&platform, &rows.iter().map(|r| (r.0.as_str(), r.1, r.2)).collect::<Vec<_>>());
        }
        for name in NAMES {
            let own = deals.values().filter(|(of, unwound)| *of == name && !unwound).count();
            let owed = member(&platform, name, "earned_minor - clawed_back_minor");
            // M004 is above M016 and gets $130 of each of its deals; nobody is above M001 and M004.
            let above = deals.values().filter(|(of, unwound)| *of == "M016" && !unwound && name == "M004").count();
            let wanted = i64::try_from(own * 78_000 + above * 13_000).expect("small");
            assert_eq!(owed, wanted, "{name} after walk {seed}");
            let lies =
                "available_minor + accrued_minor + held_minor + in_transit_minor + set_off_minor - recoverable_minor";
            assert_eq!(member(&platform, name, lies), owed, "{name} after walk {seed}");
        }
    }
}
