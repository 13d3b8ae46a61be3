//! The default agreements against `docs/default-agreements.md`, whose tables are read from the page: each deal is
//! worked out and every line, day, amount taken back and non-award compared; each sum on the page is done again.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails loudly")]

use std::collections::{BTreeMap, BTreeSet};

use domain::agreements::GoverningVersion;
use domain::agreements::evaluate::{CalculationOutput, evaluate, trace};
use domain::agreements::facts::{
    CalculationInput, Counter, DealFacts, Measures, Milestones, Period, Settlement, Standing,
};
use domain::agreements::model::{ComponentKey, Role};
use domain::agreements::reference::{self, Shipped};
use domain::catalogue::ProductCode;
use domain::catalogue::reference::products;
use domain::kernel::Money;
use domain::kernel::ids::{DealId, MemberId};
use jiff::civil::Date;
use uuid::Uuid;

const PAGE: &str = include_str!("../../docs/default-agreements.md");

struct Section {
    title: String,
    version: GoverningVersion,
    /// Deal, arithmetic, what it comes to.
    rows: Vec<[String; 3]>,
}

fn sections() -> Vec<Section> {
    let shipped = reference::all().expect("the reference");
    let mut sections: Vec<Section> = Vec::new();
    for line in PAGE.lines() {
        if let Some(title) = line.strip_prefix("## V") {
            let (vertical, rest) = title.split_once(", version ").expect("a version");
            let number: u32 = rest.split(':').next().expect("a number").parse().expect("a number");
            let vertical: u8 = vertical.parse().expect("a vertical");
            let of_this =
                |s: &&Shipped| s.version.content().vertical.number() == vertical && s.version.number() == number;
            let version = shipped.iter().find(of_this).unwrap_or_else(|| panic!("no such version: {title}"));
            let title = format!("V{title}");
            sections.push(Section { title, version: version.version.clone(), rows: Vec::new() });
        } else if let Some(row) = line.strip_prefix("| ").filter(|row| !row.starts_with("deal |")) {
            let cells: Vec<String> = row.trim_end_matches(" |").split(" | ").map(str::to_owned).collect();
            let cells: [String; 3] = cells.try_into().unwrap_or_else(|_| panic!("three cells: {row}"));
            sections.last_mut().expect("a heading first").rows.push(cells);
        }
    }
    sections
}

fn member(n: u128) -> MemberId {
    MemberId::new(Uuid::from_u128(n))
}

fn dollars(text: &str) -> Money {
    Money::parse_dollars(&text.replace('−', "-")).unwrap_or_else(|_| panic!("not an amount: {text}"))
}

fn count(text: &str) -> i64 {
    text.replace(',', "").parse().unwrap_or_else(|_| panic!("not a number: {text}"))
}

fn day(text: &str) -> Date {
    text.parse().unwrap_or_else(|_| panic!("not a date: {text}"))
}

/// Amounts with cents are money, others are counts; the engine takes both as whole numbers.
fn either(text: &str) -> i64 {
    if text.contains('.') { dollars(text).minor() } else { count(text) }
}

/// A deal as the page tells it.
#[derive(Default)]
struct Deal {
    product: Option<ProductCode>,
    referred: Option<Date>,
    contracted: Option<Date>,
    settled: Option<Date>,
    discharged: Option<Date>,
    amount: i64,
    offset: i64,
    measures: Measures,
    uplines: Vec<MemberId>,
    own_uplines: Vec<u8>,
    participants: Vec<MemberId>,
    cohort: Option<String>,
    milestones: Milestones,
    month: Option<Date>,
    balance: Option<Money>,
    before: BTreeMap<String, Standing>,
}

impl Deal {
    fn read(text: &str) -> Self {
        let mut deal = Self::default();
        for item in text.split(", ") {
            let words: Vec<&str> = item.split(' ').collect();
            deal.item(&words).unwrap_or_else(|| panic!("not understood: {item}"));
        }
        deal
    }

