//! Webhook endpoints and deliveries, as they go in and out.

use domain::directory::update::Given;
use domain::events::EventKind;
use domain::kernel::ids::EventId;
use domain::webhooks::delivery::{Attempt, Delivery, Outcome};
use domain::webhooks::endpoint::{Endpoint, EndpointStatus};
use domain::webhooks::repository::Logged;
use domain::webhooks::secret::written_public_key;
use domain::webhooks::service::NewSecret;
use domain::webhooks::{CreateEndpointInput, UpdateEndpointInput};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::extract::ListQuery;

/// A request to create an endpoint.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateWebhookEndpoint, example = json!({"url": "https://hooks.harbour.example/flip360", "description": "Deals into the CRM", "event_types": ["deal.settled", "deal.reversed"], "signing": "v1"}))]
pub struct CreateWebhookEndpointRequest {
    /// Where requests go to: `https`, a public host, no credentials.
    #[schema(required = true, nullable = false)]
    url: Option<String>,
    /// What you call it.
    description: Option<String>,
    /// Names from `GET /v1/event-types`, or `["*"]` for all that your token may read, later ones too.
    #[schema(required = true, nullable = false)]
    event_types: Option<Vec<String>>,
    /// `v1` (HMAC-SHA256, the default) or `v1a` (Ed25519).
    signing: Option<String>,
}

impl From<CreateWebhookEndpointRequest> for CreateEndpointInput {
    fn from(raw: CreateWebhookEndpointRequest) -> Self {
        let CreateWebhookEndpointRequest { url, description, event_types, signing } = raw;
        Self { url, description, event_types, signing }
    }
}

/// Tells `null` from absent.
fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(d: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(d).map(Some)
}

/// A request to change an endpoint; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateWebhookEndpoint, example = json!({"status": "enabled"}))]
pub struct UpdateWebhookEndpointRequest {
    /// Where requests go to.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    url: Given,
    /// What you call it; `null` empties it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    description: Given,
    /// Names from `GET /v1/event-types`, or `["*"]`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<Vec<String>>)]
    event_types: Option<Option<Vec<String>>>,
    /// `enabled` or `disabled`. What waits for an endpoint that is disabled is given up; one that is enabled again
    /// gets what happens from then on.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    status: Given,
}

impl From<UpdateWebhookEndpointRequest> for UpdateEndpointInput {
    fn from(raw: UpdateWebhookEndpointRequest) -> Self {
        let UpdateWebhookEndpointRequest { url, description, event_types, status } = raw;
        Self { url, description, event_types, status }
    }
}

/// An endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookEndpoint)]
pub struct WebhookEndpointView {
    /// Its id.
    #[schema(example = "endpoint_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Whose it is; absent for the operator's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    organisation_id: Option<String>,
    /// Where requests go to.
    #[schema(example = "https://hooks.harbour.example/flip360")]
    url: String,
    /// What its owner calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Deals into the CRM")]
    description: Option<String>,
    /// Which events it gets.
    #[schema(example = json!(["deal.settled", "deal.reversed"]))]
    event_types: Vec<&'static str>,
    /// `v1` or `v1a`.
    #[schema(example = "v1")]
    signing: &'static str,
    /// The public key of `v1a`, as the standard's libraries take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whpk_6NV3N8pJXVZ3xD3Q1yDkq7Gm1kVh1kzYf8pQ3c0jz2U=")]
    public_key: Option<String>,
    /// Until when the secret before the last rotation signs too.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2026-11-26T01:02:03Z")]
    previous_secret_until: Option<String>,
    /// `enabled` or `disabled`.
    #[schema(example = "enabled")]
    status: &'static str,
    /// Why it is disabled: `by_hand`, `gone` (it answered 410), `failing` (for three days), `owner_gone` (who answered for it was disabled or revoked).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "failing")]
    disabled_reason: Option<&'static str>,
    /// When it was disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2026-11-25T01:02:03Z")]
    disabled_at: Option<String>,
    /// The first failure since it last took an event.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2026-11-25T01:02:03Z")]
    failing_since: Option<String>,
    /// When it was made.
    #[schema(format = DateTime, example = "2026-11-25T01:02:03Z")]
    created_at: String,
    /// Rises with each change; the `ETag`.
    #[schema(example = 1)]
    version: i32,
}

impl From<&Endpoint> for WebhookEndpointView {
    fn from(endpoint: &Endpoint) -> Self {
        let (disabled_reason, disabled_at) = match endpoint.status {
            EndpointStatus::Enabled => (None, None),
            EndpointStatus::Disabled { reason, at } => (Some(reason.as_str()), Some(at.to_string())),
        };
        Self {
            id: endpoint.id.to_string(),
            organisation_id: endpoint.organisation.map(|id| id.to_string()),
            url: endpoint.url.clone(),
            description: endpoint.description.as_ref().map(|text| text.as_str().to_owned()),
            event_types: endpoint.event_types.names(),
            signing: endpoint.signing.as_str(),
            public_key: endpoint.public_key.as_ref().map(written_public_key),
            previous_secret_until: endpoint.previous_until.map(|at| at.to_string()),
            status: endpoint.status.as_str(),
            disabled_reason,
            disabled_at,
            failing_since: endpoint.failing_since.map(|at| at.to_string()),
            created_at: endpoint.created_at.to_string(),
            version: endpoint.version,
        }
    }
}

