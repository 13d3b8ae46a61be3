//! Made-up deals: what a finding shows, and what the search for one works with.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::space::{Region, Space, attribute_of, day, each, on_day};
use crate::agreements::evaluate::v2::{Plan, Scratch};
use crate::agreements::evaluate::{CalculationOutput, EvaluateError, Silent};
use crate::agreements::facts::{
    CalculationInput, Counter, DealFacts, Measures, Milestones, Period, Settlement, Standing,
};
use crate::agreements::model::{ComponentKey, ComponentRate, Measure, Role, Trigger, VersionContent};
use crate::agreements::predicate::Attribute;
use crate::agreements::version::GoverningVersion;
use crate::catalogue::ProductCode;
use crate::kernel::Money;
use crate::kernel::ids::{DealId, MemberId};

const MEMBERS: [MemberId; 19] = {
    let mut members = [MemberId::new(Uuid::from_u128(1)); 19];
    let mut n = 0;
    while n < members.len() {
        members[n] = MemberId::new(Uuid::from_u128(n as u128 + 1));
        n += 1;
    }
    members
};

/// A deal that nobody made, as JSON in a finding's `example`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MadeUpDeal {
    /// The code of the product.
    pub product: ProductCode,
    /// What is known of it.
    pub facts: DealFacts,
    /// How many levels stand above the member, at most 9.
    #[serde(default)]
    pub upline_levels: u8,
    /// How many other members took part, at most 9.
    #[serde(default)]
    pub participants: u8,
    /// The code of the member's cohort.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cohort: Option<String>,
    /// The day on which the member joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined_on: Option<Date>,
    /// The id of who sells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The id of whose member referred.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub introducer: Option<String>,
    /// The milestones that were reached.
    #[serde(default, skip_serializing_if = "Milestones::is_empty")]
    pub milestones: Milestones,
    /// The period of a trail; none = the deal itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// What the running totals stood at before the deal, by the key of the accumulator; 0 where nothing is said.
    #[serde(default, skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub totals: std::collections::BTreeMap<ComponentKey, i64>,
}

impl MadeUpDeal {
    /// Works the deal out under a version, as the first one of every window.
    ///
    /// # Errors
    /// See [`EvaluateError`].
    pub fn evaluate(&self, version: &GoverningVersion) -> Result<CalculationOutput, EvaluateError> {
        let plan = version.plan().map_err(|findings| EvaluateError::Content(findings.len()))?;
        let mut scratch = Scratch::default();
        self.with_input(version, plan, |input| {
            plan.evaluate(input, &mut scratch, &mut Silent)?;
            Ok(scratch.output(plan, input))
        })
    }

    fn with_input<R>(
        &self,
        version: &GoverningVersion,
        plan: &Plan,
        work: impl FnOnce(&CalculationInput<'_>) -> Result<R, EvaluateError>,
    ) -> Result<R, EvaluateError> {
        let upto = |n: u8| usize::from(n.min(9));
        let sold = (version.content().vertical, &self.product);
        let (deal, uplines) = (DealId::new(Uuid::from_u128(1)), &MEMBERS[1..=upto(self.upline_levels)]);
        let input = CalculationInput {
            participants: &MEMBERS[10..10 + upto(self.participants)],
            cohort: self.cohort.as_deref(),
            joined_on: self.joined_on,
            provider: self.provider.as_deref(),
            introducer: self.introducer.as_deref(),
            milestones: &self.milestones,
            period: self.period,
            ..CalculationInput::new(deal, sold, self.facts, MEMBERS[0], uplines, version)
        };
        let before = |key: &crate::agreements::facts::CounterKey| {
            let named = key.counter.strip_prefix("accumulator.").and_then(|key| ComponentKey::parse(key).ok());
            let total = named.and_then(|key| self.totals.get(&key)).copied().unwrap_or(0);
            Standing { total, ..Standing::default() }
        };
        let counters: Vec<Counter> =
            plan.counter_keys(&input).into_iter().map(|key| Counter { before: before(&key), key }).collect();
        work(&CalculationInput { counters: &counters, ..input })
    }

    /// The deal as JSON.
    pub(super) fn told(&self) -> serde_json::Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The same with another size; none when it cannot be.
    pub(super) fn sized(&self, measure: Measure, value: i64) -> Option<Self> {
        let mut deal = self.clone();
        if measure == Measure::PeriodBalance {
            deal.period.as_mut()?.balance = Money::aud(value);
            return Some(deal);
        }
        let settlement = deal.facts.settlement.as_mut()?;
        let told = &mut settlement.measures;
        let minor = Some(Money::aud(value));
        match measure {
            Measure::SettledAmount => settlement.amount = Money::aud(value),
            Measure::NetBalance => settlement.amount = Money::aud(value.checked_add(settlement.offset.minor())?),
            Measure::Premium => told.premium = minor,
            Measure::Fee => told.fee = minor,
            Measure::Salary => told.salary = minor,
            Measure::Rent => told.rent = minor,
            Measure::Margin => told.margin = minor,
            Measure::Units => told.units = Some(value),
            Measure::Connections => told.connections = Some(value),
            Measure::Kilowatts => told.kilowatts = Some(value),
            Measure::Policies => told.policies = Some(value),
            Measure::Travellers => told.travellers = Some(value),
            Measure::Deals | Measure::PeriodBalance => return None,
        }
        Some(deal)
    }

    pub(super) fn size(&self, measure: Measure) -> Option<i64> {
        match measure {
            Measure::PeriodBalance => self.period.map(|period| period.balance.minor()),
            other => self.facts.measure(other),
        }
    }
}

/// What it takes to work made-up deals out.
pub(super) struct Trial<'c> {
    pub(super) content: &'c VersionContent,
    pub(super) version: &'c GoverningVersion,
    pub(super) plan: &'c Plan,
    scratch: std::cell::RefCell<Scratch>,
}

