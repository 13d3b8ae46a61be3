//! Users and API clients.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::access::client::ClientCredentials;
use domain::access::oidc::OidcLink;
use domain::access::repository::AccessRepository;
use domain::access::user::{Attempts, UserCredentials};
use domain::access::{ApiClient, PasswordHash, Role, Standing, User};
use domain::directory::erasure::ERASED_NAME;
use domain::directory::{ClusterText, Email};
use domain::kernel::ids::{ApiClientId, MemberId, OidcIssuerId, OrganisationId, UserId};
use domain::kernel::{Digest, Instant};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{digest, from_instant, instant};
use crate::error::{store_error, unreadable};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

mod issuers;
mod keys;
mod queries;
mod totp;

/// Two processes that start on an empty database meet on this number.
const FIRST_CLIENT: i64 = 0x0066_6c69_7033_3630;

/// Whoever takes an administrator away meets the others on this number.
const ADMINISTRATORS: i64 = 0x0066_6c69_7033_3631;

type ClientColumns =
    (SqlUuid, Text, Array<Text>, Nullable<SqlUuid>, Nullable<SqlUuid>, Timestamptz, Nullable<Timestamptz>, Integer);

#[derive(Queryable)]
struct ClientRow {
    id: Uuid,
    name: String,
    roles: Vec<String>,
    organisation: Option<Uuid>,
    member: Option<Uuid>,
    created_at: jiff_diesel::Timestamp,
    revoked_at: Option<jiff_diesel::Timestamp>,
    version: i32,
}

impl ClientRow {
    fn restore(self) -> Result<ApiClient, StoreError> {
        Ok(ApiClient {
            id: ApiClientId::new(self.id),
            name: ClusterText::parse(&self.name).map_err(|_| unreadable("the name of an API client"))?,
            standing: standing(&self.roles, self.organisation, self.member)?,
            created_at: from_instant(self.created_at),
            revoked_at: self.revoked_at.map(from_instant),
            version: self.version,
        })
    }
}

type UserColumns = (
    SqlUuid,
    Nullable<Text>,
    Array<Text>,
    Nullable<SqlUuid>,
    Nullable<SqlUuid>,
    Timestamptz,
    Nullable<Timestamptz>,
    Integer,
    Nullable<SqlUuid>,
    Nullable<Bytea>,
);

#[derive(Queryable)]
struct UserRow {
    id: Uuid,
    email: Option<String>,
    roles: Vec<String>,
    organisation: Option<Uuid>,
    member: Option<Uuid>,
    created_at: jiff_diesel::Timestamp,
    disabled_at: Option<jiff_diesel::Timestamp>,
    version: i32,
    oidc_issuer: Option<Uuid>,
    oidc_subject: Option<Vec<u8>>,
}

impl UserRow {
    fn restore(self) -> Result<User, StoreError> {
        let email = self.email.map(|email| Email::parse(&email).map_err(|_| unreadable("an e-mail address")));
        let oidc = self
            .oidc_issuer
            .zip(self.oidc_subject)
            .map(|(issuer, subject)| Ok(OidcLink { issuer: OidcIssuerId::new(issuer), subject: digest(&subject)? }));
        Ok(User {
            id: UserId::new(self.id),
            email: email.transpose()?,
            standing: standing(&self.roles, self.organisation, self.member)?,
            created_at: from_instant(self.created_at),
            disabled_at: self.disabled_at.map(from_instant),
            oidc: oidc.transpose()?,
            version: self.version,
        })
    }
}

fn standing(roles: &[String], organisation: Option<Uuid>, member: Option<Uuid>) -> Result<Standing, StoreError> {
    let roles: Option<BTreeSet<Role>> = roles.iter().map(|role| Role::parse(role)).collect();
    let roles = roles.ok_or_else(|| unreadable("a role"))?;
    Standing::try_new(roles, organisation.map(OrganisationId::new), member.map(MemberId::new))
        .map_err(|_| unreadable("roles that do not fit their organisation and member"))
}

