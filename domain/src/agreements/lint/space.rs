//! Conditions as sets of deals: every condition is a union of boxes, every box a set of values for each attribute.
//!
//! Values are places on a line of whole numbers: amounts and counts as they are, dates as days since 1970, texts
//! as places among those that the version names (odd: the text itself, even: what lies between). "Not known" is a
//! place of its own. Attributes are taken to be independent, so a box may hold deals that cannot be: what is empty
//! here is empty in truth, and that is all that an error rests upon. Bounds: [`MAX_BOXES`]; what is larger is not
//! judged.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, date};
use jiff::{ToSpan, Unit};

use crate::agreements::model::{Component, GoverningDate, Measure, Trigger, VersionContent};
use crate::agreements::predicate::{Attribute, Comparison, Predicate, Value, ValueKind};

/// The most boxes of one condition; one that has more is not judged.
pub(super) const MAX_BOXES: usize = 256;

/// A set of places: disjoint spans in ascending order, and whether "not known" is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) unknown: bool,
    pub(super) spans: Vec<(i64, i64)>,
}

impl Places {
    pub(super) fn span(from: i64, to: i64) -> Self {
        Self { unknown: false, spans: if from <= to { vec![(from, to)] } else { Vec::new() } }
    }

    /// Everything that is known.
    pub(super) fn known() -> Self {
        Self::span(i64::MIN, i64::MAX)
    }

    pub(super) fn at_least(from: i64) -> Self {
        Self::span(from, i64::MAX)
    }

    fn only_unknown() -> Self {
        Self { unknown: true, spans: Vec::new() }
    }

    fn or_unknown(self) -> Self {
        Self { unknown: true, ..self }
    }

    fn of_many(mut spans: Vec<(i64, i64)>) -> Self {
        spans.sort_unstable();
        let mut joined: Vec<(i64, i64)> = Vec::with_capacity(spans.len());
        for (from, to) in spans {
            match joined.last_mut() {
                Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
                _ => joined.push((from, to)),
            }
        }
        Self { unknown: false, spans: joined }
    }

    pub(super) const fn is_empty(&self) -> bool {
        !self.unknown && self.spans.is_empty()
    }

    pub(super) fn holds(&self, place: i64) -> bool {
        self.spans.iter().any(|(from, to)| (*from..=*to).contains(&place))
    }

    pub(super) fn and(&self, other: &Self) -> Self {
        let mut spans = Vec::new();
        for (a, b) in &self.spans {
            for (c, d) in &other.spans {
                if a.max(c) <= b.min(d) {
                    spans.push((*a.max(c), *b.min(d)));
                }
            }
        }
        Self { unknown: self.unknown && other.unknown, spans }
    }

    pub(super) fn complement(&self) -> Self {
        let mut spans = Vec::new();
        let mut next = Some(i64::MIN);
        for (from, to) in &self.spans {
            if let Some(next) = next.filter(|next| next < from) {
                spans.push((next, from - 1));
            }
            next = to.checked_add(1);
        }
        if let Some(next) = next {
            spans.push((next, i64::MAX));
        }
        Self { unknown: !self.unknown, spans }
    }

    /// The place that is nearest to this one.
    pub(super) fn nearest(&self, to: i64) -> Option<i64> {
        let clamped = self.spans.iter().map(|(from, until)| to.clamp(*from, *until));
        clamped.min_by_key(|place| place.abs_diff(to))
    }
}

/// A set of deals: for each attribute that is named a set of places; the others may have any.
pub(super) type Region = BTreeMap<Attribute, Places>;

fn narrowed(region: &Region, attribute: &Attribute, places: &Places) -> Option<Region> {
    let both = region.get(attribute).map_or_else(|| places.clone(), |already| already.and(places));
    if both.is_empty() {
        return None;
    }
    let mut narrowed = region.clone();
    narrowed.insert(attribute.clone(), both);
    Some(narrowed)
}

