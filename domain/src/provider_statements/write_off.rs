//! Write-offs: a shortfall that two people accept.
//!
//! Invariants: who proposes does not decide, whatever name they have; never more is written off than is open of the
//! item when it is approved; a write-off is posted once. No GST stands in the receivable before money came (it follows
//! the provider's document), so none is written off. Source: the journal of the domain document, "accepted shortfall".

use uuid::Uuid;

use super::exception::{ExceptionStatus, Resolution};
use super::item::{ItemKey, Side};
use super::{ReconciliationError, post};
use crate::access::Scope;
use crate::access::person::Persons;
use crate::directory::required;
use crate::directory::text::Grounds;
use crate::env::Env;
use crate::events::{EventKind, record_changed};
use crate::kernel::ids::{DealId, EntryId, ExceptionId, OrganisationId, WriteOffId};
use crate::kernel::{Faults, Instant};
use crate::ledger::account::{AccountKey, AccountKind};
use crate::ledger::entry::{EntryDraft, EntryKind, Posting};
use crate::ledger::posting;
use crate::store::UnitOfWork;

use jiff::civil::Date;

/// Where a write-off stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WriteOffState {
    /// It waits for a second person.
    Proposed,
    /// It is posted.
    Approved,
    /// It was refused.
    Rejected,
}

impl WriteOffState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Proposed, Self::Approved, Self::Rejected];

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// One write-off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteOff {
    /// Its id.
    pub id: WriteOffId,
    /// Who does not pay it.
    pub provider: OrganisationId,
    /// What it is of; something earned.
    pub item: ItemKey,
    /// How much, in cents without GST; positive.
    pub amount_minor: i64,
    /// Why.
    pub reason: String,
    /// The exception that it ends.
    pub exception: Option<ExceptionId>,
    /// Where it stands.
    pub state: WriteOffState,
    /// Who proposed it.
    pub proposed_by: Uuid,
    /// When.
    pub proposed_at: Instant,
    /// Who decided.
    pub decided_by: Option<Uuid>,
    /// When.
    pub decided_at: Option<Instant>,
    /// Its version, from 1.
    pub version: u32,
}

/// A request to write something off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposeWriteOff {
    /// The deal.
    pub deal: DealId,
    /// The month of a trail; none = the deal itself.
    pub period: Option<Date>,
    /// How much, in cents.
    pub amount_minor: i64,
    /// Why.
    pub reason: Grounds,
}

/// The same, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProposeWriteOffInput {
    /// `/deal_id`
    pub deal_id: Option<String>,
    /// `/month`, YYYY-MM
    pub month: Option<String>,
    /// `/amount/amount` in cents, `/amount/currency`
    pub amount: Option<(i64, String)>,
    /// `/reason`
    pub reason: Option<String>,
}

impl ProposeWriteOff {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &ProposeWriteOffInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let deal = required(&mut faults, "/deal_id", raw.deal_id.as_deref(), DealId::parse);
        let period = match raw.month.as_deref() {
            None => Some(None),
            Some(text) => crate::deals::step_input::month(&mut faults, "/month", text).map(Some),
        };
        let amount_minor = match &raw.amount {
            Some((_, currency)) if currency != "AUD" => {
                faults.push("/amount/currency", "unknown_value", "expected AUD");
                None
            }
            Some((amount, _)) if *amount > 0 => Some(*amount),
            Some(_) => {
                faults.push("/amount/amount", "out_of_range", "expected a positive amount");
                None
            }
            None => {
                faults.push("/amount", "required", "this field is required");
                None
            }
        };
        let reason = required(&mut faults, "/reason", raw.reason.as_deref(), Grounds::parse);
        faults.clone().check()?;
        let made = (|| Some(Self { deal: deal?, period: period?, amount_minor: amount_minor?, reason: reason? }))();
        made.ok_or(faults)
    }
}

/// Proposes to write something off.
///
/// # Errors
/// See [`ReconciliationError`].
pub fn propose(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    command: &ProposeWriteOff,
) -> Result<WriteOff, ReconciliationError> {
    post::require(env, Scope::PayoutsWrite)?;
    let item = ItemKey { deal: command.deal, period: command.period, side: Side::Earned };
    let Some(provider) = uow.provider_statements().find_provider_of(command.deal)? else {
        let mut faults = Faults::default();
        faults.push("/deal_id", "not_found", "there is no such deal");
        return Err(ReconciliationError::Faults(faults));
    };
    proposed(uow, env, provider, item, command.amount_minor, command.reason.as_str(), None)
}

