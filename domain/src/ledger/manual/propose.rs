//! Proposing: what was asked for is held against what exists, and frozen.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::command::{NamedAccount, NamedEntry, OF_LINES, by_id, pointer};
use super::content::{EntriesContent, EntryContent, PostingContent};
use super::{Act, FrozenEntries, ManualError, ManualState, Mode, Named, Proposal, ProposalKind, Propose, Refusal};
use crate::access::{Scope, ownership};
use crate::env::Env;
use crate::events::data::RecordChanged;
use crate::events::{EventKind, NewEvent};
use crate::kernel::ids::{AccountId, EntryId, ManualEntryId};
use crate::kernel::{Fault, Faults};
use crate::ledger::account::{AccountKey, Apart};
use crate::ledger::entry::Posting;
use crate::store::{StoreError, UnitOfWork};

/// Proposes entries; nothing is posted yet. Returns the proposal and what of it is refused already.
///
/// # Errors
/// See [`ManualError`]; in [`Mode::PerItem`] only when nothing is left.
pub fn propose(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    command: &Propose,
) -> Result<(Proposal, FrozenEntries, Vec<Refusal>), ManualError> {
    allowed(env, Scope::LedgerWrite)?;
    let mut wrong = Wrong::default();
    let accounts = known_accounts(uow, command, &mut wrong)?;
    check_named(uow, command, &mut wrong)?;
    check_dates(uow, env, command, &mut wrong)?;
    let mut refused = command.refused.clone();
    match command.mode {
        Mode::Atomic => wrong.clone().into_faults().check().map_err(ManualError::Faults)?,
        Mode::PerItem => refused.extend(wrong.refusals()),
    }
    let id = ManualEntryId::new(env.ids.next());
    let mut entries = Vec::with_capacity(command.entries.len());
    for entry in command.entries.iter().filter(|entry| !wrong.has(entry.n)) {
        entries.push(content(env, entry, &accounts)?);
    }
    if entries.is_empty() {
        let mut faults = Faults::default();
        faults.0.extend(refused.into_iter().map(|refusal| refusal.fault));
        return Err(ManualError::Faults(faults));
    }
    refused.sort_unstable_by_key(|refusal| refusal.n);
    keep(uow, env, id, (command.kind, command.mode, command.reason.as_str()), entries, refused)
}

/// Freezes and keeps a proposal.
pub(super) fn keep(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: ManualEntryId,
    (kind, mode, reason): (ProposalKind, Mode, &str),
    entries: Vec<EntryContent>,
    refused: Vec<Refusal>,
) -> Result<(Proposal, FrozenEntries, Vec<Refusal>), ManualError> {
    let content = FrozenEntries::freeze(EntriesContent::new(id, mode, reason, entries))?;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let proposal = Proposal {
        id,
        kind,
        mode,
        content_sha256: content.sha256(),
        entries: count(content.content().entries.len()),
        refused: count(refused.len()),
        debit_minor: content.content().entries.iter().map(EntryContent::debit_minor).fold(0, i64::saturating_add),
        reason: reason.to_owned(),
        proposed: Act { by: env.actor.id, at: env.now },
        state: ManualState::Proposed,
        version: 1,
    };
    uow.manual_entries().insert_proposal(&proposal, &content, &refused)?;
    uow.events().append(&[moved(env, EventKind::ManualEntryProposed, &proposal)?])?;
    Ok((proposal, content, refused))
}

/// What listeners hear of a proposal: staff only.
pub(super) fn moved(env: &Env<'_>, kind: EventKind, proposal: &Proposal) -> Result<NewEvent, StoreError> {
    let version = Some(i32::try_from(proposal.version).unwrap_or(i32::MAX));
    NewEvent::new(env, kind, proposal.id.uuid(), &RecordChanged { id: proposal.id.to_string(), version }, &[])
}

/// The scope, and that the actor is of the operator: for others there is nothing here.
pub(super) fn allowed(env: &Env<'_>, scope: Scope) -> Result<(), ManualError> {
    env.actor.require(scope)?;
    if ownership::has(env.actor, None) { Ok(()) } else { Err(ManualError::NotFound) }
}

/// Faults by entry, in the order of the entries.
#[derive(Debug, Default, Clone)]
struct Wrong(BTreeMap<u32, Vec<Fault>>);

impl Wrong {
    fn push(&mut self, n: u32, pointer: String, code: &'static str, detail: &str) {
        self.0.entry(n).or_default().push(Fault { pointer, code, detail: detail.to_owned() });
    }

    fn has(&self, n: u32) -> bool {
        self.0.contains_key(&n)
    }

