//! A version made ready to work with: references are places, tables are sorted, shares are weights.

use jiff::civil::Date;

use crate::agreements::check::{self, graph, rates::running_total};
use crate::agreements::finding::{Finding, Severity};
use crate::agreements::model::{
    AccumulatorScope, Clawback, CombineMode, Component, ComponentKey, ComponentRate, FundingRule, GoverningDate,
    LimitSpan, LookupRow, LookupTable, Matching, Measure, Pay, Proration, Role, Share, Tier, TierBasis, TierMode,
    Trigger, Unwound, VersionContent, Window,
};
use crate::agreements::predicate::{Attribute, Predicate};
use crate::agreements::version::TableVersion;
use crate::kernel::{Money, Rate};

/// A compiled version.
#[derive(Debug, Clone)]
pub struct Plan {
    pub(super) governing: GoverningDate,
    pub(super) from: Date,
    pub(super) until: Option<Date>,
    pub(super) components: Vec<Planned>,
    pub(super) groups: Vec<PlannedGroup>,
    pub(super) counters: Vec<PlannedCounter>,
}

/// One group, in the order of work.
#[derive(Debug, Clone)]
pub(super) struct PlannedGroup {
    pub(super) mode: CombineMode,
    pub(super) places: Vec<usize>,
    pub(super) trail: bool,
}

/// One component.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    pub(super) key: ComponentKey,
    pub(super) trigger: PlannedTrigger,
    /// None = always.
    pub(super) predicate: Option<Predicate>,
    pub(super) rate: PlannedRate,
    pub(super) trail: bool,
    pub(super) whole_limits: Vec<PlannedLimit>,
    pub(super) role_limits: Vec<PlannedLimit>,
    pub(super) shares: Vec<PlannedShare>,
    pub(super) weights: Vec<u64>,
    pub(super) hold_days: u16,
    pub(super) funding_rule: FundingRule,
    pub(super) clawback: Option<Clawback>,
}

#[derive(Debug, Clone)]
pub(super) enum PlannedTrigger {
    DealEvent(GoverningDate),
    Milestone(ComponentKey),
    Trail,
    Component(usize),
}

#[derive(Debug, Clone)]
pub(super) enum PlannedRate {
    Flat(i64),
    PerUnit { minor: i64, of: Measure },
    Percent { of: Measure, rate: Rate },
    OfComponent { place: usize, rate: Rate },
    Tiered { of: Measure, mode: TierMode, counter: Option<usize>, tiers: Vec<PlannedTier> },
    Lookup { table: PlannedTable, of: Measure },
    Trail { annual_rate: Rate, periods_per_year: u8 },
    Bonus { counter: usize, milestones: Vec<(i64, i64)> },
}

#[derive(Debug, Clone, Copy)]
pub(super) struct PlannedTier {
    pub(super) from: i64,
    pub(super) pays: Pay,
}

