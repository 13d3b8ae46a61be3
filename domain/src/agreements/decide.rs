//! Use cases: make an agreement, write a version, propose, approve, reject and retire it, bring into force what is due.
//!
//! Agreements are the operator's to write: for anybody else the paths of change do not exist. An agreement is locked
//! before its versions, so that two changes of one agreement follow one another. The approval is a signed statement in
//! the log, on the agreement's own lane.

use uuid::Uuid;

use super::VersionContent;
use super::command::{ApproveVersion, CreateAgreement, OnVersion, WriteVersion};
use super::error::AgreementError;
use super::finding::{Finding, Severity};
use super::life::{Act, AgreementVersion, Approval, Ended, VersionState};
use super::lint::{LintContext, lint};
use super::repository::{FoundAgreement, Moved};
use crate::access::audit::Altered;
use crate::access::{Persons, Scope, ownership};
use crate::catalogue::guardrail;
use crate::chain::log::{self, LogItem};
use crate::chain::statement::{AgreementApproval, Salt, Statement, VERSION};
use crate::directory::organisation::OrganisationKind;
use crate::directory::text::Grounds;
use crate::env::Env;
use crate::events::data::AgreementVersionMoved;
use crate::events::{EventKind, NewEvent, record_changed};
use crate::kernel::ids::{AgreementId, OrganisationId};
use crate::store::{StoreError, UnitOfWork};

/// The scope, and that the actor is of the operator: for others there is nothing here.
pub(super) fn require(env: &Env<'_>, scope: Scope) -> Result<(), AgreementError> {
    env.actor.require(scope)?;
    if ownership::has(env.actor, None) { Ok(()) } else { Err(AgreementError::NotFound) }
}

fn act(env: &Env<'_>) -> Act {
    Act { by: env.actor.id, at: env.now }
}

/// Makes an agreement; it says nothing yet.
///
/// # Errors
/// See [`AgreementError`].
pub fn create(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    command: &CreateAgreement,
) -> Result<FoundAgreement, AgreementError> {
    require(env, Scope::AgreementsWrite)?;
    if let Some(provider) = command.provider {
        let found = uow.directory().lock_organisation(provider)?;
        if found.is_none_or(|record| record.organisation.kind != OrganisationKind::Provider) {
            return Err(AgreementError::fault("/provider_id", "unknown_provider", "there is no such provider"));
        }
    }
    let agreement = FoundAgreement {
        id: AgreementId::new(env.ids.next()),
        vertical: command.vertical,
        name: command.name.to_string(),
        provider: command.provider,
        created_at: env.now,
    };
    uow.agreements().insert_agreement(&agreement)?;
    record_changed(uow, env, EventKind::AgreementCreated, (&agreement.id, agreement.id.uuid()), None, &[])?;
    Ok(agreement)
}

/// Writes a new draft; its number is the next one.
///
/// # Errors
/// See [`AgreementError`].
pub fn create_version(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: AgreementId,
    command: &WriteVersion,
) -> Result<AgreementVersion, AgreementError> {
    require(env, Scope::AgreementsWrite)?;
    let agreement = uow.agreements().lock_agreement(id)?.ok_or(AgreementError::NotFound)?;
    of_vertical(&agreement, &command.content)?;
    let number = uow.agreements().last_number(id)? + 1;
    let version = AgreementVersion::draft((id, number), &command.content, act(env))?;
    uow.agreements().insert_version(&version)?;
    tell(uow, env, EventKind::AgreementVersionDrafted, &agreement, &version)?;
    Ok(version)
}

/// Writes a draft anew.
///
/// # Errors
/// See [`AgreementError`].
pub fn replace_version(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    on: &OnVersion,
    command: &WriteVersion,
) -> Result<Altered<AgreementVersion>, AgreementError> {
    let (agreement, before) = locked(uow, env, Scope::AgreementsWrite, on)?;
    of_vertical(&agreement, &command.content)?;
    let after = before.clone().replace(&command.content, act(env))?;
    written(uow, env, EventKind::AgreementVersionDrafted, &agreement, before, after)
}

