//! Webhook endpoints and deliveries.
//!
//! Statements: one each, whatever the number of rows.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bytea, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::kernel::Instant;
use domain::kernel::ids::{OrganisationId, WebhookDeliveryId, WebhookEndpointId};
use domain::store::StoreError;
use domain::webhooks::delivery::{Attempt, Claimed, Delivery};
use domain::webhooks::endpoint::{Endpoint, EndpointStatus};
use domain::webhooks::repository::{Ended, KeptEndpoint, Match, Room, WebhookRepository};
use domain::webhooks::secret::SealedSecret;

use crate::bind::{instant, to_i64, to_u64};
use crate::error::{store_error, unreadable};
use crate::statement::{command, query};
use crate::store::PgUnitOfWork;

mod deliveries;
mod queries;
mod rows;

use rows::{DeliveryColumns, DeliveryRow, EndpointColumns, EndpointRow, number};

/// The disabled half of a status, as two columns.
fn disabled(endpoint: &Endpoint) -> (Option<&'static str>, Option<jiff_diesel::Timestamp>) {
    match endpoint.status {
        EndpointStatus::Enabled => (None, None),
        EndpointStatus::Disabled { reason, at } => (Some(reason.as_str()), Some(instant(at))),
    }
}

fn uuids(ids: &[WebhookEndpointId]) -> Vec<uuid::Uuid> {
    ids.iter().map(|id| id.uuid()).collect()
}

/// A list of names as PostgreSQL writes an array. Names hold nothing that would need quoting.
fn names_literal(endpoint: &Endpoint) -> String {
    format!("{{{}}}", endpoint.event_types.names().join(","))
}

fn scopes_literal(endpoint: &Endpoint) -> String {
    let scopes: Vec<&str> = endpoint.scopes.iter().map(|scope| scope.as_str()).collect();
    format!("{{{}}}", scopes.join(","))
}

