//! Cohorts.

use diesel::prelude::*;
use diesel::sql_types::{Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::directory::cohort::{Cohort, CohortQueries, CohortRepository};
use domain::directory::{ClusterText, ProductName};
use domain::kernel::ids::{CohortId, OrganisationId};
use domain::kernel::{Page, PageRequest};
use domain::store::StoreError;
use uuid::Uuid;

use super::rows::read;
use crate::bind::{from_instant, instant};
use crate::error::store_error;
use crate::page::{Paging, by_id, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

type CohortColumns = (SqlUuid, SqlUuid, Text, Text, Timestamptz, Integer);
type CohortRow = (Uuid, Uuid, String, String, jiff_diesel::Timestamp, i32);

fn restore((id, organisation, code, name, created_at, version): CohortRow) -> Result<Cohort, StoreError> {
    Ok(Cohort {
        id: CohortId::new(id),
        organisation: OrganisationId::new(organisation),
        code: read("the code of a cohort", ClusterText::parse(&code))?,
        name: read("the name of a cohort", ProductName::parse(&name))?,
        created_at: from_instant(created_at),
        version,
    })
}

impl CohortRepository for PgUnitOfWork<'_> {
    fn insert_cohort(&mut self, cohort: &Cohort) -> Result<(), StoreError> {
        command(
            "insert into cohort (id, organisation_id, code, name, created_at, version) values ($1, $2, $3, $4, $5, $6)",
        )
        .bind::<SqlUuid, _>(cohort.id.uuid())
        .bind::<SqlUuid, _>(cohort.organisation.uuid())
        .bind::<Text, _>(cohort.code.as_str())
        .bind::<Text, _>(cohort.name.as_str())
        .bind::<Timestamptz, _>(instant(cohort.created_at))
        .bind::<Integer, _>(cohort.version)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn lock_cohort(&mut self, id: CohortId) -> Result<Option<Cohort>, StoreError> {
        let row: Option<CohortRow> = query::<CohortColumns>(
            "select id, organisation_id, code, name, created_at, version from cohort where id = $1 for update",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(restore).transpose()
    }

    fn update_cohort(&mut self, cohort: &Cohort) -> Result<(), StoreError> {
        command("update cohort set name = $1, version = $2 where id = $3")
            .bind::<Text, _>(cohort.name.as_str())
            .bind::<Integer, _>(cohort.version)
            .bind::<SqlUuid, _>(cohort.id.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn has_cohort(&mut self, organisation: OrganisationId, code: &ClusterText) -> Result<bool, StoreError> {
        let found: Option<Uuid> = query::<SqlUuid>("select id from cohort where organisation_id = $1 and code = $2")
            .bind::<SqlUuid, _>(organisation.uuid())
            .bind::<Text, _>(code.as_str())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)?;
        Ok(found.is_some())
    }
}

impl CohortQueries for PgQueries<'_> {
    fn list_cohorts(
        &mut self,
        organisation: Option<OrganisationId>,
        request: &PageRequest,
    ) -> Result<Page<Cohort>, StoreError> {
        let paging = Paging::oldest_first(request);
        let rows: Vec<CohortRow> = query::<CohortColumns>(listed!(
            paging.order,
            "select id, organisation_id, code, name, created_at, version from cohort where ",
            "id", at "created_at", " and coalesce(organisation_id = $4, true)"
        ))
        .after_id(paging)?
        .between(paging)
        .bind::<Nullable<SqlUuid>, _>(organisation.map(OrganisationId::uuid))
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, request, restore, |cohort| cohort.id.uuid())
    }

    fn find_cohort(&mut self, id: CohortId) -> Result<Option<Cohort>, StoreError> {
        let row: Option<CohortRow> = query::<CohortColumns>(
            "select id, organisation_id, code, name, created_at, version from cohort where id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(restore).transpose()
    }
}
