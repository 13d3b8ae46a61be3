//! Why a handshake is not countersigned, and why a batch of them is not.

use crate::access::MissingScope;
use crate::chain::presented::StatementRefusal;
use crate::chain::statement::StatementError;
use crate::kernel::Digest;
use crate::kernel::fault::Reason;
use crate::kernel::ids::HandshakeId;
use crate::kernel::jcs;
use crate::store::{StoreError, UseCaseError};

/// Why a handshake is not countersigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CountersignRefusal {
    /// The actor may not.
    #[error(transparent)]
    Scope(#[from] MissingScope),
    /// No such handshake, or none that the actor takes part in.
    #[error("there is no such handshake")]
    UnknownHandshake,
    /// The actor takes part, but it is not the one to accept.
    #[error("only who the offer is made to accepts")]
    NotCounterparty,
    /// It is sealed, by another accept.
    #[error("the handshake is countersigned already")]
    AlreadyCountersigned,
    /// Whom the offer is about was erased, and the offer with it.
    #[error("whom it is about was erased: it takes no more signatures")]
    Erased,
    /// The deal has ended, or its offer was declined.
    #[error("the deal is {0}: its offer cannot be accepted any more")]
    NotOpen(&'static str),
    /// What it hands over was handed over to somebody else, who was first to accept.
    #[error("somebody else accepted what this hands over")]
    HandedOver,
    /// No version governs the deal.
    #[error("no agreement version is in force on the day of the referral")]
    NoAgreement,
    /// The accept.
    #[error(transparent)]
    Accept(#[from] StatementRefusal),
    /// The accept is for another handshake.
    #[error("the accept names the handshake {0}")]
    OtherHandshake(HandshakeId),
    /// The accept commits to another offer.
    #[error("offer_sha256 of the accept is not the digest of the offer's envelope, {0}")]
    OtherOffer(Digest),
}

impl Reason for CountersignRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Scope(_) => "insufficient_scope",
            Self::UnknownHandshake => "unknown_handshake",
            Self::NotCounterparty => "not_counterparty",
            Self::AlreadyCountersigned => "already_countersigned",
            Self::Erased => "erased",
            Self::NotOpen(_) => "deal_not_open",
            Self::HandedOver => "handed_over",
            Self::NoAgreement => "no_agreement",
            Self::Accept(refusal) => refusal.code(),
            Self::OtherHandshake(_) => "handshake_mismatch",
            Self::OtherOffer(_) => "offer_mismatch",
        }
    }
}

/// Why nothing of a batch was taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CountersignError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Signing.
    #[error(transparent)]
    Sign(#[from] StatementError),
    /// Canonical bytes.
    #[error(transparent)]
    Canonical(#[from] jcs::JcsError),
}

impl UseCaseError for CountersignError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Sign(_) | Self::Canonical(_) => None,
        }
    }
}
