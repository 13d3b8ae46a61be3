//! Whether content makes sense by itself: every reference resolves, every unit fits, every bound is kept.
//!
//! All faults at once, each with a JSON pointer. Only content without an error compiles into a plan; what is
//! legal but unwise is for the lint. Cost: linear in the size of the content.

pub(super) mod graph;
pub(super) mod rates;
mod split;
mod table;

use std::collections::{BTreeMap, BTreeSet};

use super::finding::Finding;
use super::model::{
    Accumulator, Clawback, Combine, Component, ComponentKey, MAX_ACCUMULATORS, MAX_CLAWBACK_MONTHS, MAX_COMPONENTS,
    MAX_NAME_CHARS, Measure, MeasureUnit, Trigger, VersionContent,
};
use super::predicate::{Attribute, MAX_DEPTH, MAX_NODES, Predicate, Value, ValueKind};
use super::version::TableVersion;
use crate::kernel::Rate;

pub use table::check_table;

/// Every fault of the content; the tables are those that it names.
#[must_use]
pub fn check(content: &VersionContent, tables: &[TableVersion]) -> Vec<Finding> {
    let mut findings = Findings::default();
    if content.effective_until.is_some_and(|until| until < content.effective_from) {
        findings.error("effective_range", "/effective_until", "it ends before it begins");
    }
    accumulators(&mut findings, content);
    let count = content.components.len();
    if count == 0 || count > MAX_COMPONENTS {
        findings.error(
            "component_count",
            "/components",
            format!("expected 1 to {MAX_COMPONENTS} components, found {count}"),
        );
    }
    let known = Known::of(content, tables);
    let mut seen = BTreeSet::new();
    for (place, component) in content.components.iter().enumerate() {
        let at = format!("/components/{place}");
        if !seen.insert(&component.key) {
            findings.error("duplicate_key", format!("{at}/key"), format!("`{}` is used twice", component.key));
        }
        one(&mut findings, &known, component, &at);
    }
    graph::check(&mut findings, content);
    findings.0
}

/// Whether a component earns in each period of a trail rather than once.
pub(super) fn is_trail(content: &VersionContent, component: &Component) -> bool {
    Known::of(content, &[]).is_trail(component)
}

/// What the components may refer to.
pub(super) struct Known<'c> {
    accumulators: BTreeMap<&'c ComponentKey, &'c Accumulator>,
    components: BTreeMap<&'c ComponentKey, &'c Component>,
    tables: &'c [TableVersion],
}

impl<'c> Known<'c> {
    fn of(content: &'c VersionContent, tables: &'c [TableVersion]) -> Self {
        Self {
            accumulators: content.accumulators.iter().map(|a| (&a.key, a)).collect(),
            components: content.components.iter().map(|c| (&c.key, c)).collect(),
            tables,
        }
    }

    /// The kind of an attribute's value; none when there is no such running total.
    fn kind(&self, attribute: &Attribute) -> Option<ValueKind> {
        match attribute {
            Attribute::Accumulator(key) => self.accumulators.get(key).map(|a| kind_of(a.measure.unit())),
            named => named.kind(),
        }
    }

    /// Whether a component earns in each period of a trail rather than once.
    fn is_trail(&self, component: &Component) -> bool {
        let mut at = component;
        // As many steps as there are components: a circle ends too.
        for _ in 0..=self.components.len() {
            match &at.trigger {
                Trigger::Trail {} => return true,
                Trigger::Component { key } => match self.components.get(key) {
                    Some(next) => at = next,
                    None => return false,
                },
                Trigger::DealEvent { .. } | Trigger::Milestone { .. } => return false,
            }
        }
        false
    }
}

const fn kind_of(unit: MeasureUnit) -> ValueKind {
    match unit {
        MeasureUnit::Money => ValueKind::Money,
        MeasureUnit::Count => ValueKind::Integer,
    }
}

/// The findings while they are gathered.
#[derive(Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    fn error(&mut self, code: &'static str, pointer: impl Into<String>, message: impl Into<String>) {
        self.0.push(Finding::error(code, pointer.into(), message.into()));
    }
}

fn accumulators(findings: &mut Findings, content: &VersionContent) {
    if content.accumulators.len() > MAX_ACCUMULATORS {
        findings.error("accumulator_count", "/accumulators", format!("at most {MAX_ACCUMULATORS}"));
    }
    let mut seen = BTreeSet::new();
    for (place, accumulator) in content.accumulators.iter().enumerate() {
        let at = format!("/accumulators/{place}");
        if !seen.insert(&accumulator.key) {
            findings.error("duplicate_key", format!("{at}/key"), format!("`{}` is used twice", accumulator.key));
        }
        if accumulator.measure == Measure::PeriodBalance {
            findings.error(
                "unit_mismatch",
                format!("{at}/measure"),
                "the balance of a period is not added up over deals",
            );
        }
    }
}

