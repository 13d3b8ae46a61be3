//! What a reversal of a transfer puts back.
//!
//! A transfer says how much of it was reversed so far, and that only grows: what is new is the difference to what
//! we know, so events may come twice and in any order. A reversal in full, with nothing to be got back on its
//! lines, is a payout that came back. Otherwise the cents go, in the order of the payout's lines, first against
//! what was to be got back of a line (the clawback is recovered), then to `available` of the lines. The sum of the
//! postings to `stripe_balance` is what was reversed, to the cent.

use std::collections::BTreeMap;

use super::transfer::Sending;
use crate::env::Env;
use crate::kernel::ids::{EntryId, LineId, PayoutId};
use crate::ledger::entry::{EntryDraft, EntryKind, Posting};
use crate::ledger::line::{CommissionLine, LineError};
use crate::ledger::posting;
use crate::payouts::error::PayoutError;
use crate::payouts::outcome::{self, Came, Outcome, paid_from};
use crate::payouts::repository::LockedPayout;
use crate::store::UnitOfWork;

/// What came back of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The line.
    pub line: LineId,
    /// How much, in cents.
    pub amount_minor: i64,
    /// What of it went against what was to be got back.
    pub recovered_minor: i64,
}

/// A line of a payout: what of it is still with the payee, and what is to be got back of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The line.
    pub line: LineId,
    /// Sent and not reversed, in cents.
    pub paid_minor: i64,
    /// To be got back, in cents.
    pub recoverable_minor: i64,
}

/// Spreads what came back over the lines; what is more than they hold is left over.
#[must_use]
pub fn spread(lines: &[Standing], amount_minor: i64) -> (Vec<Share>, i64) {
    let mut left = amount_minor;
    let recovered: Vec<i64> = lines
        .iter()
        .map(|line| {
            let part = left.min(line.paid_minor).min(line.recoverable_minor).max(0);
            left -= part;
            part
        })
        .collect();
    let mut shares = Vec::new();
    for (line, recovered_minor) in lines.iter().zip(recovered) {
        let part = left.min(line.paid_minor - recovered_minor).max(0);
        left -= part;
        if part + recovered_minor > 0 {
            shares.push(Share { line: line.line, amount_minor: part + recovered_minor, recovered_minor });
        }
    }
    (shares, left)
}

/// Makes up for everything that was reversed of a payout's transfer so far.
///
/// # Errors
/// See [`PayoutError`]; `Ledger` if more was reversed than was sent.
pub fn up_to(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    payout: PayoutId,
    reversed_minor: i64,
) -> Result<(), PayoutError> {
    let Some(sending) = uow.stripe().lock_sendings(&[payout])?.into_iter().next() else { return Ok(()) };
    let new_minor = reversed_minor - sending.reversed_minor;
    if new_minor <= 0 {
        return Ok(());
    }
    let Some(locked) = uow.payouts().lock_payouts(&[payout])?.into_iter().next() else { return Ok(()) };
    let ids: Vec<LineId> = locked.lines.iter().map(|(line, _)| *line).collect();
    let lines = uow.ledger().lock_lines_by_id(&ids)?;
    let whole = sending.reversed_minor == 0 && reversed_minor == locked.amount_minor;
    if whole && lines.iter().all(|line| line.buckets.recoverable_minor == 0) {
        let reason = "the transfer was reversed".to_owned();
        let effective_on = env.now.sydney_date();
        outcome::record(
            uow,
            env,
            &[Outcome { payout, came: Came::Back { reason }, effective_on, source: payout.uuid() }],
        )?;
    } else {
        partly(uow, env, &locked, lines, new_minor, reversed_minor)?;
    }
    uow.stripe().update_sendings(&[Sending { reversed_minor, ..sending }])?;
    Ok(())
}

