//! Engine 1, frozen. Percent and flat rates of a deal event, n-way splits with absent and capped
//! shares merged into another one, step clawback.
//!
//! Order of work per component: trigger → predicate → base × rate (rounded once) → split by largest
//! remainder → absent shares merge → caps, excess merges → clawback per line (rounded once).

use jiff::ToSpan;
use jiff::civil::Date;

use super::{CalculationOutput, EvaluateError, Line, NonAward, Tracer, percent};
use crate::agreements::facts::CalculationInput;
use crate::agreements::model::{
    Clawback, CombineMode, Component, ComponentKey, ComponentRate, FundingRule, GoverningDate, Measure, Role, Share,
    Trigger,
};
use crate::agreements::predicate::{Attribute, Predicate, Seen};
use crate::kernel::split::largest_remainder;
use crate::kernel::{Money, Rate};

/// The number of this engine.
pub const ENGINE: u16 = 1;

/// Works out every component in order.
///
/// # Errors
/// See [`EvaluateError`].
pub fn run(input: &CalculationInput<'_>, tracer: &mut impl Tracer) -> Result<CalculationOutput, EvaluateError> {
    let mut output = CalculationOutput {
        engine: ENGINE,
        lines: Vec::new(),
        non_awards: Vec::new(),
        reversed: false,
        counters: Vec::new(),
    };
    for component in &input.version.content().components {
        match component_lines(input, component, tracer)? {
            Ok(lines) => output.lines.extend(lines),
            Err(reason) => output.non_awards.push(NonAward { component: component.key.clone(), reason }),
        }
    }
    output.reversed = output.lines.iter().any(|line| !line.clawed_back.is_zero());
    Ok(output)
}

fn unsupported<T>(what: &'static str) -> Result<T, EvaluateError> {
    Err(EvaluateError::Unsupported { engine: ENGINE, what })
}

fn component_lines(
    input: &CalculationInput<'_>,
    component: &Component,
    tracer: &mut impl Tracer,
) -> Result<Result<Vec<Line>, &'static str>, EvaluateError> {
    let key = &component.key;
    if component.combine.mode != CombineMode::Sum {
        return unsupported("a combine mode other than `sum`");
    }
    if component.hold.funding_rule != FundingRule::OnExpiry {
        return unsupported("the funding rule `on_receipt`");
    }
    let Some(event_on) = event_date(input, &component.trigger)? else {
        tracer.note(key, "trigger", || "has not happened yet: nothing is earned".to_owned());
        return Ok(Err("trigger_not_met"));
    };
    tracer.note(key, "trigger", || format!("happened on {event_on}"));
    let Some(settlement) = input.facts.settlement else {
        return unsupported("a deal event before settlement");
    };
    let net = settlement.amount.minus(settlement.offset)?;
    if !holds(input, &component.predicate, net, key, tracer) {
        return Ok(Err("predicate_false"));
    }
    let whole = match &component.rate {
        ComponentRate::Flat { amount } => *amount,
        ComponentRate::Percent { of, rate } => {
            let base = match of {
                Measure::SettledAmount => settlement.amount,
                Measure::NetBalance => net,
                _ => return unsupported("a percentage of another measure"),
            };
            tracer.note(key, "base", || {
                format!("{} = {} less offset {} gives {base}", of.name(), settlement.amount, settlement.offset)
            });
            let whole = rate.of(base)?;
            let everybody = || component.split.iter().map(|share| share.role).collect();
            tracer.tell(key, "rate", everybody, || {
                format!("{rate} × {base} = {whole}, rounded once, half away from zero")
            });
            whole
        }
        _ => return unsupported("a rate other than flat and percent"),
    };
    if whole.minor() <= 0 {
        tracer.note(key, "rate", || format!("comes to {whole}: nothing is earned"));
        return Ok(Err("nothing_earned"));
    }
    let parts = shared(input, component, whole, tracer)?;
    let payable_on = event_on.checked_add(i64::from(component.hold.days).days()).map_err(|_| EvaluateError::Date)?;
    tracer.note(key, "hold", || format!("{} days: may be paid from {payable_on}", component.hold.days));
    let fraction = clawback_fraction(input, component, settlement.on, tracer)?;
    let mut lines = Vec::with_capacity(parts.len());
    for (role, earned) in parts {
        let clawed_back = fraction.of(earned)?;
        if fraction != Rate::ZERO {
            tracer.tell(key, "clawback", || vec![role], || format!("{role}: {clawed_back} of {earned}"));
        }
        let participant = participant(input, role);
        lines.push(Line {
            component: key.clone(),
            role,
            participant,
            earned,
            clawed_back,
            payable_on,
            period: None,
            funding_rule: FundingRule::OnExpiry,
        });
    }
    Ok(Ok(lines))
}

fn event_date(input: &CalculationInput<'_>, trigger: &Trigger) -> Result<Option<Date>, EvaluateError> {
    match trigger {
        Trigger::DealEvent { event: GoverningDate::Referred } => Ok(Some(input.facts.referred_on)),
        Trigger::DealEvent { event: GoverningDate::Contracted } => Ok(input.facts.contracted_on),
        Trigger::DealEvent { event: GoverningDate::Settled } => Ok(input.facts.settlement.map(|s| s.on)),
        Trigger::Milestone { .. } => unsupported("the trigger `milestone`"),
        Trigger::Trail {} => unsupported("the trigger `trail`"),
        Trigger::Component { .. } => unsupported("the trigger `component`"),
    }
}

fn participant(input: &CalculationInput<'_>, role: Role) -> Option<crate::kernel::ids::MemberId> {
    match role {
        Role::Member => Some(input.member),
        Role::Upline(level) => input.uplines.get(usize::from(level).checked_sub(1)?).copied(),
        Role::Participant(_) | Role::Platform => None,
    }
}

