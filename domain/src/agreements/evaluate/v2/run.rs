//! One deal through a plan.

use jiff::ToSpan;
use jiff::civil::Date;

use super::clawback::{self, Fraction};
use super::plan::{Plan, Planned, PlannedGroup, PlannedTrigger};
use super::rates::Bases;
use super::{ENGINE, counters, limits, split};
use crate::agreements::evaluate::{CalculationOutput, EvaluateError, Line, NonAward, Tracer, reason};
use crate::agreements::facts::{CalculationInput, Standing};
use crate::agreements::model::{CombineMode, FundingRule, GoverningDate, Role};
use crate::agreements::predicate::{Attribute, Seen, holds};
use crate::kernel::Money;
use crate::kernel::ids::MemberId;
use crate::kernel::money::MoneyError;

/// What became of a component.
#[derive(Debug, Clone, Copy)]
pub(super) enum Awarded {
    /// It belongs to the other kind of calculation: of a period, or of the deal.
    Elsewhere,
    /// Nothing, and why.
    Nothing(&'static str),
    /// So much, on this day.
    Earned { minor: i64, on: Date },
}

/// One line, by places instead of names.
#[derive(Debug, Clone, Copy)]
struct RawLine {
    component: usize,
    role: Role,
    participant: Option<MemberId>,
    earned: i64,
    clawed_back: i64,
    payable_on: Date,
}

/// What is worked with from deal to deal without asking for memory again.
#[derive(Debug, Default)]
pub struct Scratch {
    wholes: Vec<Awarded>,
    parts: Vec<i64>,
    lines: Vec<RawLine>,
    after: Vec<Standing>,
}

impl Scratch {
    /// What all lines of the last deal earned, the platform's too, less what was taken back.
    #[must_use]
    pub fn net_minor(&self) -> i64 {
        self.lines.iter().map(|line| line.earned - line.clawed_back).sum()
    }

    /// The lines of the last deal: role, who, earned, taken back, the first day on which it may be paid.
    pub fn lines(&self) -> impl Iterator<Item = (Role, Option<MemberId>, i64, i64, Date)> {
        self.lines.iter().map(|l| (l.role, l.participant, l.earned, l.clawed_back, l.payable_on))
    }

    /// Where the counters stand after the last deal, in the order of the plan.
    #[must_use]
    pub fn counters(&self) -> &[Standing] {
        &self.after
    }

    /// The last deal as it is stored.
    #[must_use]
    pub fn output(&self, plan: &Plan, input: &CalculationInput<'_>) -> CalculationOutput {
        let line = |raw: &RawLine| Line {
            component: plan.components[raw.component].key.clone(),
            role: raw.role,
            participant: raw.participant,
            earned: Money::aud(raw.earned),
            clawed_back: Money::aud(raw.clawed_back),
            payable_on: raw.payable_on,
            period: input.period.map(|period| period.month),
            funding_rule: plan.components[raw.component].funding_rule,
        };
        let mut non_awards = Vec::new();
        for (component, awarded) in plan.components.iter().zip(&self.wholes) {
            if let Awarded::Nothing(reason) = awarded {
                non_awards.push(NonAward { component: component.key.clone(), reason });
            }
        }
        CalculationOutput {
            engine: ENGINE,
            lines: self.lines.iter().map(line).collect(),
            non_awards,
            reversed: self.lines.iter().any(|line| line.clawed_back != 0),
            counters: self.after.clone(),
        }
    }
}

impl Plan {
    /// Works out one deal, or one period of its trail.
    ///
    /// # Errors
    /// See [`EvaluateError`].
    pub fn evaluate(
        &self,
        input: &CalculationInput<'_>,
        scratch: &mut Scratch,
        tracer: &mut impl Tracer,
    ) -> Result<(), EvaluateError> {
        if !self.fits(input.counters) {
            return Err(EvaluateError::Counters);
        }
        counters::with_this_deal(self, input, &mut scratch.after)?;
        scratch.wholes.clear();
        scratch.wholes.resize(self.components.len(), Awarded::Elsewhere);
        scratch.lines.clear();
        for group in self.groups.iter().filter(|group| group.trail == input.period.is_some()) {
            self.group(input, group, scratch, tracer)?;
        }
        // The lines of the deal together fit too: whoever adds them up need not look.
        let mut total: i64 = 0;
        for (place, component) in self.components.iter().enumerate() {
            if let Awarded::Earned { minor, on } = scratch.wholes[place] {
                total = total.checked_add(minor).ok_or(MoneyError::OutOfRange)?;
                self.share(input, (place, component), (minor, on), scratch, tracer)?;
            }
        }
        Ok(())
    }

