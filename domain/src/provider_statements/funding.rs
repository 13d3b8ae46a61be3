//! Funding: lines that may be paid on only once the provider has paid are released pro rata to what came.
//!
//! What came of a deal (or of a month of its trail) is shared among all its lines in proportion to what each earned, by
//! largest remainder, so that once everything came each line is funded in full to the cent. A line is released up to
//! what is funded of it, and never before its hold has expired. What was released once stays released when less is
//! funded later. Locks: deals (by whoever matched) → lines → lanes → balances → head. Bounds: [`BATCH`]
//! deals at a time. Source: the domain document, "Agreements": `on_receipt`.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::ReconciliationError;
use crate::access::ownership;
use crate::env::Env;
use crate::kernel::ids::{DealId, EntryId, LineId, OrganisationId};
use crate::kernel::money::MoneyError;
use crate::kernel::{Money, split};
use crate::ledger::entry::{EntryDraft, EntryKind};
use crate::ledger::line::CommissionLine;
use crate::ledger::posting;
use crate::ledger::release::BATCH;
use crate::store::UnitOfWork;

/// A line of a deal and what it has to do with funding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FundedLine {
    /// The line.
    pub line: LineId,
    /// The deal.
    pub deal: DealId,
    /// The month of its trail.
    pub period: Option<Date>,
    /// Whether the provider must have paid before it may be paid on.
    pub on_receipt: bool,
    /// What it earned less what was taken back, in cents.
    pub earned_minor: i64,
}

/// How much of a line the provider has paid for, in cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineFunding {
    /// The line.
    pub line: LineId,
    /// How much.
    pub funded_minor: i64,
}

/// What is available to payees against what the providers paid for it, per provider; in cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FundingRow {
    /// Who pays commission in.
    pub provider: OrganisationId,
    /// What it owes in all by the ledger, without GST.
    pub expected_minor: i64,
    /// What came of that.
    pub received_minor: i64,
    /// What two people gave up.
    pub written_off_minor: i64,
    /// What payees may be paid.
    pub available_minor: i64,
    /// Of that, what the provider has not paid for yet.
    pub unfunded_minor: i64,
    /// What waits on hold for the provider's payment.
    pub awaiting_receipt_minor: i64,
}

/// Works out what is funded of the lines of deals, and keeps it.
///
/// # Errors
/// See [`ReconciliationError`].
pub(super) fn note(uow: &mut dyn UnitOfWork, deals: &[DealId]) -> Result<(), ReconciliationError> {
    if deals.is_empty() {
        return Ok(());
    }
    let lines = uow.provider_statements().list_funded_lines(deals)?;
    if lines.iter().all(|line| !line.on_receipt) {
        return Ok(());
    }
    let mut received: BTreeMap<(DealId, Option<Date>), i64> = BTreeMap::new();
    for item in uow.provider_statements().lock_items(deals)? {
        *received.entry((item.key.deal, item.key.period)).or_default() += item.received_minor;
    }
    let funding = shares(&lines, &received)?;
    Ok(uow.provider_statements().save_funding(&funding)?)
}

/// What came, shared among the lines of each deal and month in the order of their ids.
///
/// # Errors
/// When a sum leaves 64 bits.
pub fn shares(
    lines: &[FundedLine],
    received: &BTreeMap<(DealId, Option<Date>), i64>,
) -> Result<Vec<LineFunding>, MoneyError> {
    let mut groups: BTreeMap<(DealId, Option<Date>), Vec<&FundedLine>> = BTreeMap::new();
    for line in lines {
        groups.entry((line.deal, line.period)).or_default().push(line);
    }
    let mut funding = Vec::new();
    for (key, mut group) in groups {
        group.sort_unstable_by_key(|line| line.line);
        let weights: Vec<u64> = group.iter().map(|line| u64::try_from(line.earned_minor).unwrap_or(0)).collect();
        let whole: u64 = weights.iter().try_fold(0_u64, |sum, w| sum.checked_add(*w)).ok_or(MoneyError::OutOfRange)?;
        let came = received.get(&key).copied().unwrap_or(0).max(0);
        let came = came.min(i64::try_from(whole).map_err(|_| MoneyError::OutOfRange)?);
        let parts = if whole == 0 {
            vec![Money::ZERO; group.len()]
        } else {
            split::largest_remainder(Money::aud(came), &weights)?
        };
        let of_line = |(line, part): (&&FundedLine, Money)| LineFunding { line: line.line, funded_minor: part.minor() };
        funding.extend(group.iter().zip(parts).filter(|(line, _)| line.on_receipt).map(of_line));
    }
    Ok(funding)
}

/// A locked line on hold, and what is funded of it beyond what was released.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueLine {
    /// The line.
    pub line: CommissionLine,
    /// What may be released by now.
    pub left_minor: i64,
}

/// Releases what is funded and whose hold has expired today (Sydney), one entry per deal. Returns how many deals it
/// released: fewer than [`BATCH`] means that nothing is left.
///
/// # Errors
/// See [`posting::PostError`].
pub fn release_due(uow: &mut dyn UnitOfWork, env: &Env<'_>) -> Result<usize, posting::PostError> {
    let due = uow.provider_statements().lock_funded_lines(env.now.sydney_date(), BATCH)?;
    let mut drafts: BTreeMap<DealId, EntryDraft> = BTreeMap::new();
    let (mut lines, mut released) = (Vec::with_capacity(due.len()), Vec::with_capacity(due.len()));
    for DueLine { mut line, left_minor } in due {
        let Some(postings) = line.release_up_to(left_minor) else { continue };
        drafts.entry(line.deal).or_insert_with(|| draft(env, &line)).postings.extend(postings);
        released.push(LineFunding { line: line.id, funded_minor: -postings[1].amount_minor });
        lines.push(line);
    }
    let deals = drafts.len();
    if deals > 0 {
        uow.ledger().save_lines(&lines)?;
        uow.provider_statements().add_released(&released)?;
        posting::post(uow, env, drafts.into_values().collect())?;
    }
    Ok(deals)
}

fn draft(env: &Env<'_>, line: &CommissionLine) -> EntryDraft {
    EntryDraft {
        id: EntryId::new(env.ids.next()),
        kind: EntryKind::Release,
        deal: Some(line.deal),
        payee: None,
        source: line.calculation.uuid(),
        effective_on: env.now.sydney_date(),
        postings: Vec::new(),
        visible_to: ownership::of_line_entry(&line.visible_to, line.member),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    proptest! {
        #[test]
        fn what_came_in_full_funds_every_line_in_full_and_never_more_than_came(
            earned in proptest::collection::vec(0_i64..1_000_000, 1..9),
            share in 0_i64..=100,
        ) {
            let deal = DealId::new(Uuid::from_u128(1));
            let line = |(earned_minor, n): (&i64, u128)| FundedLine {
                line: LineId::new(Uuid::from_u128(n)), deal, period: None, on_receipt: true, earned_minor: *earned_minor,
            };
            let lines: Vec<_> = earned.iter().zip(10..).map(line).collect();
            let whole: i64 = earned.iter().sum();
            let sum = |came: i64| {
                let funding = shares(&lines, &[((deal, None), came)].into()).expect("shares");
                (funding.iter().map(|f| f.funded_minor).sum::<i64>(), funding)
            };
            let came = whole * share / 100;
            prop_assert_eq!(sum(came).0, came);
            let (_, full) = sum(whole + 5);
            prop_assert!(full.iter().zip(&earned).all(|(f, e)| f.funded_minor == *e));
            prop_assert_eq!(sum(-5).0, 0);
        }
    }
}
