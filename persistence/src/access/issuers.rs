//! Outside issuers, and whom they vouch for.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bytea, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::access::oidc::{IssuerRepository, IssuerUrl, OidcIssuer, OidcLink};
use domain::access::{Role, User};
use domain::kernel::Instant;
use domain::kernel::ids::{OidcIssuerId, OrganisationId};
use domain::store::StoreError;
use uuid::Uuid;

use super::{UserColumns, UserRow};
use crate::bind::{from_instant, instant};
use crate::error::{store_error, unreadable};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

/// Whoever adds an issuer, forgets one or links somebody to one meets the others on this number: the service may
/// change no row of an issuer, so it cannot lock one.
const ISSUERS: i64 = 0x0066_6c69_7033_3632;

pub(super) type IssuerColumns = (SqlUuid, Text, Text, Nullable<SqlUuid>, Timestamptz);

#[derive(Queryable)]
pub(super) struct IssuerRow {
    id: Uuid,
    issuer: String,
    audience: String,
    organisation: Option<Uuid>,
    created_at: jiff_diesel::Timestamp,
}

impl IssuerRow {
    pub(super) fn restore(self) -> OidcIssuer {
        OidcIssuer {
            id: OidcIssuerId::new(self.id),
            issuer: IssuerUrl::restore(self.issuer),
            audience: self.audience,
            organisation: self.organisation.map(OrganisationId::new),
            created_at: from_instant(self.created_at),
        }
    }
}

fn alone(uow: &mut PgUnitOfWork<'_>) -> Result<(), StoreError> {
    command("select pg_advisory_xact_lock($1)").bind::<BigInt, _>(ISSUERS).execute(uow.pg).map_err(store_error)?;
    Ok(())
}

fn issuer(uow: &mut PgUnitOfWork<'_>, id: OidcIssuerId) -> Result<Option<OidcIssuer>, StoreError> {
    let found: Option<IssuerRow> = query::<IssuerColumns>(
        "select id, issuer, audience, organisation_id, created_at from oidc_issuer where id = $1",
    )
    .bind::<SqlUuid, _>(id.uuid())
    .get_result(uow.pg)
    .optional()
    .map_err(store_error)?;
    Ok(found.map(IssuerRow::restore))
}

impl IssuerRepository for PgUnitOfWork<'_> {
    fn count_issuers(&mut self) -> Result<i64, StoreError> {
        alone(self)?;
        query::<BigInt>("select count(*) from oidc_issuer").get_result(self.pg).map_err(store_error)
    }

    fn insert_issuer(&mut self, issuer: &OidcIssuer) -> Result<(), StoreError> {
        command(
            "insert into oidc_issuer (id, issuer, audience, organisation_id, created_at) values ($1, $2, $3, $4, $5)",
        )
        .bind::<SqlUuid, _>(issuer.id.uuid())
        .bind::<Text, _>(issuer.issuer.as_str())
        .bind::<Text, _>(issuer.audience.as_str())
        .bind::<Nullable<SqlUuid>, _>(issuer.organisation.map(OrganisationId::uuid))
        .bind::<Timestamptz, _>(instant(issuer.created_at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn find_issuer(&mut self, id: OidcIssuerId) -> Result<Option<OidcIssuer>, StoreError> {
        // With others who link, but not while an issuer goes.
        command("select pg_advisory_xact_lock_shared($1)")
            .bind::<BigInt, _>(ISSUERS)
            .execute(self.pg)
            .map_err(store_error)?;
        issuer(self, id)
    }

    fn lock_issuer(&mut self, id: OidcIssuerId) -> Result<Option<OidcIssuer>, StoreError> {
        alone(self)?;
        issuer(self, id)
    }

    fn find_issuers(&mut self, issuer: &str) -> Result<Vec<OidcIssuer>, StoreError> {
        let rows: Vec<IssuerRow> = query::<IssuerColumns>(
            "select id, issuer, audience, organisation_id, created_at from oidc_issuer where issuer = $1 order by id",
        )
        .bind::<Text, _>(issuer)
        .load(self.pg)
        .map_err(store_error)?;
        Ok(rows.into_iter().map(IssuerRow::restore).collect())
    }

    fn delete_issuer(&mut self, id: OidcIssuerId) -> Result<(), StoreError> {
        command("delete from oidc_issuer where id = $1")
            .bind::<SqlUuid, _>(id.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn roles_linked(&mut self, id: OidcIssuerId) -> Result<Vec<Role>, StoreError> {
        let roles: Vec<String> = query::<Text>("select distinct unnest(roles) from app_user where oidc_issuer_id = $1")
            .bind::<SqlUuid, _>(id.uuid())
            .load(self.pg)
            .map_err(store_error)?;
        roles.iter().map(|role| Role::parse(role).ok_or_else(|| unreadable("a role"))).collect()
    }

    fn unlink_everybody(&mut self, id: OidcIssuerId, until: Instant) -> Result<(), StoreError> {
        command(
            "with changed as (
               update app_user set oidc_issuer_id = null, oidc_subject_sha256 = null, version = version + 1
               where oidc_issuer_id = $1 returning id, version)
             insert into access_revocation (token_or_subject_id, below_version, until_at)
             select id, version, $2 from changed",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .bind::<Timestamptz, _>(instant(until))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn find_linked(&mut self, link: &OidcLink) -> Result<Option<User>, StoreError> {
        let found: Option<UserRow> = query::<UserColumns>(
            "select u.id, p.email, u.roles, u.organisation_id, u.member_id, u.created_at, u.disabled_at, u.version,
               u.oidc_issuer_id, u.oidc_subject_sha256
             from app_user u left join personal_data p on p.subject_id = u.id
             where u.oidc_issuer_id = $1 and u.oidc_subject_sha256 = $2",
        )
        .bind::<SqlUuid, _>(link.issuer.uuid())
        .bind::<Bytea, _>(link.subject.bytes().as_slice())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        found.map(UserRow::restore).transpose()
    }
}
