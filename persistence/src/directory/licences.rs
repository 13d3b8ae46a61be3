//! Licences: facts, of which the last one recorded about a licence counts.

use diesel::prelude::*;
use diesel::sql_types::{Date, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::directory::ExternalRef;
use domain::directory::licence::{
    Jurisdiction, Licence, LicenceFilter, LicenceKind, LicenceQueries, LicenceRepository,
};
use domain::kernel::ids::{LicenceId, OrganisationId};
use domain::kernel::{Page, PageRequest};
use domain::store::StoreError;

use super::rows::read;
use crate::bind::{date, from_instant, instant, maybe_date};
use crate::error::store_error;
use crate::page::{Paging, by_id, listed};
use crate::statement::{command, query};
use crate::store::{PgQueries, PgUnitOfWork};

type LicenceColumns = (SqlUuid, SqlUuid, Text, Text, Text, Date, Nullable<Date>, Timestamptz);

#[derive(Queryable)]
struct LicenceRow {
    id: uuid::Uuid,
    organisation: uuid::Uuid,
    kind: String,
    number: String,
    jurisdiction: String,
    valid_from: jiff_diesel::Date,
    valid_to: Option<jiff_diesel::Date>,
    recorded_at: jiff_diesel::Timestamp,
}

impl LicenceRow {
    fn restore(self) -> Result<Licence, StoreError> {
        Ok(Licence {
            id: LicenceId::new(self.id),
            organisation: OrganisationId::new(self.organisation),
            kind: read("the kind of a licence", LicenceKind::parse(&self.kind))?,
            number: read("the number of a licence", ExternalRef::parse(&self.number))?,
            jurisdiction: read("a jurisdiction", Jurisdiction::parse(&self.jurisdiction))?,
            valid_from: self.valid_from.to_jiff(),
            valid_to: self.valid_to.map(|on| on.to_jiff()),
            recorded_at: from_instant(self.recorded_at),
        })
    }
}

impl LicenceRepository for PgUnitOfWork<'_> {
    fn append_licence(&mut self, licence: &Licence) -> Result<(), StoreError> {
        command(
            "insert into licence (id, organisation_id, kind, number, jurisdiction, valid_from, valid_to, recorded_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind::<SqlUuid, _>(licence.id.uuid())
        .bind::<SqlUuid, _>(licence.organisation.uuid())
        .bind::<Text, _>(licence.kind.code())
        .bind::<Text, _>(licence.number.as_str())
        .bind::<Text, _>(licence.jurisdiction.code())
        .bind::<Date, _>(date(licence.valid_from))
        .bind::<Nullable<Date>, _>(maybe_date(licence.valid_to))
        .bind::<Timestamptz, _>(instant(licence.recorded_at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn find_same_licence(&mut self, licence: &Licence) -> Result<Option<Licence>, StoreError> {
        let row: Option<LicenceRow> = query::<LicenceColumns>(
            "select id, organisation_id, kind, number, jurisdiction, valid_from, valid_to, recorded_at from licence
             where organisation_id = $1 and kind = $2 and jurisdiction = $3 and number = $4 and valid_from = $5
             order by recorded_at desc, id desc limit 1",
        )
        .bind::<SqlUuid, _>(licence.organisation.uuid())
        .bind::<Text, _>(licence.kind.code())
        .bind::<Text, _>(licence.jurisdiction.code())
        .bind::<Text, _>(licence.number.as_str())
        .bind::<Date, _>(date(licence.valid_from))
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(LicenceRow::restore).transpose()
    }
}

impl LicenceQueries for PgQueries<'_> {
    fn list_licences(
        &mut self,
        organisation: OrganisationId,
        filter: &LicenceFilter,
        request: &PageRequest,
    ) -> Result<Page<Licence>, StoreError> {
        let paging = Paging::oldest_first(request);
        let rows: Vec<LicenceRow> = query::<LicenceColumns>(listed!(
            paging.order,
            "select id, organisation_id, kind, number, jurisdiction, valid_from, valid_to, recorded_at from (
               select distinct on (kind, jurisdiction, number, valid_from) * from licence where organisation_id = $1
               order by kind, jurisdiction, number, valid_from, recorded_at desc, id desc) l where ",
            "id",
            " and coalesce(kind = $3, true) and coalesce(jurisdiction = $4, true)
               and coalesce($5 between valid_from and coalesce(valid_to, 'infinity'), true)"
        ))
        .bind::<SqlUuid, _>(organisation.uuid())
        .after_id(paging)?
        .bind::<Nullable<Text>, _>(filter.kind.map(LicenceKind::code))
        .bind::<Nullable<Text>, _>(filter.jurisdiction.map(Jurisdiction::code))
        .bind::<Nullable<Date>, _>(maybe_date(filter.valid_on))
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, request, LicenceRow::restore, |licence| licence.id.uuid())
    }
}