/// The deals of both.
pub(super) fn meet(a: &Region, b: &Region) -> Option<Region> {
    b.iter().try_fold(a.clone(), |region, (attribute, places)| narrowed(&region, attribute, places))
}

/// The deals of the first ones that are in none of the others; none when that becomes too many boxes.
pub(super) fn without(
    from: Vec<Region>,
    others: &[Region],
    possible: &dyn Fn(&Attribute) -> Places,
) -> Option<Vec<Region>> {
    let mut left = from;
    for other in others {
        let mut next = Vec::new();
        for mut inside in left {
            for (attribute, places) in other {
                next.extend(narrowed(&inside, attribute, &places.complement().and(&possible(attribute))));
                match narrowed(&inside, attribute, places) {
                    Some(both) => inside = both,
                    None => break,
                }
            }
        }
        if next.len() > MAX_BOXES {
            return None;
        }
        left = next;
    }
    Some(left)
}

/// The line of each attribute of a version.
pub(super) struct Space<'c> {
    pub(super) content: &'c VersionContent,
    texts: BTreeMap<Attribute, Vec<String>>,
}

impl<'c> Space<'c> {
    pub(super) fn of(content: &'c VersionContent) -> Self {
        let mut named: BTreeMap<Attribute, BTreeSet<String>> = BTreeMap::new();
        let vertical = content.vertical.to_string();
        named.entry(Attribute::ProductVertical).or_default().insert(vertical);
        for component in &content.components {
            each(&component.predicate, &mut |attribute, value| {
                if let Value::Text(text) = value {
                    named.entry(attribute.clone()).or_default().insert(text.clone());
                }
            });
        }
        Self { content, texts: named.into_iter().map(|(a, texts)| (a, texts.into_iter().collect())).collect() }
    }

    /// The place of a value on the line of its attribute.
    pub(super) fn place(&self, attribute: &Attribute, value: &Value) -> Option<i64> {
        match value {
            Value::Integer(_) | Value::Money(_) => value.number(),
            Value::Date(on) => Some(day(*on)),
            Value::Text(text) => {
                let place = self.texts.get(attribute)?.binary_search(text).ok()?;
                i64::try_from(place).ok().map(|place| 2 * place + 1)
            }
        }
    }

    /// A text at a place, if one can be named: the text itself, or one that lies between two others.
    pub(super) fn text(&self, attribute: &Attribute, place: i64) -> Option<String> {
        let texts = self.texts.get(attribute).map_or(&[][..], Vec::as_slice);
        let at = usize::try_from(place).ok()?;
        if at % 2 == 1 {
            return texts.get(at / 2).cloned();
        }
        let below = (at / 2).checked_sub(1).and_then(|n| texts.get(n));
        let above = texts.get(at / 2);
        let between = |text: &String| below.is_none_or(|b| b < text) && above.is_none_or(|a| text < a);
        let after = below.map(|text| format!("{text}-0"));
        after.into_iter().chain(["ANY".to_owned(), "0".to_owned(), "Z".to_owned()]).find(between)
    }

    /// Where a text lies that the version may not name.
    pub(super) fn place_of_text(&self, attribute: &Attribute, text: &str) -> Option<i64> {
        let texts = self.texts.get(attribute).map_or(&[][..], Vec::as_slice);
        let (Ok(place) | Err(place)) = texts.binary_search_by(|named| named.as_str().cmp(text));
        let exact = texts.get(place).is_some_and(|named| named == text);
        i64::try_from(place).ok().map(|place| 2 * place + i64::from(exact))
    }

