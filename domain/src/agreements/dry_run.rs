//! A calculation of a deal that somebody made up: nothing is stored, nobody real takes part.
//!
//! The members are made up too, always the same ones, so the same request gives the same bytes.

use std::collections::BTreeMap;

use jiff::civil::Date;
use uuid::Uuid;

use super::evaluate::{self, CalculationOutput, EvaluateError, TraceStep};
use super::facts::{CalculationInput, Counter, CounterKey, DealFacts, Milestones, Period, Settlement, Standing};
use super::finding::Finding;
use super::model::{ComponentKey, MAX_UPLINE_LEVEL, Role};
use super::version::GoverningVersion;
use crate::catalogue::ProductCode;
use crate::kernel::Faults;
use crate::kernel::ids::{DealId, MemberId};

/// The id of everybody made up: this, and their number.
const MADE_UP: u128 = 0x0000_0000_0000_7000_8000_0000_0000_0000;

/// A made-up deal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRun {
    /// What is sold.
    pub product: ProductCode,
    /// What is known of it.
    pub facts: DealFacts,
    /// The milestones that were reached.
    pub milestones: Milestones,
    /// The period of its trail; none = the deal itself.
    pub period: Option<Period>,
    /// So many levels stand above the member.
    pub uplines: u8,
    /// The levels that are the referrer's own.
    pub own_uplines: Vec<u8>,
    /// So many others took part.
    pub participants: u8,
    /// The code of the member's cohort.
    pub cohort: Option<String>,
    /// The day on which the member joined.
    pub joined_on: Option<Date>,
    /// Where counters stood before the deal, by their names; those that are not named stood at nothing.
    pub counters: BTreeMap<String, Standing>,
}

/// What it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRunOutcome {
    /// The lines.
    pub output: CalculationOutput,
    /// How they came about.
    pub steps: Vec<TraceStep>,
    /// The counters that the deal touches, where they stood before it; where they stand after is in the output.
    pub counters: Vec<Counter>,
}

/// Why there is no outcome.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DryRunError {
    /// The content does not make sense.
    #[error("the content of the version has faults")]
    Content(Vec<Finding>),
    /// The version has no counter of that name.
    #[error("the version has no counter that is called `{0}`")]
    UnknownCounter(String),
    /// The amounts or dates cannot be worked with.
    #[error(transparent)]
    Evaluate(EvaluateError),
}

/// Works a made-up deal out under a version.
///
/// # Errors
/// See [`DryRunError`].
pub fn dry_run(version: &GoverningVersion, run: &DryRun) -> Result<DryRunOutcome, DryRunError> {
    let plan = version.plan().map_err(|findings| DryRunError::Content(findings.to_vec()))?;
    let made_up = |kind: u128, n: u8| MemberId::new(Uuid::from_u128(MADE_UP | kind << 8 | u128::from(n)));
    let members = |kind, count: u8| (1..=count).map(|n| made_up(kind, n)).collect::<Vec<_>>();
    let (uplines, participants) = (members(2, run.uplines), members(3, run.participants));
    let sold = (version.content().vertical, &run.product);
    let deal = DealId::new(Uuid::from_u128(MADE_UP));
    let input = CalculationInput {
        own_uplines: &run.own_uplines,
        participants: &participants,
        cohort: run.cohort.as_deref(),
        joined_on: run.joined_on,
        milestones: &run.milestones,
        period: run.period,
        ..CalculationInput::new(deal, sold, run.facts, made_up(1, 1), &uplines, version)
    };
    let keys = plan.counter_keys(&input);
    if let Some(unknown) = run.counters.keys().find(|name| !plan.counter_names().any(|known| known == name.as_str())) {
        return Err(DryRunError::UnknownCounter(unknown.clone()));
    }
    let standing =
        |key: CounterKey| Counter { before: run.counters.get(&key.counter).copied().unwrap_or_default(), key };
    let counters: Vec<Counter> = keys.into_iter().map(standing).collect();
    let input = CalculationInput { counters: &counters, ..input };
    let (output, steps) = evaluate::trace(&input).map_err(DryRunError::Evaluate)?;
    Ok(DryRunOutcome { output, steps, counters })
}

