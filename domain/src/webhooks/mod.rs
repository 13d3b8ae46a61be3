//! Webhooks: events sent to endpoints that partners and the operator name, signed as Standard Webhooks says.
//!
//! | step | where |
//! |---|---|
//! | an endpoint is made, changed, re-keyed, deleted | [`service`] |
//! | numbered events become deliveries, one for each endpoint that may see them | [`work::fan_out`] |
//! | due deliveries are claimed, sent with no transaction open, recorded | [`work::claim`], [`work::record`] |
//! | what an answer means: delivered, again later, never again | [`retry`] |
//!
//! Invariants: an event becomes at most one delivery of an endpoint; it is sent at least once, until a 2xx
//! or for three days; `webhook-id` is the event's id and stays; of one subject an endpoint gets the earlier
//! event first, until the earlier one is delivered or given up; an endpoint learns nothing that its owner,
//! with the scopes of whoever chose the types, could not read. Bounds: [`work`], [`endpoint::MAX_PER_OWNER`].
//! Source: Standard Webhooks 1.0.0.

pub mod command;
pub mod delivery;
pub mod endpoint;
pub mod error;
pub mod repository;
pub mod retry;
pub mod secret;
pub mod service;
pub mod work;

pub use command::{CreateEndpoint, CreateEndpointInput, UpdateEndpoint, UpdateEndpointInput};
pub use delivery::{Attempt, Claimed, Delivery, DeliveryStatus, Outcome, Sent};
pub use endpoint::{DisabledReason, Endpoint, EndpointStatus, EventTypes, Signing};
pub use error::WebhookError;
pub use repository::{WebhookQueries, WebhookRepository};
pub use secret::{SealedSecret, SigningSecret, Targets, Vault};
