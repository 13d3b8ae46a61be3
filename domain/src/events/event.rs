//! An event before and after it has its number, and where events are kept.

use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::data::EventData;
use super::kind::EventKind;
use crate::env::Env;
use crate::kernel::Instant;
use crate::kernel::id::encode;
use crate::kernel::ids::EventId;
use crate::kernel::{Page, PageRequest};
use crate::store::StoreError;

/// Something that happens in this transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// To what.
    pub subject: Uuid,
    /// The data, as JSON.
    pub data: Vec<u8>,
    /// Organisations and members that may see it; staff see all.
    pub visible_to: Vec<Uuid>,
    /// When.
    pub occurred_at: Instant,
}

impl NewEvent {
    /// Something that happens now.
    ///
    /// # Errors
    /// When the data are not those of the kind: a defect of the caller, never of a user.
    pub fn new<D: EventData>(
        env: &Env<'_>,
        kind: EventKind,
        subject: Uuid,
        data: &D,
        visible_to: &[Uuid],
    ) -> Result<Self, StoreError> {
        if kind.data() != D::NAME {
            return Err(StoreError::Failed(format!("`{kind}` carries {}, not {}", kind.data(), D::NAME)));
        }
        let data = serde_json::to_vec(data).map_err(|e| StoreError::Failed(e.to_string()))?;
        let id = EventId::new(env.ids.next());
        Ok(Self { id, kind, subject, data, visible_to: visible_to.to_vec(), occurred_at: env.now })
    }
}

/// An event with its number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its place among all events, from 1, without a gap.
    pub sequence: u64,
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// To what.
    pub subject: Uuid,
    /// The data, as JSON.
    pub data: Vec<u8>,
    /// Organisations and members that may see it; staff see all.
    pub visible_to: Vec<Uuid>,
    /// When it happened.
    pub occurred_at: Instant,
}

#[derive(Serialize)]
struct Payload<'e> {
    id: EventId,
    r#type: &'static str,
    sequence: u64,
    occurred_at: Instant,
    subject_id: String,
    data: &'e RawValue,
}

impl Event {
    /// The id of the subject, with its prefix.
    #[must_use]
    pub fn subject_id(&self) -> String {
        format!("{}_{}", self.kind.subject_prefix(), encode(self.subject))
    }

    /// The bytes that everybody gets: replay, stream and webhooks carry the same.
    ///
    /// # Errors
    /// When the stored data are not JSON.
    pub fn payload(&self) -> Result<Vec<u8>, StoreError> {
        let failed = |e: serde_json::Error| StoreError::Failed(e.to_string());
        let payload = Payload {
            id: self.id,
            r#type: self.kind.as_str(),
            sequence: self.sequence,
            occurred_at: self.occurred_at,
            subject_id: self.subject_id(),
            data: serde_json::from_slice(&self.data).map_err(failed)?,
        };
        serde_json::to_vec(&payload).map_err(failed)
    }
}

/// Which events are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsAsked {
    /// Of these kinds.
    pub kinds: Vec<EventKind>,
    /// Of this subject only.
    pub subject: Option<Uuid>,
    /// Those with a larger number.
    pub after_sequence: u64,
}

/// Events, inside a transaction.
pub trait EventRepository {
    /// Keeps what happened; it is numbered after the commit.
    ///
    /// # Errors
    /// The failure of the store.
    fn append(&mut self, events: &[NewEvent]) -> Result<(), StoreError>;

    /// Numbers at most `limit` events that were committed. Returns how many.
    ///
    /// # Errors
    /// The failure of the store.
    fn number(&mut self, limit: u32) -> Result<u32, StoreError>;
}

/// Numbered events, as one viewer sees them.
pub trait EventQueries {
    /// A page in the order of the sequence, oldest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_events(&mut self, asked: &EventsAsked, page: &PageRequest) -> Result<Page<Event>, StoreError>;

    /// One event.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_event(&mut self, id: EventId) -> Result<Option<Event>, StoreError>;

    /// The number of the last event.
    ///
    /// # Errors
    /// The failure of the store.
    fn last_sequence(&mut self) -> Result<u64, StoreError>;

    /// How many events wait for their number.
    ///
    /// # Errors
    /// The failure of the store.
    fn count_unnumbered(&mut self) -> Result<u64, StoreError>;
}