/// A made-up deal, unchecked beside its settlement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DryRunInput {
    /// `/product`
    pub product: Option<String>,
    /// `/referred_on`
    pub referred_on: Option<String>,
    /// `/contracted_on`
    pub contracted_on: Option<String>,
    /// `/discharged_on`
    pub discharged_on: Option<String>,
    /// `/milestones`
    pub milestones: BTreeMap<String, String>,
    /// `/roles`: who is there beside the member: `upline_1` …, `participant_1` …
    pub roles: Vec<String>,
    /// `/own_uplines`: the levels that are the referrer's own.
    pub own_uplines: Vec<u8>,
    /// `/cohort`
    pub cohort: Option<String>,
    /// `/joined_on`
    pub joined_on: Option<String>,
    /// `/counters`, by name.
    pub counters: BTreeMap<String, Standing>,
}

impl DryRun {
    /// Reads a made-up deal; its settlement and its period were read before, with what was wrong with them.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn parse(
        raw: &DryRunInput,
        settlement: Option<Settlement>,
        period: Option<Period>,
        mut faults: Faults,
    ) -> Result<Self, Faults> {
        let product = match raw.product.as_deref() {
            Some(code) => faults.keep("/product", ProductCode::parse(code)),
            None => {
                required(&mut faults, "/product");
                None
            }
        };
        if raw.referred_on.is_none() {
            required(&mut faults, "/referred_on");
        }
        let mut day = |pointer: &str, text: Option<&str>| text.and_then(|text| date(&mut faults, pointer, text));
        let referred_on = day("/referred_on", raw.referred_on.as_deref());
        let contracted_on = day("/contracted_on", raw.contracted_on.as_deref());
        let discharged_on = day("/discharged_on", raw.discharged_on.as_deref());
        let joined_on = day("/joined_on", raw.joined_on.as_deref());
        let mut milestones = Milestones::new();
        for (name, on) in &raw.milestones {
            // A name in a pointer: `~` and `/` are written `~0` and `~1` (RFC 6901).
            let at = format!("/milestones/{}", name.replace('~', "~0").replace('/', "~1"));
            let key = faults.keep(&at, ComponentKey::parse(name));
            let on = date(&mut faults, &at, on);
            milestones.extend(key.zip(on));
        }
        if discharged_on.is_some() && settlement.is_none() && faults.0.is_empty() {
            faults.push("/discharged_on", "discharge_without_settlement", "a discharge needs a settlement");
        }
        let (uplines, participants) = roles(&mut faults, &raw.roles);
        for (n, level) in raw.own_uplines.iter().enumerate() {
            if *level == 0 || *level > uplines {
                faults.push(format!("/own_uplines/{n}"), "unknown_value", "expected a level that `roles` names");
            }
        }
        let faultless = faults.0.is_empty();
        match product.zip(referred_on).filter(|_| faultless) {
            Some((product, referred_on)) => Ok(Self {
                product,
                facts: DealFacts { referred_on, contracted_on, settlement, discharged_on },
                milestones,
                period,
                uplines,
                own_uplines: raw.own_uplines.clone(),
                participants,
                cohort: raw.cohort.clone(),
                joined_on,
                counters: raw.counters.clone(),
            }),
            None => Err(faults),
        }
    }
}

/// How many levels stand above, and how many others take part: whoever is named, and nobody missing between.
fn roles(faults: &mut Faults, raw: &[String]) -> (u8, u8) {
    let mut named: Vec<Role> = Vec::new();
    for (n, text) in raw.iter().enumerate() {
        named.extend(faults.keep(&format!("/roles/{n}"), Role::parse(text)));
    }
    let mut count = |of: fn(u8) -> Role| {
        let there = (1..=MAX_UPLINE_LEVEL).take_while(|n| named.contains(&of(*n))).count();
        let there = u8::try_from(there).unwrap_or(MAX_UPLINE_LEVEL);
        let beyond = (there + 1..=MAX_UPLINE_LEVEL).find(|n| named.contains(&of(*n)));
        if let Some(beyond) = beyond {
            let detail = format!("{} is named and {} is not", of(beyond), of(there + 1));
            faults.push("/roles", "role_missing", detail);
        }
        there
    };
    (count(Role::Upline), count(Role::Participant))
}

fn required(faults: &mut Faults, pointer: &str) {
    faults.push(pointer, "required", "this field is required");
}

fn date(faults: &mut Faults, pointer: &str, text: &str) -> Option<Date> {
    // Parsing alone would take other ISO forms; writing it back takes only YYYY-MM-DD.
    let parsed = text.parse::<Date>().ok().filter(|date| date.to_string() == text);
    if parsed.is_none() {
        faults.push(pointer, "invalid_date", "expected a date of the calendar, YYYY-MM-DD");
    }
    parsed
}
