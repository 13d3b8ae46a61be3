//! How lines go from one payee to another: bucket by bucket, and as entries.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Assignment, LINES_PER_ENTRY};
use crate::access::ownership;
use crate::env::Env;
use crate::kernel::ids::{DealId, EntryId, PayeeId};
use crate::ledger::account::{AccountKey, AccountKind};
use crate::ledger::entry::{EntryDraft, EntryKind, Posting};
use crate::ledger::line::{Buckets, CommissionLine};

impl CommissionLine {
    /// Whether something of it lies in `accrued` and `available`, and nothing anywhere else.
    #[must_use]
    pub fn is_wholly_unpaid(&self) -> bool {
        let Buckets { accrued_minor, available_minor, .. } = self.buckets;
        let unpaid = Buckets { accrued_minor, available_minor, ..Buckets::default() };
        self.unpaid_minor() > 0 && self.buckets == unpaid && self.gst_minor == 0
    }

    /// Makes it another payee's, with what is unpaid of it. Returns the postings, which sum to zero: out of each bucket
    /// of the old payee, into the same bucket of the new one. None for a line that is nobody's.
    pub(super) fn assign(&mut self, to: PayeeId) -> Vec<Posting> {
        let Some(from) = self.payee else { return Vec::new() };
        self.payee = Some(to);
        let buckets = [
            (AccountKind::PayeeAccrued, self.buckets.accrued_minor),
            (AccountKind::PayeeAvailable, self.buckets.available_minor),
        ];
        let posting = |kind, payee: PayeeId, amount_minor| Posting {
            account: AccountKey::of_party(kind, payee.uuid()),
            amount_minor,
            line: Some(self.id),
        };
        let moved = buckets.into_iter().filter(|(_, amount_minor)| *amount_minor > 0);
        moved.flat_map(|(kind, amount)| [posting(kind, from, amount), posting(kind, to, -amount)]).collect()
    }
}

/// Assigns lines, and the entries that say so: one for each deal and those who see it.
pub(super) fn assigned(env: &Env<'_>, assignment: &Assignment, lines: &mut [CommissionLine]) -> Vec<EntryDraft> {
    let mut entries: BTreeMap<(DealId, Vec<Uuid>), Vec<Vec<Posting>>> = BTreeMap::new();
    for line in lines {
        let seen = ownership::of_assigned(&line.visible_to, line.member, assignment.organisation);
        entries.entry((line.deal, seen)).or_default().push(line.assign(assignment.to));
    }
    let draft = |deal: DealId, visible_to: &[Uuid], postings: &[Vec<Posting>]| EntryDraft {
        id: EntryId::new(env.ids.next()),
        kind: EntryKind::Assignment,
        deal: Some(deal),
        payee: None,
        source: assignment.id.uuid(),
        effective_on: env.now.sydney_date(),
        postings: postings.concat(),
        visible_to: visible_to.to_vec(),
    };
    let parts = entries.iter().flat_map(|((deal, seen), lines)| {
        lines.chunks(LINES_PER_ENTRY).map(move |postings| (*deal, seen.as_slice(), postings))
    });
    parts.map(|(deal, seen, postings)| draft(deal, seen, postings)).collect()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::agreements::model::{ComponentKey, FundingRule, Role};
    use crate::kernel::ids::{CalculationId, LineId};

    fn payee(n: u128) -> PayeeId {
        PayeeId::new(Uuid::from_u128(n))
    }

    fn line(buckets: Buckets) -> CommissionLine {
        CommissionLine {
            id: LineId::new(Uuid::from_u128(1)),
            deal: DealId::new(Uuid::from_u128(2)),
            component: ComponentKey::parse("upfront").expect("a component"),
            role: Role::Member,
            member: None,
            payee: Some(payee(3)),
            period: None,
            funding_rule: FundingRule::OnExpiry,
            payable_on: date(2026, 3, 1),
            earned_minor: 1_000,
            clawed_back_minor: 0,
            gst_minor: 0,
            buckets,
            calculation: CalculationId::new(Uuid::from_u128(4)),
            visible_to: Vec::new(),
        }
    }

    #[test]
    fn only_what_is_wholly_unpaid_goes() {
        let unpaid = Buckets { accrued_minor: 300, available_minor: 700, ..Buckets::default() };
        assert!(line(unpaid).is_wholly_unpaid());
        assert!(!line(Buckets::default()).is_wholly_unpaid());
        assert!(!CommissionLine { gst_minor: 1, ..line(unpaid) }.is_wholly_unpaid());
        let others = [
            Buckets { suspense_minor: 1, ..unpaid },
            Buckets { held_minor: 1, ..unpaid },
            Buckets { in_transit_minor: 1, ..unpaid },
            Buckets { paid_minor: 1, ..unpaid },
            Buckets { withheld_minor: 1, ..unpaid },
            Buckets { recoverable_minor: 1, ..unpaid },
            Buckets { set_off_minor: -1, ..unpaid },
        ];
        assert!(others.into_iter().all(|buckets| !line(buckets).is_wholly_unpaid()));
    }

    #[test]
    fn each_bucket_goes_to_the_same_bucket() {
        let mut moved = line(Buckets { accrued_minor: 300, available_minor: 700, ..Buckets::default() });
        let before = moved.clone();
        let postings = moved.assign(payee(9));
        let told: Vec<_> = postings.iter().map(|p| (p.account.kind, p.account.party, p.amount_minor)).collect();
        let (old, new) = (Some(payee(3).uuid()), Some(payee(9).uuid()));
        let (accrued, available) = (AccountKind::PayeeAccrued, AccountKind::PayeeAvailable);
        assert_eq!(told, [(accrued, old, 300), (accrued, new, -300), (available, old, 700), (available, new, -700)]);
        assert!(postings.iter().all(|p| p.line == Some(before.id)));
        assert_eq!(moved, CommissionLine { payee: Some(payee(9)), ..before });
    }
}
