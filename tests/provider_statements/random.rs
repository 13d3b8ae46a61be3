//! Statements that are derived from deals by known distortions: the exceptions are exactly the distortions, and no cent is
//! lost, in whatever order statements come. What an item takes is worked out a second time by SQL from the words of the
//! domain document alone: of each item what its lines bring, and at most what the ledger expects.

use crate::world::{Line, UPFRONT, World, line};

/// Minimal standard generator (Park and Miller 1988): the same walk on every machine.
struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        self.0 % sides
    }

    fn cents(&mut self, most: u64) -> i64 {
        i64::try_from(2 + self.throw(most)).expect("small")
    }
}

const JULY: (&str, &str) = ("2026-07-01", "2026-07-31");
const DATE: &str = "20/07/2026";

/// What GST makes of an amount, as it stands in the file and as it is paid.
fn told(gst: &str, amount: i64) -> (i64, i64) {
    let tenth = (amount.abs() + 5) / 10 * amount.signum();
    match gst {
        "none" => (amount, amount),
        "exclusive" => (amount, amount + tenth),
        "inclusive" => (amount + tenth, amount + tenth),
        other => panic!("{other}"),
    }
}

/// Lines without GST, what is paid in all, and the exceptions that they make.
#[derive(Default)]
struct Made {
    lines: Vec<Line>,
    paid: i64,
    exceptions: Vec<String>,
}

impl Made {
    fn say(&mut self, gst: &str, reference: &str, kind: &'static str, amount: i64) {
        let (written, paid) = told(gst, amount);
        self.lines.push(line(reference, kind, written, DATE));
        self.paid += paid;
    }

    /// One distortion of a deal that is owed [`UPFRONT`], or was and unwound after it was paid.
    fn distort(&mut self, dice: &mut Dice, gst: &str, n: usize) {
        let reference = format!("L-{n}");
        let whole = told(gst, UPFRONT).1;
        match dice.throw(6) {
            0 => self.say(gst, &reference, "Upfront", UPFRONT),
            1 => {
                let short = dice.cents(100_000);
                self.say(gst, &reference, "Upfront", UPFRONT - short);
                self.exceptions.push(format!("short_paid {reference} -{short}"));
            }
            2 => self.exceptions.push(format!("missing {reference} -{UPFRONT}")),
            3 => {
                self.say(gst, &reference, "Upfront", UPFRONT);
                self.say(gst, &reference, "Upfront", UPFRONT);
                self.exceptions.push(format!("unexpected {reference} {whole}"));
            }
            4 => {
                let amount = dice.cents(50_000);
                self.say(gst, &reference, "Upfront", UPFRONT);
                self.say(gst, &format!("X-{n}"), "Upfront", amount);
                self.exceptions.push(format!("unexpected X-{n} {}", told(gst, amount).1));
            }
            _ => {
                // Taken back without a reason that we know of.
                let amount = -dice.cents(50_000);
                self.say(gst, &reference, "Upfront", UPFRONT);
                self.say(gst, &reference, "Clawback", amount);
                self.exceptions.push(format!("unexpected {reference} {}", told(gst, amount).1));
            }
        }
    }
}

/// What items take by the words of the specification, worked out of the lines alone.
const TAKEN: &str = "select coalesce(sum(least(said, expected)), 0) from (
    select d.id, (select sum(earned_minor - clawed_back_minor) from commission_line c where c.deal_id = d.id) expected, sum(l.amount_minor) said
    from provider_statement_line l join deal d on d.external_ref = l.reference where l.amount_minor > 0 group by d.id) x";

fn world(gst: &str, loans: usize) -> World {
    let world = World::new();
    world.map(gst);
    let names: Vec<String> = (0..loans).map(|n| format!("L-{n}")).collect();
    world.loans(&names.iter().map(|name| (name.as_str(), "2026-07-10", "")).collect::<Vec<_>>());
    world
}

#[test]
fn the_exceptions_are_exactly_the_distortions() {
    for (seed, gst) in [(1, "none"), (2, "exclusive"), (3, "inclusive"), (4, "none")] {
        let mut dice = Dice(seed * 7_919);
        let world = world(gst, 24);
        let expected = world.balance_of("provider_receivable");
        assert_eq!(expected, 24 * UPFRONT);
        let mut made = Made::default();
        for n in 0..24 {
            made.distort(&mut dice, gst, n);
        }
        let _ = world.state(&made.lines, made.paid, JULY);
        made.exceptions.sort();
        assert_eq!(world.exceptions(), made.exceptions, "seed {seed}");
        let taken = world.platform.number(TAKEN);
        assert_eq!(world.balance_of("provider_receivable"), expected - taken, "seed {seed}");
        assert_eq!(world.balance_of("cash"), made.paid, "seed {seed}");
        let rest = -world.balance_of("unapplied_receipts")
            - world.balance_of("gst_collected")
            - world.balance_of("rounding_difference");
        assert_eq!(rest, made.paid - taken, "seed {seed}");
    }
}

#[test]
fn in_whatever_order_statements_come_the_books_are_the_same() {
    for seed in 1..=3 {
        let made = |seed: u64| {
            let mut dice = Dice(seed);
            let mut made = Made::default();
            for _ in 0..16 {
                let n = dice.throw(10);
                let part = dice.cents(250_000);
                let whole = dice.throw(2) == 0;
                made.say("none", &format!("L-{n}"), "Upfront", if whole { UPFRONT } else { part });
            }
            made
        };
        let (one, other) = (made(seed * 104_729), made(seed * 1_299_709));
        let books = |order: [&Made; 2]| {
            let world = world("none", 10);
            for made in order {
                let _ = world.state(&made.lines, made.paid, JULY);
            }
            let taken = world.platform.number(TAKEN);
            assert_eq!(world.balance_of("provider_receivable"), 10 * UPFRONT - taken);
            world.books()
        };
        assert_eq!(books([&one, &other]), books([&other, &one]), "seed {seed}");
    }
}
