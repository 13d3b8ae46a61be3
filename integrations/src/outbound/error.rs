//! Why no answer came, in kinds that may be shown to whoever named the target.

use std::error::Error;

use super::resolver::Unresolved;
use super::wall::Refusal;

/// Why no answer came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutboundError {
    /// The target is not one that may be asked.
    #[error("the target {0}")]
    Refused(#[from] Refusal),
    /// The name has no address.
    #[error("the host name does not resolve")]
    Unresolved,
    /// Nobody took the connection.
    #[error("no connection could be made")]
    Unreachable,
    /// The certificate is not good for this name, or TLS failed.
    #[error("the TLS handshake failed: is the certificate valid for this name and complete?")]
    Tls,
    /// No whole answer within the limits.
    #[error("it took too long")]
    TimedOut,
    /// The connection broke, or what came was not HTTP.
    #[error("no valid HTTP answer came")]
    Broken,
}

impl OutboundError {
    /// A stable, machine-readable kind.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Refused(_) => "target_refused",
            Self::Unresolved => "name_not_resolved",
            Self::Unreachable => "connection_failed",
            Self::Tls => "tls_failed",
            Self::TimedOut => "timed_out",
            Self::Broken => "invalid_answer",
        }
    }

    /// The kind of a failure of the client below.
    pub(super) fn of(error: &hyper_util::client::legacy::Error) -> Self {
        let mut cause: Option<&(dyn Error + 'static)> = error.source();
        while let Some(error) = cause {
            if let Some(known) = known(error) {
                return known;
            }
            // An I/O error tells the cause of what it wraps, not the wrapped itself.
            let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
            cause = match wrapped {
                Some(inner) => Some(inner),
                None => error.source(),
            };
        }
        if error.is_connect() { Self::Unreachable } else { Self::Broken }
    }
}

fn known(error: &(dyn Error + 'static)) -> Option<OutboundError> {
    if let Some(refusal) = error.downcast_ref::<Refusal>() {
        return Some(refusal.clone().into());
    }
    if error.is::<Unresolved>() {
        return Some(OutboundError::Unresolved);
    }
    if error.is::<rustls::Error>() {
        return Some(OutboundError::Tls);
    }
    let timed_out = |e: &std::io::Error| e.get_ref().is_none() && e.kind() == std::io::ErrorKind::TimedOut;
    error.downcast_ref::<std::io::Error>().filter(|e| timed_out(e)).map(|_| OutboundError::TimedOut)
}
