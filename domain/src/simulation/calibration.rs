//! What history looks like, so that a made-up flow can look like it.
//!
//! One pass over the deals, whose order does not matter. Of each product: how often it is sold and settles, amounts and
//! days to settlement (a table of hundredths), how many unwind in each month after settlement (of those old enough);
//! by month, how many are referred; and up to [`MOST_TEMPLATES`] deals, chosen by a hash of their name, that lend their
//! parties: a member who refers twice as often is chosen twice as often.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::draws::Draws;
use super::population::{Chunk, PopulationDeal, Span};
use super::spread::Spread;
use super::tally::month_number;
use crate::kernel::ids::DealId;
use crate::kernel::rate::WHOLE_PPM;

/// Deals of a product that lend their parties, of those that settled and of those that did not.
pub const MOST_TEMPLATES: usize = 512;
/// The oldest age, in months, at which an unwinding is looked for.
pub const MOST_AGE: usize = 120;
/// So many of the last months are too young to say how many deals settle.
const YOUNG_MONTHS: i32 = 4;
/// Volumes of so many of the last whole months are drawn from.
const VOLUME_MONTHS: usize = 24;

/// A deal that lends its parties, with its lists.
type Templates = BTreeMap<(u64, DealId), (PopulationDeal, Chunk)>;

#[derive(Debug, Default)]
struct OfProduct {
    /// By month of referral: deals, of these settled.
    months: BTreeMap<i32, (u64, u64)>,
    amounts: Spread,
    days: Spread,
    /// By month of settlement: deals.
    settled: BTreeMap<i32, u64>,
    /// By month of settlement and age in months: deals that unwound.
    unwound: BTreeMap<(i32, usize), u64>,
    with: Templates,
    without: Templates,
}

/// History as it is being looked at.
#[derive(Debug, Default)]
pub struct Calibration {
    products: BTreeMap<u32, OfProduct>,
    last: Option<Date>,
    shared: Chunk,
}

/// How one product goes.
#[derive(Debug, Clone)]
pub(super) struct ProductFlow {
    pub(super) deals: u64,
    pub(super) settles_ppm: i64,
    /// At each hundredth from 0 to 100.
    pub(super) amounts: Vec<i64>,
    pub(super) days: Vec<i64>,
    /// By age in months: of those that got there, so many unwind.
    pub(super) hazards_ppm: Vec<i64>,
    /// Templates that settled, and that did not, in `Flow::parties`.
    pub(super) with: Vec<PopulationDeal>,
    pub(super) without: Vec<PopulationDeal>,
}

/// How history goes on.
#[derive(Debug, Clone)]
pub struct Flow {
    /// The last day on which anything happened.
    pub last: Date,
    /// Deals referred in past months.
    pub(super) volumes: Vec<u64>,
    pub(super) products: Vec<ProductFlow>,
    /// The lists of all templates.
    pub(super) parties: Chunk,
}

fn keep(templates: &mut Templates, deal: &PopulationDeal, chunk: &Chunk) {
    let rank = (Draws::of(0, &[deal.name]).next_bits(), deal.id);
    if templates.len() >= MOST_TEMPLATES && templates.last_key_value().is_none_or(|(last, _)| *last <= rank) {
        return;
    }
    templates.insert(rank, lent(deal, chunk));
    if templates.len() > MOST_TEMPLATES {
        templates.pop_last();
    }
}

/// A deal with what its chunk has of it.
fn lent(deal: &PopulationDeal, chunk: &Chunk) -> (PopulationDeal, Chunk) {
    let mut own = Chunk::default();
    let deal = moved(deal, chunk, &mut own);
    (deal, own)
}

/// The deal in another chunk, with its lists; without milestones, balances and seal.
fn moved(deal: &PopulationDeal, from: &Chunk, to: &mut Chunk) -> PopulationDeal {
    let mut text = |place: Option<u32>| {
        let text = from.text(place)?;
        let known = to.texts.iter().position(|known| known == text);
        let place = known.unwrap_or_else(|| {
            to.texts.push(text.to_owned());
            to.texts.len() - 1
        });
        u32::try_from(place).ok()
    };
    let (cohort, provider, introducer) = (text(deal.cohort), text(deal.provider), text(deal.introducer));
    PopulationDeal {
        cohort,
        provider,
        introducer,
        uplines: Span::of(&mut to.members, deal.uplines.among(&from.members).iter().copied()),
        own_uplines: Span::of(&mut to.levels, deal.own_uplines.among(&from.levels).iter().copied()),
        participants: Span::of(&mut to.members, deal.participants.among(&from.members).iter().copied()),
        milestones: None,
        balances: Span::default(),
        sealed: None,
        ..deal.clone()
    }
}