fn role_names(standing: &Standing) -> Vec<&'static str> {
    standing.roles().iter().map(|role| role.as_str()).collect()
}

fn credentials(found: Option<(ClientRow, Vec<u8>)>) -> Result<Option<ClientCredentials>, StoreError> {
    found
        .map(|(row, secret)| Ok(ClientCredentials { client: row.restore()?, secret_sha256: digest(&secret)? }))
        .transpose()
}

type CredentialsColumns = (UserColumns, (Text, Integer, Nullable<Timestamptz>));
type CredentialsRow = (UserRow, (String, i32, Option<jiff_diesel::Timestamp>));

fn user_credentials((row, (password, failures, locked)): CredentialsRow) -> Result<UserCredentials, StoreError> {
    Ok(UserCredentials {
        user: row.restore()?,
        password: PasswordHash::restore(password),
        attempts: Attempts { failures, locked_until: locked.map(from_instant) },
    })
}

/// A user, as the rights of the connection show it.
fn user_of(pg: &mut PgConnection, id: UserId) -> Result<Option<User>, StoreError> {
    let found: Option<UserRow> = query::<UserColumns>(
        "select u.id, p.email, u.roles, u.organisation_id, u.member_id, u.created_at, u.disabled_at, u.version,
           u.oidc_issuer_id, u.oidc_subject_sha256
         from app_user u left join personal_data p on p.subject_id = u.id where u.id = $1",
    )
    .bind::<SqlUuid, _>(id.uuid())
    .get_result(pg)
    .optional()
    .map_err(store_error)?;
    found.map(UserRow::restore).transpose()
}

