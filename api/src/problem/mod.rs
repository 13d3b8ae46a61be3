//! Problems: what is wrong, for a person and for a program (RFC 9457).
//!
//! Each reason of the domain is matched here or in the file of its context, without a wildcard arm: a
//! new reason does not compile until somebody has said what it looks like on the wire. A 5xx carries a
//! code and a request id, never a cause.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use domain::kernel::page::INVALID_CURSOR;
use domain::kernel::{Fault, Faults};
use domain::store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

mod access;
mod agreements;
mod catalogue;
pub mod codes;
mod deals;
mod directory;
mod handshakes;
mod ledger;
mod payouts;
mod posting;
mod provider_statements;
mod receipts;
mod simulations;
pub mod stripe;
mod webhooks;

/// A problem's type: a name that leads nowhere, as RFC 9457 allows; its last part is the code.
const TYPE_BASE: &str = "urn:flip360:problem:";

/// A problem before it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// Stable and machine-readable, `snake_case`.
    pub code: &'static str,
    /// What is wrong this time.
    pub detail: String,
    /// Every invalid field.
    pub errors: Vec<Fault>,
    /// Headers that belong to it: `Retry-After`, `Allow`, `WWW-Authenticate`.
    pub headers: Vec<(&'static str, String)>,
}

/// One invalid field.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FieldError)]
pub struct FieldErrorView {
    /// RFC 6901 pointer into the request body; for a query parameter or header its name after `#`.
    #[schema(example = "/bank_account/bsb")]
    pub pointer: String,
    /// Stable and machine-readable.
    #[schema(example = "unknown_bsb")]
    pub code: String,
    /// For a person.
    #[schema(example = "no bank is known for this BSB")]
    pub detail: String,
}

/// `application/problem+json` (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemView {
    /// Names the kind of problem: a URN that ends in the code.
    #[schema(example = "urn:flip360:problem:validation_failed")]
    pub r#type: String,
    /// The kind, in words.
    #[schema(example = "Unprocessable Entity")]
    pub title: String,
    /// The HTTP status again.
    #[schema(example = 422)]
    pub status: u16,
    /// What is wrong this time.
    #[schema(example = "2 fields are not valid")]
    pub detail: String,
    /// The path that was asked for.
    #[schema(example = "/v1/payees")]
    pub instance: String,
    /// Stable and machine-readable.
    #[schema(example = "validation_failed")]
    pub code: String,
    /// Quote this when you ask for help.
    #[schema(example = "req_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub request_id: String,
    /// Every invalid field at once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldErrorView>,
}

impl Problem {
    /// A problem without fields.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), errors: Vec::new(), headers: Vec::new() }
    }

    /// 400: the request cannot be read.
    #[must_use]
    pub fn malformed(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 400 at one field, parameter or header.
    #[must_use]
    pub fn malformed_at(pointer: &str, code: &'static str, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        let fault = Fault { pointer: pointer.to_owned(), code, detail: detail.clone() };
        Self { errors: vec![fault], ..Self::malformed(code, detail) }
    }

    /// 422 with every invalid field.
    #[must_use]
    pub fn invalid(faults: Faults) -> Self {
        let detail = match faults.0.as_slice() {
            [one] => format!("{}: {}", one.pointer, one.detail),
            many => format!("{} fields are not valid", many.len()),
        };
        Self { errors: faults.0, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "validation_failed", detail) }
    }

    /// 404: it does not exist, or is none of the caller's business.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is no such thing here, or it is not yours to see")
    }

    /// 405: the path answers these methods, as an `Allow` header says it.
    #[must_use]
    pub fn other_method(allow: String) -> Self {
        let detail = format!("this path answers {allow}");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).with_header("Allow", allow)
    }

    /// 403: the token does not carry the scope.
    #[must_use]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "insufficient_scope", detail)
    }

    /// 401 with the challenge of RFC 6750.
    #[must_use]
    pub fn unauthenticated(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail)
            .with_header("WWW-Authenticate", "Bearer realm=\"flip360\"")
    }

    /// 409: the request meets a state in which it cannot be done.
    #[must_use]
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 422: understood, and refused by a rule.
    #[must_use]
    pub fn refused(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// 503: try again.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "the service is busy; try again with the same key")
            .with_header("Retry-After", "1")
    }

    /// 500: the cause goes to the log, not to the caller.
    #[must_use]
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "internal error");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something went wrong on our side; quote the request id",
        )
    }

    /// With a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Whether a retry with the same key must get this same answer: refusals by a rule are final.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        matches!(self.status, StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY)
    }

    /// As it goes out.
    #[must_use]
    pub fn view(&self, instance: &str, request_id: &str) -> ProblemView {
        ProblemView {
            r#type: format!("{TYPE_BASE}{}", self.code),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail.clone(),
            instance: instance.to_owned(),
            code: self.code.to_owned(),
            request_id: request_id.to_owned(),
            errors: self.errors.iter().map(field_error).collect(),
        }
    }
}

fn field_error(fault: &Fault) -> FieldErrorView {
    FieldErrorView { pointer: fault.pointer.clone(), code: fault.code.to_owned(), detail: fault.detail.clone() }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.status.as_u16(), self.code, self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    /// The body is written by the outermost middleware, which knows the path and the request id.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status);
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(*name), HeaderValue::try_from(value.as_str())) {
                response.headers_mut().insert(name, value);
            }
        }
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Contention | StoreError::Unavailable => Self::unavailable(),
            StoreError::Violates(rule) if rule == INVALID_CURSOR => {
                Self::malformed_at("#cursor", "invalid_cursor", "use the `next_cursor` of the page before")
            }
            StoreError::Violates(rule) if rule == "value_out_of_range" => {
                Self::refused("value_out_of_range", "a date or a number is out of the range that can be kept")
            }
            // A rule that a use case should have told apart before.
            StoreError::Violates(rule) => Self::internal(&format_args!("the database rule {rule} was broken")),
            StoreError::Failed(cause) => Self::internal(&cause),
        }
    }
}

impl From<Faults> for Problem {
    fn from(faults: Faults) -> Self {
        Self::invalid(faults)
    }
}
