//! Query parameters: named filters; an unknown one is refused.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// The query parameters of a list. The type denies unknown fields.
#[derive(Debug, Clone)]
pub struct Filter<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Filter<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let read = web::Query::<T>::from_query(request.query_string());
        ready(read.map(|query| Self(query.into_inner())).map_err(|error| {
            let detail = error.to_string();
            let detail = detail.strip_prefix("Query deserialize error: ").unwrap_or(&detail);
            Problem::malformed_at("#query", "invalid_query", detail)
        }))
    }
}
