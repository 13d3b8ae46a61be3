//! Posting lines: a batch is matched and becomes one entry a line, set-based.
//!
//! | line | debit | credit |
//! |---|---|---|
//! | matched, short or in full | cash, what came | provider receivable; GST collected; the odd cent to rounding difference |
//! | the rest of one that is too long, or of nothing we know | cash | unapplied receipts |
//! | moved on later | unapplied receipts | provider receivable; GST collected |
//!
//! What is taken back is the mirror. GST stands on the provider's document, and is collected when it comes. Locks:
//! deals → lanes → balances → ledger head. Statements a batch: a fixed number, whatever the lines. Source: the journal
//! of the domain document.

use std::collections::{BTreeMap, BTreeSet};

use super::item::{Item, ItemKey};
use super::matching::{self, Matched, ToMatch};
use super::statement::{LineOutcome, LineStep, OpenLine};
use super::{ReconciliationError, funding};
use crate::access::{Scope, ownership};
use crate::directory::OrganisationKind;
use crate::env::Env;
use crate::kernel::ids::{DealId, EntryId, OrganisationId, ProviderStatementId, ProviderStatementLineId};
use crate::ledger::account::{AccountKey, AccountKind};
use crate::ledger::entry::{EntryDraft, EntryKind, Posting};
use crate::ledger::posting;
use crate::store::{StoreError, UnitOfWork};

/// The scope, and that the actor is of the operator: for others there is nothing here.
pub(super) fn require(env: &Env<'_>, scope: Scope) -> Result<(), ReconciliationError> {
    env.actor.require(scope)?;
    if ownership::has(env.actor, None) { Ok(()) } else { Err(ReconciliationError::NotFound) }
}

/// Whether it is an organisation that pays commission in.
pub(super) fn is_provider(uow: &mut dyn UnitOfWork, id: OrganisationId) -> Result<bool, StoreError> {
    let found = uow.parties().find_organisations_by_id(&[id])?;
    Ok(found.iter().any(|party| party.kind == OrganisationKind::Provider))
}

/// A step of a line with what became of the line by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostedStep {
    /// The step.
    pub step: LineStep,
    /// Its entry; none for a line over nothing.
    pub entry: Option<EntryId>,
    /// What became of the line.
    pub outcome: LineOutcome,
}

/// Lines that are posted for the first time, or what is left of some that are moved on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Round {
    /// Everything that came is posted; only references are looked at.
    First,
    /// What is unapplied is moved on where something is open by now; amounts and dates are looked at, too.
    Again,
}

/// Matches and posts lines of one provider, for a statement `by` which they are looked at. Returns how many steps it
/// made.
///
/// # Errors
/// See [`ReconciliationError`].
pub fn lines(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    (provider, by): (OrganisationId, ProviderStatementId),
    lines: Vec<OpenLine>,
    round: Round,
) -> Result<usize, ReconciliationError> {
    let to_match = referenced(uow, provider, lines)?;
    let mut items = open_items(uow, provider, &to_match, round)?;
    let matched = matching::match_lines(&to_match, &mut items, round == Round::Again);
    let by_id: BTreeMap<ProviderStatementLineId, &OpenLine> =
        to_match.iter().map(|found| (found.line.line.id, &found.line)).collect();
    let (mut steps, mut drafts) = (Vec::with_capacity(matched.len()), Vec::with_capacity(matched.len()));
    for found in &matched {
        let Some(line) = by_id.get(&found.step.line) else { continue };
        // Nothing is open for it yet: it goes on waiting.
        if round == Round::Again && found.step.item.is_none() {
            continue;
        }
        let draft = draft(env, provider, line, &found.step);
        steps.push(PostedStep { step: found.step, entry: draft.as_ref().map(|d| d.id), outcome: outcome(line, found) });
        drafts.extend(draft);
    }
    uow.provider_statements().append_steps(by, &steps, env.now)?;
    let deals: BTreeSet<DealId> = steps.iter().filter_map(|posted| posted.step.deal()).collect();
    funding::note(uow, &deals.into_iter().collect::<Vec<_>>())?;
    posting::post(uow, env, drafts)?;
    Ok(steps.len())
}

/// The lines, each with the deals that its reference names.
fn referenced(
    uow: &mut dyn UnitOfWork,
    provider: OrganisationId,
    lines: Vec<OpenLine>,
) -> Result<Vec<ToMatch>, StoreError> {
    let references: BTreeSet<&str> =
        lines.iter().map(|l| l.line.reference.as_str()).filter(|r| !r.is_empty()).collect();
    let references: Vec<String> = references.into_iter().map(str::to_owned).collect();
    let mut named: BTreeMap<String, Vec<DealId>> = BTreeMap::new();
    for (reference, deal) in uow.provider_statements().find_deals(provider, &references)? {
        named.entry(reference).or_default().push(deal);
    }
    let with_deals = |line: OpenLine| {
        let deals = named.get(&line.line.reference).cloned().unwrap_or_default();
        ToMatch { line, deals }
    };
    Ok(lines.into_iter().map(with_deals).collect())
}

/// The items of every deal that a line may be for; the deals are locked, so that nobody takes from them meanwhile.
fn open_items(
    uow: &mut dyn UnitOfWork,
    provider: OrganisationId,
    to_match: &[ToMatch],
    round: Round,
) -> Result<BTreeMap<ItemKey, Item>, StoreError> {
    let mut deals: BTreeSet<DealId> = to_match.iter().flat_map(|found| found.deals.iter().copied()).collect();
    if round == Round::Again {
        let unnamed = to_match.iter().filter(|found| found.deals.is_empty());
        let amounts: BTreeSet<i64> = unnamed.map(|found| found.line.line.amount_minor).filter(|a| *a != 0).collect();
        if !amounts.is_empty() {
            let amounts: Vec<i64> = amounts.into_iter().collect();
            deals.extend(uow.provider_statements().find_deals_by_amount(provider, &amounts)?);
        }
    }
    let items = uow.provider_statements().lock_items(&deals.into_iter().collect::<Vec<_>>())?;
    Ok(items.into_iter().map(|item| (item.key, item)).collect())
}

fn outcome(line: &OpenLine, found: &Matched) -> LineOutcome {
    let waiting = if line.steps == 0 { 0 } else { line.line.total_minor() };
    LineOutcome { result: found.result, item: found.step.item, unapplied_minor: waiting + found.step.unapplied_minor }
}

/// The entry of a step; none when nothing moves.
fn draft(env: &Env<'_>, provider: OrganisationId, line: &OpenLine, step: &LineStep) -> Option<EntryDraft> {
    let plain = |account, amount_minor| Posting { account, amount_minor, line: None };
    let of_provider = |kind| AccountKey::of_party(kind, provider.uuid());
    let mut postings = vec![
        plain(AccountKey::of_party(AccountKind::Cash, line.bank_account.uuid()), step.cash_minor()),
        plain(of_provider(AccountKind::ProviderReceivable), -step.applied_minor),
        plain(AccountKey::of_platform(AccountKind::GstCollected), -step.gst_minor),
        plain(AccountKey::of_platform(AccountKind::RoundingDifference), -step.rounding_minor),
        plain(of_provider(AccountKind::UnappliedReceipts), -step.unapplied_minor),
    ];
    postings.retain(|posting| posting.amount_minor != 0);
    (!postings.is_empty()).then(|| EntryDraft {
        id: EntryId::new(env.ids.next()),
        kind: EntryKind::ProviderReceipt,
        deal: step.deal(),
        payee: None,
        source: step.line.uuid(),
        effective_on: line.paid_on,
        postings,
        visible_to: vec![provider.uuid()],
    })
}
