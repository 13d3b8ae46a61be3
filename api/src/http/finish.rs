//! The outermost layer: gives every request its id, bounds its time, and completes every answer.
//!
//! One line of log for each answered request, with its id, its trace, the operation and the status; never a
//! path, a query, a header or a body, in which names and secrets may stand.

use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, EntityTag, Header as _, HeaderName, HeaderValue, IfNoneMatch,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpMessage, ResponseError as _};

use super::trace::Trace;
use super::{lifecycle, security};
use crate::app::App;
use crate::extract::RequestId;
use crate::problem::Problem;

const PROBLEM: &str = "application/problem+json";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");

/// How long a request may take until its answer begins; none for any time.
#[derive(Debug, Clone, Copy)]
pub struct Patience(pub Option<Duration>);

/// Gives the request its id, serves HEAD through GET, answers 304, and writes the bodies of problems.
///
/// # Errors
/// Those of the framework.
pub async fn finish(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let began = tokio::time::Instant::now();
    let app = request.app_data::<Data<App>>().cloned();
    let text = |name: &HeaderName| request.headers().get(name).and_then(|h| h.to_str().ok());
    let id = RequestId::of(text(&REQUEST_ID), || app.as_ref().map_or_else(uuid::Uuid::nil, |app| app.ids.next()));
    let once = request.headers().get_all(&TRACE_PARENT).count() == 1;
    let trace = text(&TRACE_PARENT).filter(|_| once).and_then(Trace::parse);
    request.extensions_mut().insert(id.clone());
    let bodiless = request.method() == Method::HEAD;
    if bodiless {
        request.head_mut().method = Method::GET;
    }
    let reads = request.method() == Method::GET;
    // Read whole: a list, weak tags, or `*` (RFC 9110, 13.1.2).
    let known = IfNoneMatch::parse(request.request()).ok().filter(|_| reads);
    let path = request.path().to_owned();
    let patience = request.app_data::<Data<Patience>>().and_then(|patience| patience.0);
    let answered = match patience {
        Some(patience) => tokio::time::timeout(patience, next.call(request)).await.ok(),
        None => Some(next.call(request).await),
    };
    let Some(answered) = answered else { return Err(late(app.as_ref(), &path, &id)) };
    let mut response = answered?.map_into_boxed_body();
    if response.status().is_client_error() || response.status().is_server_error() {
        response = with_problem(response, &path, &id);
    } else if known.is_some_and(|known| is_known(&known, response.headers().get(ETAG))) {
        response = not_modified(response);
    }
    // Here and not left to the framework, which forgets that it was HEAD when another request is waiting already.
    if bodiless {
        response = response.map_body(|_, _| actix_web::body::None::new().boxed());
    }
    if let Some(app) = app {
        tell(&app, &mut response, &id, trace.as_ref(), began.elapsed());
        security::harden(response.headers_mut(), &path, app.tokens.issuer());
    }
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    Ok(response)
}

/// What is said when no answer has begun in time. What the database has been told to do by then is done or not
/// done as a whole; a caller that asks again with its key learns which.
///
/// The request is gone with what was waited for, so this answer is completed here.
fn late(app: Option<&Data<App>>, path: &str, id: &RequestId) -> actix_web::Error {
    let problem = Problem::unavailable();
    let mut response = problem.error_response();
    if let Some(app) = app {
        tracing::error!(request_id = id.as_str(), "no answer has begun in time");
        app.figures.count(None, problem.status, Duration::ZERO, app.clock.now());
        security::harden(response.headers_mut(), path, app.tokens.issuer());
    }
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let body = serde_json::to_vec(&problem.view(path, id.as_str())).unwrap_or_default();
    InternalError::from_response("no answer has begun in time", response.set_body(BoxBody::new(body))).into()
}

/// Counts the answer, writes its line of log, and says what belongs to its operation and its trace.
fn tell(app: &App, response: &mut ServiceResponse<BoxBody>, id: &RequestId, trace: Option<&Trace>, took: Duration) {
    let status = response.status();
    let pattern = response.request().match_pattern().unwrap_or_default();
    let place = app.policy.place(response.request().method(), &pattern);
    app.figures.count(place, status, took, app.clock.now());
    let operation = place.and_then(|place| app.policy.operations().get(place));
    let (request_id, status_code, ms) = (id.as_str(), status.as_u16(), took.as_millis());
    let (name, trace_id) = (operation.map_or("none", |o| o.id), trace.map_or("none", Trace::id));
    if status.is_server_error() {
        tracing::error!(request_id, trace_id, operation = name, status = status_code, ms, "answered");
    } else {
        tracing::info!(request_id, trace_id, operation = name, status = status_code, ms, "answered");
    }
    if let Some(operation) = operation {
        lifecycle::tell(operation, response.headers_mut());
    }
    let own = trace.map(|trace| trace.own(app.randomness.as_ref()));
    if let Some(value) = own.and_then(|own| HeaderValue::try_from(own).ok()) {
        response.headers_mut().insert(TRACE_PARENT, value);
    }
}

/// Whether the caller has this version already.
fn is_known(known: &IfNoneMatch, tag: Option<&HeaderValue>) -> bool {
    let tag = tag.and_then(|tag| tag.to_str().ok()?.parse::<EntityTag>().ok());
    tag.is_some_and(|tag| match known {
        IfNoneMatch::Any => true,
        IfNoneMatch::Items(items) => items.iter().any(|item| item.weak_eq(&tag)),
    })
}

fn not_modified(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let mut response = response.map_body(|head, _| {
        head.status = StatusCode::NOT_MODIFIED;
        BoxBody::new(())
    });
    for of_the_body in [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LENGTH] {
        response.headers_mut().remove(of_the_body);
    }
    response
}

/// Replaces the body of an error by its problem; an error of the framework becomes one by its status.
fn with_problem(response: ServiceResponse<BoxBody>, path: &str, id: &RequestId) -> ServiceResponse<BoxBody> {
    let own = response.response().error().and_then(|error| error.as_error::<Problem>()).cloned();
    // An answer that a handler made itself (an OAuth error, a kept refusal) goes out as it is.
    let Some(problem) = own.or_else(|| response.response().error().map(|_| framework(response.status()))) else {
        return response;
    };
    let body = serde_json::to_vec(&problem.view(path, id.as_str())).unwrap_or_default();
    let mut response = response.map_body(|_, _| BoxBody::new(body));
    response.headers_mut().remove(CONTENT_ENCODING);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
    response
}

fn framework(status: StatusCode) -> Problem {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(status, "body_too_large", "the body is too large"),
        StatusCode::NOT_FOUND => Problem::not_found(),
        status if status.is_client_error() => Problem::new(status, "bad_request", "the request cannot be read"),
        _ => Problem::internal(&"the framework failed"),
    }
}
