//! The HTTP server: routes behind the middleware that gives every request an id and every problem its
//! body.
//!
//! Bounds: see the constants. It listens on what it is told; signals are the caller's business.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Server, ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ALLOW, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, IF_NONE_MATCH,
};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::{Compress, Next, from_fn};
use actix_web::web::Data;
use actix_web::{App as ActixApp, HttpMessage, HttpRequest, HttpResponse, HttpServer, web};
use utoipa_actix_web::AppExt;

use crate::app::App;
use crate::config::EdgeArgs;
use crate::extract::RequestId;
use crate::http::cors::cors;
use crate::http::limits::{Limits, limit};
use crate::problem::Problem;

/// Threads that read and write sockets.
const WORKERS: usize = 2;
/// Blocking database work at the same time, for each of them.
const BLOCKING_PER_WORKER: usize = 24;
/// A client that does not finish its request head in time is sent away.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Open connections at once, for each worker.
const CONNECTIONS_PER_WORKER: usize = 2_048;
/// How long requests may go on after the signal to stop.
const STOP_SECONDS: u64 = 10;

/// Connections to the figures at once.
const METRICS_CONNECTIONS: usize = 16;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Binds and starts. The caller awaits the server; its handle stops it.
///
/// # Errors
/// When the address cannot be bound.
pub fn start(app: Data<App>, address: SocketAddr, edge: &EdgeArgs) -> std::io::Result<(Server, SocketAddr)> {
    let limits = Data::new(Limits::per_minute(edge.rate_limit_per_minute));
    let listener = TcpListener::bind(address)?;
    let bound = listener.local_addr()?;
    let origins = edge.cors_origins.clone();
    let server = HttpServer::new(move || {
        ActixApp::new()
            .into_utoipa_app()
            .configure(crate::routes::register)
            .into_app()
            .app_data(app.clone())
            .app_data(limits.clone())
            .service(web::redirect("/docs", "/docs/"))
            .service(crate::routes::docs())
            .service(crate::routes::architecture::resource())
            .default_service(web::to(unrouted))
            .wrap(Compress::default())
            .wrap(from_fn(limit))
            .wrap(cors(&origins))
            .wrap(from_fn(finish))
    })
    .workers(WORKERS)
    .worker_max_blocking_threads(BLOCKING_PER_WORKER)
    .max_connections(CONNECTIONS_PER_WORKER)
    .client_request_timeout(HEAD_TIMEOUT)
    .shutdown_timeout(STOP_SECONDS)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok((server, bound))
}

/// Serves the figures, and nothing else, on an address of their own: who may connect to it may read them.
///
/// # Errors
/// When the address cannot be bound.
pub fn start_metrics(app: Data<App>, address: SocketAddr) -> std::io::Result<(Server, SocketAddr)> {
    let listener = TcpListener::bind(address)?;
    let bound = listener.local_addr()?;
    let server = HttpServer::new(move || {
        ActixApp::new().app_data(app.clone()).route("/metrics", web::get().to(crate::routes::operations::metrics))
    })
    .workers(1)
    .max_connections(METRICS_CONNECTIONS)
    .client_request_timeout(HEAD_TIMEOUT)
    .shutdown_timeout(STOP_SECONDS)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok((server, bound))
}

/// What no route answers: another method of a known path, or nothing at all.
async fn unrouted(request: HttpRequest, app: Data<App>) -> Result<HttpResponse, Problem> {
    let mut methods: Vec<String> = app.policy.methods(request.path()).iter().map(ToString::to_string).collect();
    if methods.is_empty() {
        return Err(Problem::not_found());
    }
    if methods.iter().any(|m| m == "GET") {
        methods.push("HEAD".to_owned());
    }
    methods.push("OPTIONS".to_owned());
    let allow = methods.join(", ");
    if request.method() == Method::OPTIONS {
        return Ok(HttpResponse::NoContent().insert_header((ALLOW, allow)).finish());
    }
    let detail = format!("this path answers {allow}");
    Err(Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail).with_header("Allow", allow))
}

/// Gives the request its id, serves HEAD through GET, answers 304, and writes the bodies of problems.
async fn finish(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let given = request.headers().get(&REQUEST_ID).and_then(|h| h.to_str().ok()).map(str::to_owned);
    let began = tokio::time::Instant::now();
    let app = request.app_data::<Data<App>>().cloned();
    let id = RequestId::of(given.as_deref(), || app.as_ref().map_or_else(uuid::Uuid::nil, |app| app.ids.next()));
    request.extensions_mut().insert(id.clone());
    if request.method() == Method::HEAD {
        request.head_mut().method = Method::GET;
    }
    let reads = request.method() == Method::GET;
    let unchanged = request.headers().get(IF_NONE_MATCH).filter(|_| reads).cloned();
    let path = request.path().to_owned();
    let mut response = next.call(request).await?.map_into_boxed_body();
    if response.status().is_client_error() || response.status().is_server_error() {
        response = with_problem(response, &path, &id);
    } else if unchanged.is_some() && response.headers().get(ETAG) == unchanged.as_ref() {
        response = response.map_body(|head, _| {
            head.status = StatusCode::NOT_MODIFIED;
            BoxBody::new(())
        });
        for of_the_body in [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LENGTH] {
            response.headers_mut().remove(of_the_body);
        }
    }
    if let Some(app) = app {
        let request = response.request();
        let pattern = request.match_pattern().unwrap_or_default();
        let operation = app.policy.place(request.method(), &pattern);
        app.figures.count(operation, response.status(), began.elapsed(), app.clock.now());
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(id.as_str()) {
        headers.insert(REQUEST_ID, value);
    }
    for (name, value) in
        [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer"), ("x-frame-options", "DENY")]
    {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    Ok(response)
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
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
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
