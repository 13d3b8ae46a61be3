//! Second factors of users.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bytea, Integer, Nullable, Timestamptz, Uuid as SqlUuid};
use domain::access::totp::{KeptTotp, TotpRepository};
use domain::kernel::ids::UserId;
use domain::store::StoreError;

use crate::bind::{from_instant, instant};
use crate::error::store_error;
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

type TotpColumns = (Bytea, BigInt, Timestamptz, Nullable<Timestamptz>, Integer);
type TotpRow = (Vec<u8>, i64, jiff_diesel::Timestamp, Option<jiff_diesel::Timestamp>, i32);

impl TotpRepository for PgUnitOfWork<'_> {
    fn lock_totp(&mut self, user: UserId) -> Result<Option<KeptTotp>, StoreError> {
        let found: Option<TotpRow> = query::<TotpColumns>(
            "select secret, last_step, created_at, confirmed_at, version from user_totp where user_id = $1 for update",
        )
        .bind::<SqlUuid, _>(user.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        Ok(found.map(|(secret, last_step, created_at, confirmed_at, version)| KeptTotp {
            user,
            secret,
            last_step,
            created_at: from_instant(created_at),
            confirmed_at: confirmed_at.map(from_instant),
            version,
        }))
    }

    fn put_totp(&mut self, totp: &KeptTotp) -> Result<(), StoreError> {
        command(
            "insert into user_totp (user_id, secret, last_step, created_at, confirmed_at, version)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (user_id) do update set secret = excluded.secret, last_step = excluded.last_step,
               created_at = excluded.created_at, confirmed_at = excluded.confirmed_at, version = excluded.version",
        )
        .bind::<SqlUuid, _>(totp.user.uuid())
        .bind::<Bytea, _>(totp.secret.as_slice())
        .bind::<BigInt, _>(totp.last_step)
        .bind::<Timestamptz, _>(instant(totp.created_at))
        .bind::<Nullable<Timestamptz>, _>(totp.confirmed_at.map(instant))
        .bind::<Integer, _>(totp.version)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn delete_totp(&mut self, user: UserId) -> Result<(), StoreError> {
        command("delete from user_totp where user_id = $1")
            .bind::<SqlUuid, _>(user.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }
}
