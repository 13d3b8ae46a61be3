//! Public keys of API clients.

use diesel::prelude::*;
use diesel::sql_types::{Bytea, Integer, Timestamptz, Uuid as SqlUuid};
use domain::access::client_key::{ApiClientKey, ClientKeyRepository};
use domain::chain::key::PublicKey;
use domain::kernel::ids::{ApiClientId, ApiClientKeyId};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::{from_instant, instant};
use crate::error::{store_error, unreadable};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

pub(super) type KeyColumns = (SqlUuid, SqlUuid, Bytea, Timestamptz);

#[derive(Queryable)]
pub(super) struct KeyRow {
    id: Uuid,
    client: Uuid,
    public_key: Vec<u8>,
    created_at: jiff_diesel::Timestamp,
}

impl KeyRow {
    pub(super) fn restore(self) -> Result<ApiClientKey, StoreError> {
        Ok(ApiClientKey {
            id: ApiClientKeyId::new(self.id),
            client: ApiClientId::new(self.client),
            key: PublicKey::parse(&self.public_key).map_err(|_| unreadable("the key of an API client"))?,
            created_at: from_instant(self.created_at),
        })
    }
}

impl ClientKeyRepository for PgUnitOfWork<'_> {
    fn list_client_keys(&mut self, client: ApiClientId) -> Result<Vec<ApiClientKey>, StoreError> {
        let rows: Vec<KeyRow> = query::<KeyColumns>(
            "select id, client_id, public_key, created_at from api_client_key where client_id = $1 order by id",
        )
        .bind::<SqlUuid, _>(client.uuid())
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(KeyRow::restore).collect()
    }

    fn insert_client_key(&mut self, key: &ApiClientKey) -> Result<(), StoreError> {
        command("insert into api_client_key (id, client_id, public_key, created_at) values ($1, $2, $3, $4)")
            .bind::<SqlUuid, _>(key.id.uuid())
            .bind::<SqlUuid, _>(key.client.uuid())
            .bind::<Bytea, _>(key.key.bytes().to_vec())
            .bind::<Timestamptz, _>(instant(key.created_at))
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn delete_client_key(&mut self, id: ApiClientKeyId) -> Result<(), StoreError> {
        command("delete from api_client_key where id = $1")
            .bind::<SqlUuid, _>(id.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn update_client_version(&mut self, client: ApiClientId, version: i32) -> Result<(), StoreError> {
        command("update api_client set version = $1 where id = $2")
            .bind::<Integer, _>(version)
            .bind::<SqlUuid, _>(client.uuid())
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }
}
