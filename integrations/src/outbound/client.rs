//! The client: one request, one bounded answer, no redirect.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderName, HeaderValue, USER_AGENT};
use hyper::{Method, Request, Response, Uri};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};

use super::error::OutboundError;
use super::resolver::{Gate, Resolve, SystemResolver, Walled};
use super::wall::Wall;

/// Who asks.
const AGENT: HeaderValue = HeaderValue::from_static("flip360/1");
/// The head of an answer is at most so large.
const MAX_HEAD: usize = 32 * 1024;
/// The head of an answer has at most so many fields.
const MAX_FIELDS: usize = 64;

/// How long things may take, and how many connections are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Until the connection stands.
    pub connect: Duration,
    /// From the look-up of the name to the last byte of the answer.
    pub total: Duration,
    /// Idle connections are closed after so long.
    pub idle: Duration,
    /// Idle connections to one host, at most.
    pub idle_per_host: usize,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(5), total: seconds(20), idle: seconds(30), idle_per_host: 32 }
    }
}

/// How a service asks outside hosts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutboundConfig {
    /// What may be asked for.
    pub wall: Wall,
    /// Bounds.
    pub limits: Limits,
    /// Certificates (DER) that are trusted beside the well-known ones.
    pub extra_roots: Vec<Vec<u8>>,
}

/// The settings cannot work.
#[derive(Debug, thiserror::Error)]
#[error("outgoing requests cannot be set up: {0}")]
pub struct SetUpError(String);

/// Asks outside hosts. Cheap to clone; connections are shared.
#[derive(Clone)]
pub struct Outbound {
    wall: Arc<Wall>,
    total: Duration,
    client: Client<HttpsConnector<Gate>, Full<Bytes>>,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Reads.
    Get,
    /// Sends.
    Post,
}

/// One request.
#[derive(Debug, Clone)]
pub struct OutboundRequest {
    /// What is done.
    pub verb: Verb,
    /// To whom; looked at again each time.
    pub url: String,
    /// Fields beside `Host`, `Content-Length` and `User-Agent`.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// So many bytes of the answer are read; the connection is closed on the rest.
    pub keep: usize,
}

/// One answer.
#[derive(Debug, Clone)]
pub struct OutboundAnswer {
    /// The status; a redirect is an answer like any other.
    pub status: u16,
    /// The fields.
    pub headers: HeaderMap,
    /// The first bytes of the body.
    pub body: Vec<u8>,
    /// Whether the body had more than was kept.
    pub cut: bool,
}

impl Outbound {
    /// A client that asks the system's resolver.
    ///
    /// # Errors
    /// When an extra certificate is none.
    pub fn new(config: OutboundConfig) -> Result<Self, SetUpError> {
        Self::with_resolver(config, Arc::new(SystemResolver))
    }

    /// A client with a resolver of its own.
    ///
    /// # Errors
    /// When an extra certificate is none.
    pub fn with_resolver(config: OutboundConfig, resolver: Arc<dyn Resolve>) -> Result<Self, SetUpError> {
        let tls = tls(&config.extra_roots)?;
        let wall = Arc::new(config.wall);
        let mut http = HttpConnector::new_with_resolver(Walled { wall: Arc::clone(&wall), resolver });
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_connect_timeout(Some(config.limits.connect));
        let gate = Gate { wall: Arc::clone(&wall), connector: http };
        let https = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(config.limits.idle)
            .pool_max_idle_per_host(config.limits.idle_per_host)
            .http1_max_buf_size(MAX_HEAD)
            .http1_max_headers(MAX_FIELDS)
            .build(https.wrap_connector(gate));
        Ok(Self { wall, total: config.limits.total, client })
    }

    /// What may be asked for.
    #[must_use]
    pub fn wall(&self) -> &Wall {
        &self.wall
    }

    /// Sends one request and reads one answer. Needs a tokio runtime.
    ///
    /// # Errors
    /// See [`OutboundError`]; an answer of any status is not an error.
    pub async fn send(&self, request: OutboundRequest) -> Result<OutboundAnswer, OutboundError> {
        let url = self.wall.check(&request.url)?;
        let uri: Uri = url.as_str().parse().map_err(|_| OutboundError::Refused(super::Refusal::Malformed))?;
        let keep = request.keep;
        let request = outgoing(request, uri)?;
        let answered = async {
            let response = self.client.request(request).await.map_err(|error| OutboundError::of(&error))?;
            read(response, keep).await
        };
        tokio::time::timeout(self.total, answered).await.map_err(|_| OutboundError::TimedOut)?
    }
}

fn outgoing(request: OutboundRequest, uri: Uri) -> Result<Request<Full<Bytes>>, OutboundError> {
    let verb = match request.verb {
        Verb::Get => Method::GET,
        Verb::Post => Method::POST,
    };
    let mut outgoing = Request::new(Full::new(Bytes::from(request.body)));
    *outgoing.method_mut() = verb;
    *outgoing.uri_mut() = uri;
    let headers = outgoing.headers_mut();
    headers.insert(USER_AGENT, AGENT);
    for (name, value) in request.headers {
        let value = HeaderValue::from_str(&value).map_err(|_| OutboundError::Broken)?;
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(outgoing)
}

async fn read(response: Response<Incoming>, keep: usize) -> Result<OutboundAnswer, OutboundError> {
    let (head, mut incoming) = response.into_parts();
    let (mut body, mut cut) = (Vec::new(), false);
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame.map_err(|_| OutboundError::Broken)?.into_data() else { continue };
        let room = keep - body.len();
        body.extend_from_slice(&data[..data.len().min(room)]);
        cut = data.len() > room;
        if cut {
            break;
        }
    }
    Ok(OutboundAnswer { status: head.status.as_u16(), headers: head.headers, body, cut })
}

fn tls(extra_roots: &[Vec<u8>]) -> Result<ClientConfig, SetUpError> {
    let mut roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    for root in extra_roots {
        let root = CertificateDer::from(root.clone());
        roots.add(root).map_err(|error| SetUpError(format!("an extra certificate: {error}")))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SetUpError(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}
