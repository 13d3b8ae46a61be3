//! The HTTP server: routes behind the middleware that gives every request an id and every problem its
//! body.
//!
//! Bounds: see the constants. It listens on what it is told; signals are the caller's business.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::Method;
use actix_web::http::header::ALLOW;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::Data;
use actix_web::{App as ActixApp, HttpRequest, HttpResponse, HttpServer, web};
use utoipa_actix_web::AppExt;

use crate::app::App;
use crate::config::EdgeArgs;
use crate::http::connections::{self, Connections};
use crate::http::cors::cors;
use crate::http::finish::{Patience, finish};
use crate::http::limits::{Limits, limit};
use crate::http::media::acceptable;
use crate::http::refusals;
use crate::problem::Problem;

/// Threads that read and write sockets.
const WORKERS: usize = 2;
/// Blocking database work at the same time, for each of them.
const BLOCKING_PER_WORKER: usize = 24;
/// A client that does not finish its request head in time is sent away.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// Open connections at once, for each worker: more than are let in, since those that are not are shut at once
/// and must not keep others waiting.
const CONNECTIONS_PER_WORKER: usize = connections::MOST;
/// How long requests may go on after the signal to stop.
const STOP_SECONDS: u64 = 10;

/// Connections to the figures at once.
const METRICS_CONNECTIONS: usize = 16;

/// Binds and starts. The caller awaits the server; its handle stops it.
///
/// # Errors
/// When the address cannot be bound.
pub fn start(app: Data<App>, address: SocketAddr, edge: &EdgeArgs) -> std::io::Result<(Server, SocketAddr)> {
    start_on(app, TcpListener::bind(address)?, edge)
}

/// Starts on what is bound already: who must know the port before there is an application binds first.
///
/// # Errors
/// When it cannot be listened to.
pub fn start_on(app: Data<App>, listener: TcpListener, edge: &EdgeArgs) -> std::io::Result<(Server, SocketAddr)> {
    let limits = Data::new(Limits::per_minute(edge.rate_limit_per_minute));
    let bound = listener.local_addr()?;
    let origins = edge.cors_origins.clone();
    let patience = (edge.request_seconds > 0).then(|| Duration::from_secs(edge.request_seconds));
    let patience = Data::new(Patience(patience));
    let open = Connections::new(connections::most(), edge.connections_per_peer);
    let server = HttpServer::new(move || {
        ActixApp::new()
            .into_utoipa_app()
            .configure(crate::routes::register)
            .into_app()
            .app_data(app.clone())
            .app_data(limits.clone())
            .app_data(patience.clone())
            .service(web::redirect("/docs", "/docs/"))
            .service(crate::routes::docs())
            .service(crate::routes::architecture::resource())
            .service(crate::routes::verify::resource())
            .default_service(web::to(unrouted))
            .wrap(Compress::default())
            .wrap(from_fn(refusals::keep))
            .wrap(from_fn(acceptable))
            .wrap(from_fn(limit))
            .wrap(cors(&origins))
            .wrap(from_fn(finish))
    })
    .workers(WORKERS)
    .worker_max_blocking_threads(BLOCKING_PER_WORKER)
    .on_connect(move |connection, extensions| open.meet(connection, extensions))
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
    let allow = app.policy.allowed(request.path()).ok_or_else(Problem::not_found)?;
    if request.method() == Method::OPTIONS {
        return Ok(HttpResponse::NoContent().insert_header((ALLOW, allow)).finish());
    }
    Err(Problem::other_method(allow))
}