    /// What can be known of a deal once a component is set off. Amounts and counts of a deal are never negative.
    pub(super) fn possible(&self, attribute: &Attribute, component: &Component) -> Places {
        let trail = crate::agreements::check::is_trail(self.content, component);
        let settled = matches!(&component.trigger, Trigger::DealEvent { event: GoverningDate::Settled });
        let told = |places: Places| if settled { places } else { places.or_unknown() };
        match attribute {
            Attribute::ProductVertical => {
                let own = self.place(attribute, &Value::Text(self.content.vertical.to_string()));
                own.map_or_else(Places::known, |own| Places::span(own, own))
            }
            Attribute::ProductCode | Attribute::ReferredOn => Places::known(),
            Attribute::UplineLevels => Places::at_least(0),
            Attribute::PeriodEndsOn if trail => Places::known(),
            Attribute::PeriodBalance if trail => Places::at_least(0),
            Attribute::PeriodEndsOn | Attribute::PeriodBalance => Places::only_unknown(),
            Attribute::ContractedOn => match component.trigger {
                Trigger::DealEvent { event: GoverningDate::Contracted } => Places::known(),
                _ => Places::known().or_unknown(),
            },
            Attribute::SettledOn | Attribute::NetBalance => told(Places::known()),
            Attribute::SettledAmount | Attribute::OffsetBalance => told(Places::at_least(0)),
            Attribute::Accumulator(_) => Places::known().or_unknown(),
            other => match other.kind() {
                Some(ValueKind::Money | ValueKind::Integer) => Places::at_least(0).or_unknown(),
                _ => Places::known().or_unknown(),
            },
        }
    }

    /// The deals for which a condition holds once a component is set off; none when it has too many boxes.
    pub(super) fn regions(&self, predicate: &Predicate, component: &Component) -> Option<Vec<Region>> {
        self.boxes(predicate, true, component)
    }

    fn boxes(&self, predicate: &Predicate, wanted: bool, component: &Component) -> Option<Vec<Region>> {
        match (predicate, wanted) {
            (Predicate::Not { of }, _) => self.boxes(of, !wanted, component),
            (Predicate::All { of }, true) | (Predicate::Any { of }, false) => {
                let mut all = vec![Region::new()];
                for inner in of {
                    let boxes = self.boxes(inner, wanted, component)?;
                    all = all.iter().flat_map(|a| boxes.iter().filter_map(|b| meet(a, b))).collect();
                    if all.len() > MAX_BOXES {
                        return None;
                    }
                }
                Some(all)
            }
            (Predicate::Any { of }, true) | (Predicate::All { of }, false) => {
                let mut any: Vec<Region> = Vec::new();
                for inner in of {
                    for region in self.boxes(inner, wanted, component)? {
                        if !any.contains(&region) {
                            any.push(region);
                        }
                    }
                    if any.len() > MAX_BOXES {
                        return None;
                    }
                }
                Some(any)
            }
            (leaf, _) => {
                let (attribute, places) = self.leaf(leaf)?;
                let places = if wanted { places } else { places.complement() };
                let places = places.and(&self.possible(attribute, component));
                Some(narrowed(&Region::new(), attribute, &places).into_iter().collect())
            }
        }
    }

    fn leaf<'p>(&self, predicate: &'p Predicate) -> Option<(&'p Attribute, Places)> {
        match predicate {
            Predicate::Compare { attribute, is, value } => {
                let at = self.place(attribute, value)?;
                let below = || at.checked_sub(1).map_or_else(Vec::new, |below| vec![(i64::MIN, below)]);
                let above = || at.checked_add(1).map_or_else(Vec::new, |above| vec![(above, i64::MAX)]);
                let spans = match is {
                    Comparison::Eq => vec![(at, at)],
                    Comparison::Ne => below().into_iter().chain(above()).collect(),
                    Comparison::Lt => below(),
                    Comparison::Lte => vec![(i64::MIN, at)],
                    Comparison::Gt => above(),
                    Comparison::Gte => vec![(at, i64::MAX)],
                };
                Some((attribute, Places { unknown: false, spans }))
            }
            Predicate::In { attribute, values } => {
                let places = values.iter().map(|value| self.place(attribute, value).map(|at| (at, at)));
                Some((attribute, Places::of_many(places.collect::<Option<_>>()?)))
            }
            Predicate::Between { attribute, from, to } => {
                Some((attribute, Places::span(self.place(attribute, from)?, self.place(attribute, to)?)))
            }
            Predicate::All { .. } | Predicate::Any { .. } | Predicate::Not { .. } => None,
        }
    }
}

