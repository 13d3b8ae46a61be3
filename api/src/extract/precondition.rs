//! `If-Match` on a POST: optional, since its effect has an idempotency key already; honoured when sent.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::http::header::IF_MATCH;
use actix_web::{FromRequest, HttpRequest};

use super::body::stale;
use crate::problem::Problem;

/// The version that the caller saw, if it says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(pub Option<u32>);

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(seen_version(request).map(Self))
    }
}

/// The version that `If-Match` names, when it is sent: one strong `ETag`, as it was given.
///
/// # Errors
/// 400 when it is unquoted, weak, `*` or a list; 412 when it is no version, since nothing has such a tag.
pub fn seen_version<N: FromStr + ToString>(request: &HttpRequest) -> Result<Option<N>, Problem> {
    let mut headers = request.headers().get_all(IF_MATCH);
    let Some(header) = headers.next() else { return Ok(None) };
    let tag = header.to_str().ok().and_then(|text| text.trim().strip_prefix('"')?.strip_suffix('"'));
    let Some(tag) = tag.filter(|tag| !tag.contains('"') && headers.next().is_none()) else {
        let detail = "send one `ETag` as it was given, in its quotation marks, such as \"3\"";
        return Err(Problem::malformed_at("#If-Match", "invalid_header", detail));
    };
    let version = tag.parse::<N>().ok().filter(|version| version.to_string() == tag);
    version.map(Some).ok_or_else(stale)
}
