//! Refresh tokens and revocations.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::access::session::{FAMILIES, FAMILY_DAYS, KeptToken, RefreshFamily, Revocation, SessionRepository, later};
use domain::access::{Methods, Scope};
use domain::kernel::ids::UserId;
use domain::kernel::{Digest, Instant};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{from_instant, instant};
use crate::error::{store_error, unreadable};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

/// Seconds after its last day for which a family is kept.
const KEPT_SECONDS: i64 = 86_400;

type KeptColumns = (
    SqlUuid,
    SqlUuid,
    Integer,
    Array<Text>,
    Array<Text>,
    Timestamptz,
    Nullable<Timestamptz>,
    Timestamptz,
    Nullable<Timestamptz>,
);

#[derive(Queryable)]
struct KeptRow {
    id: Uuid,
    user: Uuid,
    user_version: i32,
    methods: Vec<String>,
    scopes: Vec<String>,
    began_at: jiff_diesel::Timestamp,
    ended_at: Option<jiff_diesel::Timestamp>,
    issued_at: jiff_diesel::Timestamp,
    used_at: Option<jiff_diesel::Timestamp>,
}

impl KeptRow {
    fn restore(self) -> Result<KeptToken, StoreError> {
        let scopes: Option<BTreeSet<Scope>> = self.scopes.iter().map(|scope| Scope::parse(scope)).collect();
        let family = RefreshFamily {
            id: self.id,
            user: UserId::new(self.user),
            user_version: self.user_version,
            methods: Methods::restore(&self.methods),
            scopes: scopes.ok_or_else(|| unreadable("a scope"))?,
            began_at: from_instant(self.began_at),
            ended_at: self.ended_at.map(from_instant),
        };
        Ok(KeptToken { family, issued_at: from_instant(self.issued_at), used_at: self.used_at.map(from_instant) })
    }
}

impl SessionRepository for PgUnitOfWork<'_> {
    fn insert_family(&mut self, family: &RefreshFamily) -> Result<(), StoreError> {
        let over = later(family.began_at, -(FAMILY_DAYS * 86_400 + KEPT_SECONDS));
        let over = over.ok_or_else(|| unreadable("a time before all time"))?;
        command("delete from refresh_family where began_at < $1")
            .bind::<Timestamptz, _>(instant(over))
            .execute(self.pg)
            .map_err(store_error)?;
        command(
            "update refresh_family set ended_at = $1 where id in (select id from refresh_family
             where user_id = $2 and ended_at is null order by began_at desc, id desc offset $3)",
        )
        .bind::<Timestamptz, _>(instant(family.began_at))
        .bind::<SqlUuid, _>(family.user.uuid())
        .bind::<BigInt, _>(FAMILIES - 1)
        .execute(self.pg)
        .map_err(store_error)?;
        command(
            "insert into refresh_family (id, user_id, user_version, methods, scopes, began_at)
             values ($1, $2, $3, $4, $5, $6)",
        )
        .bind::<SqlUuid, _>(family.id)
        .bind::<SqlUuid, _>(family.user.uuid())
        .bind::<Integer, _>(family.user_version)
        .bind::<Array<Text>, _>(family.methods.names())
        .bind::<Array<Text>, _>(family.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>())
        .bind::<Timestamptz, _>(instant(family.began_at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn insert_token(&mut self, family: Uuid, sha256: &Digest, issued_at: Instant) -> Result<(), StoreError> {
        command("insert into refresh_token (sha256, family_id, issued_at) values ($1, $2, $3)")
            .bind::<Bytea, _>(sha256.bytes().as_slice())
            .bind::<SqlUuid, _>(family)
            .bind::<Timestamptz, _>(instant(issued_at))
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn lock_token(&mut self, sha256: &Digest) -> Result<Option<KeptToken>, StoreError> {
        let found: Option<KeptRow> = query::<KeptColumns>(
            "select f.id, f.user_id, f.user_version, f.methods, f.scopes, f.began_at, f.ended_at,
               t.issued_at, t.used_at
             from refresh_token t join refresh_family f on f.id = t.family_id where t.sha256 = $1 for update",
        )
        .bind::<Bytea, _>(sha256.bytes().as_slice())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        found.map(KeptRow::restore).transpose()
    }

    fn use_token(&mut self, sha256: &Digest, at: Instant) -> Result<(), StoreError> {
        command("update refresh_token set used_at = $1 where sha256 = $2")
            .bind::<Timestamptz, _>(instant(at))
            .bind::<Bytea, _>(sha256.bytes().as_slice())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn end_family(&mut self, id: Uuid, at: Instant) -> Result<(), StoreError> {
        command("update refresh_family set ended_at = $1 where id = $2")
            .bind::<Timestamptz, _>(instant(at))
            .bind::<SqlUuid, _>(id)
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn append_revocation(&mut self, revocation: &Revocation, now: Instant) -> Result<(), StoreError> {
        command("delete from access_revocation where until_at < $1")
            .bind::<Timestamptz, _>(instant(now))
            .execute(self.pg)
            .map_err(store_error)?;
        command("insert into access_revocation (token_or_subject_id, below_version, until_at) values ($1, $2, $3)")
            .bind::<SqlUuid, _>(revocation.id)
            .bind::<Integer, _>(revocation.below_version)
            .bind::<Timestamptz, _>(instant(revocation.until))
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn use_assertion(&mut self, issuer: Uuid, id: &Digest, now: Instant, until: Instant) -> Result<bool, StoreError> {
        command("delete from used_assertion where until_at < $1")
            .bind::<Timestamptz, _>(instant(now))
            .execute(self.pg)
            .map_err(store_error)?;
        let kept = command(
            "insert into used_assertion (issuer_id, sha256, until_at) values ($1, $2, $3) on conflict do nothing",
        )
        .bind::<SqlUuid, _>(issuer)
        .bind::<Bytea, _>(id.bytes().as_slice())
        .bind::<Timestamptz, _>(instant(until))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(kept == 1)
    }
}
