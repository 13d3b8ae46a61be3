//! Agreements, tables, deals and stored inputs, broken at random: nothing panics, and what passes is sound.
//!
//! A mutator of its own over JSON text, bytes and values, from contents that ship, that stand here and that are
//! made at random; what reads goes on through the check, the lint, the engine and `reproduce`. What reached
//! somewhere new (another set of codes) is kept and changed further. Deterministic: `FLIP360_FUZZ_SEED` chooses
//! the inputs, `FLIP360_FUZZ_MINUTES` how long; without it a fixed number runs as a test. See docs/agreements-lint.md.

#![expect(clippy::expect_used, reason = "a test fails loudly")]

mod made;

use std::collections::HashSet;
use std::time::{Duration, Instant as Moment};

use domain::agreements::check::{check, check_table};
use domain::agreements::evaluate::{evaluate, trace};
use domain::agreements::facts::CalculationInput;
use domain::agreements::finding::Severity;
use domain::agreements::lint::lint;
use domain::agreements::model::LookupTable;
use domain::agreements::repository::StoredCalculation;
use domain::agreements::reproduce::{reproduce, rerun};
use domain::agreements::version::TableVersion;
use domain::agreements::{GoverningVersion, VersionContent, reference};
use domain::kernel::ids::{AgreementId, CalculationId, LookupTableId};
use domain::kernel::{Digest, Instant};
use made::alone;
use made::random::{Dice, Reach, content as random_content, deal as random_deal, lookup_table};
use serde_json::Value;
use uuid::Uuid;

/// How many inputs run when nobody says how long.
const BY_DEFAULT: u64 = 4_000;
/// Inputs that are kept to be changed further.
const KEPT: usize = 2_000;

#[derive(Default, Debug)]
struct Tally {
    executions: u64,
    read: u64,
    compiled: u64,
    evaluated: u64,
    earned: u64,
    reproduced: u64,
    tables: u64,
}

#[test]
fn nothing_that_is_read_panics_and_what_compiles_adds_up() {
    let setting = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let minutes = setting("FLIP360_FUZZ_MINUTES").filter(|minutes| *minutes > 0);
    let seed = setting("FLIP360_FUZZ_SEED").unwrap_or(1);
    let until = minutes.map(|minutes| Moment::now() + Duration::from_secs(60 * minutes));
    let mut dice = Dice(seed);
    let mut corpus = corpus();
    let shipped = reference::tables().expect("the tables").into_iter().map(|shipped| shipped.version);
    let known: Vec<TableVersion> = shipped.chain([lookup_table()]).collect();
    let mut tables: Vec<Vec<u8>> = known.iter().map(|t| t.table.canonical_bytes().expect("canonical")).collect();
    let mut seen: HashSet<u64> = HashSet::new();
    let mut tally = Tally::default();
    while until.map_or(tally.executions < BY_DEFAULT, |until| Moment::now() < until) {
        tally.executions += 1;
        if dice.once_in(12) {
            let mutant = mutated(&mut dice, &tables);
            if let Some(kept) = table(&mutant, &mut tally)
                && seen.insert(kept)
            {
                keep(&mut dice, &mut tables, mutant);
            }
            continue;
        }
        let mutant = mutated(&mut dice, &corpus);
        if let Some(reached) = agreement(&mut dice, (&mutant, &known), &mut tally)
            && seen.insert(reached)
        {
            keep(&mut dice, &mut corpus, mutant);
        }
    }
    println!("seed {seed}: {tally:?}, {} kept, {} kinds of outcome", corpus.len() + tables.len(), seen.len());
    assert!(tally.read * 10 > tally.executions && tally.compiled * 20 > tally.executions, "{tally:?}");
    assert!(tally.earned > 0 && tally.reproduced > 0 && tally.tables > 0, "{tally:?}");
}

