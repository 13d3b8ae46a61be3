//! Which web pages may ask: those of the origins that the settings name, and none without.
//!
//! Callers carry a token in a header, never a cookie, so credentials are not allowed.

use actix_cors::Cors;
use actix_web::http::{Method, Uri};
use actix_web::middleware::Condition;

/// How long a browser may remember what it was allowed.
const REMEMBERED_SECONDS: usize = 3_600;
/// What a page may send beside what every page may.
const SENT: [&str; 9] = [
    "authorization",
    "content-type",
    "flip360-declaration",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "last-event-id",
    "traceparent",
    "x-request-id",
];
/// What a page may read of an answer beside what every page may.
const READ: [&str; 11] = [
    "Deprecation",
    "ETag",
    "Location",
    "Link",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Sunset",
    "traceparent",
    "X-Request-Id",
    "Idempotency-Replayed",
];

/// Lets pages of these origins ask; without one, a preflight is a question like any other and no answer
/// may be read by a page.
#[must_use]
pub fn cors(origins: &[String]) -> Condition<Cors> {
    let methods = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    let allowed =
        Cors::default().allowed_methods(methods).allowed_headers(SENT).expose_headers(READ).max_age(REMEMBERED_SECONDS);
    let allowed = origins.iter().fold(allowed, |allowed, origin| allowed.allowed_origin(origin));
    Condition::new(!origins.is_empty(), allowed)
}

/// Reads an origin as browsers write it: scheme, host, and a port that is not the scheme's own.
///
/// # Errors
/// In words that say what is expected.
pub fn origin(text: &str) -> Result<String, String> {
    let expected = || "expected an origin such as https://portal.example.com, without a path".to_owned();
    let text = text.trim().to_ascii_lowercase();
    let uri: Uri = text.parse().map_err(|_| expected())?;
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(expected()) };
    let own_port = matches!((scheme, authority.port_u16()), ("http", Some(80)) | ("https", Some(443)));
    let plain = text == format!("{scheme}://{authority}") && !authority.as_str().contains(['@', '*']);
    let known = matches!(scheme, "http" | "https");
    if plain && known && !own_port { Ok(text) } else { Err(expected()) }
}
