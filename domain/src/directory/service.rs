//! Use cases: create and change organisations, contacts, members, payees.
//!
//! Who acts must have the scope and act for the organisation; what is not theirs does not exist for them.
//! What a request names in its body and is not there is a fault of that field.

use super::CreateMember;
use super::bank_change::{self, ProposeBankChange};
use super::cohort;
use super::contact::CreateContactOf;
use super::error::DirectoryError;
use super::member::check_upline;
use super::organisation::{CreateOrganisation, OrganisationStatus};
use super::payee::{CreatePayee, PayeeMapping};
use super::record::{ContactRecord, MemberRecord, OrganisationRecord, PayeeRecord};
use super::repository::NewContact;
use super::update::{UpdateContact, UpdateMember, UpdateOrganisation, UpdatePayee, UplineName};
use crate::access::Scope;
use crate::access::audit::Altered;
use crate::env::Env;
use crate::events::{EventKind, record_changed};
use crate::kernel::Faults;
use crate::kernel::ids::{ContactId, MemberId, OrganisationId, PayeeId};
use crate::store::{StoreError, UnitOfWork};

/// Creates an organisation.
///
/// # Errors
/// See [`DirectoryError`].
pub fn create_organisation(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    command: &CreateOrganisation,
) -> Result<OrganisationRecord, DirectoryError> {
    env.actor.require(Scope::OrganisationsWrite)?;
    let organisation = command.clone().into_organisation(OrganisationId::new(env.ids.next()));
    uow.directory().insert_organisation(&organisation, env.now)?;
    let id = organisation.id;
    record_changed(uow, env, EventKind::OrganisationCreated, (&id, id.uuid()), Some(1), &[id.uuid()])?;
    Ok(OrganisationRecord { organisation, created_at: env.now, version: 1 })
}

/// Changes an organisation.
///
/// # Errors
/// See [`DirectoryError`].
pub fn update_organisation(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: OrganisationId,
    version: i32,
    command: &UpdateOrganisation,
) -> Result<Altered<OrganisationRecord>, DirectoryError> {
    env.actor.require(Scope::OrganisationsWrite)?;
    let found = uow.directory().lock_organisation(id)?.filter(|_| env.actor.acts_for(id));
    let found = found.ok_or(DirectoryError::NotFound)?;
    fresh(found.version, version)?;
    let changed = command.apply(found.clone());
    uow.directory().update_organisation(&changed)?;
    let seen = [id.uuid()];
    record_changed(uow, env, EventKind::OrganisationUpdated, (&id, id.uuid()), Some(changed.version), &seen)?;
    Ok(Altered { before: found, after: changed })
}

/// Creates a contact.
///
/// # Errors
/// See [`DirectoryError`].
pub fn create_contact(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    command: &CreateContactOf,
) -> Result<ContactRecord, DirectoryError> {
    env.actor.require(Scope::DirectoryWrite)?;
    let mut faults = Faults::default();
    check_organisation(uow, env, command.organisation, &mut faults)?;
    checked(faults)?;
    let contact = command.contact.clone().into_contact(ContactId::new(env.ids.next()));
    let new = NewContact { organisation: command.organisation, contact };
    uow.directory().insert_contacts(std::slice::from_ref(&new), env.now)?;
    let id = new.contact.id;
    let seen = [new.organisation.uuid()];
    record_changed(uow, env, EventKind::ContactCreated, (&id, id.uuid()), Some(1), &seen)?;
    Ok(ContactRecord { organisation: new.organisation, contact: new.contact, created_at: env.now, version: 1 })
}

/// Changes what identifies a contact; deals and statements hold its id and stay as they are.
///
/// # Errors
/// See [`DirectoryError`].
pub fn update_contact(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: ContactId,
    version: i32,
    command: &UpdateContact,
) -> Result<Altered<ContactRecord>, DirectoryError> {
    env.actor.require(Scope::DirectoryWrite)?;
    let found = uow.directory().lock_contact(id)?.filter(|found| env.actor.acts_for(found.organisation));
    let found = found.ok_or(DirectoryError::NotFound)?;
    fresh(found.version, version)?;
    let changed = command.apply(found.clone()).ok_or(DirectoryError::Erased)?;
    uow.directory().update_contact(&changed)?;
    let seen = [changed.organisation.uuid()];
    record_changed(uow, env, EventKind::ContactUpdated, (&id, id.uuid()), Some(changed.version), &seen)?;
    Ok(Altered { before: found, after: changed })
}

