//! Reasons of webhooks.

use domain::webhooks::WebhookError;

use super::Problem;
use crate::extract::body::stale;

impl From<WebhookError> for Problem {
    fn from(error: WebhookError) -> Self {
        let detail = error.to_string();
        match error {
            WebhookError::MissingScope(missing) => missing.into(),
            WebhookError::Invalid(faults) => faults.into(),
            WebhookError::NotFound => Self::not_found(),
            WebhookError::Stale => stale(),
            WebhookError::TooMany(_) => Self::conflict("too_many_endpoints", detail),
            WebhookError::Disabled => Self::conflict("endpoint_disabled", detail),
            WebhookError::Port(error) => Self::internal(&error),
            WebhookError::Store(error) => error.into(),
        }
    }
}
