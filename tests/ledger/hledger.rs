//! Ten thousand entries that nobody chose, read by hledger: what it checks holds, and its balances are ours.
//!
//! `hledger check` with its default checks (the journal parses, every transaction balances) and, besides, `accounts`,
//! `commodities`, `ordereddates` over an export in the order of dates, `uniqueleafnames` left out: parties have accounts
//! of several kinds. Entries by hand have any dates and accounts; those of deals come from settlements, runs and clawbacks.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};

use domain::kernel::id::encode;
use harness::skip::skip;
use serde_json::Value;

use crate::world::{World, entry, import, side};

struct Dice(u64);

impl Dice {
    fn throw(&mut self, sides: i64) -> i64 {
        self.0 = self.0 * 48_271 % 2_147_483_647;
        i64::try_from(self.0).expect("31 bits") % sides
    }
}

fn hledger(arguments: &[&str], journal: &str) -> Option<std::process::Output> {
    let run = Command::new("hledger")
        .args(["-f", "-"])
        .args(arguments)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = run else {
        skip("hledger does not check the ledger: it is not on the path");
        return None;
    };
    // A check that fails at once does not read to the end.
    let _ = child.stdin.take().expect("a pipe").write_all(journal.as_bytes());
    Some(child.wait_with_output().expect("hledger ends"))
}

/// Ten thousand entries by hand in two batches, and what deals, runs and a clawback make.
fn history() -> World {
    let world = World::with_deals(&[("C-1", ""), ("C-2", "")]);
    let mut dice = Dice(20_261_129);
    let kinds = ["adjustment", "fee", "funds_transfer", "opening"];
    for _ in 0..2 {
        let rows: Vec<Value> = (0..5_000)
            .map(|_| {
                let on = format!("2026-{:02}-{:02}", 1 + dice.throw(10), 1 + dice.throw(28));
                let mut sides = Vec::new();
                let mut left = 0;
                for _ in 0..=dice.throw(3) {
                    let cents = (1 + dice.throw(2_000_000)) * if dice.throw(2) == 0 { 1 } else { -1 };
                    left -= cents;
                    sides.push(any_side(&world, &mut dice, cents));
                }
                // The last one closes it, whatever it takes.
                let closing = if left == 0 {
                    vec![side("rail_fees", 1), side("rounding_difference", -1)]
                } else {
                    vec![any_side(&world, &mut dice, left)]
                };
                sides.extend(closing);
                let kind = kinds[usize::try_from(dice.throw(4)).expect("small")];
                entry(kind, &on, &sides)
            })
            .collect();
        let proposed = world.batch("atomic", &rows).expect(201);
        assert_eq!(world.approve(&proposed["proposal"]).expect(200)["state"], "posted");
    }
    import(&world.service.platform, &[("C-1", "2026-06-01"), ("C-2", ""), ("C-3", "")]);
    world
}

fn any_side(world: &World, dice: &mut Dice, cents: i64) -> Value {
    match dice.throw(6) {
        0 => world.cash(cents),
        1 => side("stripe_balance", cents),
        2 => side("opening_balance", cents),
        3 => side("rail_fees", cents),
        4 => {
            let mut revenue = side("commission_revenue", cents);
            revenue["account"]["vertical"] = format!("V{:02}", 1 + dice.throw(18)).into();
            revenue
        }
        _ => {
            let mut receivable = side("provider_receivable", cents);
            receivable["account"]["party_id"] = world.service.platform.provider.to_string().into();
            receivable
        }
    }
}

/// Cents by account as our own balances have them, under the names of the journal.
fn ours(world: &World) -> BTreeMap<String, i64> {
    let mut balances = BTreeMap::new();
    let mut next = String::new();
    loop {
        let path = format!("/v1/ledger/accounts?limit=200{next}");
        let page = world.service.get(&path, &world.finance).expect(200);
        for account in page["data"].as_array().expect("accounts") {
            let kind = account["kind"].as_str().expect("a kind");
            let class = domain::ledger::account::AccountKind::parse(kind).expect("a kind").class().as_str();
            let mut name = format!("{class}:{kind}");
            for part in [&account["party_id"], &account["vertical"]] {
                if let Some(part) = part.as_str() {
                    name.push(':');
                    name.push_str(part);
                }
            }
            let cents = account["balance"]["amount"].as_i64().expect("cents");
            if cents != 0 {
                assert_eq!(balances.insert(name, cents), None, "one account, one name");
            }
        }
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => return balances,
        }
    }
}

/// Accounts and balances as hledger prints them.
fn theirs(output: &std::process::Output) -> BTreeMap<String, i64> {
    let text = String::from_utf8(output.stdout.clone()).expect("text");
    let row = |line: &str| {
        let (name, amount) = line.trim_matches('"').split_once("\",\"").expect("two columns");
        let amount = amount.trim_end_matches(" AUD").replace(['.', ','], "");
        (name.to_owned(), amount.parse::<i64>().expect("a number"))
    };
    text.lines().skip(1).map(row).filter(|(_, cents)| *cents != 0).collect()
}

/// The entries of a journal in the order of their dates; those of one day stay in the order of the book.
fn by_date(journal: &str) -> String {
    let (head, body) = journal.split_at(journal.find("\n20").expect("an entry") + 1);
    let mut entries: Vec<&str> = body.split_inclusive("\n\n").collect();
    entries.sort_by_key(|entry| &entry[..10]);
    format!("{head}{}", entries.concat())
}

#[test]
fn ten_thousand_entries_pass_hledger_and_its_balances_are_ours() {
    let world = history();
    let entries = world.count("select count(*) from ledger_entry");
    assert!(entries > 10_000, "{entries}");
    let exported = world.service.get("/v1/ledger/export?format=hledger", &world.finance);
    assert_eq!(exported.status, 200);
    let journal = String::from_utf8(exported.body).expect("text");
    let Some(checked) = hledger(&["check"], &journal) else { return };
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    for check in ["accounts", "commodities"] {
        let checked = hledger(&["check", check], &journal).expect("it was there before");
        assert!(checked.status.success(), "{check}: {}", String::from_utf8_lossy(&checked.stderr));
    }
    let ordered = hledger(&["check", "ordereddates"], &by_date(&journal)).expect("it was there before");
    assert!(ordered.status.success(), "{}", String::from_utf8_lossy(&ordered.stderr));
    let balance = hledger(&["balance", "--flat", "--no-total", "-O", "csv"], &journal).expect("it was there before");
    assert!(balance.status.success(), "{}", String::from_utf8_lossy(&balance.stderr));
    assert_eq!(theirs(&balance), ours(&world));
    // Up to a day in the past it says what our trial balance says.
    let past =
        hledger(&["balance", "--flat", "--no-total", "-O", "csv", "-e", "2026-06-01"], &journal).expect("as before");
    let debit: i64 = theirs(&past).values().filter(|cents| **cents > 0).sum();
    let said = world.service.get("/v1/ledger/trial-balance?effective_as_of=2026-05-31", &world.finance).expect(200);
    assert_eq!(said["debit"]["amount"].as_i64(), Some(debit));
    // One cent less, and it says so: the oracle is awake.
    let provider = encode(world.service.platform.provider.uuid());
    let place = journal.find(&provider).map(|at| at + journal[at..].find('.').expect("cents") + 2).expect("a posting");
    let digit = if &journal[place..=place] == "0" { "1" } else { "0" };
    let broken = format!("{}{digit}{}", &journal[..place], &journal[place + 1..]);
    assert!(!hledger(&["check"], &broken).expect("as before").status.success());
}