/// Creates a member.
///
/// # Errors
/// See [`DirectoryError`].
pub fn create_member(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    command: &CreateMember,
) -> Result<MemberRecord, DirectoryError> {
    env.actor.require(Scope::DirectoryWrite)?;
    let organisation = command.organisation;
    let mut faults = Faults::default();
    let owned = check_organisation(uow, env, organisation, &mut faults)?;
    // Whether foreign things exist is not told, so they are not looked up.
    if owned && uow.directory().owner_of_contact(command.contact)? != Some(organisation) {
        faults.push("/contact_id", "not_found", "the organisation has no such contact");
    } else if owned && uow.erasures().is_contact_erased(command.contact)? {
        faults.push("/contact_id", "erased", "this contact is erased: nothing new is kept of it");
    }
    if owned {
        cohort::check(uow, organisation, command.cohort.as_ref(), &mut faults)?;
    }
    let id = MemberId::new(env.ids.next());
    let upline = match &command.upline {
        Some(name) if owned => find_upline(uow, organisation, name, id, &mut faults)?,
        _ => None,
    };
    checked(faults)?;
    let member = command.clone().into_member(id, upline);
    uow.directory().insert_members(std::slice::from_ref(&member), env.now)?;
    let seen = [organisation.uuid(), id.uuid()];
    record_changed(uow, env, EventKind::MemberCreated, (&id, id.uuid()), Some(1), &seen)?;
    Ok(MemberRecord { member, status: OrganisationStatus::Active, created_at: env.now, version: 1 })
}

/// Changes a member. A new upline counts from today on, and never closes a circle.
///
/// # Errors
/// See [`DirectoryError`].
pub fn update_member(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: MemberId,
    version: i32,
    command: &UpdateMember,
) -> Result<Altered<MemberRecord>, DirectoryError> {
    env.actor.require(Scope::DirectoryWrite)?;
    let lineage = uow.directory().list_lineage(id)?;
    let (_, organisation) = *lineage.first().ok_or(DirectoryError::NotFound)?;
    if !env.actor.acts_for(organisation) {
        return Err(DirectoryError::NotFound);
    }
    // Two moves at once could close a circle that neither sees: they take turns.
    uow.directory().lock_organisation(organisation)?;
    let found = uow.directory().lock_member(id)?.ok_or(DirectoryError::NotFound)?;
    fresh(found.version, version)?;
    let mut faults = Faults::default();
    let upline = match &command.upline {
        None => found.member.upline,
        Some(None) => None,
        Some(Some(name)) => find_upline(uow, organisation, name, id, &mut faults)?,
    };
    cohort::check(uow, organisation, command.cohort.as_ref().and_then(Option::as_ref), &mut faults)?;
    checked(faults)?;
    let moved_on = (upline != found.member.upline).then(|| env.now.sydney_date());
    let changed = command.apply(found.clone(), upline);
    uow.directory().update_member(&changed, moved_on, env.now)?;
    let seen = [organisation.uuid(), id.uuid()];
    record_changed(uow, env, EventKind::MemberUpdated, (&id, id.uuid()), Some(changed.version), &seen)?;
    Ok(Altered { before: found, after: changed })
}

/// Creates a payee, and says whose it is.
///
/// # Errors
/// See [`DirectoryError`].
pub fn create_payee(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    command: &CreatePayee,
) -> Result<PayeeRecord, DirectoryError> {
    env.actor.require(Scope::DirectoryWrite)?;
    let organisation = command.organisation;
    let mut faults = Faults::default();
    let owned = check_organisation(uow, env, organisation, &mut faults)?;
    if let (true, Some((member, _))) = (owned, command.member) {
        let lineage = uow.directory().list_lineage(member)?;
        if lineage.first().is_none_or(|(_, owner)| *owner != organisation) {
            faults.push("/member_id", "not_found", "the organisation has no such member");
        } else if uow.erasures().is_member_erased(member)? {
            faults.push("/member_id", "erased", "this member is erased: nothing new is kept of it");
        }
    }
    checked(faults)?;
    let mut payee = command.clone().into_payee(PayeeId::new(env.ids.next()));
    let named: Vec<MemberId> = command.member.iter().map(|(member, _)| *member).collect();
    let replaces = !uow.directory().find_payees(&named, jiff::civil::Date::MAX)?.is_empty();
    // Money that went to one account goes to another only when a second person says so.
    let waiting = if replaces { payee.bank.take() } else { None };
    let bank_details = [env.ids.next()];
    uow.directory().insert_payees(std::slice::from_ref(&payee), &bank_details, env.now)?;
    let members: Vec<_> = command.member.iter().map(|(m, from)| (*m, from.unwrap_or(env.now.sydney_date()))).collect();
    let record = PayeeRecord {
        minimum_payout_minor: command.minimum_payout_minor,
        members,
        created_at: env.now,
        version: 1,
        payee,
    };
    if record.minimum_payout_minor > 0 {
        uow.directory().update_payee(&record)?;
    }
    let mapping = |(member, from_on): &(MemberId, jiff::civil::Date)| PayeeMapping {
        member: *member,
        payee: record.payee.id,
        from_on: *from_on,
    };
    let mappings: Vec<PayeeMapping> = record.members.iter().map(mapping).collect();
    if !mappings.is_empty() {
        uow.directory().append_payee_mappings(&mappings, env.now)?;
    }
    payee_changed(uow, env, EventKind::PayeeCreated, &record)?;
    if let Some(details) = waiting {
        bank_change::propose(uow, env, record.payee.id, &ProposeBankChange { details })?;
    }
    Ok(record)
}

