//! The use case: erase a contact, once and for all.
//!
//! One transaction: the directory forgets, the log's secrets go, and an erasure leaf says that they went. What stays is
//! told with its reason ([`super::erasure`]). Erasing what is erased changes nothing, unless the time has come for what
//! was kept. Order of locks: contact → payees, users, clients → deals → lanes. Bounds: a fixed number of statements, and
//! a few more for each user and each API client that acts as the contact.
//! Nobody acts as somebody who is erased, and nothing new is kept of them (ADR-22): the database refuses it, too.

use uuid::Uuid;

use super::erasure::{self, Plan};
use super::erasure_repository::{ErasableSecret, ErasureRecord};
use super::error::DirectoryError;
use super::record::ContactRecord;
use super::service::fresh;
use crate::access::audit::Altered;
use crate::access::{self, Scope, user_change};
use crate::chain::leaf::{Leaf, LeafKind};
use crate::chain::log::{self, LogItem};
use crate::chain::statement::{self, Erasure, Salt, Statement};
use crate::env::Env;
use crate::events::{EventKind, record_changed};
use crate::kernel::Digest;
use crate::kernel::ids::{ContactId, ErasureId, PayeeId, UserId};
use crate::store::{StoreError, UnitOfWork};

/// Whose lane all erasures are on, so that none can be left out unnoticed.
const LANE: Uuid = Uuid::from_u128(0x0198_0000_0000_7000_8004_0000_0000_0002);

/// What became of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The contact before and after.
    pub contact: Altered<ContactRecord>,
    /// Payees that were erased with it.
    pub payees: Vec<PayeeId>,
    /// Users that were erased with it.
    pub users: Vec<UserId>,
}

/// Erases a contact. Once it is erased, doing it again changes nothing.
///
/// # Errors
/// See [`DirectoryError`].
pub fn erase_contact(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: ContactId,
    version: i32,
) -> Result<Erased, DirectoryError> {
    env.actor.require(Scope::DirectoryWrite)?;
    let found = uow.directory().lock_contact(id)?.filter(|found| env.actor.acts_for(found.organisation));
    let before = found.ok_or(DirectoryError::NotFound)?;
    fresh(before.version, version)?;
    uow.erasures().lock_deals(id)?;
    let footprint = uow.erasures().find_footprint(id)?;
    let plan = Plan::of(&footprint, env.now.sydney_date());
    let named = before.contact.personal.is_some();
    if !named && plan.is_empty() {
        let contact = Altered { after: before.clone(), before };
        return Ok(Erased { contact, payees: Vec::new(), users: Vec::new() });
    }
    let contact = before.contact.clone().erased();
    let after = ContactRecord { contact, version: before.version + 1, ..before.clone() };
    uow.directory().update_contact(&after)?;
    let logged = log_erasure(uow, env, id, &plan, named)?;
    if !plan.payees.is_empty() {
        let up_to = erasure::released_up_to(env.now.sydney_date());
        uow.erasures().erase_payees(logged, &plan.payees, up_to)?;
    }
    for user in &plan.users {
        user_change::erase(uow, env, *user)?;
    }
    for client in &plan.clients {
        access::service::erase_client(uow, env, *client)?;
    }
    let seen = [after.organisation.uuid()];
    for payee in &plan.payees {
        record_changed(uow, env, EventKind::PayeeUpdated, (payee, payee.uuid()), None, &seen)?;
    }
    record_changed(uow, env, EventKind::ContactErased, (&id, id.uuid()), Some(after.version), &seen)?;
    Ok(Erased { contact: Altered { before, after }, payees: plan.payees, users: plan.users })
}

/// Takes the secrets of the plan's deals away and logs that they are gone.
fn log_erasure(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    contact: ContactId,
    plan: &Plan,
    named: bool,
) -> Result<ErasureId, DirectoryError> {
    let secrets = uow.erasures().list_erasable(&plan.deals)?;
    let commitments = secrets.iter().filter(|secret| secret.is_envelope).map(commitment);
    let commitments = commitments.collect::<Result<Vec<Digest>, StoreError>>()?;
    let erasure = ErasureRecord {
        id: ErasureId::new(env.ids.next()),
        contact,
        leaves: u32::try_from(commitments.len()).map_err(|_| StoreError::Failed("too many leaves".into()))?,
        commitments_sha256: statement::erasure::digest_of(&commitments),
        report: plan.report(named),
        erased_by: env.actor.id,
        erased_at: env.now,
    };
    let sources: Vec<Uuid> = secrets.iter().map(|secret| secret.source).collect();
    uow.erasures().append_erasure(&erasure, &sources)?;
    let envelope = stated(env, &erasure)?;
    let (source, kind) = (erasure.id.uuid(), LeafKind::Erasure);
    log::append(uow, env, &[LogItem { subject: LANE, source, kind, envelope, keep_envelope: true }])?;
    let erased = uow.erasures().erase_secrets(erasure.id)?;
    if erased != sources.len() as u64 {
        return Err(StoreError::Failed(format!("{erased} of {} secrets were there to erase", sources.len())).into());
    }
    uow.erasures().erase_row_digests(&plan.deals)?;
    Ok(erasure.id)
}

/// The statement of an erasure, signed by the platform.
fn stated(env: &Env<'_>, erasure: &ErasureRecord) -> Result<Vec<u8>, DirectoryError> {
    let statement = Statement::Erasure(Erasure {
        commitments_sha256: erasure.commitments_sha256,
        kid: env.platform.kid(),
        leaves: erasure.leaves,
        log: env.origin.to_owned(),
        salt: Salt(env.draw()),
        seen: env.seen,
        v: statement::VERSION,
    });
    Ok(statement.sign(env.platform)?.into_bytes())
}

fn commitment(secret: &ErasableSecret) -> Result<Digest, StoreError> {
    let leaf = secret.leaf.as_deref().and_then(|bytes| Leaf::parse(bytes).ok());
    leaf.map(|leaf| leaf.commitment)
        .ok_or_else(|| StoreError::Failed("an envelope that is to be erased has no leaf that reads".into()))
}