/// Splits the whole, then merges absent shares and what is above a cap. Zero parts leave no line.
fn shared(
    input: &CalculationInput<'_>,
    component: &Component,
    whole: Money,
    tracer: &mut impl Tracer,
) -> Result<Vec<(Role, Money)>, EvaluateError> {
    let key = &component.key;
    let Some(sizes) = Share::sizes(&component.split) else { return unsupported("a split that is not 100 %") };
    let weights: Vec<u64> = sizes.iter().map(|size| size.ppm().unsigned_abs()).collect();
    let mut parts: Vec<(Role, Money)> =
        component.split.iter().map(|s| s.role).zip(largest_remainder(whole, &weights)?).collect();
    for ((role, part), size) in parts.iter().zip(&sizes) {
        tracer.tell(
            key,
            "split",
            || vec![*role],
            || format!("{role} {} = {part}, by largest remainder", percent(*size)),
        );
    }
    for share in &component.split {
        let absent = share.role != Role::Platform && participant(input, share.role).is_none();
        if absent {
            let Some(to) = share.absent_to else { return unsupported("an absent participant without `absent_to`") };
            let moved = move_part(&mut parts, share.role, to, None)?;
            tracer.tell(key, "absent", || vec![to], || format!("there is no {}: {moved} goes to {to}", share.role));
        }
    }
    for limit in &component.limits {
        if limit.floor.is_some() {
            return unsupported("a floor");
        }
        let Some(role) = limit.role else { return unsupported("a limit of the whole") };
        let to = component.split.iter().find(|s| s.role == role).and_then(|s| s.excess_to);
        if let Some(cap) = limit.cap {
            let Some(to) = to else { return unsupported("a cap without `excess_to`") };
            let moved = move_part(&mut parts, role, to, Some(cap))?;
            if !moved.is_zero() {
                tracer.tell(key, "cap", || vec![role], || format!("{role} is capped at {cap}"));
                tracer.tell(key, "cap", || vec![role, to], || format!("{moved} above it goes to {to}"));
            }
        }
    }
    parts.retain(|(_, part)| !part.is_zero());
    Ok(parts)
}

/// Moves what is above `keep` (everything, if none) from one role to another.
fn move_part(parts: &mut [(Role, Money)], from: Role, to: Role, keep: Option<Money>) -> Result<Money, EvaluateError> {
    let kept = keep.unwrap_or(Money::ZERO);
    let mut moved = Money::ZERO;
    for (role, part) in parts.iter_mut() {
        if *role == from && part.minor() > kept.minor() {
            moved = part.minus(kept)?;
            *part = kept;
        }
    }
    for (role, part) in parts.iter_mut() {
        if *role == to {
            *part = part.plus(moved)?;
            return Ok(moved);
        }
    }
    if moved.is_zero() { Ok(moved) } else { unsupported("a share that goes to a role outside the split") }
}

fn clawback_fraction(
    input: &CalculationInput<'_>,
    component: &Component,
    settled_on: Date,
    tracer: &mut impl Tracer,
) -> Result<Rate, EvaluateError> {
    let (Some(discharged_on), Some(clawback)) = (input.facts.discharged_on, &component.clawback) else {
        return Ok(Rate::ZERO);
    };
    let Clawback::Step { steps } = clawback else { return unsupported("a clawback other than steps") };
    for step in steps {
        let ends_on =
            settled_on.checked_add(i64::from(step.before_months).months()).map_err(|_| EvaluateError::Date)?;
        if discharged_on < ends_on {
            tracer.note(&component.key, "clawback", || {
                let taken = percent(step.fraction);
                format!(
                    "{} months not reached: discharged on {discharged_on}, before {ends_on}, so {taken} is taken back",
                    step.before_months
                )
            });
            return Ok(step.fraction);
        }
    }
    tracer.note(&component.key, "clawback", || format!("discharged on {discharged_on}, after the last step: nothing"));
    Ok(Rate::ZERO)
}

/// A comparison with a fact that is not known yet does not hold.
fn holds(
    input: &CalculationInput<'_>,
    predicate: &Predicate,
    net: Money,
    key: &ComponentKey,
    tracer: &mut impl Tracer,
) -> bool {
    let mut seen = |attribute: &Attribute| {
        let value = attribute_value(input, attribute, net);
        tracer.note(key, "predicate", || {
            let shown = value.as_ref().map_or_else(|| "not known".to_owned(), ToString::to_string);
            format!("{attribute} is {shown}")
        });
        value
    };
    super::super::predicate::holds(predicate, &mut seen)
}

fn attribute_value<'v>(input: &'v CalculationInput<'_>, attribute: &Attribute, net: Money) -> Option<Seen<'v>> {
    let settlement = input.facts.settlement;
    match attribute {
        Attribute::ProductCode => Some(Seen::Text(input.product.as_str())),
        Attribute::ProductVertical => Some(Seen::Text(input.vertical.as_str())),
        Attribute::ReferredOn => Some(Seen::Date(input.facts.referred_on)),
        Attribute::ContractedOn => input.facts.contracted_on.map(Seen::Date),
        Attribute::SettledOn => settlement.map(|s| Seen::Date(s.on)),
        Attribute::SettledAmount => settlement.map(|s| Seen::Money(s.amount)),
        Attribute::OffsetBalance => settlement.map(|s| Seen::Money(s.offset)),
        Attribute::NetBalance => settlement.map(|_| Seen::Money(net)),
        Attribute::UplineLevels => i64::try_from(input.uplines.len()).ok().map(Seen::Integer),
        // Engine 1 was never asked for the others.
        _ => None,
    }
}