    fn group(
        &self,
        input: &CalculationInput<'_>,
        group: &PlannedGroup,
        scratch: &mut Scratch,
        tracer: &mut impl Tracer,
    ) -> Result<(), EvaluateError> {
        let mut taken: i64 = 0;
        // The place of the one that wins so far, and what it earns.
        let mut won: Option<(usize, i64)> = None;
        for place in &group.places {
            let component = &self.components[*place];
            if group.mode == CombineMode::First
                && let Some((winner, _)) = won
            {
                tracer.note(&component.key, "combine", || format!("`{}` comes first", self.components[winner].key));
                scratch.wholes[*place] = Awarded::Nothing(reason::ANOTHER_CAME_FIRST);
                continue;
            }
            let taken_before = if group.mode == CombineMode::Stack { taken } else { 0 };
            scratch.wholes[*place] = self.awarded(input, component, taken_before, scratch, tracer)?;
            // Of the best only one wins, and only that one uses up its limits.
            if group.mode != CombineMode::Best {
                self.limit(input, *place, scratch, tracer)?;
            }
            let Awarded::Earned { minor, .. } = scratch.wholes[*place] else { continue };
            taken = taken.checked_add(minor).ok_or(MoneyError::OutOfRange)?;
            match (group.mode, won) {
                (CombineMode::Best, Some((_, most))) if minor <= most => {
                    scratch.wholes[*place] = Awarded::Nothing(reason::ANOTHER_EARNS_MORE);
                    tracer.tell(
                        &component.key,
                        "combine",
                        || component.roles(),
                        || format!("another of its group earns {}, this one {}", Money::aud(most), Money::aud(minor)),
                    );
                }
                (CombineMode::Best, Some((winner, _))) => {
                    scratch.wholes[winner] = Awarded::Nothing(reason::ANOTHER_EARNS_MORE);
                    tracer.tell(
                        &self.components[winner].key,
                        "combine",
                        || component.roles(),
                        || format!("`{}` earns {}, which is more", component.key, Money::aud(minor)),
                    );
                    won = Some((*place, minor));
                }
                _ => won = Some((*place, minor)),
            }
        }
        match (group.mode, won) {
            (CombineMode::Best, Some((winner, _))) => self.limit(input, winner, scratch, tracer),
            _ => Ok(()),
        }
    }

    /// Holds what a component earned against the limits of the whole.
    fn limit(
        &self,
        input: &CalculationInput<'_>,
        place: usize,
        scratch: &mut Scratch,
        tracer: &mut impl Tracer,
    ) -> Result<(), EvaluateError> {
        let Awarded::Earned { minor, on } = scratch.wholes[place] else { return Ok(()) };
        let governing_on = self.governing_on(input);
        let minor = limits::whole(self, &self.components[place], governing_on, minor, &mut scratch.after, tracer)?;
        scratch.wholes[place] =
            if minor > 0 { Awarded::Earned { minor, on } } else { Awarded::Nothing(reason::CAP_REACHED) };
        Ok(())
    }

