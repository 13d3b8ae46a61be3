//! What is asked of a simulation: read from a request with all faults at once, kept as canonical JSON.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::population::PopulationFilter;
use super::run::Population;
use super::scenario::MOST_CANDIDATES;
use super::shocks::Shocks;
use super::synthetic::{MOST_MONTHS, MOST_RUNS};
use crate::agreements::VersionContent;
use crate::catalogue::{ProductCode, VerticalCode};
use crate::kernel::ids::{AgreementId, OrganisationId};
use crate::kernel::{Faults, Rate};

/// The largest seed: what JSON carries exactly.
pub const MOST_SEED: u64 = (1 << 53) - 1;
/// The longest name of a candidate, in characters.
pub const MOST_NAME_CHARS: usize = 60;

/// A candidate, unchecked: a version that is kept, or content.
#[derive(Debug, Clone, Default)]
pub struct CandidateInput {
    /// What it is to be called.
    pub name: Option<String>,
    /// The agreement of a version that is kept, in whatever state.
    pub agreement_id: Option<String>,
    /// Its number.
    pub version: Option<u32>,
    /// Content of its own.
    pub content: Option<Value>,
}

/// Which deals, unchecked.
#[derive(Debug, Clone, Default)]
pub struct PopulationInput {
    /// `history` or `synthetic`.
    pub kind: Option<String>,
    /// Only of this vertical.
    pub vertical: Option<String>,
    /// Only of this product.
    pub product: Option<String>,
    /// Only of this introducer's members.
    pub introducer_id: Option<String>,
    /// Referred on this day or later.
    pub referred_from: Option<String>,
    /// Referred on this day or earlier.
    pub referred_until: Option<String>,
    /// Months of a synthetic flow.
    pub months: Option<u16>,
    /// Runs of a synthetic flow.
    pub runs: Option<u32>,
}

/// What happens to them, unchecked.
#[derive(Debug, Clone, Default)]
pub struct ShocksInput {
    /// Factor of volume.
    pub volume: Option<String>,
    /// Factor of size.
    pub size: Option<String>,
    /// Factors by code.
    pub mix: BTreeMap<String, String>,
    /// Share that falls through.
    pub lost: Option<String>,
    /// Share that unwinds.
    pub unwound: Option<String>,
    /// Days by which settlements move.
    pub settle_days: Option<i32>,
}

/// A request, unchecked.
#[derive(Debug, Clone, Default)]
pub struct SimulationInput {
    /// What might govern.
    pub candidates: Vec<CandidateInput>,
    /// Which deals.
    pub population: PopulationInput,
    /// What happens to them.
    pub shocks: ShocksInput,
    /// What chance is drawn from.
    pub seed: Option<u64>,
}

/// Where a candidate's content comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CandidateSource {
    /// It was sent.
    Content(Box<VersionContent>),
    /// A version that is kept.
    Version(AgreementId, u32),
}

/// A valid request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateSimulation {
    /// Candidates by name.
    pub candidates: Vec<(String, CandidateSource)>,
    /// Which deals.
    pub population: Population,
    /// What happens to them.
    pub shocks: Shocks,
    /// What chance is drawn from.
    pub seed: u64,
}

impl CreateSimulation {
    /// Reads a request.
    ///
    /// # Errors
    /// Every fault, with its pointer.
    pub fn parse(input: &SimulationInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        if input.candidates.len() > MOST_CANDIDATES {
            faults.push("/candidates", "too_many", format!("at most {MOST_CANDIDATES}"));
        }
        let mut candidates: Vec<(String, CandidateSource)> = Vec::new();
        for (place, given) in input.candidates.iter().enumerate() {
            let at = format!("/candidates/{place}");
            let name = given.name.clone().unwrap_or_else(|| format!("candidate {}", place + 1));
            if name.trim().is_empty() || name.chars().count() > MOST_NAME_CHARS {
                faults.push(format!("{at}/name"), "invalid_length", format!("1 to {MOST_NAME_CHARS} characters"));
            }
            if name == super::ACTIVE || candidates.iter().any(|(known, _)| *known == name) {
                faults.push(format!("{at}/name"), "already_used", "names differ from each other and from `active`");
            }
            if let Some(source) = source(given, &at, &mut faults) {
                candidates.push((name, source));
            }
        }
        let seed = input.seed.unwrap_or(1);
        if seed > MOST_SEED {
            faults.push("/seed", "out_of_range", format!("at most {MOST_SEED}"));
        }
        let population = population(&input.population, &mut faults);
        let shocks = shocks(&input.shocks, &mut faults);
        shocks.check(&mut faults);
        faults.check()?;
        Ok(Self { candidates, population, shocks, seed })
    }
}

