//! Endpoints and deliveries under row-level security.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use domain::events::EventKind;
use domain::kernel::ids::{EventId, WebhookEndpointId};
use domain::kernel::{Page, PageRequest};
use domain::store::StoreError;
use domain::webhooks::delivery::{Attempt, DeliveryStatus};
use domain::webhooks::endpoint::Endpoint;
use domain::webhooks::repository::{DeliveryFilter, Logged, WebhookQueries};
use uuid::Uuid;

use super::rows::{AttemptColumns, AttemptRow, DeliveryColumns, DeliveryRow, EndpointColumns, EndpointRow};
use crate::error::store_error;
use crate::page::{Paging, by_id, listed};
use crate::statement::query;
use crate::store::PgQueries;

/// Attempts of one delivery that are shown, the newest ones.
const ATTEMPTS_SHOWN: i64 = 20;

impl WebhookQueries for PgQueries<'_> {
    fn list_endpoints(&mut self, page: &PageRequest) -> Result<Page<Endpoint>, StoreError> {
        let paging = Paging::oldest_first(page);
        let rows: Vec<EndpointRow> = query::<EndpointColumns>(listed!(
            paging.order,
            "select id, organisation_id, owner_id, url, description, event_types, scopes, signing, public_key, previous_until_at, status,
               disabled_reason, disabled_at, failing_since_at, after_sequence, created_at, version
             from webhook_endpoint where status <> 'deleted' and ",
            "id", at "created_at", ""
        ))
        .page_by_id(paging)?
        .load(self.pg)
        .map_err(store_error)?;
        by_id(rows, page, EndpointRow::restore, |endpoint| endpoint.id.uuid())
    }

    fn find_endpoint(&mut self, id: WebhookEndpointId) -> Result<Option<Endpoint>, StoreError> {
        let row: Option<EndpointRow> = query::<EndpointColumns>(
            "select id, organisation_id, owner_id, url, description, event_types, scopes, signing, public_key, previous_until_at, status,
               disabled_reason, disabled_at, failing_since_at, after_sequence, created_at, version
             from webhook_endpoint where status <> 'deleted' and id = $1",
        )
        .bind::<SqlUuid, _>(id.uuid())
        .get_result(self.pg)
        .optional()
        .map_err(store_error)?;
        row.map(EndpointRow::restore).transpose()
    }

    fn list_deliveries(
        &mut self,
        endpoint: WebhookEndpointId,
        filter: &DeliveryFilter,
        page: &PageRequest,
    ) -> Result<Page<Logged>, StoreError> {
        let paging = Paging::newest_first(page);
        let rows: Vec<DeliveryRow> = query::<DeliveryColumns>(listed!(
            paging.order,
            "select id, endpoint_id, sequence, event_id, type, subject_id, occurred_at, status, due_at, in_order, failures, attempts,
               created_at, finished_at
             from webhook_delivery where endpoint_id = $1 and ",
            "id", at "created_at", " and status = coalesce($5, status) and type = coalesce($6, type) and event_id = coalesce($7, event_id)"
        ))
        .bind::<SqlUuid, _>(endpoint.uuid())
        .after_id(paging)?
        .between(paging)
        .bind::<Nullable<Text>, _>(filter.status.map(DeliveryStatus::as_str))
        .bind::<Nullable<Text>, _>(filter.kind.map(EventKind::as_str))
        .bind::<Nullable<SqlUuid>, _>(filter.event.map(EventId::uuid))
        .limit(paging)
        .load(self.pg)
        .map_err(store_error)?;
        let page = by_id(rows, page, DeliveryRow::restore, |delivery| delivery.id.uuid())?;
        let ids: Vec<Uuid> = page.data.iter().map(|delivery| delivery.id.uuid()).collect();
        let attempts = self.attempts(&ids)?;
        Ok(page.map(|delivery| {
            let own = attempts.iter().filter(|attempt| attempt.delivery == delivery.id);
            Logged { attempts: own.cloned().collect(), delivery }
        }))
    }
}

impl PgQueries<'_> {
    fn attempts(&mut self, deliveries: &[Uuid]) -> Result<Vec<Attempt>, StoreError> {
        let rows: Vec<AttemptRow> = query::<AttemptColumns>(
            "select a.delivery_id, a.claim, a.at, a.duration_ms, a.status, a.error, a.body
             from unnest($1) as d (id) cross join lateral (
               select * from webhook_attempt a where a.delivery_id = d.id order by a.at desc, a.claim desc limit $2) a
             order by a.delivery_id, a.at, a.claim",
        )
        .bind::<Array<SqlUuid>, _>(deliveries)
        .bind::<BigInt, _>(ATTEMPTS_SHOWN)
        .load(self.pg)
        .map_err(store_error)?;
        rows.into_iter().map(AttemptRow::restore).collect()
    }
}
