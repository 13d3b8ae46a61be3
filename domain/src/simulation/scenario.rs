//! By which versions deals are worked out: as they are governed, and as a candidate would have it.
//!
//! Scenario 0 is what is active: the version that a deal is sealed under, else the one in force. Every candidate is a
//! scenario of its own, in which it governs all deals of its vertical, as if it had since the first version did; the
//! other verticals stay as they are.

use jiff::civil::Date;

use super::SimulationError;
use super::population::{Orders, PopulationDeal};
use crate::agreements::facts::DealFacts;
use crate::agreements::model::{ComponentRate, GoverningDate, Trigger};
use crate::agreements::version::GoverningVersion;
use crate::agreements::{VersionContent, evaluate::v2::Plan};
use crate::catalogue::VerticalCode;

/// The most candidates of one simulation.
pub const MOST_CANDIDATES: usize = 4;
/// The most scenarios: the active one and the candidates.
pub const MOST_SCENARIOS: usize = MOST_CANDIDATES + 1;

/// What might govern instead.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// What it is called in the report.
    pub name: String,
    /// What it says.
    pub version: GoverningVersion,
}

/// The versions of every scenario.
#[derive(Debug, Clone)]
pub struct Scenarios {
    /// By vertical, the newest first.
    active: Vec<(VerticalCode, Vec<GoverningVersion>)>,
    candidates: Vec<Candidate>,
}

fn compiled<'v>(name: &str, version: &'v GoverningVersion) -> Result<&'v Plan, SimulationError> {
    let content = |findings: &[_]| SimulationError::Content { name: name.to_owned(), findings: findings.to_vec() };
    version.plan().map_err(content)
}

impl Scenarios {
    /// Holds that every version makes sense.
    ///
    /// # Errors
    /// [`SimulationError::Content`], [`SimulationError::TooMany`]; a candidate without a canonical form.
    pub fn try_new(
        active: Vec<(VerticalCode, Vec<GoverningVersion>)>,
        candidates: Vec<Candidate>,
    ) -> Result<Self, SimulationError> {
        if candidates.len() > MOST_CANDIDATES {
            return Err(SimulationError::TooMany);
        }
        for (vertical, versions) in &active {
            for version in versions {
                compiled(&format!("{vertical}, version {}", version.number()), version)?;
            }
        }
        let candidates: Result<Vec<Candidate>, SimulationError> =
            candidates.into_iter().map(|candidate| from_the_first_day(candidate, &active)).collect();
        let candidates = candidates?;
        for candidate in &candidates {
            compiled(&candidate.name, &candidate.version)?;
        }
        Ok(Self { active, candidates })
    }

    /// How many there are, the active one included.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.candidates.len() + 1
    }

    /// The candidates.
    #[must_use]
    pub fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// The version that governs a deal as things are.
    #[must_use]
    pub fn active(
        &self,
        vertical: VerticalCode,
        deal: &PopulationDeal,
        facts: &DealFacts,
    ) -> Option<&GoverningVersion> {
        let (_, versions) = self.active.iter().find(|(code, _)| *code == vertical)?;
        if let Some((agreement, number)) = deal.sealed {
            return versions.iter().find(|v| v.agreement() == agreement && v.number() == number);
        }
        versions.iter().find(|version| {
            let on = governing_on(version.content().governing_date, facts);
            version.content().in_force_on(on.unwrap_or(facts.referred_on))
        })
    }

    /// The version that governs a deal of the vertical in a scenario of a candidate; none when that is the active one.
    #[must_use]
    pub fn candidate(&self, scenario: usize, vertical: VerticalCode) -> Option<&GoverningVersion> {
        let version = &self.candidates.get(scenario.checked_sub(1)?)?.version;
        (version.content().vertical == vertical).then_some(version)
    }

    fn plans(&self) -> impl Iterator<Item = (&VersionContent, &Plan)> {
        let active = self.active.iter().flat_map(|(_, versions)| versions);
        let all = active.chain(self.candidates.iter().map(|candidate| &candidate.version));
        all.filter_map(|version| Some((version.content(), version.plan().ok()?)))
    }

    /// Whether balances of periods are needed.
    #[must_use]
    pub fn need_balances(&self) -> bool {
        self.plans().any(|(_, plan)| plan.has_trail())
    }

    /// Every how many months balances of a made-up trail of the vertical come; none when no version asks for any. That is
    /// the rhythm of the version that pays most often, a year where no rate says: versions of one vertical are taken to
    /// keep one rhythm.
    #[must_use]
    pub fn trail_every(&self, vertical: VerticalCode) -> Option<u8> {
        let active = self.active.iter().filter(|(code, _)| *code == vertical).flat_map(|(_, versions)| versions);
        let all = active.chain(self.candidates.iter().map(|candidate| &candidate.version));
        let components = all.filter(|v| v.content().vertical == vertical).flat_map(|v| &v.content().components);
        let periods = components.filter_map(|component| match (&component.rate, &component.trigger) {
            (ComponentRate::Trail { periods_per_year, .. }, _) => Some((*periods_per_year).max(1)),
            (_, Trigger::Trail {}) => Some(1),
            _ => None,
        });
        periods.max().map(|most| 12 / most.min(12))
    }

    /// The verticals whose deals must come in the order of a date, and which date that is.
    ///
    /// # Errors
    /// [`SimulationError::TwoOrders`] when versions of one vertical with running totals are governed by different dates.
    pub fn orders(&self) -> Result<Orders, SimulationError> {
        let mut orders = Orders::new();
        for (content, _) in self.plans().filter(|(_, plan)| plan.has_counters()) {
            let date = *orders.entry(content.vertical).or_insert(content.governing_date);
            if date != content.governing_date {
                return Err(SimulationError::TwoOrders);
            }
        }
        Ok(orders)
    }
}

/// The date of a deal that governs, when it is known.
#[must_use]
pub fn governing_on(date: GoverningDate, facts: &DealFacts) -> Option<Date> {
    match date {
        GoverningDate::Referred => Some(facts.referred_on),
        GoverningDate::Contracted => facts.contracted_on,
        GoverningDate::Settled => facts.settlement.map(|settlement| settlement.on),
    }
}

/// A candidate that governs from the day on which the first active version of its vertical did, or its own if that
/// comes first; one that says the same as an active one keeps its dates.
fn from_the_first_day(
    candidate: Candidate,
    active: &[(VerticalCode, Vec<GoverningVersion>)],
) -> Result<Candidate, SimulationError> {
    let content = candidate.version.content();
    let of_vertical = active.iter().find(|(vertical, _)| *vertical == content.vertical);
    let versions = of_vertical.map(|(_, versions)| versions.as_slice()).unwrap_or_default();
    if versions.iter().any(|version| version.content_hash() == candidate.version.content_hash()) {
        return Ok(candidate);
    }
    let first = versions.iter().map(|version| version.content().effective_from).min();
    let from = first.map_or(content.effective_from, |first| first.min(content.effective_from));
    let content = VersionContent { effective_from: from, effective_until: None, ..content.clone() };
    let version = GoverningVersion::with_tables(
        candidate.version.agreement(),
        candidate.version.number(),
        content,
        candidate.version.tables().to_vec(),
    )?;
    Ok(Candidate { name: candidate.name, version })
}