/// Rows sorted by their keys.
#[derive(Debug, Clone)]
pub(super) struct PlannedTable {
    pub(super) attributes: Vec<Attribute>,
    pub(super) band: bool,
    pub(super) rows: Vec<LookupRow>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct PlannedShare {
    pub(super) role: Role,
    pub(super) size: Rate,
    pub(super) absent_to: Option<usize>,
    pub(super) excess_to: Option<usize>,
}

#[derive(Debug, Clone)]
pub(super) struct PlannedLimit {
    /// The place of the share; none = the whole.
    pub(super) share: Option<usize>,
    pub(super) span: LimitSpan,
    pub(super) cap: Option<i64>,
    pub(super) floor: Option<i64>,
    pub(super) max_count: Option<u32>,
    pub(super) proration: Proration,
    /// Where its window is counted; none for a deal by itself.
    pub(super) counter: Option<usize>,
}

/// One running total or limit over a window.
#[derive(Debug, Clone)]
pub(super) struct PlannedCounter {
    pub(super) name: String,
    pub(super) window: Window,
    pub(super) of: CounterOf,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum CounterOf {
    Accumulator { measure: Measure, scope: AccumulatorScope, unwound: Unwound },
    Limit { role: Option<Role> },
}

impl Planned {
    /// Everybody who has a share.
    pub(super) fn roles(&self) -> Vec<Role> {
        self.shares.iter().map(|share| share.role).collect()
    }
}

impl Plan {
    /// Checks content and makes it ready.
    ///
    /// # Errors
    /// Every error of [`check::check`].
    pub fn compile(content: &VersionContent, tables: &[TableVersion]) -> Result<Self, Vec<Finding>> {
        let mut findings = check::check(content, tables);
        findings.retain(|finding| finding.severity == Severity::Error);
        if !findings.is_empty() {
            return Err(findings);
        }
        let mut compiler = Compiler { content, tables, counters: Vec::new() };
        compiler.accumulators();
        // Checked content leaves nothing unresolved; a gap between check and compiler shows as this finding.
        let gap = || vec![Finding::error("unresolved", "/components".into(), "a reference does not resolve".into())];
        let components = content.components.iter().map(|component| compiler.component(component));
        let components = components.collect::<Option<Vec<Planned>>>().ok_or_else(gap)?;
        let groups = graph::groups(content);
        let groups = graph::ordered(content).0.into_iter().map(|group| {
            let (combine, places) = &groups[group];
            PlannedGroup { mode: combine.mode, trail: components[places[0]].trail, places: places.clone() }
        });
        Ok(Self {
            governing: content.governing_date,
            from: content.effective_from,
            until: content.effective_until,
            groups: groups.collect(),
            counters: compiler.counters,
            components,
        })
    }

    /// Whether any component earns in each period of a trail.
    #[must_use]
    pub fn has_trail(&self) -> bool {
        self.components.iter().any(|component| component.trail)
    }

    /// Whether deals depend on the ones before them.
    #[must_use]
    pub fn has_counters(&self) -> bool {
        !self.counters.is_empty()
    }
}

struct Compiler<'c> {
    content: &'c VersionContent,
    tables: &'c [TableVersion],
    counters: Vec<PlannedCounter>,
}

impl Compiler<'_> {
    fn accumulators(&mut self) {
        for accumulator in &self.content.accumulators {
            self.counters.push(PlannedCounter {
                name: format!("accumulator.{}", accumulator.key),
                window: accumulator.window,
                of: CounterOf::Accumulator {
                    measure: accumulator.measure,
                    scope: accumulator.scope,
                    unwound: accumulator.unwound,
                },
            });
        }
    }

    fn accumulator(&self, key: &ComponentKey) -> Option<usize> {
        self.content.accumulators.iter().position(|accumulator| accumulator.key == *key)
    }

    fn place(&self, key: &ComponentKey) -> Option<usize> {
        self.content.components.iter().position(|component| component.key == *key)
    }

    fn component(&mut self, component: &Component) -> Option<Planned> {
        let limits = self.limits(component)?;
        let (whole_limits, role_limits) = limits.into_iter().partition(|limit| limit.share.is_none());
        let shares = shares(&component.split)?;
        let always = matches!(&component.predicate, Predicate::All { of } if of.is_empty());
        Some(Planned {
            key: component.key.clone(),
            trigger: match &component.trigger {
                Trigger::DealEvent { event } => PlannedTrigger::DealEvent(*event),
                Trigger::Milestone { name } => PlannedTrigger::Milestone(name.clone()),
                Trigger::Trail {} => PlannedTrigger::Trail,
                Trigger::Component { key } => PlannedTrigger::Component(self.place(key)?),
            },
            predicate: (!always).then(|| component.predicate.clone()),
            rate: self.rate(&component.rate)?,
            trail: check::is_trail(self.content, component),
            whole_limits,
            role_limits,
            weights: shares.iter().map(|share| share.size.ppm().unsigned_abs()).collect(),
            shares,
            hold_days: component.hold.days,
            funding_rule: component.hold.funding_rule,
            clawback: component.clawback.clone(),
        })
    }

