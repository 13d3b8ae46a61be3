//! Members and organisations as parties, by their ids.

use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Nullable, Text, Uuid as SqlUuid};
use domain::directory::OrganisationKind;
use domain::directory::party::{MemberParty, OrganisationParty, PartyRepository};
use domain::kernel::ids::{ContactId, MemberId, OrganisationId};
use domain::store::StoreError;
use uuid::Uuid;

use crate::error::{store_error, unreadable};
use crate::statement::query;
use crate::store::PgUnitOfWork;

impl PartyRepository for PgUnitOfWork<'_> {
    fn find_members_by_id(&mut self, ids: &[MemberId]) -> Result<Vec<MemberParty>, StoreError> {
        let rows: Vec<(Uuid, Uuid, Option<Uuid>, bool)> = query::<(SqlUuid, SqlUuid, Nullable<SqlUuid>, Bool)>(
            "select id, organisation_id, upline_id, status = 'active' from member where id = any($1)",
        )
        .bind::<Array<SqlUuid>, _>(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
        .load(self.pg)
        .map_err(store_error)?;
        let party = |(id, organisation, upline, active): (Uuid, Uuid, Option<Uuid>, bool)| MemberParty {
            id: MemberId::new(id),
            organisation: OrganisationId::new(organisation),
            upline: upline.map(MemberId::new),
            active,
        };
        Ok(rows.into_iter().map(party).collect())
    }

    fn find_organisations_by_id(&mut self, ids: &[OrganisationId]) -> Result<Vec<OrganisationParty>, StoreError> {
        let rows: Vec<(Uuid, String, bool)> =
            query::<(SqlUuid, Text, Bool)>("select id, kind, status = 'active' from organisation where id = any($1)")
                .bind::<Array<SqlUuid>, _>(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
                .load(self.pg)
                .map_err(store_error)?;
        rows.into_iter()
            .map(|(id, kind, active)| {
                let kind = OrganisationKind::parse(&kind).map_err(|_| unreadable("the kind of an organisation"))?;
                Ok(OrganisationParty { id: OrganisationId::new(id), kind, active })
            })
            .collect()
    }

    fn find_taken_contacts(&mut self, ids: &[ContactId]) -> Result<Vec<ContactId>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<Uuid> = query::<SqlUuid>("select id from contact where id = any($1)")
            .bind::<Array<SqlUuid>, _>(ids.iter().map(|id| id.uuid()).collect::<Vec<_>>())
            .load(self.pg)
            .map_err(store_error)?;
        Ok(rows.into_iter().map(ContactId::new).collect())
    }
}