fn partly(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    payout: &LockedPayout,
    lines: Vec<CommissionLine>,
    new_minor: i64,
    up_to_minor: i64,
) -> Result<(), PayoutError> {
    let back: BTreeMap<LineId, i64> = uow.stripe().list_reversed(payout.id)?.into_iter().collect();
    let mut lines: BTreeMap<LineId, CommissionLine> = lines.into_iter().map(|line| (line.id, line)).collect();
    let standing = |&(line, sent_minor): &(LineId, i64)| Standing {
        line,
        paid_minor: sent_minor - back.get(&line).copied().unwrap_or_default(),
        recoverable_minor: lines.get(&line).map_or(0, |line| line.buckets.recoverable_minor),
    };
    let standings: Vec<Standing> = payout.lines.iter().map(standing).collect();
    let (shares, left) = spread(&standings, new_minor);
    if left > 0 {
        return Err(PayoutError::Ledger(format!("{left} cents more were reversed of {} than it sent", payout.id)));
    }
    let (mut returned, mut recovered) = (Vec::new(), Vec::new());
    for share in &shares {
        let missing = LineError { line: share.line, amount_minor: share.amount_minor };
        let line = lines.get_mut(&share.line).ok_or(missing)?;
        if share.recovered_minor > 0 {
            recovered.extend(line.get_back(share.recovered_minor, paid_from(payout))?);
        }
        let rest = share.amount_minor - share.recovered_minor;
        if rest > 0 {
            returned.extend(line.pay_back(rest, paid_from(payout))?);
        }
    }
    let touched: Vec<CommissionLine> = shares.iter().filter_map(|share| lines.get(&share.line).cloned()).collect();
    uow.stripe().append_reversed(payout.id, up_to_minor, &shares, env.now)?;
    uow.ledger().save_lines(&touched)?;
    let drafts = [(EntryKind::ClawbackRecovery, recovered), (EntryKind::PayoutReturned, returned)];
    let drafts = drafts.into_iter().filter_map(|(kind, postings)| draft(env, payout, kind, postings)).collect();
    posting::post(uow, env, drafts)?;
    Ok(())
}

fn draft(env: &Env<'_>, payout: &LockedPayout, kind: EntryKind, postings: Vec<Posting>) -> Option<EntryDraft> {
    (!postings.is_empty()).then(|| EntryDraft {
        id: EntryId::new(env.ids.next()),
        kind,
        deal: None,
        payee: Some(payout.payee),
        source: payout.id.uuid(),
        effective_on: env.now.sydney_date(),
        postings,
        visible_to: payout.visible_to.clone(),
    })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn line(n: u128, paid_minor: i64, recoverable_minor: i64) -> Standing {
        Standing { line: LineId::new(Uuid::from_u128(n)), paid_minor, recoverable_minor }
    }

    fn shares(lines: &[Standing], amount_minor: i64) -> (Vec<(i64, i64)>, i64) {
        let (shares, left) = spread(lines, amount_minor);
        (shares.iter().map(|share| (share.amount_minor, share.recovered_minor)).collect(), left)
    }

    #[test]
    fn what_is_to_be_got_back_goes_first_then_the_lines_in_their_order() {
        let lines = [line(1, 500, 0), line(2, 300, 200)];
        assert_eq!(shares(&lines, 150), (vec![(150, 150)], 0));
        assert_eq!(shares(&lines, 250), (vec![(50, 0), (200, 200)], 0));
        assert_eq!(shares(&lines, 800), (vec![(500, 0), (300, 200)], 0));
        assert_eq!(shares(&lines, 801), (vec![(500, 0), (300, 200)], 1));
    }

    #[test]
    fn no_line_gives_more_than_it_has_nor_recovers_more_than_is_owed() {
        for (paid, recoverable, amount) in [(0, 5, 3), (5, 0, 3), (3, 9, 9), (9, 3, 9), (1, 1, 1)] {
            let lines = [line(1, paid, recoverable), line(2, 4, 2)];
            let (given, left) = spread(&lines, amount);
            assert_eq!(given.iter().map(|share| share.amount_minor).sum::<i64>() + left, amount);
            for share in given {
                let of = lines.iter().find(|line| line.line == share.line).expect("a line");
                assert!(share.amount_minor <= of.paid_minor && share.recovered_minor <= of.recoverable_minor);
                assert!(share.recovered_minor <= share.amount_minor);
            }
        }
    }
}