/// An endpoint with its shared secret. No `Debug`.
#[derive(Serialize, ToSchema)]
#[schema(as = WebhookEndpointSecret)]
pub struct WebhookEndpointSecretView {
    /// The endpoint.
    #[serde(flatten)]
    endpoint: WebhookEndpointView,
    /// What `v1` is verified with: in this answer and nowhere else. Absent for `v1a`, which has a public key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=")]
    secret: Option<String>,
}

impl From<&NewSecret> for WebhookEndpointSecretView {
    fn from(new: &NewSecret) -> Self {
        let secret = new.secret.as_ref().map(|secret| secret.reveal().to_owned());
        Self { endpoint: WebhookEndpointView::from(&new.endpoint), secret }
    }
}

/// A test event is on its way.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookTestResult)]
pub struct WebhookTestView {
    /// The event: its delivery shows in the endpoint's deliveries.
    #[schema(example = "event_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    event_id: String,
}

impl From<EventId> for WebhookTestView {
    fn from(id: EventId) -> Self {
        Self { event_id: id.to_string() }
    }
}

/// Which deliveries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WebhookDeliveryQuery {
    /// `pending`, `delivered` or `given_up`.
    #[param(example = "given_up")]
    pub status: Option<String>,
    /// Of this type.
    #[param(example = "deal.settled")]
    pub event_type: Option<String>,
    /// Of this event.
    #[param(example = "event_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub event_id: Option<String>,
}

impl ListQuery for WebhookDeliveryQuery {}

/// One event on its way to one endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookDelivery)]
pub struct WebhookDeliveryView {
    /// Its id.
    #[schema(example = "delivery_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// To whom.
    #[schema(example = "endpoint_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    endpoint_id: String,
    /// The event: the `webhook-id` of each attempt.
    #[schema(example = "event_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    event_id: String,
    /// What happened.
    #[schema(example = "deal.settled")]
    event_type: &'static str,
    /// The event's number.
    #[schema(example = 4711)]
    sequence: u64,
    /// `pending`, `delivered` or `given_up`.
    #[schema(example = "pending")]
    status: &'static str,
    /// How often it was sent.
    #[schema(example = 1)]
    attempt_count: u32,
    /// When it is sent next, if it waits for nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2026-11-25T01:07:03Z")]
    next_attempt_at: Option<String>,
    /// When it came about.
    #[schema(format = DateTime, example = "2026-11-25T01:02:03Z")]
    created_at: String,
    /// When it was delivered or given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, example = "2026-11-25T01:02:04Z")]
    finished_at: Option<String>,
    /// The newest 20 attempts, oldest first.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<Vec<WebhookAttemptView>>,
}

/// One attempt.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookAttempt)]
pub struct WebhookAttemptView {
    /// When it was made: the `webhook-timestamp`.
    #[schema(format = DateTime, example = "2026-11-25T01:02:03Z")]
    at: String,
    /// How long it took.
    #[schema(example = 87)]
    duration_ms: u32,
    /// The status of the answer, when one came.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 503)]
    status: Option<u16>,
    /// Why none came: `target_refused`, `name_not_resolved`, `connection_failed`, `tls_failed`, `timed_out`, `invalid_answer`, `not_signed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "timed_out")]
    error: Option<String>,
    /// The first 4 KiB of the answer.
    #[schema(example = "busy")]
    response_body: String,
}

impl From<&Delivery> for WebhookDeliveryView {
    fn from(delivery: &Delivery) -> Self {
        let pending = delivery.finished_at.is_none();
        Self {
            id: delivery.id.to_string(),
            endpoint_id: delivery.endpoint.to_string(),
            event_id: delivery.event.to_string(),
            event_type: EventKind::as_str(delivery.kind),
            sequence: delivery.sequence,
            status: delivery.status.as_str(),
            attempt_count: delivery.attempts,
            next_attempt_at: pending.then(|| delivery.due_at.to_string()),
            created_at: delivery.created_at.to_string(),
            finished_at: delivery.finished_at.map(|at| at.to_string()),
            attempts: None,
        }
    }
}

impl From<Logged> for WebhookDeliveryView {
    fn from(logged: Logged) -> Self {
        let attempts = logged.attempts.iter().map(WebhookAttemptView::from).collect();
        Self { attempts: Some(attempts), ..Self::from(&logged.delivery) }
    }
}

impl From<&Attempt> for WebhookAttemptView {
    fn from(attempt: &Attempt) -> Self {
        let error = match &attempt.outcome {
            Outcome::Answered(_) => None,
            Outcome::Failed(error) => Some(error.clone()),
        };
        Self {
            at: attempt.at.to_string(),
            duration_ms: attempt.duration_ms,
            status: attempt.outcome.status(),
            error,
            response_body: String::from_utf8_lossy(&attempt.body).into_owned(),
        }
    }
}
