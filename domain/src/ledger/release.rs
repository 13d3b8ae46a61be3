//! Releases: what was on hold may be paid once its hold has expired.

use std::collections::BTreeMap;

use super::entry::{EntryDraft, EntryKind};
use super::line::CommissionLine;
use super::posting::{self, PostError};
use crate::access::ownership;
use crate::env::Env;
use crate::kernel::ids::{DealId, EntryId};
use crate::store::UnitOfWork;

/// Deals in one call, at most.
pub const BATCH: u32 = 500;

/// Releases what is due today (Sydney), one entry per deal. Returns how many deals it released: fewer
/// than [`BATCH`] means that nothing is left.
///
/// # Errors
/// See [`PostError`].
pub fn due(uow: &mut dyn UnitOfWork, env: &Env<'_>) -> Result<usize, PostError> {
    let today = env.now.sydney_date();
    let mut lines = uow.ledger().lock_due_lines(today, BATCH)?;
    let mut drafts: BTreeMap<DealId, EntryDraft> = BTreeMap::new();
    for line in &mut lines {
        let Some(postings) = line.release() else { continue };
        let draft = drafts.entry(line.deal).or_insert_with(|| draft(env, line));
        draft.postings.extend(postings);
    }
    let released = drafts.len();
    uow.ledger().save_lines(&lines)?;
    posting::post(uow, env, drafts.into_values().collect())?;
    Ok(released)
}

fn draft(env: &Env<'_>, line: &CommissionLine) -> EntryDraft {
    EntryDraft {
        id: EntryId::new(env.ids.next()),
        kind: EntryKind::Release,
        deal: Some(line.deal),
        payee: None,
        source: line.calculation.uuid(),
        effective_on: line.payable_on,
        postings: Vec::new(),
        visible_to: ownership::of_line_entry(&line.visible_to, line.member),
    }
}