impl AccessRepository for PgUnitOfWork<'_> {
    fn belongs(&mut self, organisation: OrganisationId, member: Option<MemberId>) -> Result<bool, StoreError> {
        query::<Bool>(
            "select exists (select from organisation o where o.id = $1
               and ($2::uuid is null or exists (select from member m where m.id = $3 and m.organisation_id = o.id
                 and not exists (select from chain_erasure e where e.contact_id = m.contact_id))))",
        )
        .bind::<SqlUuid, _>(organisation.uuid())
        .bind::<Nullable<SqlUuid>, _>(member.map(MemberId::uuid))
        .bind::<Nullable<SqlUuid>, _>(member.map(MemberId::uuid))
        .get_result(self.pg)
        .map_err(store_error)
    }

    fn lock_first_client(&mut self) -> Result<bool, StoreError> {
        command("select pg_advisory_xact_lock($1)")
            .bind::<BigInt, _>(FIRST_CLIENT)
            .execute(self.pg)
            .map_err(store_error)?;
        query::<Bool>("select exists (select from api_client)").get_result(self.pg).map_err(store_error)
    }

    fn insert_client(&mut self, client: &ApiClient, secret_sha256: &Digest) -> Result<(), StoreError> {
        command(
            "insert into api_client (id, name, secret_sha256, roles, organisation_id, member_id, created_at, version)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind::<SqlUuid, _>(client.id.uuid())
        .bind::<Text, _>(client.name.as_str())
        .bind::<Bytea, _>(secret_sha256.bytes().as_slice())
        .bind::<Array<Text>, _>(role_names(&client.standing))
        .bind::<Nullable<SqlUuid>, _>(client.standing.organisation().map(OrganisationId::uuid))
        .bind::<Nullable<SqlUuid>, _>(client.standing.member().map(MemberId::uuid))
        .bind::<Timestamptz, _>(instant(client.created_at))
        .bind::<Integer, _>(client.version)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn insert_holder(&mut self, client: ApiClientId, holder: Uuid, at: Instant) -> Result<(), StoreError> {
        command(
            "insert into api_client_holder (client_id, holder_id, since_at) values ($1, $2, $3) on conflict do nothing",
        )
        .bind::<SqlUuid, _>(client.uuid())
        .bind::<SqlUuid, _>(holder)
        .bind::<Timestamptz, _>(instant(at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn list_holders(&mut self, subjects: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
        query::<(SqlUuid, SqlUuid)>(
            "with recursive known (subject, holder) as (
               select id, id from unnest($1::uuid[]) as asked (id)
               union select k.subject, h.holder_id from known k join api_client_holder h on h.client_id = k.holder)
             select subject, holder from known where subject <> holder",
        )
        .bind::<Array<SqlUuid>, _>(subjects)
        .load(self.pg)
        .map_err(store_error)
    }

    fn find_client(&mut self, id: ApiClientId) -> Result<Option<ClientCredentials>, StoreError> {
        let found = query::<(ClientColumns, Bytea)>(
            "select id, name, roles, organisation_id, member_id, created_at, revoked_at, version, secret_sha256
             from api_client where id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        credentials(found)
    }

    fn lock_client(&mut self, id: ApiClientId) -> Result<Option<ClientCredentials>, StoreError> {
        let found = query::<(ClientColumns, Bytea)>(
            "select id, name, roles, organisation_id, member_id, created_at, revoked_at, version, secret_sha256
             from api_client where id = $1 for update",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        credentials(found)
    }

    fn update_client(&mut self, kept: &ClientCredentials) -> Result<(), StoreError> {
        command("update api_client set secret_sha256 = $1, revoked_at = $2, version = $3 where id = $4")
            .bind::<Bytea, _>(kept.secret_sha256.bytes().as_slice())
            .bind::<Nullable<Timestamptz>, _>(kept.client.revoked_at.map(instant))
            .bind::<Integer, _>(kept.client.version)
            .bind::<SqlUuid, _>(kept.client.id.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn insert_user(&mut self, user: &User, email: &Email, password: &PasswordHash) -> Result<(), StoreError> {
        command("insert into personal_data (subject_id, subject_kind, email) values ($1, 'user', $2)")
            .bind::<SqlUuid, _>(user.id.uuid())
            .bind::<Text, _>(email.as_str())
            .execute(self.pg)
            .map_err(store_error)?;
        command(
            "insert into app_user (id, password_hash, roles, organisation_id, member_id, created_at, version,
               oidc_issuer_id, oidc_subject_sha256)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind::<SqlUuid, _>(user.id.uuid())
        .bind::<Text, _>(password.reveal())
        .bind::<Array<Text>, _>(role_names(&user.standing))
        .bind::<Nullable<SqlUuid>, _>(user.standing.organisation().map(OrganisationId::uuid))
        .bind::<Nullable<SqlUuid>, _>(user.standing.member().map(MemberId::uuid))
        .bind::<Timestamptz, _>(instant(user.created_at))
        .bind::<Integer, _>(user.version)
        .bind::<Nullable<SqlUuid>, _>(user.oidc.as_ref().map(|link| link.issuer.uuid()))
        .bind::<Nullable<Bytea>, _>(user.oidc.as_ref().map(|link| link.subject.bytes().to_vec()))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn find_user(&mut self, id: UserId) -> Result<Option<User>, StoreError> {
        user_of(self.pg, id)
    }

    fn find_user_by_email(&mut self, email: &Email) -> Result<Option<UserCredentials>, StoreError> {
        let found: Option<CredentialsRow> = query::<CredentialsColumns>(
            "select u.id, p.email, u.roles, u.organisation_id, u.member_id, u.created_at, u.disabled_at, u.version,
               u.oidc_issuer_id, u.oidc_subject_sha256, u.password_hash, u.failures, u.locked_until_at
             from personal_data p join app_user u on u.id = p.subject_id
             where p.subject_kind = 'user' and lower(p.email) = lower($1)",
        )
        .bind::<Text, _>(email.as_str())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        found.map(user_credentials).transpose()
    }

    fn is_suspended(&mut self, standing: &Standing) -> Result<bool, StoreError> {
        let Some(organisation) = standing.organisation() else { return Ok(false) };
        query::<Bool>(
            "select exists (select from organisation where id = $1 and status = 'suspended')
             or exists (select from member m where m.id = $2
               and (m.status = 'suspended' or exists (select from chain_erasure e where e.contact_id = m.contact_id)))",
        )
        .bind::<SqlUuid, _>(organisation.uuid())
        .bind::<Nullable<SqlUuid>, _>(standing.member().map(MemberId::uuid))
        .get_result(self.pg)
        .map_err(store_error)
    }

    fn lock_user(&mut self, id: UserId) -> Result<Option<UserCredentials>, StoreError> {
        let found: Option<CredentialsRow> = query::<CredentialsColumns>(
            "select u.id, p.email, u.roles, u.organisation_id, u.member_id, u.created_at, u.disabled_at, u.version,
               u.oidc_issuer_id, u.oidc_subject_sha256, u.password_hash, u.failures, u.locked_until_at
             from app_user u left join personal_data p on p.subject_id = u.id where u.id = $1 for update of u",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        found.map(user_credentials).transpose()
    }

    fn update_user(&mut self, kept: &UserCredentials) -> Result<(), StoreError> {
        command(
            "update app_user set password_hash = $1, roles = $2, organisation_id = $3, member_id = $4, disabled_at = $5,
               version = $6, oidc_issuer_id = $7, oidc_subject_sha256 = $8 where id = $9",
        )
        .bind::<Text, _>(kept.password.reveal())
        .bind::<Array<Text>, _>(role_names(&kept.user.standing))
        .bind::<Nullable<SqlUuid>, _>(kept.user.standing.organisation().map(OrganisationId::uuid))
        .bind::<Nullable<SqlUuid>, _>(kept.user.standing.member().map(MemberId::uuid))
        .bind::<Nullable<Timestamptz>, _>(kept.user.disabled_at.map(instant))
        .bind::<Integer, _>(kept.user.version)
        .bind::<Nullable<SqlUuid>, _>(kept.user.oidc.as_ref().map(|link| link.issuer.uuid()))
        .bind::<Nullable<Bytea>, _>(kept.user.oidc.as_ref().map(|link| link.subject.bytes().to_vec()))
        .bind::<SqlUuid, _>(kept.user.id.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn erase_address(&mut self, id: UserId) -> Result<(), StoreError> {
        command("update personal_data set name = null, email = null, phone = null where subject_id = $1 and subject_kind = 'user'")
            .bind::<SqlUuid, _>(id.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn erase_client_name(&mut self, id: ApiClientId) -> Result<(), StoreError> {
        command("update api_client set name = $1 where id = $2")
            .bind::<Text, _>(ERASED_NAME)
            .bind::<SqlUuid, _>(id.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn lock_other_administrator(&mut self, than: Uuid) -> Result<bool, StoreError> {
        command("select pg_advisory_xact_lock($1)")
            .bind::<BigInt, _>(ADMINISTRATORS)
            .execute(self.pg)
            .map_err(store_error)?;
        query::<Bool>(
            "select exists (select from app_user
               where id <> $1 and disabled_at is null and 'operator_admin' = any (roles))
             or exists (select from api_client
               where id <> $2 and revoked_at is null and 'operator_admin' = any (roles))",
        )
        .bind::<SqlUuid, _>(than)
        .bind::<SqlUuid, _>(than)
        .get_result(self.pg)
        .map_err(store_error)
    }

    fn lock_attempts(&mut self, id: UserId) -> Result<Attempts, StoreError> {
        let (failures, locked): (i32, Option<jiff_diesel::Timestamp>) = query::<(Integer, Nullable<Timestamptz>)>(
            "select failures, locked_until_at from app_user where id = $1 for update",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .map_err(store_error)?;
        Ok(Attempts { failures, locked_until: locked.map(from_instant) })
    }

    fn update_attempts(&mut self, id: UserId, attempts: &Attempts) -> Result<(), StoreError> {
        command("update app_user set failures = $1, locked_until_at = $2 where id = $3")
            .bind::<Integer, _>(attempts.failures)
            .bind::<Nullable<Timestamptz>, _>(attempts.locked_until.map(instant))
            .bind::<SqlUuid, _>(id.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }
}
