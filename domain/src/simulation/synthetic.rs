//! A made-up flow of deals that goes on as history went: the same seed makes the same deals on any machine.
//!
//! Month by month: as many deals as in a past month drawn at random; of each the product by how often it is sold, the
//! parties of a past deal, the amount and the days to settlement between two hundredths of what was, and an unwinding
//! by the share of past deals that unwound at that age. Amounts beside the main one keep their proportion to it; the
//! balances of a trail stay what they were at settlement.

use jiff::ToSpan;
use jiff::civil::Date;

use super::SimulationError;
use super::calibration::{Flow, ProductFlow};
use super::draws::Draws;
use super::population::{CHUNK, Chunk, PopulationDeal, Span};
use super::scenario::{Scenarios, governing_on};
use crate::agreements::facts::{DealFacts, Measures, Period, Settlement};
use crate::kernel::Money;
use crate::kernel::ids::DealId;
use crate::kernel::rate::divide_half_away;

/// The longest horizon, in months.
pub const MOST_MONTHS: u16 = 120;
/// The most runs.
pub const MOST_RUNS: u32 = 1_000;
/// The most deals of one run that must be put in order.
pub const MOST_ORDERED: usize = 200_000;
/// Places between two hundredths.
const BETWEEN: u64 = 1_024;

/// Between two hundredths of a table, all equally likely; 0 of an empty one.
fn drawn(table: &[i64], draws: &mut Draws) -> i64 {
    let steps = (table.len() as u64).saturating_sub(1);
    let at = draws.below(steps * BETWEEN);
    let place = usize::try_from(at / BETWEEN).unwrap_or(0);
    let (Some(low), Some(high)) = (table.get(place), table.get(place + 1)) else {
        return table.first().copied().unwrap_or_default();
    };
    let part = (i128::from(*high) - i128::from(*low)) * i128::from(at % BETWEEN) / i128::from(BETWEEN);
    i64::try_from(i128::from(*low) + part).unwrap_or(*low)
}

/// A settlement like another one, of another amount.
fn like(template: Option<Settlement>, on: Date, amount: i64) -> Settlement {
    let Some(template) = template else { return Settlement::of(on, Money::aud(amount), Money::ZERO) };
    let whole = template.amount.minor();
    let in_proportion = |part: Money| match whole {
        0 => part,
        _ => {
            let scaled = divide_half_away(i128::from(part.minor()) * i128::from(amount), i128::from(whole));
            Money::aud(i64::try_from(scaled).unwrap_or(part.minor()))
        }
    };
    let told = &template.measures;
    let measures = Measures {
        premium: told.premium.map(in_proportion),
        fee: told.fee.map(in_proportion),
        salary: told.salary.map(in_proportion),
        rent: told.rent.map(in_proportion),
        margin: told.margin.map(in_proportion),
        ..*told
    };
    Settlement { on, amount: Money::aud(amount), offset: in_proportion(template.offset), measures }
}

/// The periods of a trail, every so many months after settlement until it unwinds or the flow ends. What is not known
/// is taken to stay as it is: the balance is the first premium, or else the amount that settled.
fn periods(facts: &DealFacts, every: u8, last: Date) -> Vec<Period> {
    let Some(settlement) = facts.settlement else { return Vec::new() };
    let balance = settlement.measures.premium.unwrap_or(settlement.amount);
    let first = settlement.on.first_of_month();
    let month = |n: i64| first.checked_add((n * i64::from(every)).months()).ok();
    let until = facts.discharged_on.map_or(last, |on| on.min(last));
    (1..).map_while(month).take_while(|month| *month <= until).map(|month| Period { month, balance }).collect()
}

