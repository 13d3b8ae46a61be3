//! Cohorts: what the members of an organisation are grouped by. Agreements ask for a cohort by its code, so a
//! member can only be in one that exists.

use super::error::DirectoryError;
use super::text::{ClusterText, ProductName};
use super::update::{Given, kept};
use super::{required, service};
use crate::access::Scope;
use crate::access::audit::Altered;
use crate::env::Env;
use crate::events::{EventKind, record_changed};
use crate::kernel::ids::{CohortId, OrganisationId};
use crate::kernel::{Faults, Instant, Page, PageRequest};
use crate::store::{StoreError, UnitOfWork};

/// A cohort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cohort {
    /// Its id.
    pub id: CohortId,
    /// Whose members it groups.
    pub organisation: OrganisationId,
    /// What members and agreements call it, unique in the organisation; it stays.
    pub code: ClusterText,
    /// For a person.
    pub name: ProductName,
    /// When it was made.
    pub created_at: Instant,
    /// Rises with each change.
    pub version: i32,
}

/// A request to create a cohort, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateCohortInput {
    /// `/organisation_id`
    pub organisation_id: Option<String>,
    /// `/code`
    pub code: Option<String>,
    /// `/name`
    pub name: Option<String>,
}

/// A valid request to create a cohort.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateCohort {
    organisation: OrganisationId,
    code: ClusterText,
    name: ProductName,
}

impl CreateCohort {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &CreateCohortInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let f = &mut faults;
        let organisation = required(f, "/organisation_id", raw.organisation_id.as_deref(), OrganisationId::parse);
        let code = required(f, "/code", raw.code.as_deref(), ClusterText::parse);
        let name = required(f, "/name", raw.name.as_deref(), ProductName::parse);
        match (organisation, code, name) {
            (Some(organisation), Some(code), Some(name)) => Ok(Self { organisation, code, name }),
            _ => Err(faults),
        }
    }
}

/// A valid request to change a cohort.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateCohort {
    name: Option<ProductName>,
}

impl UpdateCohort {
    /// Checks every field; `name` is absent, `null` or a text.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(name: &Given) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        match kept(&mut faults, "/name", name, ProductName::parse) {
            Some(name) => Ok(Self { name }),
            None => Err(faults),
        }
    }

    /// The cohort after the change.
    #[must_use]
    pub fn apply(&self, cohort: Cohort) -> Cohort {
        let name = self.name.clone().unwrap_or(cohort.name);
        Cohort { name, version: cohort.version + 1, ..cohort }
    }
}

/// Cohorts, inside a transaction.
pub trait CohortRepository {
    /// Keeps a new cohort.
    ///
    /// # Errors
    /// `cohort_code_taken`.
    fn insert_cohort(&mut self, cohort: &Cohort) -> Result<(), StoreError>;

    /// Locks a cohort.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_cohort(&mut self, id: CohortId) -> Result<Option<Cohort>, StoreError>;

    /// Writes what may change of a cohort.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_cohort(&mut self, cohort: &Cohort) -> Result<(), StoreError>;

    /// Whether the organisation has a cohort of this code.
    ///
    /// # Errors
    /// The failure of the store.
    fn has_cohort(&mut self, organisation: OrganisationId, code: &ClusterText) -> Result<bool, StoreError>;
}

/// Cohorts, to look up: by id, as the viewer may see them.
pub trait CohortQueries {
    /// Cohorts, of one organisation or of all.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_cohorts(
        &mut self,
        organisation: Option<OrganisationId>,
        page: &PageRequest,
    ) -> Result<Page<Cohort>, StoreError>;

    /// One cohort.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_cohort(&mut self, id: CohortId) -> Result<Option<Cohort>, StoreError>;
}

/// Creates a cohort.
///
/// # Errors
/// See [`DirectoryError`].
pub fn create(uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &CreateCohort) -> Result<Cohort, DirectoryError> {
    env.actor.require(Scope::DirectoryWrite)?;
    let mut faults = Faults::default();
    service::check_organisation(uow, env, command.organisation, &mut faults)?;
    service::checked(faults)?;
    let CreateCohort { organisation, code, name } = command.clone();
    let id = CohortId::new(env.ids.next());
    let cohort = Cohort { id, organisation, code, name, created_at: env.now, version: 1 };
    uow.cohorts().insert_cohort(&cohort)?;
    record_changed(uow, env, EventKind::CohortCreated, (&id, id.uuid()), Some(1), &[organisation.uuid()])?;
    Ok(cohort)
}

/// Changes a cohort.
///
/// # Errors
/// See [`DirectoryError`].
pub fn update(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: CohortId,
    version: i32,
    command: &UpdateCohort,
) -> Result<Altered<Cohort>, DirectoryError> {
    env.actor.require(Scope::DirectoryWrite)?;
    let found = uow.cohorts().lock_cohort(id)?.filter(|found| env.actor.acts_for(found.organisation));
    let before = found.ok_or(DirectoryError::NotFound)?;
    service::fresh(before.version, version)?;
    let after = command.apply(before.clone());
    uow.cohorts().update_cohort(&after)?;
    let seen = [after.organisation.uuid()];
    record_changed(uow, env, EventKind::CohortUpdated, (&id, id.uuid()), Some(after.version), &seen)?;
    Ok(Altered { before, after })
}

/// A fault when the organisation has no such cohort.
///
/// # Errors
/// The failure of the store.
pub(super) fn check(
    uow: &mut dyn UnitOfWork,
    organisation: OrganisationId,
    code: Option<&ClusterText>,
    faults: &mut Faults,
) -> Result<(), StoreError> {
    if let Some(code) = code
        && !uow.cohorts().has_cohort(organisation, code)?
    {
        faults.push("/cohort", "not_found", "the organisation has no cohort of this code");
    }
    Ok(())
}
