//! Users, API clients and revocations, to look up.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer, Timestamptz, Uuid as SqlUuid};
use domain::access::client_key::ApiClientKey;
use domain::access::oidc::OidcIssuer;
use domain::access::repository::AccessQueries;
use domain::access::{ApiClient, User};
use domain::kernel::ids::{ApiClientId, UserId};
use domain::kernel::{Instant, Page, PageRequest};
use domain::store::StoreError;
use uuid::Uuid;

use super::issuers::{IssuerColumns, IssuerRow};
use super::keys::{KeyColumns, KeyRow};
use super::{ClientColumns, ClientRow, UserColumns, UserRow, user_of};
use crate::bind::instant;
use crate::error::store_error;
use crate::page::{Paging, by_id, listed};
use crate::statement::query;
use crate::store::PgQueries;

impl AccessQueries for PgQueries<'_> {
    fn list_clients(&mut self, page: &PageRequest) -> Result<Page<ApiClient>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<ClientRow> = query::<ClientColumns>(listed!(
            paging.order,
            "select id, name, roles, organisation_id, member_id, created_at, revoked_at, version from api_client where ",
            "id", at "created_at", ""
        ))
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, ClientRow::restore, |client| client.id.uuid())
    }

    fn list_client_keys(
        &mut self,
        client: ApiClientId,
        page: &PageRequest,
    ) -> Result<Option<Page<ApiClientKey>>, StoreError> {
        let known: bool = query::<Bool>("select exists (select from api_client where id = $1)")
            .bind::<SqlUuid, _>(client.uuid())
            .get_result(self.pg)
            .map_err(store_error)?;
        if !known {
            return Ok(None);
        }
        let paging = Paging::oldest_first(page);
        let rows: Vec<KeyRow> = query::<KeyColumns>(listed!(
            paging.order,
            "select id, client_id, public_key, created_at from api_client_key where client_id = $1 and ",
            "id", at "created_at", ""
        ))
        .bind::<SqlUuid, _>(client.uuid())
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, KeyRow::restore, |key| key.id.uuid()).map(Some)
    }

    fn list_issuers(&mut self, page: &PageRequest) -> Result<Page<OidcIssuer>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<IssuerRow> = query::<IssuerColumns>(listed!(
            paging.order,
            "select id, issuer, audience, organisation_id, created_at from oidc_issuer where ",
            "id", at "created_at", ""
        ))
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, |row| Ok(row.restore()), |issuer| issuer.id.uuid())
    }

    fn list_users(&mut self, page: &PageRequest) -> Result<Page<User>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<UserRow> = query::<UserColumns>(listed!(
            paging.order,
            "select u.id, p.email, u.roles, u.organisation_id, u.member_id, u.created_at, u.disabled_at, u.version,
               u.oidc_issuer_id, u.oidc_subject_sha256
             from app_user u left join personal_data p on p.subject_id = u.id where ",
            "u.id", at "u.created_at", ""
        ))
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, UserRow::restore, |user| user.id.uuid())
    }

    fn find_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        user_of(self.pg, id)
    }

    fn list_revoked(&mut self, now: Instant) -> Result<Vec<(Uuid, i32)>, StoreError> {
        query::<(SqlUuid, Integer)>(
            "select token_or_subject_id, below_version from access_revocation where until_at > $1
             union all select id, 2147483647 from organisation where status = 'suspended'
             union all select id, 2147483647 from member where status = 'suspended'
             -- Nobody gets a token as somebody erased; those that were out when it was erased live for an hour at most.
             union all select m.id, 2147483647 from chain_erasure e join member m on m.contact_id = e.contact_id
               where e.erased_at > $2 - interval '2 hours'",
        )
        .bind::<Timestamptz, _>(instant(now))
        .bind::<Timestamptz, _>(instant(now))
        .load(self.pg)
        .map_err(store_error)
    }
}
