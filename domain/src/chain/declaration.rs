//! Declaring an import: the importing organisation signs for the bytes of a file before it is taken.
//!
//! Invariants: an import names the digest of the declaration's envelope, and the file's digest is the
//! declared one; consent and disclosure are declared; the declaration is logged in the organisation's
//! lane. The same payload again is the same declaration.

use super::leaf::LeafKind;
use super::log::{self, LogItem};
use super::presented::{Heads, Presented, StatementRefusal, expect_active};
use super::registration::seen_now;
use super::registry::{Declaration, KeyLock, KeyOwner, SigningKey};
use super::statement::{ImportDeclaration, Statement};
use crate::access::{MissingScope, Scope};
use crate::env::Env;
use crate::kernel::Digest;
use crate::kernel::ids::DeclarationId;
use crate::store::{StoreError, UnitOfWork, UseCaseError};

/// Why a declaration is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeclareError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The actor may not.
    #[error(transparent)]
    Scope(#[from] MissingScope),
    /// The statement.
    #[error(transparent)]
    Statement(#[from] StatementRefusal),
    /// Consent or disclosure is denied: such a file cannot be imported.
    #[error("an import needs that consent and disclosure are declared")]
    NotDeclared,
    /// Declared for another file.
    #[error("the declaration is for the file {declared}, this one is {found}")]
    OtherFile {
        /// The digest that was declared.
        declared: Digest,
        /// The digest of the file.
        found: Digest,
    },
    /// There is no such declaration of this organisation.
    #[error("there is no such declaration")]
    UnknownDeclaration,
}

impl UseCaseError for DeclareError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Scope(_)
            | Self::Statement(_)
            | Self::NotDeclared
            | Self::OtherFile { .. }
            | Self::UnknownDeclaration => None,
        }
    }
}

/// Takes a declaration: verifies it, keeps its envelope, logs it.
///
/// # Errors
/// See [`DeclareError`].
pub fn declare(uow: &mut dyn UnitOfWork, env: &Env<'_>, envelope: &str) -> Result<Declaration, DeclareError> {
    env.actor.require(Scope::DealsWrite)?;
    let presented = Presented::read(envelope, LeafKind::ImportDeclaration, env.origin)?;
    let Statement::ImportDeclaration(statement) = presented.statement() else {
        return Err(StatementRefusal::Content("not a declaration").into());
    };
    let heads = Heads::find(uow, env.seen, std::iter::once(&presented))?;
    let (key, organisation) = judged(uow, env, &presented, statement, &heads)?;
    if let Some(known) = uow.keys().find_declaration_by_payload(presented.payload_digest())? {
        return Ok(known);
    }
    expect_active(&key)?;
    if !(statement.consent.declared && statement.disclosure.declared) {
        return Err(DeclareError::NotDeclared);
    }
    let declaration = Declaration {
        id: DeclarationId::new(env.ids.next()),
        organisation,
        kid: presented.kid().to_owned(),
        file_sha256: statement.file_sha256,
        payload_sha256: presented.payload_digest(),
        envelope_sha256: presented.envelope_digest(),
        created_at: env.now,
    };
    uow.keys().append_declaration(&declaration).map_err(seen_now("import_declaration_seen"))?;
    let item = LogItem {
        subject: organisation.uuid(),
        source: declaration.id.uuid(),
        kind: LeafKind::ImportDeclaration,
        envelope: envelope.as_bytes().to_vec(),
        keep_envelope: true,
    };
    log::append(uow, env, &[item])?;
    Ok(declaration)
}

/// The key that signed, which is locked, and its organisation, when the actor acts for it.
fn judged(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    presented: &Presented,
    statement: &ImportDeclaration,
    heads: &Heads,
) -> Result<(SigningKey, crate::kernel::ids::OrganisationId), DeclareError> {
    let key = uow.keys().lock_keys(&[presented.kid().to_owned()], KeyLock::Signing)?.into_iter().next();
    let Some((key, organisation)) = key.and_then(|key| match key.owner {
        KeyOwner::Organisation(organisation) if env.actor.acts_for(organisation) => Some((key, organisation)),
        KeyOwner::Organisation(_) | KeyOwner::Member { .. } => None,
    }) else {
        return Err(StatementRefusal::UnknownKey.into());
    };
    presented.judge(&key, (&statement.organisation, key.assurance), heads)?;
    Ok((key, organisation))
}

/// The declaration of an organisation that an import names, for a file of that digest.
///
/// # Errors
/// [`DeclareError::UnknownDeclaration`], also when it is somebody else's; [`DeclareError::OtherFile`].
pub fn find_declared(
    uow: &mut dyn UnitOfWork,
    organisation: crate::kernel::ids::OrganisationId,
    envelope_sha256: Digest,
    file_sha256: Digest,
) -> Result<Declaration, DeclareError> {
    let found = uow.keys().find_declaration(envelope_sha256)?.filter(|d| d.organisation == organisation);
    let declaration = found.ok_or(DeclareError::UnknownDeclaration)?;
    if declaration.file_sha256 == file_sha256 {
        Ok(declaration)
    } else {
        Err(DeclareError::OtherFile { declared: declaration.file_sha256, found: file_sha256 })
    }
}