    fn item(&mut self, words: &[&str]) -> Option<()> {
        match words {
            [code] => self.product = Some(ProductCode::parse(code).ok()?),
            ["referred", on] => self.referred = Some(day(on)),
            ["contracted", on] => self.contracted = Some(day(on)),
            ["settled", on] => self.settled = Some(day(on)),
            ["discharged", on] => self.discharged = Some(day(on)),
            ["month", month] => self.month = Some(day(&format!("{month}-01"))),
            ["balance", amount] => self.balance = Some(dollars(amount)),
            ["cohort", code] => self.cohort = Some((*code).to_owned()),
            ["milestone", name, on] => {
                let _ = self.milestones.insert(ComponentKey::parse(name).ok()?, day(on));
            }
            ["own", "upline", level] => self.own_uplines.push(level.parse().ok()?),
            [n, "upline" | "uplines"] => self.uplines = (0..n.parse().ok()?).map(|level| member(21 + level)).collect(),
            [n, "participant" | "participants"] => {
                self.participants = (0..n.parse().ok()?).map(|n| member(41 + n)).collect();
            }
            ["before", counter, standing] => {
                let numbers: Vec<i64> = standing.split('/').map(either).collect();
                let standing = match *numbers.as_slice() {
                    [total] => Standing { total, paid: 0, awards: 1 },
                    [total, paid, awards] => Standing { total, paid, awards },
                    _ => return None,
                };
                let _ = self.before.insert((*counter).to_owned(), standing);
            }
            [name, value] => self.measure(name, value)?,
            _ => return None,
        }
        Some(())
    }

    fn measure(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "amount" => self.amount = dollars(value).minor(),
            "offset" => self.offset = dollars(value).minor(),
            "premium" => self.measures.premium = Some(dollars(value)),
            "fee" => self.measures.fee = Some(dollars(value)),
            "salary" => self.measures.salary = Some(dollars(value)),
            "rent" => self.measures.rent = Some(dollars(value)),
            "margin" => self.measures.margin = Some(dollars(value)),
            "units" => self.measures.units = Some(count(value)),
            "connections" => self.measures.connections = Some(count(value)),
            "kilowatts" => self.measures.kilowatts = Some(count(value)),
            "policies" => self.measures.policies = Some(count(value)),
            "travellers" => self.measures.travellers = Some(count(value)),
            _ => return None,
        }
        Some(())
    }

    fn worked_out(&self, version: &GoverningVersion) -> CalculationOutput {
        let vertical = version.content().vertical;
        let first = products().into_iter().find(|product| product.vertical == vertical).expect("a product").code;
        let contracted_on = self.contracted.or(self.settled);
        let facts = DealFacts {
            referred_on: self.referred.or(contracted_on).expect("a date"),
            contracted_on,
            settlement: self.settled.map(|on| Settlement {
                on,
                amount: Money::aud(self.amount),
                offset: Money::aud(self.offset),
                measures: self.measures,
            }),
            discharged_on: self.discharged,
        };
        let sold = (vertical, self.product.as_ref().unwrap_or(&first));
        let input = CalculationInput {
            own_uplines: &self.own_uplines,
            participants: &self.participants,
            cohort: self.cohort.as_deref(),
            introducer: Some("an introducer"),
            milestones: &self.milestones,
            period: self.month.map(|month| Period { month, balance: self.balance.expect("a balance") }),
            ..CalculationInput::new(DealId::new(Uuid::from_u128(1)), sold, facts, member(1), &self.uplines, version)
        };
        let plan = version.plan().expect("a plan");
        let mut left = self.before.clone();
        let counters: Vec<Counter> = plan
            .counter_keys(&input)
            .into_iter()
            .map(|key| Counter { before: left.remove(&key.counter).unwrap_or_default(), key })
            .collect();
        assert!(left.is_empty(), "no such counters: {left:?}");
        let input = CalculationInput { counters: &counters, ..input };
        let output = evaluate(&input).expect("a result");
        assert_eq!(trace(&input).expect("a trace").0, output);
        for line in &output.lines {
            let expected = match line.role {
                Role::Member => Some(member(1)),
                Role::Upline(level) => Some(member(20 + u128::from(level))),
                Role::Participant(n) => Some(member(40 + u128::from(n))),
                Role::Platform => None,
            };
            assert_eq!(line.participant, expected);
            let component = version.content().components.iter().find(|c| c.key == line.component);
            assert_eq!(line.funding_rule, component.expect("its component").hold.funding_rule);
        }
        output
    }
}