    fn into_faults(self) -> Faults {
        Faults(self.0.into_values().flatten().collect())
    }

    fn refusals(&self) -> impl Iterator<Item = Refusal> + '_ {
        self.0.iter().filter_map(|(n, faults)| faults.first().map(|fault| Refusal { n: *n, fault: fault.clone() }))
    }
}

/// The accounts that were named by id.
fn known_accounts(
    uow: &mut dyn UnitOfWork,
    command: &Propose,
    wrong: &mut Wrong,
) -> Result<BTreeMap<AccountId, AccountKey>, StoreError> {
    let named = by_id(&command.entries, command.kind);
    if named.is_empty() {
        return Ok(BTreeMap::new());
    }
    let ids: Vec<AccountId> = named.keys().copied().collect();
    let found: BTreeMap<AccountId, AccountKey> =
        uow.ledger().find_accounts_by_id(&ids)?.into_iter().map(|account| (account.id, account.key)).collect();
    for (id, places) in named {
        let (code, detail) = match found.get(&id).map(|key| key.kind.apart()) {
            None => ("not_found", "there is no such account"),
            Some(Apart::Lines) => ("account_of_lines", OF_LINES),
            Some(Apart::Nothing | Apart::Vertical | Apart::Provider { .. } | Apart::BankAccount) => continue,
        };
        for (n, at) in places {
            wrong.push(n, at, code, detail);
        }
    }
    Ok(found)
}

/// Parties and verticals that were named must exist.
fn check_named(uow: &mut dyn UnitOfWork, command: &Propose, wrong: &mut Wrong) -> Result<(), StoreError> {
    let mut places: BTreeMap<Uuid, Vec<(u32, String)>> = BTreeMap::new();
    let (mut organisations, mut banks, mut verticals) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for entry in &command.entries {
        for (p, posting) in entry.postings.iter().enumerate() {
            let NamedAccount::Key(key) = posting.account else { continue };
            let at = format!("{}/postings/{p}/account", pointer(command.kind, entry.n));
            if let Some(party) = key.party {
                let kind = if key.kind.apart() == Apart::BankAccount { &mut banks } else { &mut organisations };
                let _ = kind.insert(party);
                places.entry(party).or_default().push((entry.n, format!("{at}/party_id")));
            }
            if let Some(vertical) = key.vertical {
                let _ = verticals.insert(vertical.uuid());
                places.entry(vertical.uuid()).or_default().push((entry.n, format!("{at}/vertical")));
            }
        }
    }
    if places.is_empty() {
        return Ok(());
    }
    let list = |ids: BTreeSet<Uuid>| ids.into_iter().collect::<Vec<_>>();
    let named = Named { organisations: list(organisations), bank_accounts: list(banks), verticals: list(verticals) };
    let found: BTreeSet<Uuid> = uow.manual_entries().find_named(&named)?.into_iter().collect();
    for (id, places) in places.into_iter().filter(|(id, _)| !found.contains(id)) {
        for (n, at) in places {
            wrong.push(n, at, "not_found", &format!("there is no such thing: {id}"));
        }
    }
    Ok(())
}

/// An entry takes effect on a day that is open and has come.
fn check_dates(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    command: &Propose,
    wrong: &mut Wrong,
) -> Result<(), StoreError> {
    let today = env.now.sydney_date();
    let closed = uow.periods().find_closed_through()?;
    for entry in &command.entries {
        let at = format!("{}/effective_on", pointer(command.kind, entry.n));
        if entry.effective_on > today {
            wrong.push(entry.n, at, "in_future", "an entry takes effect today or earlier");
        } else if closed.is_some_and(|closed| entry.effective_on <= closed) {
            wrong.push(entry.n, at, "period_closed", "this period is closed: put the difference into the open one");
        }
    }
    Ok(())
}

fn content(
    env: &Env<'_>,
    entry: &NamedEntry,
    accounts: &BTreeMap<AccountId, AccountKey>,
) -> Result<EntryContent, StoreError> {
    let mut postings = Vec::with_capacity(entry.postings.len());
    for posting in &entry.postings {
        let account = match posting.account {
            NamedAccount::Key(key) => key,
            NamedAccount::Id(id) => {
                *accounts.get(&id).ok_or_else(|| StoreError::Failed("an account vanished".into()))?
            }
        };
        postings.push(PostingContent::new(&Posting { account, amount_minor: posting.amount_minor, line: None }));
    }
    Ok(EntryContent {
        effective_on: entry.effective_on,
        id: EntryId::new(env.ids.next()),
        kind: entry.kind.as_str().to_owned(),
        n: entry.n,
        postings,
        reverses: None,
    })
}
