//! Rows of webhooks, read back into the domain's records.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Bytea, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use domain::access::Scope;
use domain::directory::ClusterText;
use domain::events::EventKind;
use domain::kernel::ids::{EventId, OrganisationId, WebhookDeliveryId, WebhookEndpointId};
use domain::store::StoreError;
use domain::webhooks::delivery::{Attempt, Delivery, DeliveryStatus, Outcome};
use domain::webhooks::endpoint::{DisabledReason, Endpoint, EndpointStatus, EventTypes, Signing};
use uuid::Uuid;

use crate::bind::{from_instant, to_u64};
use crate::error::unreadable;

pub type EndpointColumns = (
    SqlUuid,
    Nullable<SqlUuid>,
    Nullable<SqlUuid>,
    Text,
    Nullable<Text>,
    Array<Text>,
    Array<Text>,
    Text,
    Nullable<Bytea>,
    Nullable<Timestamptz>,
    Text,
    Nullable<Text>,
    Nullable<Timestamptz>,
    Nullable<Timestamptz>,
    BigInt,
    Timestamptz,
    Integer,
);

#[derive(Queryable)]
pub struct EndpointRow {
    id: Uuid,
    organisation: Option<Uuid>,
    owner: Option<Uuid>,
    url: String,
    description: Option<String>,
    event_types: Vec<String>,
    scopes: Vec<String>,
    signing: String,
    public_key: Option<Vec<u8>>,
    previous_until: Option<jiff_diesel::Timestamp>,
    status: String,
    reason: Option<String>,
    disabled_at: Option<jiff_diesel::Timestamp>,
    failing_since: Option<jiff_diesel::Timestamp>,
    after_sequence: i64,
    created_at: jiff_diesel::Timestamp,
    version: i32,
}

impl EndpointRow {
    pub fn restore(self) -> Result<Endpoint, StoreError> {
        let key = |key: Vec<u8>| key.try_into().map_err(|_| unreadable("a public key"));
        let description = |text: String| ClusterText::parse(&text).map_err(|_| unreadable("a description"));
        Ok(Endpoint {
            id: WebhookEndpointId::new(self.id),
            organisation: self.organisation.map(OrganisationId::new),
            owner: self.owner,
            url: self.url,
            description: self.description.map(description).transpose()?,
            event_types: event_types(&self.event_types)?,
            // A scope that is no more lets nothing through.
            scopes: self.scopes.iter().filter_map(|scope| Scope::parse(scope)).collect(),
            signing: Signing::parse(&self.signing).map_err(|_| unreadable("a signature scheme"))?,
            public_key: self.public_key.map(key).transpose()?,
            previous_until: self.previous_until.map(from_instant),
            status: status(&self.status, self.reason.as_deref(), self.disabled_at)?,
            failing_since: self.failing_since.map(from_instant),
            after_sequence: to_u64(self.after_sequence)?,
            created_at: from_instant(self.created_at),
            version: self.version,
        })
    }
}

fn event_types(names: &[String]) -> Result<EventTypes, StoreError> {
    if names == [EventTypes::ALL] {
        return Ok(EventTypes::All);
    }
    let kinds: Option<BTreeSet<EventKind>> = names.iter().map(|name| EventKind::parse(name)).collect();
    kinds.map(EventTypes::Only).ok_or_else(|| unreadable("the type of an event"))
}

fn status(
    status: &str,
    reason: Option<&str>,
    at: Option<jiff_diesel::Timestamp>,
) -> Result<EndpointStatus, StoreError> {
    match (status, reason.and_then(DisabledReason::parse), at) {
        ("enabled", None, _) => Ok(EndpointStatus::Enabled),
        ("disabled", Some(reason), Some(at)) => Ok(EndpointStatus::Disabled { reason, at: from_instant(at) }),
        _ => Err(unreadable("the status of an endpoint")),
    }
}

pub type DeliveryColumns = (
    SqlUuid,
    SqlUuid,
    BigInt,
    SqlUuid,
    Text,
    SqlUuid,
    Timestamptz,
    Text,
    Timestamptz,
    Bool,
    Integer,
    Integer,
    Timestamptz,
    Nullable<Timestamptz>,
);

#[derive(Queryable)]
pub struct DeliveryRow {
    id: Uuid,
    endpoint: Uuid,
    sequence: i64,
    event: Uuid,
    kind: String,
    subject: Uuid,
    occurred_at: jiff_diesel::Timestamp,
    status: String,
    due_at: jiff_diesel::Timestamp,
    in_order: bool,
    failures: i32,
    attempts: i32,
    created_at: jiff_diesel::Timestamp,
    finished_at: Option<jiff_diesel::Timestamp>,
}

impl DeliveryRow {
    pub fn restore(self) -> Result<Delivery, StoreError> {
        Ok(Delivery {
            id: WebhookDeliveryId::new(self.id),
            endpoint: WebhookEndpointId::new(self.endpoint),
            sequence: to_u64(self.sequence)?,
            event: EventId::new(self.event),
            kind: kind(&self.kind)?,
            subject: self.subject,
            occurred_at: from_instant(self.occurred_at),
            status: DeliveryStatus::parse(&self.status).map_err(|_| unreadable("the status of a delivery"))?,
            due_at: from_instant(self.due_at),
            in_order: self.in_order,
            failures: count(self.failures)?,
            attempts: count(self.attempts)?,
            created_at: from_instant(self.created_at),
            finished_at: self.finished_at.map(from_instant),
        })
    }
}

pub fn kind(text: &str) -> Result<EventKind, StoreError> {
    EventKind::parse(text).ok_or_else(|| unreadable("the type of an event"))
}

pub type AttemptColumns = (SqlUuid, Integer, Timestamptz, Integer, Nullable<SmallInt>, Nullable<Text>, Bytea);

#[derive(Queryable)]
pub struct AttemptRow {
    delivery: Uuid,
    claim: i32,
    at: jiff_diesel::Timestamp,
    duration_ms: i32,
    status: Option<i16>,
    error: Option<String>,
    body: Vec<u8>,
}

impl AttemptRow {
    pub fn restore(self) -> Result<Attempt, StoreError> {
        let status = self.status.map(|status| u16::try_from(status).map_err(|_| unreadable("a status")));
        let outcome = match (status.transpose()?, self.error) {
            (Some(status), None) => Outcome::Answered(status),
            (None, Some(error)) => Outcome::Failed(error),
            _ => return Err(unreadable("how an attempt ended")),
        };
        Ok(Attempt {
            delivery: WebhookDeliveryId::new(self.delivery),
            claim: self.claim,
            at: from_instant(self.at),
            duration_ms: count(self.duration_ms)?,
            outcome,
            body: self.body,
        })
    }
}

fn count(n: i32) -> Result<u32, StoreError> {
    u32::try_from(n).map_err(|_| unreadable("a negative number"))
}

/// A count as PostgreSQL takes it.
pub fn number(n: u32) -> Result<i32, StoreError> {
    i32::try_from(n).map_err(|_| unreadable("a number out of range"))
}