/// Proposes a draft: its content stays from now on.
///
/// # Errors
/// See [`AgreementError`]; every error that the lint finds in the content.
pub fn propose(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    on: &OnVersion,
) -> Result<Altered<AgreementVersion>, AgreementError> {
    let (agreement, before) = locked(uow, env, Scope::AgreementsWrite, on)?;
    let after = before.clone().propose(act(env))?;
    let _ = warnings(uow, &before)?;
    written(uow, env, EventKind::AgreementVersionProposed, &agreement, before, after)
}

/// Approves the content with this digest, as somebody else than who wrote or proposed it. A version whose first day
/// has come is active at once.
///
/// # Errors
/// See [`AgreementError`].
pub fn approve(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    on: &OnVersion,
    command: &ApproveVersion,
) -> Result<Altered<AgreementVersion>, AgreementError> {
    let (agreement, before) = locked(uow, env, Scope::AgreementsApprove, on)?;
    let id = env.ids.next();
    let approval = Approval { act: act(env), id, acknowledged: command.acknowledged.clone() };
    // What is to be acknowledged is looked at only of what can be approved at all.
    let findings = if before.state == VersionState::Proposed { warnings(uow, &before)? } else { Vec::new() };
    let names: Vec<Uuid> = before.authors().chain([env.actor.id]).collect();
    let persons = Persons::among(uow, &names)?;
    let approved = before.clone().approve(approval, command.content_sha256, &findings, &persons)?;
    let item = statement(env, &approved, id)?;
    let done = written(uow, env, EventKind::AgreementVersionApproved, &agreement, before, approved)?;
    uow.agreements().publish(&done.after)?;
    let moved = uow.agreements().come_into_force(env.now, Some(on.agreement))?;
    tell_moved(uow, env, &moved)?;
    let after = uow.agreements().lock_version(on.agreement, on.number)?.unwrap_or(done.after);
    log::append(uow, env, &[item])?;
    Ok(Altered { before: done.before, after })
}

/// Sends a proposal back to its author, and says why.
///
/// # Errors
/// See [`AgreementError`].
pub fn reject(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    on: &OnVersion,
    grounds: &Grounds,
) -> Result<Altered<AgreementVersion>, AgreementError> {
    let (agreement, before) = locked(uow, env, Scope::AgreementsApprove, on)?;
    let after = before.clone().reject(Ended { act: act(env), reason: grounds.to_string() })?;
    written(uow, env, EventKind::AgreementVersionRejected, &agreement, before, after)
}

/// Takes a version out of force, and says why: it takes no new deals.
///
/// # Errors
/// See [`AgreementError`].
pub fn retire(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    on: &OnVersion,
    grounds: &Grounds,
) -> Result<Altered<AgreementVersion>, AgreementError> {
    let (agreement, before) = locked(uow, env, Scope::AgreementsApprove, on)?;
    let after = before.clone().retire(Ended { act: act(env), reason: grounds.to_string() })?;
    written(uow, env, EventKind::AgreementVersionRetired, &agreement, before, after)
}

/// Makes active what was approved and has begun, and superseded what a later version ended. Returns how many versions
/// moved; doing it again moves none.
///
/// # Errors
/// The failure of the store.
pub fn come_into_force(uow: &mut dyn UnitOfWork, env: &Env<'_>) -> Result<usize, StoreError> {
    let moved = uow.agreements().come_into_force(env.now, None)?;
    tell_moved(uow, env, &moved)?;
    Ok(moved.len())
}

/// Every finding of what a version says.
///
/// # Errors
/// When its content does not read.
pub fn findings(
    version: &AgreementVersion,
    others: Vec<(u32, jiff::civil::Date, Option<jiff::civil::Date>)>,
) -> Result<Vec<Finding>, StoreError> {
    let content = version.read()?;
    let guardrails = guardrail::of(content.vertical);
    let context = LintContext { guardrails, number: version.number, others };
    Ok(lint(&content, &version.tables, &context))
}

/// The warnings of content without errors.
fn warnings(uow: &mut dyn UnitOfWork, version: &AgreementVersion) -> Result<Vec<Finding>, AgreementError> {
    let others = uow.agreements().list_ranges(version.agreement, version.number)?;
    let found = findings(version, others)?;
    let (errors, warnings): (Vec<_>, Vec<_>) = found.into_iter().partition(|f| f.severity == Severity::Error);
    if errors.is_empty() { Ok(warnings) } else { Err(AgreementError::Errors(errors)) }
}

