//! Operations that are on their way out say so with every answer: `Deprecation` (RFC 9745) since when they
//! should not be used, `Sunset` (RFC 8594) from when on they may be gone.
//!
//! Both come from the API document: `deprecated: true` with `x-deprecated-on` and `x-sunset-on`. A truth test
//! holds every deprecated operation to both.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use jiff::civil::Date;
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::tz::TimeZone;

use crate::policy::Operation;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Tells a caller of the operation what becomes of it.
pub fn tell(operation: &Operation, headers: &mut HeaderMap) {
    let since = operation.deprecated_on.and_then(midnight).map(|at| format!("@{}", at.as_second()));
    let until = operation.sunset_on.and_then(midnight);
    let until = until.and_then(|at| DateTimePrinter::new().timestamp_to_rfc9110_string(&at).ok());
    for (name, text) in [(DEPRECATION, since), (SUNSET, until)] {
        if let Some(value) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(name, value);
        }
    }
}

/// The moment at which a day begins in UTC.
fn midnight(on: Date) -> Option<jiff::Timestamp> {
    on.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp())
}