    fn awarded(
        &self,
        input: &CalculationInput<'_>,
        component: &Planned,
        taken: i64,
        scratch: &Scratch,
        tracer: &mut impl Tracer,
    ) -> Result<Awarded, EvaluateError> {
        let key = &component.key;
        let on = match triggered(input, component, &scratch.wholes) {
            Ok(on) => on,
            Err(reason) => {
                tracer.note(key, "trigger", || match reason {
                    reason::DISCHARGED => {
                        "the deal was discharged by the end of the period: nothing is earned".to_owned()
                    }
                    _ => "has not happened yet: nothing is earned".to_owned(),
                });
                return Ok(Awarded::Nothing(reason));
            }
        };
        tracer.note(key, "trigger", || format!("happened on {on}"));
        if let Some(predicate) = &component.predicate {
            let attributes = Attributes { plan: self, input, after: &scratch.after };
            let mut seen = |attribute: &Attribute| {
                let value = attributes.value(attribute);
                tracer.note(key, "predicate", || {
                    let shown = value.map_or_else(|| "not known".to_owned(), |value| value.to_string());
                    format!("{attribute} is {shown}")
                });
                value
            };
            if !holds(predicate, &mut seen) {
                tracer.note(key, "predicate", || "does not hold: nothing is earned".to_owned());
                return Ok(Awarded::Nothing(reason::PREDICATE_FALSE));
            }
        }
        if component.whole_limits.iter().chain(&component.role_limits).any(|limit| limit.waits(&scratch.after)) {
            tracer.note(key, "count", || "the date that governs is not known yet".to_owned());
            return Ok(Awarded::Nothing(reason::NOT_GOVERNED_YET));
        }
        if component.whole_limits.iter().any(|limit| limit.count_reached(&scratch.after)) {
            tracer.note(key, "count", || "as many deals as the limit allows have earned already".to_owned());
            return Ok(Awarded::Nothing(reason::COUNT_REACHED));
        }
        let bases = Bases { plan: self, input, after: &scratch.after, wholes: &scratch.wholes, taken, component };
        let minor = match bases.earned(&component.rate, tracer)? {
            Ok(minor) => minor,
            Err(reason) => return Ok(Awarded::Nothing(reason)),
        };
        if minor <= 0 {
            tracer.note(key, "rate", || format!("comes to {}: nothing is earned", Money::aud(minor)));
            return Ok(Awarded::Nothing(reason::NOTHING_EARNED));
        }
        Ok(Awarded::Earned { minor, on })
    }

