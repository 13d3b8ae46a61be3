//! Which version governs a deal: by dates and by what was approved, never by whether a worker has looked since.
//!
//! Of one agreement the version with the greatest number that has begun by the governing date: it ends those before it,
//! so after its own last day, and once it is retired, the agreement has none (a gap, which the lint tells beforehand).
//! A version that was retired before its first day never began. Of several agreements one that is made for the
//! provider of the deal comes before one for everybody, then the one that began last, then the one made last.

use jiff::civil::Date;

use super::facts::DealFacts;
use super::model::GoverningDate;
use super::version::GoverningVersion;
use crate::kernel::ids::{AgreementId, OrganisationId};

/// A version that was approved once.
#[derive(Debug, Clone)]
pub struct Published {
    /// The version.
    pub version: GoverningVersion,
    /// The provider that its agreement is made for; none = for everybody.
    pub provider: Option<OrganisationId>,
    /// The day on which it was retired, in Sydney.
    pub retired_on: Option<Date>,
}

impl Published {
    /// The date of a deal by which it governs; before that date is known, the referral's.
    fn date_of(&self, facts: &DealFacts) -> Date {
        let on = match self.version.content().governing_date {
            GoverningDate::Referred => None,
            GoverningDate::Contracted => facts.contracted_on,
            GoverningDate::Settled => facts.settlement.map(|settlement| settlement.on),
        };
        on.unwrap_or(facts.referred_on)
    }

    /// Whether it has ended the ones before it by the date of the deal.
    fn has_begun(&self, facts: &DealFacts) -> bool {
        let first = self.version.content().effective_from;
        first <= self.date_of(facts) && self.retired_on.is_none_or(|retired| retired >= first)
    }

    fn takes(&self, facts: &DealFacts) -> bool {
        self.retired_on.is_none() && self.version.content().in_force_on(self.date_of(facts))
    }
}

/// The version in force for a deal of this provider.
#[must_use]
pub fn in_force<'p>(
    published: &'p [Published],
    provider: OrganisationId,
    facts: &DealFacts,
) -> Option<&'p GoverningVersion> {
    let of_provider = |p: &&Published| p.provider.is_none_or(|of| of == provider);
    let begun = |p: &&Published| p.has_begun(facts);
    let later = |p: &Published, agreement: AgreementId, number: u32| {
        p.version.agreement() == agreement && p.version.number() > number
    };
    let candidates: Vec<&Published> = published.iter().filter(of_provider).filter(begun).collect();
    let last = |p: &&&Published| {
        let (agreement, number) = (p.version.agreement(), p.version.number());
        !candidates.iter().any(|other| later(other, agreement, number))
    };
    let chosen = candidates
        .iter()
        .filter(last)
        .filter(|p| p.takes(facts))
        .max_by_key(|p| (p.provider.is_some(), p.version.content().effective_from, p.version.agreement()));
    chosen.map(|p| &p.version)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use uuid::Uuid;

    use super::*;
    use crate::agreements::reference;

    fn provider(n: u128) -> OrganisationId {
        OrganisationId::new(Uuid::from_u128(n))
    }

    /// A version of an agreement by months of 2026.
    fn published(agreement: u128, number: u32, from: i8, until: Option<i8>) -> Published {
        let mut content = reference::v01().expect("the reference").content().clone();
        content.effective_from = date(2026, from, 1);
        content.effective_until = until.map(|month| date(2026, month, 1).last_of_month());
        let agreement = AgreementId::new(Uuid::from_u128(agreement));
        let version = GoverningVersion::try_new(agreement, number, content).expect("a version");
        Published { version, provider: None, retired_on: None }
    }

    fn referred(month: i8) -> DealFacts {
        DealFacts { referred_on: date(2026, month, 15), contracted_on: None, settlement: None, discharged_on: None }
    }

    fn chosen(published: &[Published], month: i8) -> Option<(u128, u32)> {
        let found = in_force(published, provider(1), &referred(month));
        found.map(|version| (version.agreement().uuid().as_u128(), version.number()))
    }

    #[test]
    fn the_later_number_ends_the_earlier_one_and_leaves_a_gap_when_it_ends() {
        let versions = [published(1, 1, 1, None), published(1, 2, 4, Some(6)), published(1, 3, 9, None)];
        let expected = [(1, Some(1)), (3, Some(1)), (4, Some(2)), (6, Some(2)), (7, None), (9, Some(3)), (12, Some(3))];
        for (month, number) in expected {
            assert_eq!(chosen(&versions, month), number.map(|n| (1, n)), "month {month}");
        }
    }

    #[test]
    fn a_later_number_that_begins_earlier_wins_from_its_own_first_day() {
        let versions = [published(1, 1, 6, None), published(1, 2, 3, None)];
        assert_eq!(chosen(&versions, 2), None);
        assert_eq!(chosen(&versions, 4), Some((1, 2)));
        assert_eq!(chosen(&versions, 8), Some((1, 2)));
    }

    #[test]
    fn what_is_retired_takes_no_new_deals_and_what_never_began_ends_nothing() {
        let mut versions = [published(1, 1, 1, None), published(1, 2, 7, None)];
        versions[1].retired_on = Some(date(2026, 9, 1));
        assert_eq!((chosen(&versions, 6), chosen(&versions, 8)), (Some((1, 1)), None));
        versions[1].retired_on = Some(date(2026, 6, 30));
        assert_eq!(chosen(&versions, 8), Some((1, 1)));
    }

    #[test]
    fn a_providers_own_agreement_comes_first_for_it_alone() {
        let mut own = published(1, 1, 2, None);
        own.provider = Some(provider(1));
        let mut foreign = published(2, 1, 5, None);
        foreign.provider = Some(provider(2));
        let versions = [published(3, 1, 1, None), own, foreign, published(4, 1, 3, None)];
        assert_eq!(chosen(&versions, 1), Some((3, 1)));
        assert_eq!(chosen(&versions, 8), Some((1, 1)));
        let elsewhere = in_force(&versions, provider(9), &referred(8)).map(|v| v.agreement().uuid().as_u128());
        assert_eq!(elsewhere, Some(4), "of two for everybody the one that began last");
    }
}
