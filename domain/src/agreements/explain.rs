//! A calculation in words: by component, what it is, what it pays and why, or why it pays nothing.
//!
//! Made from the version, the output and the trace, so it holds for every engine and needs nothing stored.

use std::fmt::Write as _;

use super::evaluate::{CalculationOutput, Line, TraceStep, reason};
use super::model::{
    BonusMilestone, Component, ComponentKey, ComponentRate, FundingRule, GoverningDate, Pay, Tier, TierBasis, TierMode,
    Trigger, VersionContent,
};
use crate::kernel::{Money, Rate};

/// What one component came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The component.
    pub component: ComponentKey,
    /// What people call it.
    pub name: String,
    /// What it is, in one sentence.
    pub about: String,
    /// What it came to, in one sentence.
    pub outcome: String,
    /// The stable reason why it pays nothing; none when it pays.
    pub reason: Option<&'static str>,
    /// How, step by step.
    pub why: Vec<String>,
    /// Who gets what.
    pub shares: Vec<String>,
}

/// The components that were considered, in the order of the version. Those that belong to the other kind of
/// calculation, of the deal or of a period of its trail, are left out.
#[must_use]
pub fn sections(content: &VersionContent, output: &CalculationOutput, steps: &[TraceStep]) -> Vec<Section> {
    content.components.iter().filter_map(|component| section(component, output, steps)).collect()
}

/// The same as a text.
#[must_use]
pub fn text(sections: &[Section]) -> String {
    let mut text = String::new();
    for section in sections {
        let gap = if text.is_empty() { "" } else { "\n" };
        // Writing to a text does not fail.
        let _ = writeln!(text, "{gap}{} ({}): {}", section.name, section.component, section.outcome);
        let _ = writeln!(text, "  {}", section.about);
        for why in &section.why {
            let _ = writeln!(text, "  - {why}");
        }
        for share in &section.shares {
            let _ = writeln!(text, "  = {share}");
        }
    }
    text
}

/// A stable reason, for a person.
#[must_use]
pub fn words(code: &str) -> &'static str {
    reason::ALL.iter().find(|(known, _)| *known == code).map_or("for a reason of its own", |(_, words)| words)
}

fn section(component: &Component, output: &CalculationOutput, steps: &[TraceStep]) -> Option<Section> {
    let lines: Vec<&Line> = output.lines.iter().filter(|line| line.component == component.key).collect();
    let none = output.non_awards.iter().find(|none| none.component == component.key);
    if lines.is_empty() && none.is_none() {
        return None;
    }
    let why = steps.iter().filter(|step| step.component == component.key);
    Some(Section {
        component: component.key.clone(),
        name: component.name.clone(),
        about: about(component),
        outcome: none.map_or_else(|| came_to(&lines), |none| format!("pays nothing, as {}.", words(none.reason))),
        reason: none.map(|none| none.reason),
        why: why.map(|step| format!("{}: {}", heading(step.step), step.detail)).collect(),
        shares: lines.into_iter().map(share).collect(),
    })
}

fn came_to(lines: &[&Line]) -> String {
    let sum = |pick: fn(&Line) -> i64| Money::aud(lines.iter().map(|line| pick(line)).sum());
    let earned = sum(|line| line.earned.minor());
    let back = sum(|line| line.clawed_back.minor());
    if back.minor() == 0 {
        format!("earns {earned}.")
    } else {
        format!("earned {earned}, of which {back} is taken back.")
    }
}

fn share(line: &Line) -> String {
    let funded = match line.funding_rule {
        FundingRule::OnExpiry => "",
        FundingRule::OnReceipt => " once the provider has paid",
    };
    let back =
        if line.clawed_back.minor() == 0 { String::new() } else { format!("; {} is taken back", line.clawed_back) };
    format!("{}: {}, which may be paid from {}{funded}{back}", line.role, line.earned, line.payable_on)
}

fn heading(step: &str) -> &str {
    match step {
        "trigger" => "What sets it off",
        "predicate" => "Its condition",
        "count" => "How often",
        "accumulator" => "Running total",
        "tier" => "Tier",
        "lookup" => "Table",
        "base" => "What it is a part of",
        "rate" => "How much",
        "milestone" => "Milestone",
        "combine" => "Beside others",
        "split" => "Shared",
        "absent" => "Not there",
        "cap" => "Cap",
        "floor" => "Floor",
        "excess" => "Above a limit",
        "hold" => "Held",
        "clawback" => "Taken back",
        other => other,
    }
}

/// A rate as a percentage: `0.65 %`.
fn percent(rate: Rate) -> String {
    let (whole, rest) = (rate.ppm() / 10_000, rate.ppm().unsigned_abs() % 10_000);
    if rest == 0 { format!("{whole} %") } else { format!("{whole}.{} %", format!("{rest:04}").trim_end_matches('0')) }
}

