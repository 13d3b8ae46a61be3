//! Approving and rejecting. What is approved is posted in the same transaction, set-based.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use uuid::Uuid;

use super::content::EntryContent;
use super::propose::{allowed, moved};
use super::{Act, FrozenEntries, ManualError, ManualState, Mode, Proposal, Refusal};
use crate::access::audit::Altered;
use crate::access::{Persons, Scope};
use crate::directory::text::Grounds;
use crate::env::Env;
use crate::events::EventKind;
use crate::kernel::ids::{AccountId, EntryId, ManualEntryId};
use crate::kernel::{Digest, Fault};
use crate::ledger::account::{AccountKey, Apart, Bounds};
use crate::ledger::entry::{EntryDraft, Posting};
use crate::ledger::posting;
use crate::store::{StoreError, UnitOfWork};

/// Names a proposal, and the version at which the caller saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnProposal {
    /// The proposal.
    pub id: ManualEntryId,
    /// The version that it must be at; any if absent.
    pub version: Option<u32>,
}

/// Approves the content with this digest, as somebody else than who proposed it, and posts it.
///
/// # Errors
/// See [`ManualError`]; [`ManualError::NotPostable`] when an atomic proposal can no longer be posted.
pub fn approve(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    on: OnProposal,
    seen: Digest,
) -> Result<Altered<Proposal>, ManualError> {
    let (before, content) = waiting(uow, env, on)?;
    let persons = Persons::among(uow, &[before.proposed.by, env.actor.id])?;
    if persons.are_one(before.proposed.by, env.actor.id) {
        return Err(ManualError::SamePerson);
    }
    if seen != before.content_sha256 {
        return Err(ManualError::OtherContent);
    }
    let refused = refused(uow, &content)?;
    if let (Mode::Atomic, Some(refusal)) = (before.mode, refused.first()) {
        let detail = format!("entry {}: {}", refusal.n, refusal.fault.detail);
        return Err(ManualError::NotPostable { code: refusal.fault.code, detail });
    }
    let left_out: BTreeSet<u32> = refused.iter().map(|refusal| refusal.n).collect();
    let posted: Vec<&EntryContent> = content.content().entries.iter().filter(|e| !left_out.contains(&e.n)).collect();
    let drafts = posted.iter().map(|entry| draft(on.id, entry)).collect::<Result<Vec<_>, _>>()?;
    posting::post(uow, env, drafts)?;
    undo(uow, &posted)?;
    let state = ManualState::Posted(Act { by: env.actor.id, at: env.now });
    decided(uow, env, before, state, EventKind::ManualEntryPosted, &refused)
}

/// Says no to a proposal. Whoever proposed it may do so too: it takes back what has not been done.
///
/// # Errors
/// See [`ManualError`].
pub fn reject(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    on: OnProposal,
    grounds: &Grounds,
) -> Result<Altered<Proposal>, ManualError> {
    let (before, _) = waiting(uow, env, on)?;
    let state = ManualState::Rejected(Act { by: env.actor.id, at: env.now }, Some(grounds.clone()));
    decided(uow, env, before, state, EventKind::ManualEntryRejected, &[])
}

/// The proposal, locked, that nobody has decided on.
fn waiting(uow: &mut dyn UnitOfWork, env: &Env<'_>, on: OnProposal) -> Result<(Proposal, FrozenEntries), ManualError> {
    allowed(env, Scope::LedgerApprove)?;
    let (proposal, content) = uow.manual_entries().lock_proposal(on.id)?.ok_or(ManualError::NotFound)?;
    if on.version.is_some_and(|version| version != proposal.version) {
        return Err(ManualError::Stale(proposal.version));
    }
    match &proposal.state {
        ManualState::Proposed => Ok((proposal, content)),
        ManualState::Posted(_) | ManualState::Rejected(..) => Err(ManualError::Decided(proposal.state.code())),
    }
}

fn decided(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    before: Proposal,
    state: ManualState,
    kind: EventKind,
    refused: &[Refusal],
) -> Result<Altered<Proposal>, ManualError> {
    let more = u32::try_from(refused.len()).unwrap_or(u32::MAX);
    let after = Proposal { state, refused: before.refused + more, version: before.version + 1, ..before.clone() };
    uow.manual_entries().update_proposal(&after, refused)?;
    uow.events().append(&[moved(env, kind, &after)?])?;
    Ok(Altered { before, after })
}

