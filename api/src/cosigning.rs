//! A witness for others to run: `POST /add-checkpoint` of C2SP `tlog-witness`, and nothing else. It needs no database.
//!
//! Bounds: [`submission::MAX_BYTES`] of a request, [`PATIENCE`] for its head and for its body, [`CONNECTIONS`] at once,
//! [`PER_PEER`] of one address. Only who has a key of a known log can make it write.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{self, Data, Payload};
use actix_web::{App as ActixApp, HttpResponse, HttpServer};
use domain::chain::cosignature::WitnessKey;
use domain::chain::note::{NoteSignature, VerifierKey};
use domain::chain::signer::{PortError, Signer};
use domain::chain::witness::answer::SIZE_TYPE;
use domain::chain::witness::cosigner::{self, Agreed, Refusal};
use domain::chain::witness::submission;
use domain::kernel::time::Clock;
use integrations::witness_state::{Undecided, WitnessState};

use crate::http::connections::Connections;

/// How long the head of a request may take, and its body.
const PATIENCE: Duration = Duration::from_secs(10);
/// Connections at once.
const CONNECTIONS: usize = 256;
/// Connections of one address.
const PER_PEER: usize = 64;
/// How long requests may go on after the signal to stop.
const STOP_SECONDS: u64 = 5;
const TEXT: &str = "text/plain; charset=utf-8";

/// A witness: its name and key, the logs that it knows, and what it remembers.
pub struct Cosigner {
    /// Its verifier key.
    pub key: WitnessKey,
    /// The private half.
    pub signer: Box<dyn Signer>,
    /// Keys of the logs; several of one name are several keys of one log.
    pub logs: Vec<VerifierKey>,
    /// What it cosigned last.
    pub state: WitnessState,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Why nothing was cosigned.
enum Declined {
    Refused(Refusal),
    Failed(String),
}

impl From<PortError> for Declined {
    fn from(error: PortError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl Cosigner {
    /// Judges, remembers, and cosigns; in this order.
    fn cosign(&self, body: &[u8]) -> Result<NoteSignature, Declined> {
        let (origin, submission) = cosigner::read(body).map_err(Declined::Refused)?;
        let agreed = self.state.decide(&origin, |latest| {
            cosigner::judge(&self.logs, latest, &submission).map(|agreed| (agreed.head, agreed))
        });
        let Agreed { text, .. } = agreed.map_err(|undecided| match undecided {
            Undecided::Judged(refusal) => Declined::Refused(refusal),
            Undecided::Kept(error) => Declined::Failed(error.to_string()),
        })?;
        let second = u64::try_from(self.clock.now().timestamp().as_second());
        let second = second.map_err(|_| Declined::Failed("the clock is before 1970".to_owned()))?;
        Ok(self.key.cosign(&text, second, self.signer.as_ref())?)
    }
}

fn refused(refusal: &Refusal) -> HttpResponse {
    let status = match refusal {
        Refusal::Malformed(_) => StatusCode::BAD_REQUEST,
        Refusal::UnknownLog(_) => StatusCode::NOT_FOUND,
        Refusal::NotSigned(_) => StatusCode::FORBIDDEN,
        Refusal::Inconsistent(_) => StatusCode::UNPROCESSABLE_ENTITY,
        Refusal::Conflict(size) => {
            return HttpResponse::Conflict().insert_header((CONTENT_TYPE, SIZE_TYPE)).body(format!("{size}\n"));
        }
    };
    HttpResponse::build(status).insert_header((CONTENT_TYPE, TEXT)).body(format!("{refusal}\n"))
}

async fn add_checkpoint(cosigner: Data<Cosigner>, payload: Payload) -> HttpResponse {
    let body = match tokio::time::timeout(PATIENCE, payload.to_bytes_limited(submission::MAX_BYTES)).await {
        Ok(Ok(Ok(body))) => body,
        Ok(Ok(Err(_))) => return HttpResponse::BadRequest().finish(),
        Ok(Err(_)) => return HttpResponse::PayloadTooLarge().finish(),
        Err(_) => return HttpResponse::RequestTimeout().finish(),
    };
    match web::block(move || cosigner.cosign(&body)).await {
        Ok(Ok(line)) => HttpResponse::Ok().insert_header((CONTENT_TYPE, TEXT)).body(format!("{line}\n")),
        Ok(Err(Declined::Refused(refusal))) => {
            tracing::warn!(%refusal, "not cosigned");
            refused(&refusal)
        }
        Ok(Err(Declined::Failed(error))) => {
            tracing::error!(error, "not cosigned");
            HttpResponse::InternalServerError().finish()
        }
        Err(_) => HttpResponse::ServiceUnavailable().finish(),
    }
}

/// Binds and starts. The caller awaits the server; its handle stops it.
///
/// # Errors
/// When the address cannot be bound.
pub fn start(cosigner: Cosigner, address: SocketAddr) -> std::io::Result<(Server, SocketAddr)> {
    let listener = TcpListener::bind(address)?;
    let bound = listener.local_addr()?;
    let cosigner = Data::new(cosigner);
    let open = Connections::new(CONNECTIONS, PER_PEER);
    let server = HttpServer::new(move || {
        let resource = web::resource("/add-checkpoint").route(web::post().to(add_checkpoint));
        ActixApp::new().app_data(cosigner.clone()).service(resource)
    })
    .workers(1)
    .on_connect(move |connection, extensions| open.meet(connection, extensions))
    .max_connections(CONNECTIONS)
    .client_request_timeout(PATIENCE)
    .shutdown_timeout(STOP_SECONDS)
    .disable_signals()
    .listen(listener)?
    .run();
    Ok((server, bound))
}
