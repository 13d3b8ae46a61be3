//! The ports of webhooks.

use uuid::Uuid;

use super::delivery::{Attempt, Claimed, Delivery, DeliveryStatus};
use super::endpoint::Endpoint;
use super::secret::SealedSecret;
use crate::events::EventKind;
use crate::kernel::ids::{EventId, OrganisationId, WebhookDeliveryId, WebhookEndpointId};
use crate::kernel::{Instant, Page, PageRequest};
use crate::store::StoreError;

/// An endpoint with the secret that signs.
pub struct KeptEndpoint {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Its secret.
    pub secret: SealedSecret,
}

/// An event that an endpoint is to get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// The endpoint.
    pub endpoint: WebhookEndpointId,
    /// The event's number.
    pub sequence: u64,
    /// Its id.
    pub event: EventId,
    /// What happened.
    pub kind: EventKind,
    /// To what.
    pub subject: Uuid,
    /// When.
    pub occurred_at: Instant,
    /// When the last of the earlier ones of this subject, that the endpoint has not got yet, is sent.
    pub not_before: Option<Instant>,
}

/// How much may be claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// In all.
    pub total: u32,
    /// To one endpoint at a time.
    pub per_endpoint: u32,
    /// The same for one that took nothing lately.
    pub per_failing: u32,
    /// What is on its way to each endpoint already.
    pub busy: Vec<(WebhookEndpointId, u32)>,
}

/// The end of a claimed delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The delivery as it stands now.
    pub delivery: Delivery,
    /// The claim: another one since makes this one void.
    pub claim: i32,
}

/// Endpoints and deliveries, inside a transaction. Deleted endpoints are not there.
pub trait WebhookRepository {
    /// How many endpoints an owner has.
    ///
    /// # Errors
    /// The failure of the store.
    fn count_endpoints(&mut self, owner: Option<OrganisationId>) -> Result<u32, StoreError>;

    /// Keeps a new endpoint.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_endpoint(&mut self, endpoint: &Endpoint, secret: &SealedSecret) -> Result<(), StoreError>;

    /// The enabled endpoints for which a user or API client answers, kept from change until the transaction ends.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_endpoints_of(&mut self, owner: Uuid) -> Result<Vec<Endpoint>, StoreError>;

    /// An endpoint with its secret, kept from change until the transaction ends.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_endpoint(&mut self, id: WebhookEndpointId) -> Result<Option<KeptEndpoint>, StoreError>;

    /// Endpoints, kept from change until the transaction ends.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_endpoints(&mut self, ids: &[WebhookEndpointId]) -> Result<Vec<Endpoint>, StoreError>;

    /// Changes endpoints, but not their secrets.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_endpoints(&mut self, endpoints: &[Endpoint]) -> Result<(), StoreError>;

    /// Gives an endpoint another secret; the one before signs too until the endpoint's `previous_until`.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_secret(
        &mut self,
        endpoint: &Endpoint,
        secret: &SealedSecret,
        previous: &SealedSecret,
    ) -> Result<(), StoreError>;

    /// Takes an endpoint and its secrets away; its deliveries stay in the log.
    ///
    /// # Errors
    /// The failure of the store.
    fn delete_endpoint(&mut self, id: WebhookEndpointId) -> Result<(), StoreError>;

    /// The number of the last event.
    ///
    /// # Errors
    /// The failure of the store.
    fn last_sequence(&mut self) -> Result<u64, StoreError>;

    /// Up to which event deliveries were made; nobody else makes any until this transaction ends.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_cursor(&mut self) -> Result<u64, StoreError>;

    /// Moves the cursor.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_cursor(&mut self, sequence: u64) -> Result<(), StoreError>;

    /// Which endpoints are to get the events after one number up to another, in the order of the events.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_matches(&mut self, after: u64, up_to: u64) -> Result<Vec<Match>, StoreError>;

    /// Keeps new deliveries.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_deliveries(&mut self, deliveries: &[Delivery]) -> Result<(), StoreError>;

    /// Takes what is due and whose turn it is; what is not ended until then may be taken by somebody else.
    ///
    /// # Errors
    /// The failure of the store.
    fn claim(&mut self, room: &Room, now: Instant, until: Instant) -> Result<Vec<Claimed>, StoreError>;

    /// Keeps attempts.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_attempts(&mut self, attempts: &[Attempt]) -> Result<(), StoreError>;

    /// Ends claims, as far as they are still good.
    ///
    /// # Errors
    /// The failure of the store.
    fn end_claims(&mut self, ended: &[Ended]) -> Result<(), StoreError>;

    /// Later events of the same subject wait as long as these: they could not be sent earlier anyway.
    ///
    /// # Errors
    /// The failure of the store.
    fn postpone_after(&mut self, failed: &[Delivery]) -> Result<(), StoreError>;

    /// Gives up whatever waits for these endpoints.
    ///
    /// # Errors
    /// The failure of the store.
    fn give_up(&mut self, endpoints: &[WebhookEndpointId], at: Instant) -> Result<(), StoreError>;

    /// Whose a delivery is.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_endpoint_of(&mut self, id: WebhookDeliveryId) -> Result<Option<WebhookEndpointId>, StoreError>;

    /// A delivery, kept from change until the transaction ends.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_delivery(&mut self, id: WebhookDeliveryId) -> Result<Option<Delivery>, StoreError>;

    /// Changes a delivery; a claim of it is void.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_delivery(&mut self, delivery: &Delivery) -> Result<(), StoreError>;
}

/// Which deliveries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// In this status.
    pub status: Option<DeliveryStatus>,
    /// Of this type.
    pub kind: Option<EventKind>,
    /// Of this event.
    pub event: Option<EventId>,
}

/// A delivery with its newest attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The delivery.
    pub delivery: Delivery,
    /// Its attempts, oldest first.
    pub attempts: Vec<Attempt>,
}

/// Endpoints and deliveries, as one viewer sees them.
pub trait WebhookQueries {
    /// A page of endpoints, oldest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_endpoints(&mut self, page: &PageRequest) -> Result<Page<Endpoint>, StoreError>;

    /// One endpoint.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_endpoint(&mut self, id: WebhookEndpointId) -> Result<Option<Endpoint>, StoreError>;

    /// A page of an endpoint's deliveries, newest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_deliveries(
        &mut self,
        endpoint: WebhookEndpointId,
        filter: &DeliveryFilter,
        page: &PageRequest,
    ) -> Result<Page<Logged>, StoreError>;
}
