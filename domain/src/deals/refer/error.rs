//! Why a referral is refused, and why a batch fails.

use crate::access::MissingScope;
use crate::chain::presented::StatementRefusal;
use crate::chain::statement::StatementError;
use crate::kernel::Digest;
use crate::kernel::fault::Reason;
use crate::kernel::jcs::JcsError;
use crate::store::{StoreError, UseCaseError};

/// Why a referral is not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferRefusal {
    /// The actor may not.
    #[error(transparent)]
    Scope(#[from] MissingScope),
    /// No such member, or none that the actor acts for.
    #[error("there is no such member")]
    UnknownMember,
    /// The member or its organisation may not refer now.
    #[error("the member may not refer: it, or its organisation, is suspended")]
    MemberSuspended,
    /// No such provider.
    #[error("there is no such provider")]
    UnknownProvider,
    /// The provider takes no new business now.
    #[error("the provider is suspended")]
    ProviderSuspended,
    /// No such product.
    #[error("there is no product of that code")]
    UnknownProduct,
    /// No version governs the deal.
    #[error("no agreement version is in force on the day of the referral")]
    NoAgreement,
    /// Later than today in Sydney.
    #[error("the day of the referral is in the future")]
    ReferredInTheFuture,
    /// A member with a key of its own signs for itself.
    #[error("the member has a key of its own: the offer must be signed with it")]
    MemberHasKey,
    /// The organisation calls another deal so.
    #[error("another deal has that external_ref")]
    ExternalRefTaken,
    /// The handshake or contact that the offer names is another one.
    #[error("the offer names the id of another handshake or contact; ask for fresh ones")]
    IdTaken,
    /// The offer.
    #[error(transparent)]
    Offer(#[from] StatementRefusal),
    /// The offer commits to other terms than the request.
    #[error("row_sha256 of the offer is not the digest of these terms, {0}")]
    OtherTerms(Digest),
}

impl Reason for ReferRefusal {
    fn code(&self) -> &'static str {
        match self {
            Self::Scope(_) => "insufficient_scope",
            Self::UnknownMember => "unknown_member",
            Self::MemberSuspended => "member_suspended",
            Self::UnknownProvider => "unknown_provider",
            Self::ProviderSuspended => "provider_suspended",
            Self::UnknownProduct => "unknown_product",
            Self::NoAgreement => "no_agreement",
            Self::ReferredInTheFuture => "referred_in_the_future",
            Self::MemberHasKey => "member_has_key",
            Self::ExternalRefTaken => "external_ref_taken",
            Self::IdTaken => "id_taken",
            Self::Offer(refusal) => refusal.code(),
            Self::OtherTerms(_) => "terms_mismatch",
        }
    }
}

/// Why nothing of a batch was taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Signing.
    #[error(transparent)]
    Sign(#[from] StatementError),
    /// Canonical bytes.
    #[error(transparent)]
    Canonical(#[from] JcsError),
}

impl UseCaseError for ReferError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            Self::Sign(_) | Self::Canonical(_) => None,
        }
    }
}
