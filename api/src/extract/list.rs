//! Lists: who asks, which page, in which order, of which rows. What all lists share is read here; the filters
//! of one list are a type of its own ([`ListQuery`]).
//!
//! | parameter | meaning |
//! |---|---|
//! | `limit` | rows on a page, 1–200, 50 when it is not said |
//! | `cursor` | the `next_cursor` of the page before ([`super::cursor`]) |
//! | `sort` | the list's own key, or the same after `-` for the other way |
//! | `created_after`, `created_before` | only rows that came about between; where rows say when they did |
//!
//! A parameter that a list does not know is 400 and named.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use domain::access::Viewer;
use domain::kernel::{Instant, Order, PageRequest};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, Type};

use super::Caller;
use super::cursor::Cursors;
use super::query::{filter, read};
use crate::app::App;
use crate::problem::Problem;

/// Rows on a page when the caller does not say.
const DEFAULT_LIMIT: u16 = 50;
/// Rows on a page at most.
const MAX_LIMIT: u16 = 200;
/// What every list takes.
const SHARED: [&str; 3] = ["limit", "cursor", "sort"];
/// What lists take whose rows say when they came about.
const DATED: [&str; 2] = ["created_after", "created_before"];

/// The filters of one list. The type denies unknown fields, and has none of those that all lists share.
pub trait ListQuery: DeserializeOwned {
    /// What the list is in the order of.
    const SORT: &'static str = "created_at";
    /// Whether its rows say when they came about.
    const DATED: bool = true;
}

/// A list without filters of its own.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unfiltered {}

impl ListQuery for Unfiltered {}

impl IntoParams for Unfiltered {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Vec::new()
    }
}

/// A request for a page of a list.
#[derive(Clone)]
pub struct List<Q> {
    /// Who asks.
    pub caller: Caller,
    /// Of which rows.
    pub query: Q,
    /// Which page.
    pub page: PageRequest,
    /// Writes the cursor of the next page.
    pub cursors: Cursors,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SharedQuery {
    limit: Option<String>,
    cursor: Option<String>,
    sort: Option<String>,
    created_after: Option<String>,
    created_before: Option<String>,
}

/// A request for a page of a list that is everybody's: nobody logs in for it.
#[derive(Clone)]
pub struct OpenList<Q> {
    /// Of which rows.
    pub query: Q,
    /// Which page.
    pub page: PageRequest,
    /// Writes the cursor of the next page.
    pub cursors: Cursors,
}

impl<Q: ListQuery> List<Q> {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let caller = Caller::of(request)?;
        let OpenList { query, page, cursors } = OpenList::read(request, &caller.viewer(), caller.operation)?;
        Ok(Self { caller, query, page, cursors })
    }
}

impl<Q: ListQuery> OpenList<Q> {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let app = request.app_data::<Data<App>>().ok_or_else(|| Problem::internal(&"no application"))?;
        let pattern = request.match_pattern().unwrap_or_default();
        let Some(operation) = app.policy.operation(request.method(), &pattern) else {
            return Err(Problem::internal(&format_args!("{pattern} is not in the API document")));
        };
        Self::read(request, &Viewer::Parties(Vec::new()), operation.id)
    }

    fn read(request: &HttpRequest, viewer: &Viewer, operation: &'static str) -> Result<Self, Problem> {
        let app = request.app_data::<Data<App>>().ok_or_else(|| Problem::internal(&"no application"))?.clone();
        let (shared, own): (Vec<&str>, Vec<&str>) = request.query_string().split('&').partition(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            SHARED.contains(&name) || (Q::DATED && DATED.contains(&name))
        });
        let query = read::<Q>(&own.join("&"))?;
        let asked = read::<SharedQuery>(&shared.join("&"))?;
        let mut parameters = read::<Vec<(String, String)>>(&own.join("&"))?;
        let others =
            [("sort", &asked.sort), ("created_after", &asked.created_after), ("created_before", &asked.created_before)];
        parameters.extend(others.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text.clone()?))));
        let cursors = Cursors::new(app, [operation, request.path()], viewer, &parameters);
        let page = PageRequest {
            limit: filter("limit", asked.limit.as_deref(), limit).map_err(out_of_range)?.unwrap_or(DEFAULT_LIMIT),
            after: asked.cursor.as_deref().map(|cursor| cursors.read(cursor)).transpose()?,
            order: filter("sort", asked.sort.as_deref(), |text| order(Q::SORT, text))?,
            later_than: filter("created_after", asked.created_after.as_deref(), instant)?,
            earlier_than: filter("created_before", asked.created_before.as_deref(), instant)?,
        };
        Ok(Self { query, page, cursors })
    }
}

