//! Why a use case of access is refused.

use super::{MissingScope, Scope};
use crate::chain::signer::PortError;
use crate::kernel::Faults;
use crate::kernel::ids::UserId;
use crate::store::{StoreError, UseCaseError};

/// Why users and API clients are not created, changed or listed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The actor lacks a scope, or would give one that it does not have.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// The input does not hold together.
    #[error("the request is not valid")]
    Invalid(Faults),
    /// Another user has this e-mail address.
    #[error("a user with this e-mail address exists")]
    EmailTaken,
    /// There is no such user or API client.
    #[error("there is no such user or API client")]
    NotFound,
    /// It changed since it was read.
    #[error("it was changed in the meantime")]
    Stale,
    /// Nobody else could give roles.
    #[error("this is the last administrator: make another one first")]
    LastAdministrator,
    /// The password is wrong, or the user is locked.
    #[error("the password is wrong, or was wrong too often")]
    WrongPassword,
    /// The client has this key.
    #[error("the API client has this key already")]
    KeyTaken,
    /// More keys than a client needs.
    #[error("the API client has as many keys as a client may have: take one away first")]
    TooManyKeys,
    /// There is a second factor already.
    #[error("there is a second factor: take it away with one of its codes first")]
    SecondFactorActive,
    /// Somebody would reset their own second factor.
    #[error("a second factor is reset by somebody else; your own you take away with one of its codes")]
    OwnSecondFactor,
    /// There is none to reset.
    #[error("the user has no second factor")]
    NoSecondFactor,
    /// The issuer is known under this audience.
    #[error("the issuer is registered with this audience")]
    IssuerTaken,
    /// More issuers than a service needs.
    #[error("as many issuers are registered as may be: forget one first")]
    TooManyIssuers,
    /// Another user is linked to this subject.
    #[error("another user is linked to this subject of the issuer")]
    SubjectTaken,
    /// Revoked clients stay revoked.
    #[error("the API client is revoked")]
    Revoked,
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UseCaseError for AccessError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

/// Why nobody is logged in. The reasons are not told apart to a caller, except for a scope too many.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Unknown, wrong secret, revoked, disabled or locked.
    #[error("unknown, or the secret is wrong")]
    Refused,
    /// A refresh token was used a second time: the session of this user has ended.
    #[error("the refresh token was used before")]
    Reused(UserId),
    /// The token would have a scope that needs a second factor.
    #[error("the scope `{0}` needs a second factor: send a code as `totp`")]
    Withheld(Scope),
    /// The token would have a scope that the roles do not have.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl UseCaseError for LoginError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}