impl ProductFlow {
    fn facts(&self, referred_on: Date, draws: &mut Draws) -> Option<(DealFacts, &PopulationDeal)> {
        let settles = draws.happens(self.settles_ppm);
        let templates = match (settles, self.with.is_empty(), self.without.is_empty()) {
            (true, false, _) | (false, false, true) => &self.with,
            _ => &self.without,
        };
        let template = templates.get(usize::try_from(draws.below(templates.len() as u64)).ok()?)?;
        let after = |day: Date, days: i64| day.checked_add(days.days()).ok();
        let to_contract = template.facts.contracted_on.and_then(|on| {
            let days = crate::agreements::model::measure::days_between(template.facts.referred_on, on)?;
            Some(days - 1)
        });
        let contracted_on = to_contract.and_then(|days| after(referred_on, days));
        if !settles {
            let facts = DealFacts { referred_on, contracted_on, settlement: None, discharged_on: None };
            return Some((facts, template));
        }
        let on = after(referred_on, drawn(&self.days, draws))?;
        let settlement = like(template.facts.settlement, on, drawn(&self.amounts, draws).max(0));
        let mut discharged_on = None;
        for (age, hazard) in self.hazards_ppm.iter().enumerate() {
            if draws.happens(*hazard) {
                let month = on.first_of_month().checked_add(i64::try_from(age).ok()?.months()).ok()?;
                let day = i64::try_from(draws.below(u64::from(month.days_in_month().unsigned_abs()))).ok()?;
                discharged_on = after(month, day).map(|day| day.max(on));
                break;
            }
        }
        let contracted_on = contracted_on.map(|day| day.min(on));
        Some((DealFacts { referred_on, contracted_on, settlement: Some(settlement), discharged_on }, template))
    }
}

impl Flow {
    /// One month of one run; the months are counted from the one after the last of history, from 0.
    fn month(&self, seed: u64, (run, month): (u32, u16)) -> Option<Vec<PopulationDeal>> {
        let stream = [u64::from(run), u64::from(month)];
        let first = self.last.first_of_month().checked_add((i64::from(month) + 1).months()).ok()?;
        let mut draws = Draws::of(seed, &stream);
        let volume = self.volumes.get(usize::try_from(draws.below(self.volumes.len() as u64)).ok()?)?;
        let sold: u64 = self.products.iter().map(|product| product.deals).sum();
        let mut deals = Vec::with_capacity(usize::try_from(*volume).ok()?);
        for n in 0..*volume {
            let mut draws = Draws::of(seed, &[stream[0], stream[1], n + 1]);
            let id = uuid::Uuid::from_u64_pair(draws.next_bits(), draws.next_bits());
            let mut pick = draws.below(sold);
            let product = self.products.iter().find(|product| {
                let here = pick < product.deals;
                pick = pick.saturating_sub(product.deals);
                here
            })?;
            let day = i64::try_from(draws.below(u64::from(first.days_in_month().unsigned_abs()))).ok()?;
            let referred_on = first.checked_add(day.days()).ok()?;
            let (facts, template) = product.facts(referred_on, &mut draws)?;
            deals.push(PopulationDeal { id: DealId::new(id), name: id.as_u64_pair().1, facts, ..template.clone() });
        }
        Some(deals)
    }

    /// Makes the deals of a run, chunk by chunk; where order matters, by the date that governs.
    ///
    /// # Errors
    /// [`SimulationError::TooLarge`] beyond [`MOST_ORDERED`] deals in order; dates beyond the calendar; what `take` says.
    pub fn run(
        &self,
        seed: u64,
        (run, months): (u32, u16),
        scenarios: &Scenarios,
        mut take: impl FnMut(&Chunk) -> Result<(), SimulationError>,
    ) -> Result<(), SimulationError> {
        let orders = scenarios.orders()?;
        let last = self.last.first_of_month().checked_add(i64::from(months).months());
        let last = last.map_err(|_| SimulationError::OutOfRange)?.last_of_month();
        let mut chunk = self.parties.clone();
        let mut take = |part: &[PopulationDeal]| {
            chunk.deals.clear();
            chunk.balances.clear();
            for deal in part {
                let every = chunk.product(deal).and_then(|sold| scenarios.trail_every(sold.vertical));
                let periods = every.map_or_else(Vec::new, |every| periods(&deal.facts, every, last));
                let balances = Span::of(&mut chunk.balances, periods);
                chunk.deals.push(PopulationDeal { balances, ..deal.clone() });
            }
            take(&chunk)
        };
        let mut all = Vec::new();
        for month in 0..months {
            let deals = self.month(seed, (run, month)).ok_or(SimulationError::OutOfRange)?;
            if !orders.is_empty() {
                all.extend(deals);
                if all.len() > MOST_ORDERED {
                    return Err(SimulationError::TooLarge);
                }
                continue;
            }
            for part in deals.chunks(CHUNK as usize) {
                take(part)?;
            }
        }
        if !orders.is_empty() {
            let date = |deal: &PopulationDeal| self.parties.product(deal).and_then(|sold| orders.get(&sold.vertical));
            all.sort_by_key(|deal| (date(deal).and_then(|date| governing_on(*date, &deal.facts)), deal.id));
            for part in all.chunks(CHUNK as usize) {
                take(part)?;
            }
        }
        Ok(())
    }
}