/// Keeps a proposal, if so much is open.
pub(super) fn proposed(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    provider: OrganisationId,
    item: ItemKey,
    amount_minor: i64,
    reason: &str,
    exception: Option<ExceptionId>,
) -> Result<WriteOff, ReconciliationError> {
    fits(uow, item, amount_minor)?;
    let write_off = WriteOff {
        id: WriteOffId::new(env.ids.next()),
        provider,
        item,
        amount_minor,
        reason: reason.to_owned(),
        exception,
        state: WriteOffState::Proposed,
        proposed_by: env.actor.id,
        proposed_at: env.now,
        decided_by: None,
        decided_at: None,
        version: 1,
    };
    uow.provider_statements().insert_write_off(&write_off)?;
    Ok(write_off)
}

/// Whether so much is open of an item; its deal is locked then.
fn fits(uow: &mut dyn UnitOfWork, item: ItemKey, amount_minor: i64) -> Result<(), ReconciliationError> {
    let items = uow.provider_statements().lock_items(&[item.deal])?;
    let open_minor = items.iter().find(|found| found.key == item).map_or(0, |found| found.open_minor());
    if amount_minor <= open_minor { Ok(()) } else { Err(ReconciliationError::MoreThanOpen { open_minor }) }
}

/// Names a write-off, and the version at which the caller saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnWriteOff {
    /// The write-off.
    pub id: WriteOffId,
    /// The version that it must be at; any if absent.
    pub version: Option<u32>,
}

/// What a second person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Yes: it is posted.
    Approve,
    /// No.
    Reject,
}

/// Decides about a proposal, as somebody else than who made it. Returns it as it was and as it is.
///
/// # Errors
/// See [`ReconciliationError`].
pub fn decide(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    on: OnWriteOff,
    decision: Decision,
) -> Result<(WriteOff, WriteOff), ReconciliationError> {
    post::require(env, Scope::PayoutsApprove)?;
    let id = on.id;
    let before = uow.provider_statements().lock_write_off(id)?.ok_or(ReconciliationError::NotFound)?;
    if on.version.is_some_and(|version| version != before.version) {
        return Err(ReconciliationError::Stale(before.version));
    }
    if before.state != WriteOffState::Proposed {
        return Err(ReconciliationError::WrongState(before.state.as_str()));
    }
    let persons = Persons::among(uow, &[env.actor.id, before.proposed_by])?;
    if persons.are_one(env.actor.id, before.proposed_by) {
        return Err(ReconciliationError::SamePerson);
    }
    let state = match decision {
        Decision::Approve => WriteOffState::Approved,
        Decision::Reject => WriteOffState::Rejected,
    };
    let after = WriteOff {
        state,
        decided_by: Some(env.actor.id),
        decided_at: Some(env.now),
        version: before.version + 1,
        ..before.clone()
    };
    if state == WriteOffState::Approved {
        fits(uow, before.item, before.amount_minor)?;
    }
    uow.provider_statements().update_write_off(&after)?;
    ended(uow, env, &after)?;
    if state == WriteOffState::Approved {
        posting::post(uow, env, vec![draft(env, &after)])?;
        record_changed(uow, env, EventKind::WriteOffApproved, (&id, id.uuid()), None, &[])?;
    }
    Ok((before, after))
}

/// An exception that waited for the decision is over, or open again.
fn ended(uow: &mut dyn UnitOfWork, env: &Env<'_>, write_off: &WriteOff) -> Result<(), ReconciliationError> {
    let Some(exception) = write_off.exception else { return Ok(()) };
    let Some(found) = uow.provider_statements().lock_exception(exception)? else { return Ok(()) };
    if found.status != ExceptionStatus::Waiting || found.write_off != Some(write_off.id) {
        return Ok(());
    }
    let after = match write_off.state {
        WriteOffState::Approved => found.resolved(Resolution::AcceptDifference, Some(env.actor.id), env.now),
        WriteOffState::Rejected | WriteOffState::Proposed => {
            let version = found.version + 1;
            super::ProviderException {
                status: ExceptionStatus::Open,
                resolution: None,
                write_off: None,
                version,
                ..found
            }
        }
    };
    Ok(uow.provider_statements().update_exceptions(&[after])?)
}

fn draft(env: &Env<'_>, write_off: &WriteOff) -> EntryDraft {
    let plain = |account, amount_minor| Posting { account, amount_minor, line: None };
    EntryDraft {
        id: EntryId::new(env.ids.next()),
        kind: EntryKind::WriteOff,
        deal: Some(write_off.item.deal),
        payee: None,
        source: write_off.id.uuid(),
        effective_on: env.now.sydney_date(),
        postings: vec![
            plain(AccountKey::of_platform(AccountKind::WriteOff), write_off.amount_minor),
            plain(
                AccountKey::of_party(AccountKind::ProviderReceivable, write_off.provider.uuid()),
                -write_off.amount_minor,
            ),
        ],
        visible_to: vec![write_off.provider.uuid()],
    }
}