/// What a component is, in one sentence.
fn about(component: &Component) -> String {
    let when = match &component.trigger {
        Trigger::DealEvent { event: GoverningDate::Referred } => "once the client is referred".to_owned(),
        Trigger::DealEvent { event: GoverningDate::Contracted } => "once the contract is made".to_owned(),
        Trigger::DealEvent { event: GoverningDate::Settled } => "once the deal settles".to_owned(),
        Trigger::Milestone { name } => format!("once the milestone `{name}` is reached"),
        Trigger::Trail {} => "for each period while the deal lasts".to_owned(),
        Trigger::Component { key } => format!("when `{key}` pays"),
    };
    format!("It pays {} {when}.", what(&component.rate))
}

fn what(rate: &ComponentRate) -> String {
    match rate {
        ComponentRate::Flat { amount } => amount.to_string(),
        ComponentRate::FlatPerUnit { amount, of } => format!("{amount} for each of {}", of.name()),
        ComponentRate::Percent { of, rate } => format!("{} of {}", percent(*rate), of.name()),
        ComponentRate::PercentOfComponent { component, rate } => {
            format!("{} of what `{component}` earns", percent(*rate))
        }
        ComponentRate::Tiered { of, mode, by, tiers } => {
            let on = match mode {
                TierMode::Marginal => "each band at its own rate",
                TierMode::Whole => "all of it at the rate of the tier reached",
                TierMode::WholeWithTrueUp => "all of it at the rate of the tier reached, made up for what came before",
            };
            let chosen = match by {
                TierBasis::Deal {} => "the deal".to_owned(),
                TierBasis::Accumulator { key } => format!("the running total `{key}`"),
            };
            let tiers: Vec<String> = tiers.iter().map(tier).collect();
            format!("by the size of {chosen}, of {}, {on} ({})", of.name(), tiers.join("; "))
        }
        ComponentRate::Lookup { table, of } => {
            format!("what version {} of table `{}` says, of {}", table.number, table.id, of.name())
        }
        ComponentRate::Trail { annual_rate, periods_per_year } => {
            format!("{} a year of the balance, in {periods_per_year} parts", percent(*annual_rate))
        }
        ComponentRate::MilestoneBonus { accumulator, milestones } => {
            let bonus = |b: &BonusMilestone| format!("{} at {}", b.amount, b.at.seen());
            let milestones: Vec<String> = milestones.iter().map(bonus).collect();
            format!("a bonus as the running total `{accumulator}` passes a milestone ({})", milestones.join("; "))
        }
    }
}

fn tier(tier: &Tier) -> String {
    let pays = match tier.pays {
        Pay::Percent { rate } => percent(rate),
        Pay::PerUnit { amount } => format!("{amount} each"),
        Pay::Flat { amount } => amount.to_string(),
    };
    format!("from {} {pays}", tier.from.seen())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreements::evaluate;
    use crate::agreements::facts::{CalculationInput, DealFacts, Settlement};
    use crate::agreements::reference;
    use crate::catalogue::{ProductCode, VerticalCode};
    use crate::kernel::ids::{DealId, MemberId};
    use jiff::civil::date;
    use uuid::Uuid;

    #[test]
    fn a_person_reads_why_everything_is_taken_back() {
        let version = reference::v01().expect("the reference");
        let product = ProductCode::parse("FIXED-3Y").expect("a code");
        let facts = DealFacts {
            referred_on: date(2026, 1, 5),
            contracted_on: None,
            settlement: Some(Settlement::of(date(2026, 2, 1), Money::aud(10_000_000), Money::ZERO)),
            discharged_on: Some(date(2026, 10, 15)),
        };
        let (deal, member) = (DealId::new(Uuid::from_u128(1)), MemberId::new(Uuid::from_u128(2)));
        let input = CalculationInput::new(deal, (VerticalCode::V01, &product), facts, member, &[], &version);
        let (output, steps) = evaluate::trace(&input).expect("a result");
        let text = text(&sections(version.content(), &output, &steps));
        let wanted = "Upfront commission (upfront): earned 650.00 AUD, of which 650.00 AUD is taken back.
  It pays 0.65 % of net_balance once the deal settles.
";
        assert!(text.starts_with(wanted), "{text}");
        let why = "  - Taken back: 12 months not reached: discharged on 2026-10-15, before 2027-02-01 (8 months since settlement), so 100 % is taken back\n";
        assert!(text.contains(why), "{text}");
        let member = "  = member: 390.00 AUD, which may be paid from 2026-02-11; 390.00 AUD is taken back\n";
        assert!(text.contains(member), "{text}");
        let before = CalculationInput { facts: DealFacts { settlement: None, discharged_on: None, ..facts }, ..input };
        let (output, steps) = evaluate::trace(&before).expect("a result");
        let found = sections(version.content(), &output, &steps);
        assert_eq!(found[0].outcome, "pays nothing, as its trigger has not happened.");
        assert_eq!((found[0].reason, found[0].shares.len()), (Some("trigger_not_met"), 0));
    }

    #[test]
    fn every_reason_has_words_of_its_own() {
        let mut all: Vec<&str> = reason::ALL.iter().map(|(code, _)| words(code)).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), reason::ALL.len());
    }
}