impl<'c> Trial<'c> {
    pub(super) fn of(version: &'c GoverningVersion) -> Option<Self> {
        let plan = version.plan().ok()?;
        Some(Self { content: version.content(), version, plan, scratch: std::cell::RefCell::default() })
    }

    /// What a deal earns in all; none when it cannot be worked out.
    pub(super) fn gross(&self, deal: &MadeUpDeal) -> Option<i64> {
        let mut scratch = self.scratch.borrow_mut();
        deal.with_input(self.version, self.plan, |input| self.plan.evaluate(input, &mut scratch, &mut Silent)).ok()?;
        scratch.lines().try_fold(0_i64, |sum, (_, _, earned, _, _)| sum.checked_add(earned))
    }

    pub(super) fn output(&self, deal: &MadeUpDeal) -> Option<CalculationOutput> {
        deal.evaluate(self.version).ok()
    }
}

/// What a component earns in an output.
pub(super) fn earned_by(output: &CalculationOutput, key: &ComponentKey) -> i64 {
    output.lines.iter().filter(|line| line.component == *key).map(|line| line.earned.minor()).sum()
}

/// A deal of ordinary size, on the first day on which the version governs.
pub(super) fn ordinary(content: &VersionContent, trail: bool) -> Option<MadeUpDeal> {
    let on = content.effective_from;
    let mut measures = Measures::NONE;
    for (measure, value) in ORDINARY {
        if mentions(content, measure) {
            tell(&mut measures, measure, value);
        }
    }
    let mut milestones = Milestones::new();
    for component in &content.components {
        if let Trigger::Milestone { name } = &component.trigger {
            milestones.insert(name.clone(), on);
        }
    }
    let shares = || content.components.iter().flat_map(|component| &component.split);
    let most = |place: fn(Role) -> Option<u8>| shares().filter_map(|share| place(share.role)).max().unwrap_or(0);
    let amount = Money::aud(50_000_000);
    Some(MadeUpDeal {
        product: ProductCode::parse("ANY").ok()?,
        facts: DealFacts {
            referred_on: on,
            contracted_on: Some(on),
            settlement: Some(Settlement { on, amount, offset: Money::ZERO, measures }),
            discharged_on: None,
        },
        upline_levels: most(|role| if let Role::Upline(n) = role { Some(n) } else { None }),
        participants: most(|role| if let Role::Participant(n) = role { Some(n) } else { None }),
        cohort: None,
        joined_on: None,
        provider: None,
        introducer: None,
        milestones,
        period: trail.then(|| Period { month: on.first_of_month(), balance: amount }),
        totals: std::collections::BTreeMap::new(),
    })
}