fn source(given: &CandidateInput, at: &str, faults: &mut Faults) -> Option<CandidateSource> {
    match (&given.content, &given.agreement_id, given.version) {
        (Some(content), None, None) => {
            let read = serde_json::to_vec(content).unwrap_or_default();
            let content = faults.keep(&format!("{at}/content"), VersionContent::parse(&read))?;
            Some(CandidateSource::Content(Box::new(content)))
        }
        (None, Some(agreement), Some(number)) => {
            let agreement = faults.keep(&format!("{at}/agreement_id"), AgreementId::parse(agreement))?;
            Some(CandidateSource::Version(agreement, number))
        }
        _ => {
            faults.push(at, "one_of", "either `content`, or `agreement_id` and `version`");
            None
        }
    }
}

fn population(given: &PopulationInput, faults: &mut Faults) -> Population {
    let day = |pointer: &str, text: &Option<String>, faults: &mut Faults| -> Option<Date> {
        let parsed = text.as_deref()?.parse();
        if parsed.is_err() {
            faults.push(pointer, "invalid_date", "expected a day such as 2026-07-01");
        }
        parsed.ok()
    };
    let at = |name: &str| format!("/population/{name}");
    let filter = PopulationFilter {
        vertical: given.vertical.as_deref().and_then(|text| faults.keep(&at("vertical"), VerticalCode::parse(text))),
        product: given.product.as_deref().and_then(|text| faults.keep(&at("product"), ProductCode::parse(text))),
        introducer: given
            .introducer_id
            .as_deref()
            .and_then(|text| faults.keep(&at("introducer_id"), OrganisationId::parse(text))),
        referred_from: day(&at("referred_from"), &given.referred_from, faults),
        referred_until: day(&at("referred_until"), &given.referred_until, faults),
    };
    match given.kind.as_deref() {
        None | Some("history") => {
            for (name, told) in [("months", given.months.is_some()), ("runs", given.runs.is_some())] {
                if told {
                    faults.push(at(name), "not_allowed", "only for a synthetic population");
                }
            }
            Population::History(filter)
        }
        Some("synthetic") => {
            let (months, runs) = (given.months.unwrap_or(12), given.runs.unwrap_or(1));
            if !(1..=MOST_MONTHS).contains(&months) {
                faults.push(at("months"), "out_of_range", format!("1 to {MOST_MONTHS}"));
            }
            if !(1..=MOST_RUNS).contains(&runs) {
                faults.push(at("runs"), "out_of_range", format!("1 to {MOST_RUNS}"));
            }
            Population::Synthetic { like: filter, months, runs }
        }
        Some(_) => {
            faults.push(at("kind"), "unknown_value", "expected one of: history, synthetic");
            Population::History(filter)
        }
    }
}

fn shocks(given: &ShocksInput, faults: &mut Faults) -> Shocks {
    let usual = Shocks::default();
    let mut rate = |name: &str, text: &Option<String>, usual: Rate| {
        let parsed = text.as_deref().and_then(|text| faults.keep(&format!("/shocks/{name}"), Rate::parse(text)));
        parsed.unwrap_or(usual)
    };
    let volume = rate("volume", &given.volume, usual.volume);
    let size = rate("size", &given.size, usual.size);
    let lost = rate("lost", &given.lost, usual.lost);
    let unwound = rate("unwound", &given.unwound, usual.unwound);
    let weight = |(code, text): (&String, &String)| {
        if VerticalCode::parse(code).is_err() && ProductCode::parse(code).is_err() {
            faults.push("/shocks/mix", "unknown_value", "expected codes of products or verticals");
        }
        Some((code.clone(), faults.keep("/shocks/mix", Rate::parse(text))?))
    };
    let mix = given.mix.iter().filter_map(weight).collect();
    Shocks { volume, size, mix, lost, unwound, settle_days: given.settle_days.unwrap_or(0) }
}

/// What was asked, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedSimulation {
    /// What might govern, by name.
    pub candidates: Vec<AskedCandidate>,
    /// Which deals.
    pub population: AskedPopulation,
    /// What happens to them.
    pub shocks: Shocks,
    /// What chance is drawn from.
    pub seed: u64,
}

/// A candidate as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedCandidate {
    /// What it is called.
    pub name: String,
    /// What it says.
    pub content: VersionContent,
}