/// What can no longer be posted: its period was closed since, or an account would leave its bounds.
fn refused(uow: &mut dyn UnitOfWork, content: &FrozenEntries) -> Result<Vec<Refusal>, StoreError> {
    let closed = uow.periods().find_closed_through()?;
    let mut standing = Standing::of(uow, content)?;
    let mut refused = Vec::new();
    for entry in &content.content().entries {
        if let Err((code, detail)) = standing.take(entry, closed) {
            let fault = Fault { pointer: format!("/entries/{}", entry.n), code, detail: detail.to_owned() };
            refused.push(Refusal { n: entry.n, fault });
        }
    }
    Ok(refused)
}

/// Where the accounts of a proposal stand while it is gone through. One that does not exist yet has no bounds: those
/// whose kind bounds them are never written by hand.
struct Standing(BTreeMap<AccountKey, (i64, Bounds)>);

impl Standing {
    fn of(uow: &mut dyn UnitOfWork, content: &FrozenEntries) -> Result<Self, StoreError> {
        let keys: BTreeSet<AccountKey> = content
            .content()
            .entries
            .iter()
            .flat_map(|e| &e.postings)
            .filter_map(super::content::PostingContent::account)
            .collect();
        let keys: Vec<AccountKey> = keys.into_iter().collect();
        let found: BTreeMap<AccountId, AccountKey> =
            uow.ledger().find_accounts(&keys)?.into_iter().map(|account| (account.id, account.key)).collect();
        let balances = uow.ledger().lock_balances(&found.keys().copied().collect::<Vec<_>>())?;
        let stands = |b: &crate::ledger::repository::AccountBalance| {
            found.get(&b.account).map(|key| (*key, (b.balance_minor, b.bounds)))
        };
        Ok(Self(balances.iter().filter_map(stands).collect()))
    }

    /// Takes an entry, or leaves everything as it is.
    fn take(&mut self, entry: &EntryContent, closed: Option<Date>) -> Result<(), (&'static str, &'static str)> {
        if closed.is_some_and(|closed| entry.effective_on <= closed) {
            return Err(("period_closed", "its period was closed since it was proposed"));
        }
        let mut after: BTreeMap<AccountKey, (i64, Bounds)> = BTreeMap::new();
        for posting in entry.sides().unwrap_or_default() {
            let stood = after.get(&posting.account).or_else(|| self.0.get(&posting.account)).copied();
            let (balance, bounds) = stood.unwrap_or_default();
            let moved = balance.checked_add(posting.amount_minor);
            let moved = moved.ok_or(("balance_out_of_range", "an account's balance would be out of range"))?;
            let _ = after.insert(posting.account, (moved, bounds));
        }
        if after.values().any(|(balance, bounds)| !bounds.hold(*balance)) {
            return Err(("account_floor", "an account would be below its floor"));
        }
        self.0.extend(after);
        Ok(())
    }
}

fn draft(proposal: ManualEntryId, entry: &EntryContent) -> Result<EntryDraft, StoreError> {
    let unreadable = || StoreError::Failed("a proposal is not what was kept".into());
    let postings = entry.sides().ok_or_else(unreadable)?;
    Ok(EntryDraft {
        id: entry.id,
        kind: entry.entry_kind().ok_or_else(unreadable)?,
        deal: None,
        payee: None,
        source: proposal.uuid(),
        effective_on: entry.effective_on,
        visible_to: seen_by(&postings),
        postings,
    })
}

/// Who sees an entry by hand, besides who sees everything: the providers whose accounts it moves.
fn seen_by(postings: &[Posting]) -> Vec<Uuid> {
    let providers = postings.iter().filter(|p| matches!(p.account.kind.apart(), Apart::Provider { .. }));
    let parties: BTreeSet<Uuid> = providers.filter_map(|p| p.account.party).collect();
    parties.into_iter().collect()
}

/// Writes what undoes what; the database refuses a second reversal of one entry.
fn undo(uow: &mut dyn UnitOfWork, posted: &[&EntryContent]) -> Result<(), ManualError> {
    let pairs: Vec<(EntryId, EntryId)> =
        posted.iter().filter_map(|entry| entry.reverses.map(|undone| (entry.id, undone))).collect();
    if pairs.is_empty() {
        return Ok(());
    }
    match uow.manual_entries().append_reversals(&pairs) {
        Err(StoreError::Violates(rule)) if rule == "ledger_entry_reversed_once" => {
            let detail = "another reversal of the entry was posted since".to_owned();
            Err(ManualError::NotPostable { code: "already_reversed", detail })
        }
        outcome => Ok(outcome?),
    }
}
