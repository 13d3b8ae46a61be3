//! First answers: claims are advisory locks of the transaction, look-ups search every kept day.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Date, Integer, Nullable, SmallInt, Text, Uuid as SqlUuid};
use domain::idempotency::{Claim, FirstAnswer, IdempotencyKey, IdempotencyRecord, IdempotencyRepository, Tenant};
use domain::kernel::Digest;
use domain::store::StoreError;
use jiff::civil::Date as CivilDate;
use uuid::Uuid;

use crate::bind::{date, digest};
use crate::error::{store_error, unreadable};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

type RecordColumns = ((SqlUuid, Text, Text), (Bytea, SmallInt, Text), (Nullable<Text>, Nullable<Text>, Bytea, Bool));
type RecordRow = ((Uuid, String, String), (Vec<u8>, i16, String), (Option<String>, Option<String>, Vec<u8>, bool));

/// The 64 bits of a claim's advisory lock. It leaves out for whom the caller acts, as processes of the version
/// before do: two of those keys at one moment only wait for each other.
fn lock_number(claim: &Claim) -> i64 {
    let digest =
        Digest::of_parts(&[b"flip360/idempotency/v1\0", claim.caller.as_bytes(), claim.key.as_str().as_bytes()]);
    let mut first = [0; 8];
    first.copy_from_slice(&digest.bytes()[..8]);
    i64::from_be_bytes(first)
}

fn record(
    ((caller, tenant, key), (fingerprint, status, content_type), (location, etag, body, sealed)): RecordRow,
) -> Result<IdempotencyRecord, StoreError> {
    let key = IdempotencyKey::parse(&key).map_err(|_| unreadable("a key"))?;
    Ok(IdempotencyRecord {
        claim: Claim { caller, tenant: Tenant::restore(tenant), key },
        fingerprint: digest(&fingerprint)?,
        answer: FirstAnswer { status, content_type, location, etag, body, sealed },
    })
}

impl IdempotencyRepository for PgUnitOfWork<'_> {
    fn claim(&mut self, claims: &[Claim]) -> Result<Vec<bool>, StoreError> {
        let locks: Vec<i64> = claims.iter().map(lock_number).collect();
        let rows: Vec<(i32, bool)> = query::<(Integer, Bool)>(
            "select n::integer, pg_try_advisory_xact_lock(number) from unnest($1) with ordinality as asked (number, n)",
        )
        .bind::<Array<BigInt>, _>(locks)
        .load(self.pg)
        .map_err(store_error)?;
        let mut taken = vec![false; claims.len()];
        for (n, got) in rows {
            if let Some(slot) = usize::try_from(n - 1).ok().and_then(|n| taken.get_mut(n)) {
                *slot = got;
            }
        }
        Ok(taken)
    }

    fn find(&mut self, claims: &[Claim]) -> Result<Vec<IdempotencyRecord>, StoreError> {
        let callers: Vec<Uuid> = claims.iter().map(|c| c.caller).collect();
        let keys: Vec<&str> = claims.iter().map(|c| c.key.as_str()).collect();
        let tenants: Vec<&str> = claims.iter().map(|c| c.tenant.as_str()).collect();
        // An answer that was kept before it was told for whom is every organisation's of that caller.
        let rows: Vec<RecordRow> = query::<RecordColumns>(
            "select r.caller, asked.tenant, r.key, r.fingerprint, r.status, r.content_type, r.location, r.etag, r.body, r.sealed
             from unnest($1, $2, $3) as asked (caller, tenant, key)
             join idempotency_record r on r.caller = asked.caller and r.key = asked.key and r.tenant in (asked.tenant, '')",
        )
        .bind::<Array<SqlUuid>, _>(callers)
        .bind::<Array<Text>, _>(tenants)
        .bind::<Array<Text>, _>(keys)
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(record).collect()
    }

    fn append(&mut self, records: &[IdempotencyRecord], on: CivilDate) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        command(
            "insert into idempotency_record (caller, tenant, key, created_on, fingerprint, status, content_type, location, etag, body, sealed)
             select caller, tenant, key, $1, fingerprint, status, content_type, location, etag, body, sealed
             from unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
               as r (caller, tenant, key, fingerprint, status, content_type, location, etag, body, sealed)",
        )
        .bind::<Date, _>(date(on))
        .bind::<Array<SqlUuid>, _>(records.iter().map(|r| r.claim.caller).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(records.iter().map(|r| r.claim.tenant.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(records.iter().map(|r| r.claim.key.as_str()).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(records.iter().map(|r| r.fingerprint.bytes().as_slice()).collect::<Vec<_>>())
        .bind::<Array<SmallInt>, _>(records.iter().map(|r| r.answer.status).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(records.iter().map(|r| r.answer.content_type.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(records.iter().map(|r| r.answer.location.as_deref()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(records.iter().map(|r| r.answer.etag.as_deref()).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(records.iter().map(|r| r.answer.body.as_slice()).collect::<Vec<_>>())
        .bind::<Array<Bool>, _>(records.iter().map(|r| r.answer.sealed).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn rewrite_contact(&mut self, location: &str, body: &[u8]) -> Result<(), StoreError> {
        // The second condition is that of the index.
        command("update idempotency_record set body = $1, sealed = false where location = $2 and location like '/v1/contacts/%'")
            .bind::<Bytea, _>(body)
            .bind::<Text, _>(location)
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn rewrite_person(&mut self, location: &str, body: &[u8]) -> Result<(), StoreError> {
        // The second condition is that of the index.
        command("update idempotency_record set body = $1, sealed = false where location = $2 and (location like '/v1/payees/%' or location like '/v1/users/%')")
            .bind::<Bytea, _>(body)
            .bind::<Text, _>(location)
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }
}