/// A population as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskedPopulation {
    /// `history` or `synthetic`.
    pub kind: String,
    /// Only of this vertical.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vertical: Option<String>,
    /// Only of this product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Only of this introducer's members.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introducer_id: Option<String>,
    /// Referred on this day or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referred_from: Option<Date>,
    /// Referred on this day or earlier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub referred_until: Option<Date>,
    /// Months of a synthetic flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub months: Option<u16>,
    /// Runs of a synthetic flow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<u32>,
}

impl From<&Population> for AskedPopulation {
    fn from(population: &Population) -> Self {
        let (kind, filter, months, runs) = match population {
            Population::History(filter) => ("history", filter, None, None),
            Population::Synthetic { like, months, runs } => ("synthetic", like, Some(*months), Some(*runs)),
        };
        Self {
            kind: kind.to_owned(),
            vertical: filter.vertical.map(|vertical| vertical.to_string()),
            product: filter.product.as_ref().map(|product| product.as_str().to_owned()),
            introducer_id: filter.introducer.map(|introducer| introducer.to_string()),
            referred_from: filter.referred_from,
            referred_until: filter.referred_until,
            months,
            runs,
        }
    }
}

impl AskedPopulation {
    /// The population that was kept; none when it does not read.
    #[must_use]
    pub fn restore(&self) -> Option<Population> {
        let input = PopulationInput {
            kind: Some(self.kind.clone()),
            vertical: self.vertical.clone(),
            product: self.product.clone(),
            introducer_id: self.introducer_id.clone(),
            referred_from: self.referred_from.map(|on| on.to_string()),
            referred_until: self.referred_until.map(|on| on.to_string()),
            months: self.months,
            runs: self.runs,
        };
        let mut faults = Faults::default();
        let population = population(&input, &mut faults);
        faults.check().ok().map(|()| population)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreements::reference;

    fn codes(input: &SimulationInput) -> Vec<(String, &'static str)> {
        let faults = CreateSimulation::parse(input).expect_err("faults");
        faults.0.into_iter().map(|fault| (fault.pointer, fault.code)).collect()
    }

    #[test]
    fn nothing_said_is_all_of_history_as_it_was() {
        let asked = CreateSimulation::parse(&SimulationInput::default()).expect("valid");
        assert_eq!(asked.population, Population::History(PopulationFilter::default()));
        assert!(asked.candidates.is_empty() && asked.shocks.is_none() && asked.seed == 1);
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let text = |text: &str| Some(text.to_owned());
        let input = SimulationInput {
            candidates: vec![
                CandidateInput { name: text("active"), content: Some(Value::Null), ..CandidateInput::default() },
                CandidateInput { agreement_id: text("deal_1"), version: Some(1), ..CandidateInput::default() },
                CandidateInput::default(),
            ],
            population: PopulationInput {
                vertical: text("v1"),
                referred_from: text("soon"),
                months: Some(3),
                ..PopulationInput::default()
            },
            shocks: ShocksInput { size: text("big"), settle_days: Some(9_999), ..ShocksInput::default() },
            seed: Some(u64::MAX),
        };
        let at = |pointer: &str, code| (pointer.to_owned(), code);
        assert_eq!(
            codes(&input),
            [
                at("/candidates/0/name", "already_used"),
                at("/candidates/0/content", "invalid_agreement_content"),
                at("/candidates/1/agreement_id", "invalid_id"),
                at("/candidates/2", "one_of"),
                at("/seed", "out_of_range"),
                at("/population/vertical", "invalid_vertical_code"),
                at("/population/referred_from", "invalid_date"),
                at("/population/months", "not_allowed"),
                at("/shocks/size", "invalid_rate"),
                at("/shocks/settle_days", "out_of_range"),
            ]
        );
    }

    #[test]
    fn what_is_kept_reads_back() {
        let population = Population::Synthetic {
            like: PopulationFilter { vertical: Some(VerticalCode::V01), ..PopulationFilter::default() },
            months: 24,
            runs: 7,
        };
        let content = reference::v01().expect("the reference").content().clone();
        let asked = AskedSimulation {
            candidates: vec![AskedCandidate { name: "higher".into(), content }],
            population: (&population).into(),
            shocks: Shocks { settle_days: -3, ..Shocks::default() },
            seed: 9,
        };
        let bytes = crate::kernel::jcs::to_bytes(&asked).expect("canonical");
        assert_eq!(serde_json::from_slice::<AskedSimulation>(&bytes).expect("it reads"), asked);
        assert_eq!(asked.population.restore(), Some(population));
    }
}