/// Changes a payee. Bank details do not change this way.
///
/// # Errors
/// See [`DirectoryError`].
pub fn update_payee(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: PayeeId,
    version: i32,
    command: &UpdatePayee,
) -> Result<Altered<PayeeRecord>, DirectoryError> {
    env.actor.require(Scope::DirectoryWrite)?;
    let found = uow.directory().lock_payee(id)?.filter(|found| env.actor.acts_for(found.payee.organisation));
    let found = found.ok_or(DirectoryError::NotFound)?;
    fresh(found.version, version)?;
    if uow.erasures().is_payee_erased(id)? {
        return Err(DirectoryError::PayeeErased);
    }
    let changed = command.apply(found.clone()).map_err(DirectoryError::Invalid)?;
    uow.directory().update_payee(&changed)?;
    payee_changed(uow, env, EventKind::PayeeUpdated, &changed)?;
    Ok(Altered { before: found, after: changed })
}

/// The payee's organisation hears of it, and the members who are paid to it.
pub(crate) fn payee_changed(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    kind: EventKind,
    record: &PayeeRecord,
) -> Result<(), StoreError> {
    let id = record.payee.id;
    let members = record.members.iter().map(|(member, _)| member.uuid());
    let seen: Vec<uuid::Uuid> = std::iter::once(record.payee.organisation.uuid()).chain(members).collect();
    record_changed(uow, env, kind, (&id, id.uuid()), Some(record.version), &seen)
}

/// Whether the organisation is there and the actor acts for it; a fault otherwise.
pub(super) fn check_organisation(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: OrganisationId,
    faults: &mut Faults,
) -> Result<bool, StoreError> {
    let there = env.actor.acts_for(id) && uow.access().belongs(id, None)?;
    if !there {
        faults.push("/organisation_id", "not_found", "there is no such organisation, or it is not yours");
    }
    Ok(there)
}

/// Finds the upline that a request names, in the same organisation, and checks that `below` may stand under it.
fn find_upline(
    uow: &mut dyn UnitOfWork,
    organisation: OrganisationId,
    name: &UplineName,
    below: MemberId,
    faults: &mut Faults,
) -> Result<Option<MemberId>, StoreError> {
    let id = match name {
        UplineName::Id(id) => Some(*id),
        UplineName::Ref(member_ref) => {
            let refs = [member_ref.as_str().to_owned()];
            uow.directory().find_members(organisation, &refs)?.first().map(|found| found.id)
        }
    };
    let lineage = id.map_or(Ok(Vec::new()), |id| uow.directory().list_lineage(id))?;
    match lineage.first() {
        Some((upline, owner)) if *owner == organisation => {
            let above = |m| lineage.iter().skip_while(|(n, _)| *n != m).nth(1).map(|(above, _)| *above);
            faults.keep(name.pointer(), check_upline(below, *upline, above));
            Ok(Some(*upline))
        }
        _ => {
            faults.push(name.pointer(), "not_found", "the organisation has no such member");
            Ok(None)
        }
    }
}

pub(super) fn fresh(present: i32, seen: i32) -> Result<(), DirectoryError> {
    if present == seen { Ok(()) } else { Err(DirectoryError::Stale) }
}

pub(super) fn checked(faults: Faults) -> Result<(), DirectoryError> {
    faults.check().map_err(DirectoryError::Invalid)
}