fn corpus() -> Vec<Vec<u8>> {
    let shipped = reference::all().expect("what ships").into_iter();
    let shipped = shipped.map(|shipped| shipped.version.content().canonical_bytes().expect("canonical"));
    let random = (0..60).map(|seed| random_content(&mut Dice(seed)).0.to_string().into_bytes());
    shipped.chain(random).collect()
}

fn keep(dice: &mut Dice, corpus: &mut Vec<Vec<u8>>, mutant: Vec<u8>) {
    if corpus.len() < KEPT {
        corpus.push(mutant);
    } else {
        let place = dice.below(KEPT);
        corpus[place] = mutant;
    }
}

/// A mark of what an input led to: which codes, which reasons.
fn mark<'w>(words: impl Iterator<Item = &'w str>) -> u64 {
    let mut words: Vec<&str> = words.collect();
    words.sort_unstable();
    words.dedup();
    let digest = Digest::of(words.join(" ").as_bytes()).to_string();
    u64::from_str_radix(&digest[..16], 16).expect("hexadecimal")
}

fn table(bytes: &[u8], tally: &mut Tally) -> Option<u64> {
    let table = LookupTable::parse(bytes).ok()?;
    tally.tables += 1;
    let findings = check_table(&table);
    if let Ok(canonical) = table.canonical_bytes() {
        assert_eq!(LookupTable::parse(&canonical).as_ref(), Ok(&table));
    }
    Some(mark(findings.iter().map(|finding| finding.code).chain(["table"])))
}

fn agreement(dice: &mut Dice, (bytes, tables): (&[u8], &[TableVersion]), tally: &mut Tally) -> Option<u64> {
    let content = VersionContent::parse(bytes).ok()?;
    tally.read += 1;
    let findings = lint(&content, tables, &alone(&content));
    let errors = check(&content, tables);
    assert!(errors.iter().all(|error| findings.contains(error)));
    assert!(findings.windows(2).all(|pair| pair[0] != pair[1]), "a finding twice");
    let json = serde_json::to_value(&content).expect("it is JSON");
    for finding in &findings {
        assert!(json.pointer(&finding.pointer).is_some() || left_out(&json, &finding.pointer), "{finding:?} in {json}");
    }
    let mut words: Vec<&str> = findings.iter().map(|finding| finding.code).collect();
    let version = GoverningVersion::with_tables(AgreementId::new(Uuid::from_u128(7)), 1, content, tables.to_vec());
    let Ok(version) = version else { return Some(mark(words.into_iter().chain(["no hash"]))) };
    let canonical = version.content().canonical_bytes().expect("it has a hash");
    assert_eq!(VersionContent::parse(&canonical).as_ref(), Ok(version.content()));
    let Ok(plan) = version.plan() else {
        assert!(findings.iter().any(|finding| finding.severity == Severity::Error));
        return Some(mark(words.into_iter()));
    };
    assert!(errors.is_empty());
    tally.compiled += 1;
    for n in 0..3 {
        let deal = random_deal(dice, if n == 0 { Reach::Extreme } else { Reach::Ordinary });
        let counters = deal.first(plan, &version);
        let input = CalculationInput { counters: &counters, ..deal.input(&version) };
        let output = evaluate(&input);
        assert_eq!(output, trace(&input).map(|(output, _)| output));
        tally.evaluated += 1;
        let Ok(output) = output else { continue };
        let gross = output.gross().expect("lines add up");
        tally.earned += u64::from(!gross.is_zero());
        words.extend(output.non_awards.iter().map(|non_award| non_award.reason));
        let (Ok(stored), Ok(output_sha256)) = (input.canonical_bytes(), output.digest()) else { continue };
        let mut stored = StoredCalculation {
            id: CalculationId::new(Uuid::nil()),
            deal: deal.id,
            version: (version.agreement(), version.number()),
            period: input.period.map(|period| period.month),
            engine: output.engine,
            input: stored,
            output_sha256,
            known_at: Instant::new(jiff::Timestamp::UNIX_EPOCH),
        };
        assert_eq!(reproduce(&stored, std::slice::from_ref(&version)), Ok(()));
        tally.reproduced += 1;
        stored.input = mutated(dice, &[stored.input]);
        // Refused, or worked out: never a panic.
        let _ = rerun(&stored, std::slice::from_ref(&version));
    }
    Some(mark(words.into_iter()))
}

