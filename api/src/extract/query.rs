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
        ready(read(request.query_string()).map(Self))
    }
}

/// Reads query parameters.
///
/// # Errors
/// 400; a parameter that is not known is named.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    web::Query::<T>::from_query(text).map(web::Query::into_inner).map_err(|error| {
        let detail = error.to_string();
        let detail = detail.strip_prefix("Query deserialize error: ").unwrap_or(&detail);
        let unknown = detail.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'));
        match unknown {
            Some((name, _)) => {
                let detail = format!("there is no parameter `{name}` here");
                Problem::malformed_at(&format!("#{name}"), "invalid_query", detail)
            }
            None => Problem::malformed_at("#query", "invalid_query", detail),
        }
    })
}

/// Reads a filter that has a value of its own.
///
/// # Errors
/// 400 when there is no such value.
pub fn filter<T, E: std::fmt::Display>(
    name: &str,
    text: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, Problem> {
    let bad = |e: E| Problem::malformed_at(&format!("#{name}"), "invalid_filter", e.to_string());
    text.map(parse).transpose().map_err(bad)
}

/// Reads a filter that is any text that can be stored.
///
/// # Errors
/// 400 when it holds a NUL, which no stored text does.
pub fn plain(name: &str, text: Option<String>) -> Result<Option<String>, Problem> {
    if text.as_ref().is_some_and(|text| text.contains('\0')) {
        return Err(Problem::malformed_at(&format!("#{name}"), "invalid_filter", "must not contain NUL"));
    }
    Ok(text)
}