const ORDINARY: [(Measure, i64); 10] = [
    (Measure::Premium, 200_000),
    (Measure::Fee, 1_000_000),
    (Measure::Salary, 12_000_000),
    (Measure::Rent, 2_600_000),
    (Measure::Margin, 500_000),
    (Measure::Units, 3),
    (Measure::Connections, 3),
    (Measure::Kilowatts, 10),
    (Measure::Policies, 1),
    (Measure::Travellers, 2),
];

fn tell(measures: &mut Measures, measure: Measure, value: i64) {
    let minor = Some(Money::aud(value));
    match measure {
        Measure::Premium => measures.premium = minor,
        Measure::Fee => measures.fee = minor,
        Measure::Salary => measures.salary = minor,
        Measure::Rent => measures.rent = minor,
        Measure::Margin => measures.margin = minor,
        Measure::Units => measures.units = Some(value),
        Measure::Connections => measures.connections = Some(value),
        Measure::Kilowatts => measures.kilowatts = Some(value),
        Measure::Policies => measures.policies = Some(value),
        Measure::Travellers => measures.travellers = Some(value),
        Measure::SettledAmount | Measure::NetBalance | Measure::PeriodBalance | Measure::Deals => {}
    }
}

/// Whether a version asks for a measure anywhere.
pub(super) fn mentions(content: &VersionContent, measure: Measure) -> bool {
    let attribute = attribute_of(measure);
    content.accumulators.iter().any(|accumulator| accumulator.measure == measure)
        || content.components.iter().any(|component| {
            let mut asked = measure_of(&component.rate) == Some(measure);
            each(&component.predicate, &mut |named, _| asked |= Some(named) == attribute.as_ref());
            asked
        })
}

/// What a rate is paid for.
pub(super) const fn measure_of(rate: &ComponentRate) -> Option<Measure> {
    match rate {
        ComponentRate::FlatPerUnit { of, .. }
        | ComponentRate::Percent { of, .. }
        | ComponentRate::Tiered { of, .. }
        | ComponentRate::Lookup { of, .. } => Some(*of),
        ComponentRate::Trail { .. } => Some(Measure::PeriodBalance),
        ComponentRate::Flat { .. }
        | ComponentRate::PercentOfComponent { .. }
        | ComponentRate::MilestoneBonus { .. } => None,
    }
}

/// The deal that lies in a region and is nearest to another one; none when nothing fits.
pub(super) fn within(space: &Space<'_>, region: &Region, like: &MadeUpDeal) -> Option<MadeUpDeal> {
    let mut deal = like.clone();
    // The net balance follows from the amounts, and a running total from what the deal adds to it.
    let mut parts: Vec<_> = region.iter().collect();
    parts.sort_by_key(|(attribute, _)| match attribute {
        Attribute::Accumulator(_) => 2,
        Attribute::NetBalance => 1,
        _ => 0,
    });
    for (attribute, places) in parts {
        if places.spans.is_empty() {
            forget(&mut deal, attribute)?;
            continue;
        }
        let near = near(space, &deal, attribute);
        // The nearest one that can be named.
        let starts = places.spans.iter().flat_map(|(from, to)| [*from, *to]);
        let candidates = places.nearest(near).into_iter().chain(starts);
        let placed = candidates.take(8).find_map(|place| put(space, &deal, attribute, place));
        deal = placed?;
    }
    Some(deal)
}

/// What a deal adds to a running total.
fn added(content: &VersionContent, deal: &MadeUpDeal, key: &ComponentKey) -> i64 {
    let accumulator = content.accumulators.iter().find(|accumulator| accumulator.key == *key);
    accumulator.and_then(|accumulator| deal.facts.measure(accumulator.measure)).unwrap_or(0)
}

/// The place that the deal has on the line of an attribute, or an ordinary one.
fn near(space: &Space<'_>, deal: &MadeUpDeal, attribute: &Attribute) -> i64 {
    let facts = &deal.facts;
    let text = |text: Option<&str>| space.place_of_text(attribute, text.unwrap_or("ANY")).unwrap_or(0);
    match attribute {
        Attribute::ProductCode => text(Some(deal.product.as_str())),
        Attribute::ProductVertical => 1,
        Attribute::Cohort => text(deal.cohort.as_deref()),
        Attribute::Provider => text(deal.provider.as_deref()),
        Attribute::Introducer => text(deal.introducer.as_deref()),
        Attribute::UplineLevels => i64::from(deal.upline_levels),
        Attribute::PeriodEndsOn => deal.period.map_or(0, |period| day(period.ends_on())),
        Attribute::Accumulator(key) => {
            deal.totals.get(key).copied().unwrap_or(0).saturating_add(added(space.content, deal, key))
        }
        Attribute::OffsetBalance => facts.settlement.map_or(0, |s| s.offset.minor()),
        other => match Measure::ALL.iter().find(|measure| attribute_of(**measure).as_ref() == Some(other)) {
            Some(measure) => {
                let ordinary = ORDINARY.iter().find(|(m, _)| m == measure).map(|(_, value)| *value);
                deal.size(*measure).or(ordinary).unwrap_or(50_000_000)
            }
            None => day(facts.referred_on),
        },
    }
}