/// Whether a pointer names a field that is left out because it says nothing.
fn left_out(json: &Value, pointer: &str) -> bool {
    pointer.rsplit_once('/').is_some_and(|(parent, _)| json.pointer(parent).is_some_and(Value::is_object))
}

/// One to four changes of one input.
fn mutated(dice: &mut Dice, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = dice.one(corpus).clone();
    for _ in 0..=dice.below(3) {
        bytes = match dice.below(8) {
            // Values: what stays JSON and mostly stays an agreement.
            0..=6 => match serde_json::from_slice::<Value>(&bytes) {
                Ok(mut value) => {
                    let donor = serde_json::from_slice(dice.one::<Vec<u8>>(corpus)).unwrap_or(Value::Null);
                    change(dice, &mut value, &donor);
                    value.to_string().into_bytes()
                }
                Err(_) => altered(dice, bytes),
            },
            _ => altered(dice, bytes),
        };
    }
    bytes.truncate(1 << 20);
    bytes
}

/// Bytes and pieces of text.
fn altered(dice: &mut Dice, mut bytes: Vec<u8>) -> Vec<u8> {
    const PIECES: [&[u8]; 14] = [
        b"null",
        b"-1",
        b"1e400",
        b"9223372036854775807",
        b"-9223372036854775808",
        b"9007199254740992",
        b"\"\"",
        b"{}",
        b"[]",
        b"[[[[",
        b"\\u0000",
        b"\xff\xfe",
        b"\"0.0000001\"",
        b"true",
    ];
    let at = dice.below(bytes.len() + 1);
    match dice.below(5) {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << dice.below(8);
            }
        }
        1 => drop(bytes.drain(at..(at + dice.below(9)).min(bytes.len()))),
        2 => {
            let piece = *dice.one(&PIECES);
            bytes.splice(at..at, piece.iter().copied());
        }
        3 => {
            let until = (at + dice.below(200)).min(bytes.len());
            let copy = bytes[at..until].to_vec();
            let to = dice.below(bytes.len() + 1);
            bytes.splice(to..to, copy);
        }
        _ => {
            let piece = *dice.one(&PIECES);
            let until = (at + piece.len()).min(bytes.len());
            bytes.splice(at..until, piece.iter().copied());
        }
    }
    bytes
}

/// Every place in a value, by its pointer.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, inner)| places(inner, &format!("{at}/{n}"), found))
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, inner)| places(inner, &format!("{at}/{name}"), found))
        }
        _ => {}
    }
}