    /// From the shortest span to the longest.
    fn limits(&mut self, component: &Component) -> Option<Vec<PlannedLimit>> {
        let mut limits: Vec<(usize, &crate::agreements::model::Limit)> = component.limits.iter().enumerate().collect();
        limits.sort_by_key(|(_, limit)| limit.per.window());
        let mut planned = Vec::with_capacity(limits.len());
        for (place, limit) in limits {
            let share = match limit.role {
                None => None,
                Some(role) => Some(component.split.iter().position(|share| share.role == role)?),
            };
            let counter = limit.per.window().map(|window| {
                let name = format!("limit.{}.{place}", component.key);
                self.counters.push(PlannedCounter { name, window, of: CounterOf::Limit { role: limit.role } });
                self.counters.len() - 1
            });
            planned.push(PlannedLimit {
                share,
                span: limit.per,
                cap: limit.cap.map(Money::minor),
                floor: limit.floor.map(Money::minor),
                max_count: limit.max_count,
                proration: limit.proration,
                counter,
            });
        }
        Some(planned)
    }

    fn rate(&self, rate: &ComponentRate) -> Option<PlannedRate> {
        Some(match rate {
            ComponentRate::Flat { amount } => PlannedRate::Flat(amount.minor()),
            ComponentRate::FlatPerUnit { amount, of } => PlannedRate::PerUnit { minor: amount.minor(), of: *of },
            ComponentRate::Percent { of, rate } => PlannedRate::Percent { of: *of, rate: *rate },
            ComponentRate::PercentOfComponent { component, rate } => {
                PlannedRate::OfComponent { place: self.place(component)?, rate: *rate }
            }
            ComponentRate::Tiered { of, mode, by, tiers } => PlannedRate::Tiered {
                of: *of,
                mode: *mode,
                counter: match by {
                    TierBasis::Deal {} => None,
                    TierBasis::Accumulator { .. } => Some(self.accumulator(running_total(rate)?)?),
                },
                tiers: tiers.iter().map(planned_tier).collect::<Option<_>>()?,
            },
            ComponentRate::Lookup { table, of } => {
                let found = self.tables.iter().find(|version| version.is(table))?;
                PlannedRate::Lookup { table: planned_table(&found.table), of: *of }
            }
            ComponentRate::Trail { annual_rate, periods_per_year } => {
                PlannedRate::Trail { annual_rate: *annual_rate, periods_per_year: *periods_per_year }
            }
            ComponentRate::MilestoneBonus { accumulator, milestones } => PlannedRate::Bonus {
                counter: self.accumulator(accumulator)?,
                milestones: milestones
                    .iter()
                    .map(|milestone| Some((milestone.at.number()?, milestone.amount.minor())))
                    .collect::<Option<_>>()?,
            },
        })
    }
}

fn planned_tier(tier: &Tier) -> Option<PlannedTier> {
    Some(PlannedTier { from: tier.from.number()?, pays: tier.pays })
}

fn planned_table(table: &LookupTable) -> PlannedTable {
    let mut rows = table.rows.clone();
    rows.sort_by(|a, b| a.order(&b.keys));
    PlannedTable {
        attributes: table.keys.iter().map(|key| key.attribute.clone()).collect(),
        band: table.keys.last().is_some_and(|key| key.matching == Matching::Band),
        rows,
    }
}

fn shares(split: &[Share]) -> Option<Vec<PlannedShare>> {
    let place = |role: Option<Role>| role.and_then(|role| split.iter().position(|share| share.role == role));
    let sizes = Share::sizes(split)?;
    let planned = split.iter().zip(sizes).map(|(share, size)| PlannedShare {
        role: share.role,
        size,
        absent_to: place(share.absent_to),
        excess_to: place(share.excess_to),
    });
    Some(planned.collect())
}