fn of_vertical(agreement: &FoundAgreement, content: &VersionContent) -> Result<(), AgreementError> {
    if content.vertical == agreement.vertical {
        return Ok(());
    }
    let detail = format!("the agreement is for {}", agreement.vertical);
    Err(AgreementError::fault("/content/vertical", "other_vertical", &detail))
}

/// The agreement and the version, both locked, for an actor who may do this to it.
fn locked(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    scope: Scope,
    on: &OnVersion,
) -> Result<(FoundAgreement, AgreementVersion), AgreementError> {
    require(env, scope)?;
    let agreement = uow.agreements().lock_agreement(on.agreement)?.ok_or(AgreementError::NotFound)?;
    let version = uow.agreements().lock_version(on.agreement, on.number)?.ok_or(AgreementError::NotFound)?;
    match on.version {
        Some(seen) if seen != version.version => Err(AgreementError::Stale),
        _ => Ok((agreement, version)),
    }
}

fn written(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    kind: EventKind,
    agreement: &FoundAgreement,
    before: AgreementVersion,
    after: AgreementVersion,
) -> Result<Altered<AgreementVersion>, AgreementError> {
    uow.agreements().update_version(&after)?;
    tell(uow, env, kind, agreement, &after)?;
    Ok(Altered { before, after })
}

fn tell(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    kind: EventKind,
    agreement: &FoundAgreement,
    version: &AgreementVersion,
) -> Result<(), StoreError> {
    let moved = Moved {
        agreement: version.agreement,
        number: version.number,
        provider: agreement.provider,
        state: version.state,
        content_sha256: version.content_sha256,
        effective_from: version.effective_from,
    };
    let event = event(env, kind, &moved)?;
    uow.events().append(&[event])
}

fn tell_moved(uow: &mut dyn UnitOfWork, env: &Env<'_>, moved: &[Moved]) -> Result<(), StoreError> {
    let kind = |moved: &Moved| match moved.state {
        VersionState::Superseded => EventKind::AgreementVersionSuperseded,
        _ => EventKind::AgreementVersionActivated,
    };
    let events = moved.iter().map(|m| event(env, kind(m), m)).collect::<Result<Vec<_>, _>>()?;
    uow.events().append(&events)
}

/// What listeners hear: staff of every move, the provider of an agreement of what is in force.
fn event(env: &Env<'_>, kind: EventKind, moved: &Moved) -> Result<NewEvent, StoreError> {
    let open = matches!(moved.state, VersionState::Active | VersionState::Superseded | VersionState::Retired);
    let seen: Vec<Uuid> = moved.provider.filter(|_| open).map(OrganisationId::uuid).into_iter().collect();
    let data = AgreementVersionMoved {
        agreement_id: moved.agreement,
        number: moved.number,
        state: moved.state.as_str(),
        content_sha256: moved.content_sha256,
        effective_from: moved.effective_from,
    };
    NewEvent::new(env, kind, moved.agreement.uuid(), &data, &seen)
}

/// The signed statement that a version was approved.
fn statement(env: &Env<'_>, version: &AgreementVersion, source: Uuid) -> Result<LogItem, AgreementError> {
    let acknowledged = version.approved.as_ref().map(|approval| approval.acknowledged.clone()).unwrap_or_default();
    let statement = Statement::AgreementApproval(AgreementApproval {
        acknowledged,
        agreement: version.agreement,
        approved_by: env.actor.id,
        content_sha256: version.content_sha256,
        kid: env.platform.kid(),
        log: env.origin.to_owned(),
        number: version.number,
        proposed_by: version.proposed.map(|act| act.by),
        salt: Salt(env.draw()),
        seen: env.seen,
        v: VERSION,
    });
    Ok(LogItem {
        subject: version.agreement.uuid(),
        source,
        kind: statement.kind(),
        envelope: statement.sign(env.platform)?.into_bytes(),
        keep_envelope: true,
    })
}