impl WebhookRepository for PgUnitOfWork<'_> {
    fn count_endpoints(&mut self, owner: Option<OrganisationId>) -> Result<u32, StoreError> {
        let count: i64 = query::<BigInt>(
            "select count(*) from webhook_endpoint where organisation_id is not distinct from $1 and status <> 'deleted'",
        )
        .bind::<Nullable<SqlUuid>, _>(owner.map(OrganisationId::uuid))
        .get_result(self.pg)
        .map_err(store_error)?;
        u32::try_from(count).map_err(|_| unreadable("a count"))
    }

    fn insert_endpoint(&mut self, endpoint: &Endpoint, secret: &SealedSecret) -> Result<(), StoreError> {
        command(
            "insert into webhook_endpoint (id, organisation_id, owner_id, url, description, event_types, scopes, signing, secret,
               public_key, status, after_sequence, created_at, version)
             values ($1, $2, $3, $4, $5, $6::text[], $7::text[], $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind::<SqlUuid, _>(endpoint.id.uuid())
        .bind::<Nullable<SqlUuid>, _>(endpoint.organisation.map(OrganisationId::uuid))
        .bind::<Nullable<SqlUuid>, _>(endpoint.owner)
        .bind::<Text, _>(endpoint.url.as_str())
        .bind::<Nullable<Text>, _>(endpoint.description.as_ref().map(|d| d.as_str()))
        .bind::<Text, _>(names_literal(endpoint))
        .bind::<Text, _>(scopes_literal(endpoint))
        .bind::<Text, _>(endpoint.signing.as_str())
        .bind::<Bytea, _>(secret.0.as_slice())
        .bind::<Nullable<Bytea>, _>(endpoint.public_key.as_ref().map(<[u8; 32]>::as_slice))
        .bind::<Text, _>(endpoint.status.as_str())
        .bind::<BigInt, _>(to_i64(endpoint.after_sequence)?)
        .bind::<Timestamptz, _>(instant(endpoint.created_at))
        .bind::<Integer, _>(endpoint.version)
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn lock_endpoints_of(&mut self, owner: uuid::Uuid) -> Result<Vec<Endpoint>, StoreError> {
        let rows: Vec<EndpointRow> = query::<EndpointColumns>(
            "select id, organisation_id, owner_id, url, description, event_types, scopes, signing, public_key, previous_until_at, status,
               disabled_reason, disabled_at, failing_since_at, after_sequence, created_at, version
             from webhook_endpoint where owner_id = $1 and status = 'enabled' order by id for update",
        )
        .bind::<SqlUuid, _>(owner)
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(EndpointRow::restore).collect()
    }

    fn lock_endpoint(&mut self, id: WebhookEndpointId) -> Result<Option<KeptEndpoint>, StoreError> {
        let found: Option<(EndpointRow, Vec<u8>)> = query::<(EndpointColumns, Bytea)>(
            "select id, organisation_id, owner_id, url, description, event_types, scopes, signing, public_key, previous_until_at, status,
               disabled_reason, disabled_at, failing_since_at, after_sequence, created_at, version, secret
             from webhook_endpoint where id = $1 and status <> 'deleted' for update",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        found
            .map(|(row, secret)| Ok(KeptEndpoint { endpoint: row.restore()?, secret: SealedSecret(secret) }))
            .transpose()
    }

    fn lock_endpoints(&mut self, ids: &[WebhookEndpointId]) -> Result<Vec<Endpoint>, StoreError> {
        let rows: Vec<EndpointRow> = query::<EndpointColumns>(
            "select id, organisation_id, owner_id, url, description, event_types, scopes, signing, public_key, previous_until_at, status,
               disabled_reason, disabled_at, failing_since_at, after_sequence, created_at, version
             from webhook_endpoint where id = any ($1) and status <> 'deleted' order by id for update",
        )
        .bind::<Array<SqlUuid>, _>(uuids(ids))
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(EndpointRow::restore).collect()
    }

    fn update_endpoints(&mut self, endpoints: &[Endpoint]) -> Result<(), StoreError> {
        if endpoints.is_empty() {
            return Ok(());
        }
        let after = endpoints.iter().map(|e| to_i64(e.after_sequence)).collect::<Result<Vec<_>, _>>()?;
        command(
            "update webhook_endpoint w set url = u.url, description = u.description, event_types = u.event_types::text[],
               scopes = u.scopes::text[], owner_id = u.owner, status = u.status, disabled_reason = u.reason, disabled_at = u.disabled,
               failing_since_at = u.failing, after_sequence = u.after, version = u.version
             from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
               as u (id, url, description, event_types, scopes, owner, status, reason, disabled, failing, after, version)
             where w.id = u.id",
        )
        .bind::<Array<SqlUuid>, _>(endpoints.iter().map(|e| e.id.uuid()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(endpoints.iter().map(|e| e.url.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(
            endpoints.iter().map(|e| e.description.as_ref().map(|d| d.as_str())).collect::<Vec<_>>(),
        )
        .bind::<Array<Text>, _>(endpoints.iter().map(names_literal).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(endpoints.iter().map(scopes_literal).collect::<Vec<_>>())
        .bind::<Array<Nullable<SqlUuid>>, _>(endpoints.iter().map(|e| e.owner).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(endpoints.iter().map(|e| e.status.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(endpoints.iter().map(|e| disabled(e).0).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(endpoints.iter().map(|e| disabled(e).1).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(
            endpoints.iter().map(|e| e.failing_since.map(instant)).collect::<Vec<_>>(),
        )
        .bind::<Array<BigInt>, _>(after)
        .bind::<Array<Integer>, _>(endpoints.iter().map(|e| e.version).collect::<Vec<_>>())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn update_secret(
        &mut self,
        endpoint: &Endpoint,
        secret: &SealedSecret,
        previous: &SealedSecret,
    ) -> Result<(), StoreError> {
        command(
            "update webhook_endpoint set secret = $1, public_key = $2, previous_secret = $3, previous_until_at = $4, version = $5 where id = $6",
        )
        .bind::<Bytea, _>(secret.0.as_slice())
        .bind::<Nullable<Bytea>, _>(endpoint.public_key.as_ref().map(<[u8; 32]>::as_slice))
        .bind::<Bytea, _>(previous.0.as_slice())
        .bind::<Nullable<Timestamptz>, _>(endpoint.previous_until.map(instant))
        .bind::<Integer, _>(endpoint.version)
        .bind::<SqlUuid, _>(endpoint.id.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn delete_endpoint(&mut self, id: WebhookEndpointId) -> Result<(), StoreError> {
        command(
            "update webhook_endpoint set status = 'deleted', disabled_reason = null, disabled_at = null, secret = '',
               previous_secret = null, previous_until_at = null, version = version + 1 where id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn last_sequence(&mut self) -> Result<u64, StoreError> {
        let last: i64 =
            query::<BigInt>("select last_sequence from event_head").get_result(self.pg).map_err(store_error)?;
        to_u64(last)
    }

    fn lock_cursor(&mut self) -> Result<u64, StoreError> {
        let last: i64 = query::<BigInt>("select last_sequence from webhook_cursor for update")
            .get_result(self.pg)
            .map_err(store_error)?;
        to_u64(last)
    }

    fn update_cursor(&mut self, sequence: u64) -> Result<(), StoreError> {
        command("update webhook_cursor set last_sequence = $1")
            .bind::<BigInt, _>(to_i64(sequence)?)
            .execute(self.pg)
            .map_err(store_error)?;
        Ok(())
    }

    fn list_matches(&mut self, after: u64, up_to: u64) -> Result<Vec<Match>, StoreError> {
        deliveries::matches(self.pg, after, up_to)
    }

    fn insert_deliveries(&mut self, new: &[Delivery]) -> Result<(), StoreError> {
        deliveries::insert(self.pg, new)
    }

    fn claim(&mut self, room: &Room, now: Instant, until: Instant) -> Result<Vec<Claimed>, StoreError> {
        deliveries::claim(self.pg, room, now, until)
    }

    fn append_attempts(&mut self, attempts: &[Attempt]) -> Result<(), StoreError> {
        deliveries::append_attempts(self.pg, attempts)
    }

    fn end_claims(&mut self, ended: &[Ended]) -> Result<(), StoreError> {
        deliveries::end_claims(self.pg, ended)
    }

    fn postpone_after(&mut self, failed: &[Delivery]) -> Result<(), StoreError> {
        deliveries::postpone_after(self.pg, failed)
    }

    fn give_up(&mut self, endpoints: &[WebhookEndpointId], at: Instant) -> Result<(), StoreError> {
        command(
            "update webhook_delivery set status = 'given_up', finished_at = $1, claims = claims + 1
             where endpoint_id = any ($2) and status = 'pending'",
        )
        .bind::<Timestamptz, _>(instant(at))
        .bind::<Array<SqlUuid>, _>(uuids(endpoints))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }

    fn find_endpoint_of(&mut self, id: WebhookDeliveryId) -> Result<Option<WebhookEndpointId>, StoreError> {
        let found: Option<uuid::Uuid> = query::<SqlUuid>("select endpoint_id from webhook_delivery where id = $1")
            .bind::<SqlUuid, _>(id.uuid())
            .get_result(self.pg)
            .optional()
            .map_err(store_error)?;
        Ok(found.map(WebhookEndpointId::new))
    }

    fn lock_delivery(&mut self, id: WebhookDeliveryId) -> Result<Option<Delivery>, StoreError> {
        let row: Option<DeliveryRow> = query::<DeliveryColumns>(
            "select id, endpoint_id, sequence, event_id, type, subject_id, occurred_at, status, due_at, in_order, failures, attempts,
               created_at, finished_at
             from webhook_delivery where id = $1 for update",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(DeliveryRow::restore).transpose()
    }

    fn update_delivery(&mut self, delivery: &Delivery) -> Result<(), StoreError> {
        command(
            "update webhook_delivery set status = $1, due_at = $2, in_order = $3, failures = $4, finished_at = $5, claims = claims + 1
             where id = $6 and occurred_at = $7",
        )
        .bind::<Text, _>(delivery.status.as_str())
        .bind::<Timestamptz, _>(instant(delivery.due_at))
        .bind::<diesel::sql_types::Bool, _>(delivery.in_order)
        .bind::<Integer, _>(number(delivery.failures)?)
        .bind::<Nullable<Timestamptz>, _>(delivery.finished_at.map(instant))
        .bind::<SqlUuid, _>(delivery.id.uuid())
        .bind::<Timestamptz, _>(instant(delivery.occurred_at))
        .execute(self.pg)
        .map_err(store_error)?;
        Ok(())
    }
}