fn one(findings: &mut Findings, known: &Known<'_>, component: &Component, at: &str) {
    let name = component.name.chars().count();
    if name == 0 || name > MAX_NAME_CHARS || component.name.chars().any(char::is_control) {
        findings.error("invalid_name", format!("{at}/name"), format!("expected 1 to {MAX_NAME_CHARS} characters"));
    }
    predicate(findings, known, &component.predicate, &format!("{at}/predicate"));
    rates::check(findings, known, component, at);
    split::check(findings, known, component, at);
    if let Some(clawback) = &component.clawback {
        schedule(findings, clawback, &format!("{at}/clawback"));
        if known.is_trail(component) {
            findings.error(
                "clawback_on_trail",
                format!("{at}/clawback"),
                "what a period earned is not taken back: trail stops at discharge",
            );
        }
    }
    let Combine { group, .. } = &component.combine;
    if group.is_empty() || group.chars().count() > MAX_NAME_CHARS {
        findings.error(
            "invalid_name",
            format!("{at}/combine/group"),
            format!("expected 1 to {MAX_NAME_CHARS} characters"),
        );
    }
}

fn schedule(findings: &mut Findings, clawback: &Clawback, at: &str) {
    let within = |fraction: Rate| (0..=Rate::WHOLE.ppm()).contains(&fraction.ppm());
    match clawback {
        Clawback::Step { steps } => {
            if steps.is_empty() {
                findings.error("empty_schedule", format!("{at}/steps"), "expected at least one step");
            }
            for (place, step) in steps.iter().enumerate() {
                let at = format!("{at}/steps/{place}");
                if !within(step.fraction) {
                    findings.error("fraction_out_of_range", format!("{at}/fraction"), "expected 0 to 1");
                }
                if step.before_months == 0 || step.before_months > MAX_CLAWBACK_MONTHS {
                    findings.error(
                        "months_out_of_range",
                        format!("{at}/before_months"),
                        format!("expected 1 to {MAX_CLAWBACK_MONTHS}"),
                    );
                }
                if place > 0 && steps[place - 1].before_months >= step.before_months {
                    findings.error(
                        "steps_out_of_order",
                        format!("{at}/before_months"),
                        "expected more months than the step before",
                    );
                }
            }
        }
        Clawback::StraightLine { months } => {
            if *months == 0 || *months > MAX_CLAWBACK_MONTHS {
                findings.error(
                    "months_out_of_range",
                    format!("{at}/months"),
                    format!("expected 1 to {MAX_CLAWBACK_MONTHS}"),
                );
            }
        }
        Clawback::Custom { fractions } => {
            if fractions.is_empty() || fractions.len() > usize::from(MAX_CLAWBACK_MONTHS) {
                findings.error(
                    "months_out_of_range",
                    format!("{at}/fractions"),
                    format!("expected 1 to {MAX_CLAWBACK_MONTHS}"),
                );
            }
            for (place, _) in fractions.iter().enumerate().filter(|(_, fraction)| !within(**fraction)) {
                findings.error("fraction_out_of_range", format!("{at}/fractions/{place}"), "expected 0 to 1");
            }
        }
    }
}

fn predicate(findings: &mut Findings, known: &Known<'_>, root: &Predicate, at: &str) {
    let (mut depth, mut nodes) = (0, 0);
    measure_tree(root, 1, &mut depth, &mut nodes);
    if depth > MAX_DEPTH || nodes > MAX_NODES {
        findings.error(
            "predicate_too_large",
            at,
            format!("at most {MAX_DEPTH} levels and {MAX_NODES} conditions, found {depth} and {nodes}"),
        );
        return;
    }
    conditions(findings, known, root, at);
}

/// Stops descending once the tree is too deep: it is refused then anyway.
fn measure_tree(predicate: &Predicate, level: usize, depth: &mut usize, nodes: &mut usize) {
    *depth = (*depth).max(level);
    *nodes += 1;
    if level > MAX_DEPTH {
        return;
    }
    match predicate {
        Predicate::All { of } | Predicate::Any { of } => {
            of.iter().for_each(|p| measure_tree(p, level + 1, depth, nodes));
        }
        Predicate::Not { of } => measure_tree(of, level + 1, depth, nodes),
        Predicate::In { values, .. } => *nodes += values.len(),
        Predicate::Compare { .. } | Predicate::Between { .. } => {}
    }
}

fn conditions(findings: &mut Findings, known: &Known<'_>, predicate: &Predicate, at: &str) {
    let mut fits = |attribute: &Attribute, value: &Value, pointer: String| match known.kind(attribute) {
        None => findings.error("unknown_accumulator", format!("{at}/attribute"), format!("there is no `{attribute}`")),
        Some(kind) if kind != value.kind() => findings.error(
            "unit_mismatch",
            pointer,
            format!("`{attribute}` is {}, the value is {}", kind.name(), value.kind().name()),
        ),
        Some(_) => {}
    };
    match predicate {
        Predicate::All { of } | Predicate::Any { of } => {
            for (place, inner) in of.iter().enumerate() {
                conditions(findings, known, inner, &format!("{at}/of/{place}"));
            }
        }
        Predicate::Not { of } => conditions(findings, known, of, &format!("{at}/of")),
        Predicate::Compare { attribute, value, .. } => fits(attribute, value, format!("{at}/value")),
        Predicate::In { attribute, values } => {
            for (place, value) in values.iter().enumerate() {
                fits(attribute, value, format!("{at}/values/{place}"));
            }
            if values.is_empty() {
                findings.error("empty_list", format!("{at}/values"), "expected at least one value");
            }
        }
        Predicate::Between { attribute, from, to } => {
            fits(attribute, from, format!("{at}/from"));
            fits(attribute, to, format!("{at}/to"));
            if from.seen().order(&to.seen()).is_some_and(std::cmp::Ordering::is_gt) {
                findings.error("empty_range", format!("{at}/to"), "the greatest is below the least");
            }
        }
    }
}