    fn share(
        &self,
        input: &CalculationInput<'_>,
        (place, component): (usize, &Planned),
        (whole, on): (i64, Date),
        scratch: &mut Scratch,
        tracer: &mut impl Tracer,
    ) -> Result<(), EvaluateError> {
        let key = &component.key;
        let governing_on = self.governing_on(input);
        split::parts(self, input, component, (whole, governing_on), &mut scratch.after, &mut scratch.parts, tracer)?;
        let payable_on = on.checked_add(i64::from(component.hold_days).days()).map_err(|_| EvaluateError::Date)?;
        tracer.note(key, "hold", || {
            let funded = if component.funding_rule == FundingRule::OnReceipt {
                ", and not before the provider has paid"
            } else {
                ""
            };
            format!("{} days: may be paid from {payable_on}{funded}", component.hold_days)
        });
        let settled_on = input.facts.settlement.map(|settlement| settlement.on);
        let fraction = match (&component.clawback, settled_on, input.facts.discharged_on) {
            (Some(clawback), Some(settled), Some(discharged)) => {
                clawback::fraction(clawback, settled, discharged, key, tracer)?
            }
            _ => Fraction::ZERO,
        };
        for (share, earned) in component.shares.iter().zip(&scratch.parts).filter(|(_, part)| **part != 0) {
            let clawed_back = fraction.of(*earned);
            if !fraction.is_zero() {
                tracer.tell(
                    key,
                    "clawback",
                    || vec![share.role],
                    || format!("{}: {} of {}", share.role, Money::aud(clawed_back), Money::aud(*earned)),
                );
            }
            scratch.lines.push(RawLine {
                component: place,
                role: share.role,
                participant: counters::participant(input, share.role),
                earned: *earned,
                clawed_back,
                payable_on,
            });
        }
        Ok(())
    }
}

/// The day on which a component's trigger happened.
fn triggered(input: &CalculationInput<'_>, component: &Planned, wholes: &[Awarded]) -> Result<Date, &'static str> {
    let not_yet = reason::TRIGGER_NOT_MET;
    match &component.trigger {
        PlannedTrigger::DealEvent(GoverningDate::Referred) => Ok(input.facts.referred_on),
        PlannedTrigger::DealEvent(GoverningDate::Contracted) => input.facts.contracted_on.ok_or(not_yet),
        PlannedTrigger::DealEvent(GoverningDate::Settled) => input.facts.settlement.map(|s| s.on).ok_or(not_yet),
        PlannedTrigger::Milestone(name) => input.milestones.get(name).copied().ok_or(not_yet),
        PlannedTrigger::Trail => {
            let ends_on = input.period.map(|period| period.ends_on()).ok_or(not_yet)?;
            // Before the deal settles there is nothing that a balance could be of.
            if input.facts.settlement.is_none_or(|settlement| settlement.on > ends_on) {
                Err(not_yet)
            } else if input.facts.discharged_on.is_some_and(|on| on <= ends_on) {
                Err(reason::DISCHARGED)
            } else {
                Ok(ends_on)
            }
        }
        PlannedTrigger::Component(place) => match wholes[*place] {
            Awarded::Earned { on, .. } => Ok(on),
            Awarded::Nothing(_) | Awarded::Elsewhere => Err(not_yet),
        },
    }
}

/// What conditions and tables may ask for.
pub(super) struct Attributes<'a> {
    pub(super) plan: &'a Plan,
    pub(super) input: &'a CalculationInput<'a>,
    pub(super) after: &'a [Standing],
}

impl<'a> Attributes<'a> {
    pub(super) fn value(&self, attribute: &Attribute) -> Option<Seen<'a>> {
        let input = self.input;
        let facts = &input.facts;
        let settlement = facts.settlement.as_ref();
        let told = settlement.map(|s| &s.measures);
        match attribute {
            Attribute::ProductCode => Some(Seen::Text(input.product.as_str())),
            Attribute::ProductVertical => Some(Seen::Text(input.vertical.as_str())),
            Attribute::ReferredOn => Some(Seen::Date(facts.referred_on)),
            Attribute::ContractedOn => facts.contracted_on.map(Seen::Date),
            Attribute::SettledOn => settlement.map(|s| Seen::Date(s.on)),
            Attribute::DischargedOn => facts.discharged_on.map(Seen::Date),
            Attribute::SettledAmount => settlement.map(|s| Seen::Money(s.amount)),
            Attribute::OffsetBalance => settlement.map(|s| Seen::Money(s.offset)),
            Attribute::NetBalance => settlement.and_then(|s| s.amount.minus(s.offset).ok()).map(Seen::Money),
            Attribute::Premium => told.and_then(|t| t.premium).map(Seen::Money),
            Attribute::Fee => told.and_then(|t| t.fee).map(Seen::Money),
            Attribute::Salary => told.and_then(|t| t.salary).map(Seen::Money),
            Attribute::Rent => told.and_then(|t| t.rent).map(Seen::Money),
            Attribute::Margin => told.and_then(|t| t.margin).map(Seen::Money),
            Attribute::Units => told.and_then(|t| t.units).map(Seen::Integer),
            Attribute::Connections => told.and_then(|t| t.connections).map(Seen::Integer),
            Attribute::Kilowatts => told.and_then(|t| t.kilowatts).map(Seen::Integer),
            Attribute::Policies => told.and_then(|t| t.policies).map(Seen::Integer),
            Attribute::Travellers => told.and_then(|t| t.travellers).map(Seen::Integer),
            Attribute::PeriodEndsOn => input.period.map(|period| Seen::Date(period.ends_on())),
            Attribute::PeriodBalance => input.period.map(|period| Seen::Money(period.balance)),
            Attribute::UplineLevels => i64::try_from(input.uplines.len()).ok().map(Seen::Integer),
            Attribute::Cohort => input.cohort.map(Seen::Text),
            Attribute::JoinedOn => input.joined_on.map(Seen::Date),
            Attribute::Provider => input.provider.map(Seen::Text),
            Attribute::Introducer => input.introducer.map(Seen::Text),
            Attribute::Accumulator(key) => self.total(key.as_str()),
        }
    }

    fn total(&self, key: &str) -> Option<Seen<'a>> {
        let named = |name: &str| name.strip_prefix("accumulator.") == Some(key);
        let place = self.plan.counters.iter().position(|counter| named(&counter.name))?;
        let total = self.after.get(place)?.total;
        let measure = counters::measure_of(&self.plan.counters[place])?;
        Some(match measure.unit() {
            crate::agreements::model::MeasureUnit::Money => Seen::Money(Money::aud(total)),
            crate::agreements::model::MeasureUnit::Count => Seen::Integer(total),
        })
    }
}
