//! The deals of a simulation, as they stream by: facts, and who takes part by their ids. No names, no addresses.
//!
//! A chunk keeps what its deals share once (texts, products) and what they have several of in one list each, so that a
//! deal asks for no memory of its own. Deals come in [`DealOrder`](crate::agreements::replay::DealOrder) where running
//! totals need it, in any order otherwise.

use std::collections::BTreeMap;

use std::sync::Arc;

use jiff::civil::Date;

use crate::agreements::facts::{CalculationInput, DealFacts, Milestones, Period};
use crate::agreements::model::GoverningDate;
use crate::agreements::version::GoverningVersion;
use crate::catalogue::{ProductCode, VerticalCode};
use crate::kernel::ids::{AgreementId, DealId, MemberId, OrganisationId};

/// Deals of one chunk.
pub const CHUNK: u32 = 20_000;

/// Which deals of history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PopulationFilter {
    /// Only of this vertical.
    pub vertical: Option<VerticalCode>,
    /// Only of this product.
    pub product: Option<ProductCode>,
    /// Only those whose members this organisation has.
    pub introducer: Option<OrganisationId>,
    /// Referred on this day or later.
    pub referred_from: Option<Date>,
    /// Referred on this day or earlier.
    pub referred_until: Option<Date>,
}

/// The date by whose order the deals of a vertical come, where order matters: running totals never go over verticals.
pub type Orders = BTreeMap<VerticalCode, GoverningDate>;

/// What is asked of history.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PopulationAsked {
    /// Which deals.
    pub filter: PopulationFilter,
    /// The verticals whose deals must come in the order of a date of theirs; others come in any order.
    pub order: Orders,
    /// With the balances of their periods.
    pub balances: bool,
}

/// A part of a list that the deals of a chunk share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    from: u32,
    len: u32,
}

impl Span {
    /// Adds to a list, and says where.
    pub fn of<T>(list: &mut Vec<T>, more: impl IntoIterator<Item = T>) -> Self {
        let from = list.len();
        list.extend(more);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self { from: count(from), len: count(list.len() - from) }
    }

    /// What it names of the list.
    #[must_use]
    pub fn among<T>(self, list: &[T]) -> &[T] {
        let from = self.from as usize;
        list.get(from..from + self.len as usize).unwrap_or_default()
    }
}

/// What is sold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SoldProduct {
    /// Its code.
    pub code: ProductCode,
    /// Its vertical.
    pub vertical: VerticalCode,
}

/// What chance knows a deal by: what its source calls it, so that the same export meets the same chances wherever it is
/// recorded; its id where the source has no name for it. FNV-1a, 64 bits.
#[must_use]
pub fn name_of(external_ref: Option<&str>, id: DealId) -> u64 {
    let bytes = external_ref.map_or_else(|| id.uuid().as_bytes().to_vec(), |text| text.as_bytes().to_vec());
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// One deal; places are those of its chunk's lists.
#[derive(Debug, Clone)]
pub struct PopulationDeal {
    /// Its id.
    pub id: DealId,
    /// What chance knows it by: [`name_of`] it.
    pub name: u64,
    /// The place of its product.
    pub product: u32,
    /// What is known of it.
    pub facts: DealFacts,
    /// The member who referred.
    pub member: MemberId,
    /// Who stands above the member.
    pub uplines: Span,
    /// The levels of upline that are the referrer's own.
    pub own_uplines: Span,
    /// Other members who took part.
    pub participants: Span,
    /// The text of the member's cohort.
    pub cohort: Option<u32>,
    /// The text of who sells.
    pub provider: Option<u32>,
    /// The text of whose member referred.
    pub introducer: Option<u32>,
    /// The day on which the member joined.
    pub joined_on: Option<Date>,
    /// The place of its milestones.
    pub milestones: Option<u32>,
    /// The version that it is sealed under.
    pub sealed: Option<(AgreementId, u32)>,
    /// The balances of its periods.
    pub balances: Span,
}

/// Some deals.
#[derive(Debug, Clone, Default)]
pub struct Chunk {
    /// Every product.
    pub products: Arc<[SoldProduct]>,
    /// Codes of cohorts, ids of organisations.
    pub texts: Vec<String>,
    /// Uplines and participants.
    pub members: Vec<MemberId>,
    /// Levels of upline.
    pub levels: Vec<u8>,
    /// Milestones, where there are any.
    pub milestones: Vec<Milestones>,
    /// Balances of periods.
    pub balances: Vec<Period>,
    /// The deals.
    pub deals: Vec<PopulationDeal>,
}

impl Chunk {
    /// The text of a place.
    #[must_use]
    pub fn text(&self, place: Option<u32>) -> Option<&str> {
        self.texts.get(place? as usize).map(String::as_str)
    }

    /// The product of a deal; none when it is none of the chunk's.
    #[must_use]
    pub fn product(&self, deal: &PopulationDeal) -> Option<&SoldProduct> {
        self.products.get(deal.product as usize)
    }

    /// What a calculation of the deal is made from, without counters.
    #[must_use]
    pub fn input<'a>(
        &'a self,
        deal: &'a PopulationDeal,
        facts: DealFacts,
        sold: &'a SoldProduct,
        version: &'a GoverningVersion,
    ) -> CalculationInput<'a> {
        let uplines = deal.uplines.among(&self.members);
        let input = CalculationInput::new(deal.id, (sold.vertical, &sold.code), facts, deal.member, uplines, version);
        let milestones = deal.milestones.and_then(|place| self.milestones.get(place as usize));
        CalculationInput {
            own_uplines: deal.own_uplines.among(&self.levels),
            participants: deal.participants.among(&self.members),
            cohort: self.text(deal.cohort),
            joined_on: deal.joined_on,
            provider: self.text(deal.provider),
            introducer: self.text(deal.introducer),
            milestones: milestones.unwrap_or(input.milestones),
            ..input
        }
    }
}
