//! Failed logins stay in the audit log: whom they were about, never what was presented.
//!
//! Whoever fails did not prove who they are, so the actor is unknown; the object is the user or API client that was
//! named, or nobody when there is none such: what was typed is kept nowhere. Bounds: one record an attempt, behind the
//! limit of requests of each address.

use uuid::Uuid;

use super::audit::{ActorKind, AuditRecord};
use super::standing::Subject;
use crate::directory::Email;
use crate::env::Env;
use crate::store::{StoreError, UnitOfWork};

/// The actor of what nobody proved to have done.
pub const NOBODY_KNOWN: Uuid = Uuid::max();
/// How a name is shown that belongs to nobody.
const UNKNOWN: &str = "unknown";

/// Whom a login named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// An address.
    Address(Email),
    /// A user or API client, which need not exist.
    Subject(Subject),
    /// Nothing that could be looked up.
    Nobody,
}

/// Keeps that a login failed, and why, as the code that was answered.
///
/// # Errors
/// The failure of the store.
pub fn keep(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    named: &Named,
    refused: &'static str,
    request_id: &str,
) -> Result<(), StoreError> {
    let about = match named {
        Named::Address(email) => uow.access().find_user_by_email(email)?.map(|found| Subject::User(found.user.id)),
        Named::Subject(Subject::Client(id)) => {
            uow.access().find_client(*id)?.map(|found| Subject::Client(found.client.id))
        }
        Named::Subject(Subject::User(id)) => uow.access().find_user(*id)?.map(|found| Subject::User(found.id)),
        Named::Nobody => None,
    };
    let record = AuditRecord {
        at: env.now,
        actor: NOBODY_KNOWN,
        actor_kind: ActorKind::Unknown,
        embed: false,
        action: "create_token",
        object: about.map_or_else(Uuid::nil, Subject::uuid),
        object_name: Some(about.map_or_else(|| UNKNOWN.to_owned(), |subject| subject.to_string())),
        changed: Vec::new(),
        before: None,
        after: None,
        refused: Some(refused),
        request_id: request_id.to_owned(),
    };
    uow.audit().append(std::slice::from_ref(&record))
}
