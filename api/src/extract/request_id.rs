//! The id of a request: the caller's own `X-Request-Id` when it is sane, otherwise a new one.

use actix_web::HttpMessage;
use domain::kernel::id;
use uuid::Uuid;

/// Printed into logs, problems and the audit log; 1–64 letters, digits, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// The caller's id, or a new one.
    #[must_use]
    pub fn of(given: Option<&str>, fresh: impl FnOnce() -> Uuid) -> Self {
        let sane = |text: &&str| {
            (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        };
        Self(given.filter(sane).map_or_else(|| format!("req_{}", id::encode(fresh())), str::to_owned))
    }

    /// The id that the outermost middleware gave to a request.
    #[must_use]
    pub fn current(request: &impl HttpMessage) -> Self {
        request.extensions().get::<Self>().cloned().unwrap_or_else(|| Self("req_unknown".to_owned()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