fn limit(text: &str) -> Result<u16, String> {
    let limit = text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit));
    limit.ok_or_else(|| format!("limit is 1 to {MAX_LIMIT}"))
}

fn out_of_range(problem: Problem) -> Problem {
    Problem::malformed_at("#limit", "limit_out_of_range", problem.detail)
}

fn order(key: &str, text: &str) -> Result<Order, String> {
    match text.strip_prefix('-') {
        None if text == key => Ok(Order::Ascending),
        Some(descending) if descending == key => Ok(Order::Descending),
        _ => Err(format!("this list sorts by {key} or -{key}")),
    }
}

/// Reads a moment.
///
/// # Errors
/// When it is not RFC 3339.
pub fn instant(text: &str) -> Result<Instant, &'static str> {
    text.parse().map(Instant::new).map_err(|_| "expected RFC 3339, such as 2026-07-01T00:00:00Z")
}

impl<Q: ListQuery> FromRequest for List<Q> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl<Q: ListQuery> FromRequest for OpenList<Q> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

impl<Q: ListQuery + IntoParams> IntoParams for OpenList<Q> {
    fn into_params(parameter_in: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        List::<Q>::into_params(parameter_in)
    }
}

impl<Q: ListQuery + IntoParams> IntoParams for List<Q> {
    fn into_params(parameter_in: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let text = || ObjectBuilder::new().schema_type(Type::String);
        let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MAX_LIMIT));
        let number = number.default(Some(DEFAULT_LIMIT.into()));
        let keys = text().enum_values(Some([Q::SORT.to_owned(), format!("-{}", Q::SORT)]));
        let mut all = vec![
            parameter("limit", "Rows on a page.", number, DEFAULT_LIMIT.into()),
            parameter(
                "cursor",
                "The `next_cursor` of the page before. It is good for the same list with the same filters and order, asked by the same party.",
                text(),
                "AZrB6lDpdxGtlw3rOy3tRs2kW0Yqv9u1m3N5b7cXeLo".into(),
            ),
            parameter(
                "sort",
                "Which way the list goes; its usual way when this is left out.",
                keys,
                format!("-{}", Q::SORT).into(),
            ),
        ];
        if Q::DATED {
            all.push(parameter(
                "created_after",
                "Only what came about later than this (RFC 3339).",
                text(),
                "2026-07-01T00:00:00Z".into(),
            ));
            all.push(parameter(
                "created_before",
                "Only what came about earlier than this (RFC 3339).",
                text(),
                "2027-07-01T00:00:00Z".into(),
            ));
        }
        all.extend(Q::into_params(parameter_in));
        all
    }
}

fn parameter(name: &str, description: &str, schema: ObjectBuilder, example: serde_json::Value) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
        .example(Some(example))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_goes_by_its_own_key_alone() {
        assert_eq!(order("created_at", "created_at"), Ok(Order::Ascending));
        assert_eq!(order("created_at", "-created_at"), Ok(Order::Descending));
        for text in ["", "-", "--created_at", "name", "+created_at", "Created_at"] {
            assert!(order("created_at", text).is_err(), "{text}");
        }
    }
}
