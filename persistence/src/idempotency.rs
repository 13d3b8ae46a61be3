//! First answers: claims are advisory locks of the transaction, look-ups search every kept day.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Date, Integer, Nullable, SmallInt, Text, Uuid as SqlUuid};
use domain::idempotency::{Claim, FirstAnswer, IdempotencyKey, IdempotencyRecord, IdempotencyRepository};
use domain::kernel::Digest;
use domain::store::StoreError;
use jiff::civil::Date as CivilDate;
use uuid::Uuid;

use crate::bind::{date, digest};
use crate::error::{store_error, unreadable};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

type RecordRow = (Uuid, String, Vec<u8>, i16, String, Option<String>, Vec<u8>, bool);

/// The 64 bits of a claim's advisory lock.
fn lock_number(claim: &Claim) -> i64 {
    let digest =
        Digest::of_parts(&[b"flip360/idempotency/v1\0", claim.caller.as_bytes(), claim.key.as_str().as_bytes()]);
    let mut first = [0; 8];
    first.copy_from_slice(&digest.bytes()[..8]);
    i64::from_be_bytes(first)
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
        let rows: Vec<RecordRow> = query::<(SqlUuid, Text, Bytea, SmallInt, Text, Nullable<Text>, Bytea, Bool)>(
            "select r.caller, r.key, r.fingerprint, r.status, r.content_type, r.location, r.body, r.sealed
             from unnest($1, $2) as asked (caller, key) join idempotency_record r using (caller, key)",
        )
        .bind::<Array<SqlUuid>, _>(callers)
        .bind::<Array<Text>, _>(keys)
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter()
            .map(|(caller, key, fingerprint, status, content_type, location, body, sealed)| {
                Ok(IdempotencyRecord {
                    claim: Claim { caller, key: IdempotencyKey::parse(&key).map_err(|_| unreadable("a key"))? },
                    fingerprint: digest(&fingerprint)?,
                    answer: FirstAnswer { status, content_type, location, body, sealed },
                })
            })
            .collect()
    }

    fn append(&mut self, records: &[IdempotencyRecord], on: CivilDate) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        command(
            "insert into idempotency_record (caller, key, created_on, fingerprint, status, content_type, location, body, sealed)
             select caller, key, $1, fingerprint, status, content_type, location, body, sealed
             from unnest($2, $3, $4, $5, $6, $7, $8, $9) as r (caller, key, fingerprint, status, content_type, location, body, sealed)",
        )
        .bind::<Date, _>(date(on))
        .bind::<Array<SqlUuid>, _>(records.iter().map(|r| r.claim.caller).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(records.iter().map(|r| r.claim.key.as_str()).collect::<Vec<_>>())
        .bind::<Array<Bytea>, _>(records.iter().map(|r| r.fingerprint.bytes().as_slice()).collect::<Vec<_>>())
        .bind::<Array<SmallInt>, _>(records.iter().map(|r| r.answer.status).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(records.iter().map(|r| r.answer.content_type.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(records.iter().map(|r| r.answer.location.as_deref()).collect::<Vec<_>>())
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
}
