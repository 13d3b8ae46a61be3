//! What every deal earns, by sums and rules of three alone: nothing of the engine, the plan or the replay.

use std::collections::BTreeMap;

use super::super::*;
use crate::agreements::model::Role;
use crate::kernel::ids::{MemberId, OrganisationId};

/// Earned and taken back by component and role, by sums and rules of three alone.
pub(super) type Amounts = BTreeMap<(String, Role), (i64, i64)>;

#[derive(Default)]
pub(super) struct Sums {
    volume: BTreeMap<(MemberId, i16, i8), i128>,
    house: BTreeMap<OrganisationId, i128>,
    deals: BTreeMap<MemberId, i64>,
    capped: BTreeMap<(MemberId, i8), (i64, i64)>,
    welcomed: BTreeMap<MemberId, i64>,
}

struct Terms {
    accelerator: [(i128, i128); 3],
    house: [(i128, i128); 2],
    cap: i64,
}

/// As they stand in the files, by hand: thresholds in cents, rates in millionths.
const TERMS: [Terms; 2] = [
    Terms {
        accelerator: [(0, 10_000), (100_000_000, 12_500), (200_000_000, 15_000)],
        house: [(0, 1_000), (300_000_000, 2_000)],
        cap: 150_000,
    },
    Terms {
        accelerator: [(0, 10_100), (100_000_000, 13_300), (200_000_000, 17_700)],
        house: [(0, 1_100), (300_000_000, 2_100)],
        cap: 250_000,
    },
];

/// Millionths of cents to cents, half up; nothing here is negative.
fn rounded(millionths: i128) -> i64 {
    i64::try_from((millionths + 500_000) / 1_000_000).expect("in range")
}

impl Sums {
    pub(super) fn next(&mut self, deal: &Deal) -> Amounts {
        let mut amounts = Amounts::new();
        let Some(settlement) = deal.facts.settlement else { return amounts };
        let terms = &TERMS[deal.agreement.expect("sealed").1 as usize - 1];
        let (on, amount) = (settlement.on, i128::from(settlement.amount.minor()));
        let volume = self.volume.entry((deal.member, on.year(), (on.month() - 1) / 3)).or_default();
        let worth = |total: i128| {
            let rate = terms.accelerator.iter().rev().find(|(from, _)| *from <= total).expect("a tier").1;
            rounded(total * rate)
        };
        let whole = worth(*volume + amount) - worth(*volume);
        *volume += amount;
        self.accelerated(deal, terms.cap, whole, &mut amounts);
        let house = self.house.entry(deal.introducer).or_default();
        let marginal = |total: i128| {
            let above = (total - terms.house[1].0).max(0);
            rounded((total - above) * terms.house[0].1 + above * terms.house[1].1)
        };
        let more = if deal.facts.discharged_on.is_some() { 0 } else { amount };
        let whole = marginal(*house + more) - marginal(*house);
        *house += more;
        // The odd cent goes to the first of two equal remainders: the member.
        let mut put = |component: &str, role, minor| {
            if minor > 0 {
                amounts.insert((component.to_owned(), role), (minor, 0));
            }
        };
        put("house", Role::Member, whole - whole / 2);
        put("house", Role::Platform, whole / 2);
        let deals = self.deals.entry(deal.member).or_default();
        *deals += 1;
        put(
            "milestone",
            Role::Member,
            match *deals {
                3 => 50_000,
                5 => 100_000,
                _ => 0,
            },
        );
        let welcomed = self.welcomed.entry(deal.member).or_default();
        *welcomed += 1;
        put("welcome", Role::Member, if *welcomed <= 3 { 2_500 } else { 0 });
        amounts
    }

    /// 60 %, 20 % up to the cap of the month, and what is left; all taken back within a year.
    fn accelerated(&mut self, deal: &Deal, cap: i64, whole: i64, amounts: &mut Amounts) {
        let (mut member, mut upline) = (whole * 6 / 10, whole * 2 / 10);
        let mut platform = upline;
        // Remainders in tenths of a cent: what is missing goes to the largest first, then by the order of the shares.
        let (rest_of_member, rest_of_other) = (whole * 6 % 10, whole * 2 % 10);
        let missing = whole - member - upline - platform;
        let mut shares = [(rest_of_member, 0), (rest_of_other, 1), (rest_of_other, 2)];
        shares.sort_by_key(|(rest, place)| (-rest, *place));
        for (_, place) in shares.iter().take(usize::try_from(missing).expect("few")) {
            *[&mut member, &mut upline, &mut platform][*place] += 1;
        }
        match deal.upline.filter(|_| whole > 0) {
            None => platform += std::mem::take(&mut upline),
            Some(above) => {
                let month = deal.facts.settlement.expect("settled").on.month();
                let (total, paid) = self.capped.entry((above, month)).or_default();
                *total += upline;
                let now = (*total).min(cap).max(*paid);
                // When the later version's cap is higher, the platform makes up as much as it has.
                let minor = (now - *paid).min(upline + platform);
                platform += upline - minor;
                upline = minor;
                *paid += minor;
            }
        }
        let back = |minor| if deal.facts.discharged_on.is_some() { minor } else { 0 };
        for (role, minor) in [(Role::Member, member), (Role::Upline(1), upline), (Role::Platform, platform)] {
            if minor > 0 {
                amounts.insert(("accelerator".to_owned(), role), (minor, back(minor)));
            }
        }
    }
}
