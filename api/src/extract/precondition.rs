//! `If-Match` on a POST: optional, since its effect has an idempotency key already; honoured when sent.

use std::future::{Ready, ready};

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
        let Some(header) = request.headers().get(IF_MATCH) else { return ready(Ok(Self(None))) };
        let version = header.to_str().ok().and_then(|text| text.trim().trim_matches('"').parse().ok());
        ready(version.map(|version| Self(Some(version))).ok_or_else(stale))
    }
}