/// What a calculation comes to, told as on the page and sorted.
fn told(output: &CalculationOutput) -> Vec<String> {
    let plain = |money: Money| {
        let text = money.to_string();
        let (whole, cents) = text.trim_end_matches(" AUD").split_once('.').expect("cents");
        let mut grouped = String::new();
        for (place, digit) in whole.chars().enumerate() {
            if place > 0 && (whole.len() - place).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        format!("{grouped}.{cents}")
    };
    let mut by_component: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in &output.lines {
        let back =
            if line.clawed_back.is_zero() { String::new() } else { format!(" ({} back)", plain(line.clawed_back)) };
        let start = format!("`{}` from {}: ", line.component, line.payable_on);
        by_component.entry(start).or_default().push(format!("{} {}{back}", line.role, plain(line.earned)));
    }
    let lines = by_component.into_iter().map(|(start, lines)| format!("{start}{}", lines.join(", ")));
    let nothing = output.non_awards.iter().map(|none| format!("`{}`: nothing, `{}`", none.component, none.reason));
    let mut all: Vec<String> = lines.chain(nothing).collect();
    all.sort();
    all
}

#[test]
fn every_deal_of_the_page_comes_to_what_it_says() {
    let mut checked = 0;
    for Section { title, version, rows } in sections() {
        for [deal, _, comes_to] in rows {
            let mut expected: Vec<String> = comes_to.split("<br>").map(str::to_owned).collect();
            expected.sort();
            let found = Deal::read(&deal).worked_out(&version);
            assert_eq!(told(&found), expected, "{title}: {deal}");
            assert_eq!(found.reversed, comes_to.contains(" back)"), "{title}: {deal}");
            checked += 1;
        }
    }
    assert!(checked >= 100, "{checked}");
}

#[test]
fn each_agreement_has_at_least_four_deals_one_taken_back_and_one_that_earns_nothing() {
    let sections = sections();
    let documented: BTreeSet<_> = sections.iter().map(|s| (s.version.agreement(), s.version.number())).collect();
    for Shipped { name, version } in reference::all().expect("the reference") {
        assert!(documented.contains(&(version.agreement(), version.number())), "{name} is not on the page");
    }
    for Section { title, rows, .. } in sections {
        assert!(rows.len() >= 4, "{title}");
        assert!(rows.iter().any(|[_, _, comes_to]| comes_to.contains(" back)")), "{title}: none is taken back");
        let empty = |[_, _, comes_to]: &[String; 3]| comes_to.split("<br>").all(|item| item.contains(": nothing, "));
        assert!(rows.iter().any(empty), "{title}: none earns nothing");
        for [deal, arithmetic, comes_to] in &rows {
            let earns = comes_to.contains(" from ");
            assert!(!earns || arithmetic.contains(" = "), "{title}: {deal}: no arithmetic is shown");
        }
    }
}

/// A sum of products with `+ − × ÷` and `%`, as a fraction with a positive denominator.
fn value(expression: &str) -> (i128, i128) {
    let number = |text: &str| {
        let plain = text.replace(',', "");
        let decimals = plain.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        let digits: i128 = plain.replace('.', "").parse().unwrap_or_else(|_| panic!("not a number: {text}"));
        (digits, 10_i128.pow(u32::try_from(decimals).expect("few decimals")))
    };
    let product = |text: &str| {
        let mut words = text.split(' ').filter(|word| !word.is_empty());
        let (mut above, mut below) = number(words.next().expect("a number"));
        while let Some(sign) = words.next() {
            let (n, d) = if sign == "%" { (1, 100) } else { number(words.next().expect("a number")) };
            match sign {
                "×" | "%" => (above, below) = (above * n, below * d),
                "÷" => (above, below) = (above * d, below * n),
                _ => panic!("not a sign: {sign}"),
            }
        }
        (above, below)
    };
    let signed = expression.replace(" − ", " + -");
    let (mut above, mut below) = (0, 1);
    for term in signed.split(" + ") {
        let (sign, term) = term.strip_prefix('-').map_or((1, term), |term| (-1, term));
        let (n, d) = product(term);
        (above, below) = (above * d + sign * n * below, below * d);
    }
    (above, below)
}

#[test]
fn every_sum_on_the_page_is_right() {
    let mut checked = 0;
    for Section { title, rows, .. } in sections() {
        for [_, arithmetic, _] in rows {
            for item in arithmetic.split("<br>").filter(|item| item.contains(" = ")) {
                let sum = item.split_once(": ").map_or(item, |(_, sum)| sum);
                let (expression, result) = sum.split_once(" = ").expect("a result");
                let result = result.split(", ").next().expect("a result");
                let (above, below) = value(expression);
                // Half away from zero, to the cent; none of them is negative.
                let cents = (above * 200 + below) / (2 * below);
                let expected = if result.contains('.') { dollars(result).minor() } else { count(result) * 100 };
                assert_eq!(cents, i128::from(expected), "{title}: {item}");
                checked += 1;
            }
        }
    }
    assert!(checked >= 300, "{checked}");
}