impl Calibration {
    /// Looks at more deals.
    pub fn take(&mut self, chunk: &Chunk) {
        if self.shared.products.is_empty() {
            self.shared.products = chunk.products.clone();
        }
        for deal in &chunk.deals {
            let facts = &deal.facts;
            let settled_on = facts.settlement.map(|settlement| settlement.on);
            self.last =
                [Some(facts.referred_on), settled_on, facts.discharged_on].into_iter().fold(self.last, Ord::max);
            let product = self.products.entry(deal.product).or_default();
            let month = product.months.entry(month_number(facts.referred_on)).or_default();
            month.0 += 1;
            let Some(settlement) = facts.settlement else {
                keep(&mut product.without, deal, chunk);
                continue;
            };
            month.1 += 1;
            product.amounts.take(settlement.amount.minor());
            product.days.take(days(facts.referred_on, settlement.on).max(0));
            let settled = month_number(settlement.on);
            *product.settled.entry(settled).or_default() += 1;
            if let Some(discharged_on) = facts.discharged_on {
                let age = usize::try_from(month_number(discharged_on) - settled).unwrap_or(0);
                *product.unwound.entry((settled, age)).or_default() += 1;
            }
            keep(&mut product.with, deal, chunk);
        }
    }

    /// What was seen; none of nothing.
    #[must_use]
    pub fn flow(self) -> Option<Flow> {
        let last = self.last?;
        let mut by_month: BTreeMap<i32, u64> = BTreeMap::new();
        for product in self.products.values() {
            product.months.iter().for_each(|(month, (deals, _))| *by_month.entry(*month).or_default() += deals);
        }
        let mut parties = self.shared;
        let products = self.products.into_values().filter_map(|product| product.flow(month_number(last), &mut parties));
        let products: Vec<ProductFlow> = products.collect();
        Some(Flow { last, volumes: volumes(&by_month, month_number(last)), products, parties })
    }
}

/// Deals by month: of the last whole months, or of the only one that there is.
fn volumes(by_month: &BTreeMap<i32, u64>, last: i32) -> Vec<u64> {
    let first = by_month.keys().next().copied().unwrap_or(last);
    let whole = first..last.max(first + 1);
    let most = i32::try_from(VOLUME_MONTHS).unwrap_or(i32::MAX);
    let whole = whole.start.max(whole.end - most)..whole.end;
    whole.map(|month| by_month.get(&month).copied().unwrap_or(0)).collect()
}

fn ppm(part: u64, whole: u64) -> i64 {
    let share = u128::from(part) * u128::from(WHOLE_PPM.unsigned_abs()) / u128::from(whole.max(1));
    i64::try_from(share).unwrap_or(WHOLE_PPM)
}

fn days(from: Date, to: Date) -> i64 {
    crate::agreements::model::measure::days_between(from, to).map_or(0, |days| days - 1)
}

impl OfProduct {
    fn flow(self, last: i32, parties: &mut Chunk) -> Option<ProductFlow> {
        let hundredths: Vec<u8> = (0..=100).collect();
        let old = self.months.iter().filter(|(month, _)| **month <= last - YOUNG_MONTHS);
        let mut counted = old.fold((0, 0), |sum, (_, (deals, settled))| (sum.0 + deals, sum.1 + settled));
        let all = self.months.values().fold((0, 0), |sum, (deals, settled)| (sum.0 + deals, sum.1 + settled));
        if counted.0 == 0 {
            counted = all;
        }
        let hazards_ppm = self.hazards(last);
        let mut place = |templates: Templates| -> Vec<PopulationDeal> {
            templates.into_values().map(|(deal, own)| moved(&deal, &own, parties)).collect()
        };
        let (with, without) = (place(self.with), place(self.without));
        (all.0 > 0).then(|| ProductFlow {
            deals: all.0,
            settles_ppm: ppm(counted.1, counted.0),
            amounts: self.amounts.at(&hundredths).unwrap_or_default(),
            days: self.days.at(&hundredths).unwrap_or_default(),
            hazards_ppm,
            with,
            without,
        })
    }

    /// Of the deals that can have got to an age and had not unwound before it, so many unwound at it.
    fn hazards(&self, last: i32) -> Vec<i64> {
        let oldest = self.unwound.keys().map(|(_, age)| *age).max();
        let Some(oldest) = oldest.map(|age| age.min(MOST_AGE)) else { return Vec::new() };
        let hazard = |age: usize| {
            let born_by = last - i32::try_from(age).unwrap_or(i32::MAX);
            let settled: u64 = self.settled.range(..=born_by).map(|(_, deals)| deals).sum();
            let of_age = self.unwound.iter().filter(|((month, _), _)| *month <= born_by);
            let (mut before, mut at) = (0, 0);
            for ((_, other), deals) in of_age {
                before += if *other < age { *deals } else { 0 };
                at += if *other == age { *deals } else { 0 };
            }
            ppm(at, settled.saturating_sub(before))
        };
        (0..=oldest).map(hazard).collect()
    }
}
