//! Headers that tell browsers to do nothing with an answer but what a client asked for.
//!
//! Answers of the API are data: nothing in them runs, is framed, or is guessed to be something else. The
//! reference page may load its own files and ask its own server.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue};

/// Of data.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox";
/// Of the reference page; Swagger UI sets styles at elements and holds its pictures in itself.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
/// A year; only where the service is reached by TLS, else a browser could not reach it any more.
const TRANSPORT_POLICY: &str = "max-age=31536000; includeSubDomains";

/// What every answer carries.
const ALWAYS: [(&str, &str); 4] = [
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Completes the headers of an answer.
pub fn harden(headers: &mut HeaderMap, path: &str, public_url: &str) {
    let page = path == "/docs" || path.starts_with("/docs/");
    let policy = if page { PAGE_POLICY } else { DATA_POLICY };
    let transport = public_url.starts_with("https://").then_some(("strict-transport-security", TRANSPORT_POLICY));
    for (name, value) in ALWAYS.into_iter().chain(transport) {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    // A page of our own may name the one style that it has.
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    }
    if !headers.contains_key(CACHE_CONTROL) {
        let public = page || path == "/openapi.json";
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(if public { "no-cache" } else { "no-store" }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_bound_to_tls_only_where_there_is_tls() {
        let strict = |url: &str| {
            let mut headers = HeaderMap::new();
            harden(&mut headers, "/v1/me", url);
            headers.contains_key("strict-transport-security")
        };
        assert!(strict("https://api.flip360.example"));
        assert!(!strict("http://127.0.0.1:8360"));
    }
}
