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

/// Reads the value of a filter, when it is given.
///
/// # Errors
/// 400 when it is none of those that there are.
pub fn value<T>(name: &str, text: Option<&str>, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Problem> {
    let unknown = || Problem::malformed_at(&format!("#{name}"), "invalid_value", format!("{name} has no such value"));
    text.map(|text| parse(text).ok_or_else(unknown)).transpose()
}