/// One change of one place.
fn change(dice: &mut Dice, value: &mut Value, donor: &Value) {
    let (mut all, mut theirs) = (Vec::new(), Vec::new());
    places(value, "", &mut all);
    places(donor, "", &mut theirs);
    let at = dice.one(&all).clone();
    // A piece of another input from a place of the same name, else any.
    let name = at.rsplit('/').next().unwrap_or_default().to_owned();
    let alike: Vec<&String> = theirs.iter().filter(|place| place.rsplit('/').next() == Some(name.as_str())).collect();
    let place = if alike.is_empty() {
        theirs.get(dice.below(theirs.len()))
    } else {
        alike.get(dice.below(alike.len())).copied()
    };
    let piece = place.and_then(|place| donor.pointer(place));
    let piece = piece.cloned().unwrap_or(Value::Null);
    let words = [
        "first",
        "best",
        "sum",
        "stack",
        "whole",
        "marginal",
        "whole_with_true_up",
        "lt",
        "gte",
        "ne",
        "eq",
        "V01",
        "V05",
        "V08",
        "remainder",
        "premium",
        "units",
        "net_balance",
        "platform",
        "member",
        "upline_1",
    ];
    let Some(target) = value.pointer_mut(&at) else { return };
    match target {
        Value::Number(number) if !dice.once_in(4) => {
            let before = number.as_i64().unwrap_or(0);
            let after = match dice.below(6) {
                0 => before.wrapping_add(dice.between(-2, 2)),
                1 => *dice.one(&[0, 1, -1, i64::MAX, i64::MIN, (1 << 53) - 1, 1 << 53]),
                2 => before.wrapping_mul(10),
                3 => before / 10,
                4 => before.wrapping_neg(),
                _ => dice.between(0, 200_000_000),
            };
            *target = after.into();
        }
        Value::String(text) if !dice.once_in(4) => {
            *target = match dice.below(4) {
                0 => (*dice.one(&words)).into(),
                1 => format!("{}.{:06}", dice.below(3), dice.below(1_000_000)).into(),
                2 => text.chars().rev().collect::<String>().into(),
                _ => format!("{text}{text}").into(),
            };
        }
        Value::Array(items) if !items.is_empty() && !dice.once_in(4) => {
            let (a, b) = (dice.below(items.len()), dice.below(items.len()));
            match dice.below(4) {
                0 => items.swap(a, b),
                1 => drop(items.remove(a)),
                2 => items.insert(a, items[b].clone()),
                _ => items.extend(vec![items[a].clone(); dice.below(70)]),
            }
        }
        Value::Object(members) if dice.once_in(6) => {
            let names: Vec<String> = members.keys().cloned().collect();
            if let Some(name) = names.get(dice.below(names.len())) {
                members.remove(name);
            }
        }
        // A condition around itself.
        Value::Object(members) if members.contains_key("op") && dice.once_in(2) => {
            let inner = Value::Object(members.clone());
            *target = match dice.below(3) {
                0 => serde_json::json!({"op": "not", "of": inner}),
                1 => serde_json::json!({"op": "any", "of": [inner, piece]}),
                _ => serde_json::json!({"op": "all", "of": [inner, piece]}),
            };
        }
        // Mostly something of the same kind.
        other if std::mem::discriminant(other) == std::mem::discriminant(&piece) || dice.once_in(6) => *other = piece,
        _ => {}
    }
}

#[test]
fn a_table_of_the_largest_size_is_looked_up() {
    let row = |n: usize| serde_json::json!({"keys": [{"type": "integer", "value": n}], "pays": {"kind": "flat", "amount": {"amount": n, "currency": "AUD"}}});
    let rows: Vec<Value> = (0..5_000).rev().map(row).collect();
    let json = serde_json::json!({"keys": [{"attribute": "deal.units", "match": "band"}], "rows": rows});
    let content = LookupTable::parse(json.to_string().as_bytes()).expect("a table");
    assert_eq!(check_table(&content), []);
    let table = TableVersion::try_new(LookupTableId::new(Uuid::from_u128(1)), 1, content).expect("a table");
    let fields = serde_json::json!({"rate": {"kind": "lookup", "of": "units", "table": made::uses(&table)}});
    let version = made::version(&made::content(vec![made::with("a", fields)]), std::slice::from_ref(&table));
    let mut deal = random_deal(&mut Dice(3), Reach::Ordinary);
    deal.period = None;
    deal.facts.settlement = Some(domain::agreements::facts::Settlement::of(
        deal.facts.referred_on,
        domain::kernel::Money::ZERO,
        domain::kernel::Money::ZERO,
    ));
    for (units, expected) in [(-1, 0), (1, 1), (4_999, 4_999), (1_000_000, 4_999)] {
        if let Some(settlement) = &mut deal.facts.settlement {
            settlement.measures.units = Some(units);
        }
        let output = evaluate(&deal.input(&version)).expect("a result");
        assert_eq!(output.gross().expect("it fits").minor(), expected, "{units}");
    }
}
