//! An endpoint: where events are sent to, which ones, and whether it still listens.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::retry::DISABLE_AFTER;
use crate::access::Scope;
use crate::directory::ClusterText;
use crate::events::EventKind;
use crate::kernel::Instant;
use crate::kernel::fault::Reason;
use crate::kernel::ids::{OrganisationId, WebhookEndpointId};

/// Endpoints of one owner, at most.
pub const MAX_PER_OWNER: u32 = 20;

/// How requests are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// HMAC-SHA256 with a shared secret.
    V1,
    /// Ed25519: the endpoint knows the public key only.
    V1a,
}

impl Signing {
    /// As it is stored, shown, and written before a signature.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V1a => "v1a",
        }
    }

    /// Reads it.
    ///
    /// # Errors
    /// When there is no such scheme.
    pub fn parse(text: &str) -> Result<Self, UnknownWord> {
        [Self::V1, Self::V1a].into_iter().find(|s| s.as_str() == text).ok_or(UnknownWord("v1, v1a"))
    }
}

/// The word is none of those that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected one of {0}")]
pub struct UnknownWord(pub &'static str);

impl Reason for UnknownWord {
    fn code(&self) -> &'static str {
        "unknown_value"
    }
}

/// Which types of event an endpoint wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventTypes {
    /// `*`: all, and those that come later.
    All,
    /// These.
    Only(BTreeSet<EventKind>),
}

impl EventTypes {
    /// What stands for all.
    pub const ALL: &'static str = "*";

    /// As it is stored and shown.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        match self {
            Self::All => vec![Self::ALL],
            Self::Only(kinds) => kinds.iter().map(|kind| kind.as_str()).collect(),
        }
    }

    /// Those that somebody with these scopes may not read.
    #[must_use]
    pub fn beyond(&self, scopes: &BTreeSet<Scope>) -> Vec<EventKind> {
        match self {
            Self::All => Vec::new(),
            Self::Only(kinds) => kinds.iter().copied().filter(|kind| !scopes.contains(&kind.scope())).collect(),
        }
    }
}

/// Why an endpoint gets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisabledReason {
    /// Its owner said so.
    ByHand,
    /// It answered 410.
    Gone,
    /// Nothing was taken for three days.
    Failing,
    /// The user who answers for it was disabled, or the API client revoked.
    OwnerGone,
}

impl DisabledReason {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ByHand => "by_hand",
            Self::Gone => "gone",
            Self::Failing => "failing",
            Self::OwnerGone => "owner_gone",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let known = [Self::ByHand, Self::Gone, Self::Failing, Self::OwnerGone];
        known.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// Whether an endpoint listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndpointStatus {
    /// It gets events.
    Enabled,
    /// It gets nothing.
    Disabled {
        /// Why.
        reason: DisabledReason,
        /// Since when.
        at: Instant,
    },
}

impl EndpointStatus {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled { .. } => "disabled",
        }
    }
}

/// An endpoint, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its id.
    pub id: WebhookEndpointId,
    /// Whose it is; none for the operator's own.
    pub organisation: Option<OrganisationId>,
    /// Who answers for it: who made it, or last chose its types or enabled it. Nobody, for one from before.
    pub owner: Option<Uuid>,
    /// Where requests go to: checked by [`super::Targets`], and again at each connect.
    pub url: String,
    /// What its owner calls it.
    pub description: Option<ClusterText>,
    /// Which events it wants.
    pub event_types: EventTypes,
    /// What whoever chose the types might read.
    pub scopes: BTreeSet<Scope>,
    /// How requests are signed.
    pub signing: Signing,
    /// The public key of `v1a`.
    pub public_key: Option<[u8; 32]>,
    /// Until when the secret before the last rotation signs too.
    pub previous_until: Option<Instant>,
    /// Whether it listens.
    pub status: EndpointStatus,
    /// The first failure since the last success.
    pub failing_since: Option<Instant>,
    /// Events up to this number are not sent.
    pub after_sequence: u64,
    /// When it was made.
    pub created_at: Instant,
    /// Rises with each change.
    pub version: i32,
}

impl Endpoint {
    /// Whom events about the endpoint itself concern.
    #[must_use]
    pub fn seen_by(&self) -> Vec<Uuid> {
        crate::access::ownership::of_organisation(self.organisation)
    }

    /// Gets nothing from now on. Nothing changes when it gets nothing already.
    #[must_use]
    pub fn disabled(self, reason: DisabledReason, at: Instant) -> Self {
        match self.status {
            EndpointStatus::Disabled { .. } => self,
            EndpointStatus::Enabled => {
                Self { status: EndpointStatus::Disabled { reason, at }, version: self.version + 1, ..self }
            }
        }
    }

    /// Listens again, from the event after this one on.
    #[must_use]
    pub fn enabled(self, after_sequence: u64) -> Self {
        match self.status {
            EndpointStatus::Enabled => self,
            EndpointStatus::Disabled { .. } => {
                Self { status: EndpointStatus::Enabled, failing_since: None, after_sequence, ..self }
            }
        }
    }

    /// It took an event.
    #[must_use]
    pub fn succeeded(self) -> Self {
        Self { failing_since: None, ..self }
    }

    /// It did not take an event; for three days now: then it gets nothing more.
    #[must_use]
    pub fn failed(self, at: Instant) -> Self {
        let since = self.failing_since.unwrap_or(at);
        let failing = Self { failing_since: Some(since), ..self };
        let lasted = at.timestamp().duration_since(since.timestamp());
        if lasted >= DISABLE_AFTER { failing.disabled(DisabledReason::Failing, at) } else { failing }
    }
}
