//! Use cases of what payees are to the tax office, and what a run needs to know of it.
//!
//! Who acts must have the scope and act for the payee's organisation; what is not theirs does not exist for them.
//! Of a payee that is erased nothing new is kept (ADR-22).

use jiff::civil::Date;

use super::decide::TaxFacts;
use super::facts::{
    EndRctiAgreement, GstFact, RctiAgreement, RecordGstStatus, RecordRctiAgreement, RecordSupplierStatement,
    SupplierStatement,
};
use crate::access::Scope;
use crate::directory::record::PayeeRecord;
use crate::directory::{DirectoryError, GstTimeline, service};
use crate::env::Env;
use crate::events::EventKind;
use crate::kernel::Faults;
use crate::kernel::ids::{LineId, PayeeId, RctiAgreementId};
use crate::store::{StoreError, UnitOfWork};

/// What tax needs to know to pay these payees for these lines. Payees and lines are locked before.
///
/// # Errors
/// The failure of the store.
pub fn facts(uow: &mut dyn UnitOfWork, payees: &[PayeeId], lines: &[LineId]) -> Result<TaxFacts, StoreError> {
    let recipient = uow.tax().find_parties(&[])?.recipient;
    Ok(TaxFacts {
        recipient: recipient.is_some_and(|party| party.abn.is_some()),
        payees: uow.tax().list_papers(payees)?,
        lines: uow.tax().list_line_facts(lines)?,
    })
}

/// Tells of a payee's registration for GST.
///
/// # Errors
/// See [`DirectoryError`]; who is registered has an ABN.
pub fn record_gst_status(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    payee: PayeeId,
    command: &RecordGstStatus,
) -> Result<GstFact, DirectoryError> {
    let found = locked(uow, env, payee)?;
    if command.registered && found.payee.abn.is_none() {
        return Err(fault("/registered", "abn_missing", "a payee that is registered for GST has an ABN"));
    }
    let fact = GstFact { registered: command.registered, from_on: command.from_on, known_at: env.now };
    uow.tax().append_gst_fact(env.ids.next(), payee, &fact, env.actor.id)?;
    let facts = uow.tax().list_gst_facts(payee)?;
    let timeline = GstTimeline::restore(facts.iter().map(|fact| (fact.from_on, fact.registered)));
    let since = registered_since(&timeline, env.now.sydney_date());
    let mut changed = found;
    changed.payee.gst = GstTimeline::restore(since.map(|from| (from, true)));
    bumped(uow, env, changed)?;
    Ok(fact)
}

/// The first day of the registration that is in force on a day, or that comes next.
fn registered_since(timeline: &GstTimeline, on: Date) -> Option<Date> {
    let facts = timeline.facts();
    let in_force = facts.iter().rev().find(|(from, _)| *from <= on);
    let next = facts.iter().find(|(from, registered)| *from > on && *registered);
    in_force.filter(|(_, registered)| *registered).or(next).map(|(from, _)| *from)
}

/// Records that a payee agreed that we write its invoices.
///
/// # Errors
/// See [`DirectoryError`].
pub fn record_rcti_agreement(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    payee: PayeeId,
    command: &RecordRctiAgreement,
) -> Result<RctiAgreement, DirectoryError> {
    let found = locked(uow, env, payee)?;
    let mut faults = Faults::default();
    if uow.directory().owner_of_contact(command.accepted_by)? != Some(found.payee.organisation) {
        faults.push("/accepted_by_contact_id", "not_found", "the payee's organisation has no such contact");
    }
    if command.accepted_on > env.now.sydney_date() {
        faults.push("/accepted_on", "in_future", "an agreement is accepted today or earlier");
    }
    faults.check().map_err(DirectoryError::Invalid)?;
    let agreement = RctiAgreement {
        id: RctiAgreementId::new(env.ids.next()),
        payee,
        wording_version: command.wording_version.clone(),
        accepted_by: command.accepted_by.uuid(),
        accepted_on: command.accepted_on,
        ended_on: None,
        recorded_at: env.now,
    };
    uow.tax().append_rcti_agreement(&agreement, env.actor.id)?;
    bumped(uow, env, found)?;
    Ok(agreement)
}

/// Ends an agreement.
///
/// # Errors
/// See [`DirectoryError`]; it ends once, and not before it began.
pub fn end_rcti_agreement(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    payee: PayeeId,
    command: &EndRctiAgreement,
) -> Result<RctiAgreement, DirectoryError> {
    let found = locked(uow, env, payee)?;
    let papers = uow.tax().list_papers(&[payee])?.remove(&payee).unwrap_or_default();
    let agreement = papers.agreements.into_iter().find(|agreement| agreement.id == command.agreement);
    let Some(agreement) = agreement else {
        return Err(fault("/rcti_agreement_id", "not_found", "the payee has no such agreement"));
    };
    if agreement.ended_on.is_some() {
        return Err(fault("/rcti_agreement_id", "ended", "this agreement has ended"));
    }
    if command.ended_on < agreement.accepted_on {
        return Err(fault("/ended_on", "date_out_of_order", "it ends before it was accepted"));
    }
    uow.tax().append_rcti_end(command.agreement, command.ended_on, env.actor.id, env.now)?;
    bumped(uow, env, found)?;
    Ok(RctiAgreement { ended_on: Some(command.ended_on), ..agreement })
}

/// Puts a supplier's statement on file.
///
/// # Errors
/// See [`DirectoryError`].
pub fn record_supplier_statement(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    payee: PayeeId,
    command: &RecordSupplierStatement,
) -> Result<SupplierStatement, DirectoryError> {
    let found = locked(uow, env, payee)?;
    let RecordSupplierStatement { reason, from_on, to_on } = *command;
    let statement = SupplierStatement { id: env.ids.next(), payee, reason, from_on, to_on, recorded_at: env.now };
    uow.tax().append_supplier_statement(&statement, env.actor.id)?;
    bumped(uow, env, found)?;
    Ok(statement)
}

fn locked(uow: &mut dyn UnitOfWork, env: &Env<'_>, payee: PayeeId) -> Result<PayeeRecord, DirectoryError> {
    env.actor.require(Scope::DirectoryWrite)?;
    let found = uow.directory().lock_payee(payee)?.filter(|found| env.actor.acts_for(found.payee.organisation));
    let found = found.ok_or(DirectoryError::NotFound)?;
    if uow.erasures().is_payee_erased(payee)? { Err(DirectoryError::PayeeErased) } else { Ok(found) }
}

/// The payee has changed, and its people hear of it.
fn bumped(uow: &mut dyn UnitOfWork, env: &Env<'_>, found: PayeeRecord) -> Result<(), DirectoryError> {
    let changed = PayeeRecord { version: found.version + 1, ..found };
    uow.directory().update_payee(&changed)?;
    service::payee_changed(uow, env, EventKind::PayeeUpdated, &changed)?;
    Ok(())
}

fn fault(pointer: &str, code: &'static str, detail: &str) -> DirectoryError {
    let mut faults = Faults::default();
    faults.push(pointer, code, detail);
    DirectoryError::Invalid(faults)
}