/// Every attribute of a condition with the values that it is compared with.
pub(super) fn each(predicate: &Predicate, told: &mut impl FnMut(&Attribute, &Value)) {
    match predicate {
        Predicate::All { of } | Predicate::Any { of } => of.iter().for_each(|inner| each(inner, told)),
        Predicate::Not { of } => each(of, told),
        Predicate::Compare { attribute, value, .. } => told(attribute, value),
        Predicate::In { attribute, values } => values.iter().for_each(|value| told(attribute, value)),
        Predicate::Between { attribute, from, to } => {
            told(attribute, from);
            told(attribute, to);
        }
    }
}

const EPOCH: Date = date(1970, 1, 1);

/// Days since 1970.
pub(super) fn day(on: Date) -> i64 {
    // Every date of the calendar is within reach of every other.
    EPOCH.until((Unit::Day, on)).map_or(0, |span| i64::from(span.get_days()))
}

/// The day at a place, if the calendar has it.
pub(super) fn on_day(place: i64) -> Option<Date> {
    EPOCH.checked_add(i32::try_from(place).ok().filter(|days| days.unsigned_abs() < 4_400_000)?.days()).ok()
}

/// The attribute that tells the value of a measure; none for what has no attribute.
pub(super) const fn attribute_of(measure: Measure) -> Option<Attribute> {
    Some(match measure {
        Measure::SettledAmount => Attribute::SettledAmount,
        Measure::NetBalance => Attribute::NetBalance,
        Measure::PeriodBalance => Attribute::PeriodBalance,
        Measure::Premium => Attribute::Premium,
        Measure::Fee => Attribute::Fee,
        Measure::Salary => Attribute::Salary,
        Measure::Rent => Attribute::Rent,
        Measure::Margin => Attribute::Margin,
        Measure::Units => Attribute::Units,
        Measure::Connections => Attribute::Connections,
        Measure::Kilowatts => Attribute::Kilowatts,
        Measure::Policies => Attribute::Policies,
        Measure::Travellers => Attribute::Travellers,
        Measure::Deals => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_a_set_algebra() {
        let some = Places::of_many(vec![(5, 9), (1, 2), (3, 4), (20, 30)]);
        assert_eq!(some.spans, [(1, 9), (20, 30)]);
        let other = some.complement();
        assert_eq!(other.spans, [(i64::MIN, 0), (10, 19), (31, i64::MAX)]);
        assert!(other.unknown && other.and(&some).is_empty());
        assert_eq!(other.complement(), some);
        assert_eq!(Places::known().complement(), Places::only_unknown());
        assert_eq!((some.nearest(13), some.nearest(17), some.nearest(25)), (Some(9), Some(20), Some(25)));
    }

    #[test]
    fn a_box_without_another_is_what_lies_around_it() {
        let region = |amount: (i64, i64), units: (i64, i64)| {
            Region::from([
                (Attribute::SettledAmount, Places::span(amount.0, amount.1)),
                (Attribute::Units, Places::span(units.0, units.1)),
            ])
        };
        let any = |_: &Attribute| Places::known();
        let left = without(vec![region((0, 9), (0, 9))], &[region((3, 5), (3, 5))], &any).expect("few boxes");
        let size =
            |r: &Region| r.values().map(|p| p.spans.iter().map(|(a, b)| b - a + 1).sum::<i64>()).product::<i64>();
        assert_eq!(left.iter().map(size).sum::<i64>(), 100 - 9);
        assert_eq!(without(left.clone(), &[region((0, 9), (0, 9))], &any), Some(Vec::new()));
        assert_eq!(without(vec![region((0, 9), (0, 9))], &[region((50, 60), (0, 9))], &any).map(|l| l.len()), Some(1));
    }

    #[test]
    fn days_and_dates_are_each_others_mirror() {
        for on in [Date::MIN, Date::MAX, date(1970, 1, 1), date(2028, 2, 29)] {
            assert_eq!(on_day(day(on)), Some(on));
        }
    }
}
