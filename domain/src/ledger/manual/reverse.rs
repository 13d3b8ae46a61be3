//! Undoing an entry that was written by hand: its mirror is proposed, and approved like anything else.
//!
//! Entries of use cases are not undone so: what they posted is kept in step with lines, payouts, documents, statements,
//! and each has a way of its own to be put right ([`super::error::remedy`]).

use jiff::civil::Date;

use super::content::{EntryContent, PostingContent};
use super::error::remedy;
use super::propose::{allowed, keep};
use super::{FrozenEntries, KINDS, ManualError, Mode, Proposal, ProposalKind, Refusal, Undoable};
use crate::access::Scope;
use crate::directory::text::Grounds;
use crate::directory::{optional, required};
use crate::env::Env;
use crate::kernel::Faults;
use crate::kernel::ids::{EntryId, ManualEntryId};
use crate::ledger::account::Apart;
use crate::ledger::entry::{EntryKind, Posting};
use crate::store::UnitOfWork;

/// A valid request to undo an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reverse {
    /// Why.
    pub reason: Grounds,
    /// The business date of the reversal; today (Sydney) if absent.
    pub effective_on: Option<Date>,
}

/// Not a calendar date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a date such as 2026-07-01")]
struct NoDate;

impl crate::kernel::fault::Reason for NoDate {
    fn code(&self) -> &'static str {
        "invalid_date"
    }
}

impl Reverse {
    /// Reads `/reason` and `/effective_on`.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(reason: Option<&str>, effective_on: Option<&str>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let reason = required(&mut faults, "/reason", reason, Grounds::parse);
        let date = |text: &str| text.parse::<Date>().ok().filter(|date| date.to_string() == text).ok_or(NoDate);
        let effective_on = optional(&mut faults, "/effective_on", effective_on, date);
        match (reason, effective_on) {
            (Some(reason), Some(effective_on)) => Ok(Self { reason, effective_on }),
            _ => Err(faults),
        }
    }
}

/// Proposes the mirror of a posted entry.
///
/// # Errors
/// See [`ManualError`].
pub fn reverse(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: EntryId,
    command: &Reverse,
) -> Result<(Proposal, FrozenEntries, Vec<Refusal>), ManualError> {
    allowed(env, Scope::LedgerWrite)?;
    let entry = uow.manual_entries().find_undoable(id)?.ok_or(ManualError::NotFound)?;
    undoable(&entry)?;
    let effective_on = command.effective_on.unwrap_or_else(|| env.now.sydney_date());
    check_date(uow, env, effective_on)?;
    let mirrored =
        |posting: &Posting| PostingContent::new(&Posting { amount_minor: -posting.amount_minor, ..*posting });
    let mirror = EntryContent {
        effective_on,
        id: EntryId::new(env.ids.next()),
        kind: EntryKind::Reversal.as_str().to_owned(),
        n: 0,
        postings: entry.postings.iter().map(mirrored).collect(),
        reverses: Some(entry.id),
    };
    let proposal = ManualEntryId::new(env.ids.next());
    let what = (ProposalKind::Reversal, Mode::Atomic, command.reason.as_str());
    keep(uow, env, proposal, what, vec![mirror], Vec::new())
}

/// Whether an entry may be undone by hand.
fn undoable(entry: &Undoable) -> Result<(), ManualError> {
    let of_lines = entry.postings.iter().any(|p| p.line.is_some() || p.account.kind.apart() == Apart::Lines);
    if of_lines || !entry.by_hand || !KINDS.contains(&entry.kind) {
        return Err(ManualError::OfUseCase { kind: entry.kind.as_str(), remedy: remedy(entry.kind) });
    }
    entry.reversed_by.map_or(Ok(()), |by| Err(ManualError::AlreadyReversed(by)))
}

fn check_date(uow: &mut dyn UnitOfWork, env: &Env<'_>, effective_on: Date) -> Result<(), ManualError> {
    let mut faults = Faults::default();
    if effective_on > env.now.sydney_date() {
        faults.push("/effective_on", "in_future", "a reversal takes effect today or earlier");
    } else if uow.periods().find_closed_through()?.is_some_and(|closed| effective_on <= closed) {
        faults.push("/effective_on", "period_closed", "this period is closed: undo the entry in the open one");
    }
    faults.check().map_err(ManualError::Faults)
}