/// The same deal with another value; none when that cannot be.
fn put(space: &Space<'_>, like: &MadeUpDeal, attribute: &Attribute, place: i64) -> Option<MadeUpDeal> {
    let mut deal = like.clone();
    let named = || space.text(attribute, place);
    match attribute {
        Attribute::ProductCode => deal.product = ProductCode::parse(&named()?).ok()?,
        Attribute::ProductVertical => (place == 1).then_some(())?,
        Attribute::Cohort => deal.cohort = Some(named()?),
        Attribute::Provider => deal.provider = Some(named()?),
        Attribute::Introducer => deal.introducer = Some(named()?),
        Attribute::ReferredOn => deal.facts.referred_on = on_day(place)?,
        Attribute::ContractedOn => deal.facts.contracted_on = Some(on_day(place)?),
        Attribute::SettledOn => deal.facts.settlement.as_mut()?.on = on_day(place)?,
        Attribute::DischargedOn => deal.facts.discharged_on = Some(on_day(place)?),
        Attribute::JoinedOn => deal.joined_on = Some(on_day(place)?),
        Attribute::PeriodEndsOn => {
            deal.period.as_mut()?.month = on_day(place)?.first_of_month();
        }
        Attribute::UplineLevels => deal.upline_levels = u8::try_from(place).ok().filter(|n| *n <= 9)?,
        Attribute::OffsetBalance => deal.facts.settlement.as_mut()?.offset = Money::aud(place),
        Attribute::Accumulator(key) => {
            let before = place.checked_sub(added(space.content, &deal, key)).filter(|before| *before >= 0)?;
            deal.totals.insert(key.clone(), before);
        }
        other => {
            let measure = Measure::ALL.iter().find(|measure| attribute_of(**measure).as_ref() == Some(other))?;
            deal = deal.sized(*measure, place)?;
        }
    }
    Some(deal)
}

/// Takes a fact out of a deal; none when every deal has it.
fn forget(deal: &mut MadeUpDeal, attribute: &Attribute) -> Option<()> {
    let facts = &mut deal.facts;
    match attribute {
        Attribute::ContractedOn => facts.contracted_on = None,
        Attribute::DischargedOn => facts.discharged_on = None,
        Attribute::SettledOn | Attribute::SettledAmount | Attribute::OffsetBalance | Attribute::NetBalance => {
            facts.settlement = None;
        }
        Attribute::Cohort => deal.cohort = None,
        Attribute::JoinedOn => deal.joined_on = None,
        Attribute::Provider => deal.provider = None,
        Attribute::Introducer => deal.introducer = None,
        Attribute::PeriodEndsOn | Attribute::PeriodBalance => deal.period = None,
        Attribute::ReferredOn
        | Attribute::ProductCode
        | Attribute::ProductVertical
        | Attribute::UplineLevels
        | Attribute::Accumulator(_) => return None,
        Attribute::Premium => facts.settlement.as_mut()?.measures.premium = None,
        Attribute::Fee => facts.settlement.as_mut()?.measures.fee = None,
        Attribute::Salary => facts.settlement.as_mut()?.measures.salary = None,
        Attribute::Rent => facts.settlement.as_mut()?.measures.rent = None,
        Attribute::Margin => facts.settlement.as_mut()?.measures.margin = None,
        Attribute::Units => facts.settlement.as_mut()?.measures.units = None,
        Attribute::Connections => facts.settlement.as_mut()?.measures.connections = None,
        Attribute::Kilowatts => facts.settlement.as_mut()?.measures.kilowatts = None,
        Attribute::Policies => facts.settlement.as_mut()?.measures.policies = None,
        Attribute::Travellers => facts.settlement.as_mut()?.measures.travellers = None,
    }
    Some(())
}
