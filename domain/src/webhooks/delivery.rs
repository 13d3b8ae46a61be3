//! One event on its way to one endpoint, and the attempts that were made.

use uuid::Uuid;

use super::endpoint::Signing;
use super::secret::SealedSecret;
use crate::events::{Event, EventKind};
use crate::kernel::Instant;
use crate::kernel::ids::{EventId, WebhookDeliveryId, WebhookEndpointId};

/// So many bytes of an answer are kept.
pub const KEPT_BODY: usize = 4_096;

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryStatus {
    /// It is, or will be, sent.
    Pending,
    /// A 2xx came.
    Delivered,
    /// It is not sent any more.
    GivenUp,
}

impl DeliveryStatus {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::GivenUp => "given_up",
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// When there is no such status.
    pub fn parse(text: &str) -> Result<Self, super::endpoint::UnknownWord> {
        let all = [Self::Pending, Self::Delivered, Self::GivenUp];
        let found = all.into_iter().find(|status| status.as_str() == text);
        found.ok_or(super::endpoint::UnknownWord("pending, delivered, given_up"))
    }
}

/// One event to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: WebhookDeliveryId,
    /// To whom.
    pub endpoint: WebhookEndpointId,
    /// The event's number.
    pub sequence: u64,
    /// The event: `webhook-id` in each attempt.
    pub event: EventId,
    /// What happened.
    pub kind: EventKind,
    /// To what.
    pub subject: Uuid,
    /// When it happened.
    pub occurred_at: Instant,
    /// Where the delivery stands.
    pub status: DeliveryStatus,
    /// When it is sent next.
    pub due_at: Instant,
    /// Whether it keeps its place among the events of its subject.
    pub in_order: bool,
    /// Failures of this round: what the wait is reckoned from.
    pub failures: u32,
    /// Attempts in all.
    pub attempts: u32,
    /// When it came about.
    pub created_at: Instant,
    /// When it was delivered or given up.
    pub finished_at: Option<Instant>,
}

impl Delivery {
    /// Sent again by hand, now, whatever has become of it. One that still waits keeps its place; one that
    /// has ended neither waits for others nor keeps them waiting.
    #[must_use]
    pub fn again(self, now: Instant) -> Self {
        match self.status {
            DeliveryStatus::Pending => Self { due_at: now, ..self },
            DeliveryStatus::Delivered | DeliveryStatus::GivenUp => Self {
                status: DeliveryStatus::Pending,
                due_at: now,
                in_order: false,
                failures: 0,
                finished_at: None,
                ..self
            },
        }
    }
}

/// A delivery that this process sends now, with what it needs.
#[derive(Clone)]
pub struct Claimed {
    /// The delivery.
    pub delivery: Delivery,
    /// The claim that its end must name.
    pub claim: i32,
    /// Where to.
    pub url: String,
    /// How it is signed.
    pub signing: Signing,
    /// With what.
    pub secret: SealedSecret,
    /// And with what it was signed before, while that is still good.
    pub previous: Option<SealedSecret>,
    /// The event.
    pub event: Event,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer of this status.
    Answered(u16),
    /// Without one, for this kind of reason.
    Failed(String),
}

impl Outcome {
    /// The status of the answer, if one came.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Answered(status) => Some(*status),
            Self::Failed(_) => None,
        }
    }
}

/// One attempt, as the log keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Of which delivery.
    pub delivery: WebhookDeliveryId,
    /// The claim that it was made under.
    pub claim: i32,
    /// When it was made.
    pub at: Instant,
    /// How long it took.
    pub duration_ms: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// The first bytes of the answer.
    pub body: Vec<u8>,
}

/// What became of a claimed delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// The delivery as it was claimed.
    pub delivery: Delivery,
    /// The claim.
    pub claim: i32,
    /// When the attempt began.
    pub at: Instant,
    /// How long it took.
    pub duration_ms: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// The answer's `Retry-After`.
    pub retry_after: Option<String>,
    /// The first bytes of the answer.
    pub body: Vec<u8>,
}
