//! Ids in paths. An id of another type, or none, is not found; who may not ask is told that first.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};

use super::Caller;
use crate::app::App;
use crate::problem::Problem;

/// The `{id}` of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id<T>(pub T);

/// The `{key_id}` of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyId<T>(pub T);

/// The `{plan_id}` of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanId<T>(pub T);

impl<T: FromStr> FromRequest for Id<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(named(request, "id").map(Self))
    }
}

impl<T: FromStr> FromRequest for KeyId<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(named(request, "key_id").map(Self))
    }
}

impl<T: FromStr> FromRequest for PlanId<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(named(request, "plan_id").map(Self))
    }
}

fn named<T: FromStr>(request: &HttpRequest, name: &str) -> Result<T, Problem> {
    let text = request.match_info().get(name).unwrap_or_default();
    T::from_str(text).map_err(|_| not_found(request))
}

/// What somebody is told who asks for what cannot exist: the same as of anything that does not.
fn not_found(request: &HttpRequest) -> Problem {
    let pattern = request.match_pattern().unwrap_or_default();
    let app = request.app_data::<Data<App>>();
    let operation = app.and_then(|app| app.policy.operation(request.method(), &pattern));
    match operation.filter(|operation| !operation.scopes.is_empty()).map(|_| Caller::of(request)) {
        Some(Err(refused)) => refused,
        Some(Ok(_)) | None => other_method(request, app).unwrap_or_else(Problem::not_found),
    }
}

/// What stands in the place of an id may be the name of something that answers other methods.
fn other_method(request: &HttpRequest, app: Option<&Data<App>>) -> Option<Problem> {
    let allow = app?.policy.allowed(request.path())?;
    let is_answered = allow.split(", ").any(|method| method == request.method().as_str());
    (!is_answered).then(|| Problem::other_method(allow))
}
