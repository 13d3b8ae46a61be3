//! Users, API clients and revocations, to look up.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Timestamptz, Uuid as SqlUuid};
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
use super::{ClientColumns, ClientRow, UserColumns, UserRow};
use crate::bind::{after_id, id_key, instant};
use crate::error::store_error;
use crate::statement::query;
use crate::store::PgQueries;

impl AccessQueries for PgQueries<'_> {
    fn list_clients(&mut self, page: &PageRequest) -> Result<Page<ApiClient>, StoreError> {
        let rows: Vec<ClientRow> = query::<ClientColumns>(
            "select id, name, roles, organisation_id, member_id, created_at, revoked_at, version
             from api_client where id > $1 order by id limit $2",
        )
        .bind::<SqlUuid, _>(after_id(page)?)
        .bind::<BigInt, _>(i64::from(page.limit) + 1)
        .load(self.pg)
        .map_err(store_error)?;
        let clients = rows.into_iter().map(ClientRow::restore).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(clients, page.limit, |client| id_key(client.id.uuid())))
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
        let rows: Vec<KeyRow> = query::<KeyColumns>(
            "select id, client_id, public_key, created_at from api_client_key
             where client_id = $1 and id > $2 order by id limit $3",
        )
        .bind::<SqlUuid, _>(client.uuid())
        .bind::<SqlUuid, _>(after_id(page)?)
        .bind::<BigInt, _>(i64::from(page.limit) + 1)
        .load(self.pg)
        .map_err(store_error)?;
        let keys = rows.into_iter().map(KeyRow::restore).collect::<Result<Vec<_>, _>>()?;
        Ok(Some(Page::cut(keys, page.limit, |key| id_key(key.id.uuid()))))
    }

    fn list_issuers(&mut self, page: &PageRequest) -> Result<Page<OidcIssuer>, StoreError> {
        let rows: Vec<IssuerRow> = query::<IssuerColumns>(
            "select id, issuer, audience, organisation_id, created_at from oidc_issuer
             where id > $1 order by id limit $2",
        )
        .bind::<SqlUuid, _>(after_id(page)?)
        .bind::<BigInt, _>(i64::from(page.limit) + 1)
        .load(self.pg)
        .map_err(store_error)?;
        let issuers = rows.into_iter().map(IssuerRow::restore).collect();
        Ok(Page::cut(issuers, page.limit, |issuer| id_key(issuer.id.uuid())))
    }

    fn list_users(&mut self, page: &PageRequest) -> Result<Page<User>, StoreError> {
        let rows: Vec<UserRow> = query::<UserColumns>(
            "select u.id, p.email, u.roles, u.organisation_id, u.member_id, u.created_at, u.disabled_at, u.version,
               u.oidc_issuer_id, u.oidc_subject_sha256
             from app_user u left join personal_data p on p.subject_id = u.id where u.id > $1 order by u.id limit $2",
        )
        .bind::<SqlUuid, _>(after_id(page)?)
        .bind::<BigInt, _>(i64::from(page.limit) + 1)
        .load(self.pg)
        .map_err(store_error)?;
        let users = rows.into_iter().map(UserRow::restore).collect::<Result<Vec<_>, _>>()?;
        Ok(Page::cut(users, page.limit, |user| id_key(user.id.uuid())))
    }

    fn find_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        let found: Option<UserRow> = query::<UserColumns>(
            "select u.id, p.email, u.roles, u.organisation_id, u.member_id, u.created_at, u.disabled_at, u.version,
               u.oidc_issuer_id, u.oidc_subject_sha256
             from app_user u left join personal_data p on p.subject_id = u.id where u.id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        found.map(UserRow::restore).transpose()
    }

    fn list_revoked(&mut self, now: Instant) -> Result<Vec<(Uuid, i32)>, StoreError> {
        query::<(SqlUuid, Integer)>(
            "select token_or_subject_id, below_version from access_revocation where until_at > $1
             union all select id, 2147483647 from organisation where status = 'suspended'
             union all select id, 2147483647 from member where status = 'suspended'",
        )
        .bind::<Timestamptz, _>(instant(now))
        .load(self.pg)
        .map_err(store_error)
    }
}
