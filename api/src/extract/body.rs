//! Bodies: read whole, within a bound, as strict JSON.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{FromRequest, HttpRequest};
use domain::access::audit::Fields;
use domain::idempotency::{Claim, IdempotencyKey};
use domain::kernel::Digest;
use domain::kernel::fault::Reason;
use futures_util::StreamExt;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::Caller;
use super::precondition::seen_version;
use super::strict::{DEPTH, Strict, is_too_deep};
use crate::problem::Problem;

/// The most bytes of a JSON body.
pub const LIMIT: usize = 1024 * 1024;
/// The most bytes of a JSON body that carries many things at once.
pub const LARGE_LIMIT: usize = 8 * 1024 * 1024;
/// How long a JSON body may take to arrive.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A request that does something once: caller, idempotency key, body.
#[derive(Debug, Clone)]
pub struct Command<T> {
    /// Who asks.
    pub caller: Caller,
    /// The caller's name for this request.
    pub claim: Claim,
    /// The digest of method, path and body: what the key stands for.
    pub fingerprint: Digest,
    /// The fields that were given, for the audit log.
    pub fields: Fields,
    /// The body.
    pub body: T,
}

/// The most bytes of a bank's file.
pub const FILE_LIMIT: usize = 16 * 1024 * 1024;

/// A request whose body is a file of at most [`FILE_LIMIT`] bytes, kept as it is; the audit log has its digest.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Who asks, with which key, the file.
    pub command: Command<Vec<u8>>,
    /// Its media type, without parameters, in small letters.
    pub media: String,
}

/// A request that changes a version of something: caller, precondition, body.
#[derive(Debug, Clone)]
pub struct Change<T> {
    /// Who asks.
    pub caller: Caller,
    /// The version that the caller saw.
    pub if_match: i32,
    /// The fields that were given, for the audit log.
    pub fields: Fields,
    /// The body.
    pub body: T,
}

impl<T> Command<T> {
    /// The same request, its body read into a command of the domain.
    ///
    /// # Errors
    /// What the reading says, as a problem.
    pub fn parse<C, E: Into<Problem>>(self, parse: impl FnOnce(T) -> Result<C, E>) -> Result<Command<C>, Problem> {
        let Self { caller, claim, fingerprint, fields, body } = self;
        Ok(Command { caller, claim, fingerprint, fields, body: parse(body).map_err(Into::into)? })
    }
}

impl<T> Command<T> {
    /// The same request without its body.
    #[must_use]
    pub fn without_body(&self) -> Command<()> {
        let (caller, claim, fields) = (self.caller.clone(), self.claim.clone(), self.fields.clone());
        Command { caller, claim, fingerprint: self.fingerprint, fields, body: () }
    }
}

impl<T> Change<T> {
    /// The same request, its body read into a command of the domain.
    ///
    /// # Errors
    /// What the reading says, as a problem.
    pub fn parse<C, E: Into<Problem>>(self, parse: impl FnOnce(T) -> Result<C, E>) -> Result<Change<C>, Problem> {
        let Self { caller, if_match, fields, body } = self;
        Ok(Change { caller, if_match, fields, body: parse(body).map_err(Into::into)? })
    }
}

/// A body without fields: nothing, or `{}`.
#[derive(Debug, Clone, Copy, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Empty {}

type Extracted<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

impl<T: DeserializeOwned + 'static> FromRequest for Command<T> {
    type Error = Problem;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move { command(&request, payload, LIMIT).await })
    }
}

/// A [`Command`] whose body may have [`LARGE_LIMIT`] bytes: many things at once.
#[derive(Debug, Clone)]
pub struct Large<T>(pub Command<T>);

impl<T: DeserializeOwned + 'static> FromRequest for Large<T> {
    type Error = Problem;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move { command(&request, payload, LARGE_LIMIT).await.map(Self) })
    }
}

async fn command<T: DeserializeOwned>(
    request: &HttpRequest,
    payload: Payload,
    limit: usize,
) -> Result<Command<T>, Problem> {
    let caller = Caller::of(request)?;
    let key = key(request)?;
    let bytes = read(request, payload, limit).await?;
    let fingerprint = Digest::of_parts(&[
        request.method().as_str().as_bytes(),
        b"\0",
        request.uri().path_and_query().map_or("", |p| p.as_str()).as_bytes(),
        b"\0",
        &bytes,
    ]);
    let (body, fields) = json(request, &bytes)?;
    Ok(Command { claim: caller.claim(key), caller, fingerprint, fields, body })
}

impl<T: DeserializeOwned + 'static> FromRequest for Change<T> {
    type Error = Problem;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let caller = Caller::of(&request)?;
            let if_match = if_match(&request)?;
            let bytes = read(&request, payload, LIMIT).await?;
            let (body, fields) = json(&request, &bytes)?;
            Ok(Self { caller, if_match, fields, body })
        })
    }
}

impl FromRequest for Upload {
    type Error = Problem;
    type Future = Extracted<Self>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move {
            let caller = Caller::of(&request)?;
            let claim = caller.claim(key(&request)?);
            let body = read(&request, payload, FILE_LIMIT).await?;
            let media = media(&request);
            let fingerprint = Digest::of_parts(&[
                request.method().as_str().as_bytes(),
                b"\0",
                request.uri().path_and_query().map_or("", |p| p.as_str()).as_bytes(),
                b"\0",
                media.as_bytes(),
                b"\0",
                &body,
            ]);
            let fields = [("file_sha256".to_owned(), Digest::of(&body).to_string().into())].into_iter().collect();
            Ok(Self { command: Command { caller, claim, fingerprint, fields, body }, media })
        })
    }
}

impl Upload {
    /// The same, if it is of one of these media types.
    ///
    /// # Errors
    /// 415.
    pub fn of(self, kinds: &[&str]) -> Result<Self, Problem> {
        if kinds.contains(&self.media.as_str()) {
            return Ok(self);
        }
        let detail = format!("send the file as it is, with one of these as its `Content-Type`: {}", kinds.join(", "));
        Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))
    }
}

/// The `Idempotency-Key` of a request.
///
/// # Errors
/// 400 when it is missing or none.
pub fn key(request: &HttpRequest) -> Result<IdempotencyKey, Problem> {
    let mut headers = request.headers().get_all("Idempotency-Key");
    let Some(header) = headers.next() else {
        return Err(Problem::malformed_at(
            "#Idempotency-Key",
            "idempotency_key_missing",
            "send an `Idempotency-Key` header (for example a UUID): a retry with it has no second effect",
        ));
    };
    if headers.next().is_some() {
        let detail = "send one `Idempotency-Key` header, not several";
        return Err(Problem::malformed_at("#Idempotency-Key", "idempotency_key_repeated", detail));
    }
    let text = header.to_str().unwrap_or("").trim_matches('"');
    IdempotencyKey::parse(text).map_err(|e| Problem::malformed_at("#Idempotency-Key", e.code(), e.to_string()))
}

fn if_match(request: &HttpRequest) -> Result<i32, Problem> {
    seen_version(request)?.ok_or_else(|| {
        Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            "if_match_missing",
            "send `If-Match` with the `ETag` that you last saw, so that nobody's change is lost",
        )
    })
}

/// 412: somebody else changed it.
#[must_use]
pub fn stale() -> Problem {
    Problem::new(
        StatusCode::PRECONDITION_FAILED,
        "stale",
        "it was changed since you read it: read it again and repeat your change on what you find",
    )
}

/// Reads a body whole, within a bound of bytes and of time.
///
/// # Errors
/// 415 when it is encoded, 413 when it is longer, 408 when it dawdles, 400 when it breaks off.
pub async fn read(request: &HttpRequest, mut payload: Payload, limit: usize) -> Result<Vec<u8>, Problem> {
    refuse_encoded(request)?;
    let too_large =
        || Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", format!("a body has at most {limit} bytes"));
    let declared = request.headers().get(CONTENT_LENGTH).and_then(|h| h.to_str().ok()).and_then(|t| t.parse().ok());
    if declared.is_some_and(|length: usize| length > limit) {
        return Err(too_large());
    }
    let mut bytes = Vec::with_capacity(declared.unwrap_or(0));
    let deadline = Instant::now() + PATIENCE;
    while let Some(chunk) = arriving(deadline, payload.next()).await? {
        let chunk = chunk.map_err(|e| Problem::malformed("unreadable_body", e.to_string()))?;
        if bytes.len() + chunk.len() > limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// Bodies are read as they are: one that unpacks to more than its bytes would get past every bound.
fn refuse_encoded(request: &HttpRequest) -> Result<(), Problem> {
    let plain = |coding: &[u8]| coding.trim_ascii().eq_ignore_ascii_case(b"identity") || coding.trim_ascii().is_empty();
    if request.headers().get_all(CONTENT_ENCODING).all(|coding| plain(coding.as_bytes())) {
        return Ok(());
    }
    let detail = "send the body as it is, without `Content-Encoding`";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
        .with_header(ACCEPT_ENCODING.as_str(), "identity"))
}

/// What arrives before the deadline.
///
/// # Errors
/// 408 when nothing did: a sender that dawdles holds a connection that others need.
pub async fn arriving<T>(deadline: Instant, next: impl Future<Output = T>) -> Result<T, Problem> {
    let waited = tokio::time::timeout_at(deadline, next).await;
    waited.map_err(|_| Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", "the body did not arrive in time"))
}

/// Strict JSON: unknown and duplicate fields are refused by the body's type, arrays in the place of objects
/// and deep nesting here; an empty body reads as `{}`.
fn json<T: DeserializeOwned>(request: &HttpRequest, bytes: &[u8]) -> Result<(T, Fields), Problem> {
    if !bytes.is_empty() && !is_json(request) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "send JSON with `Content-Type: application/json`",
        ));
    }
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    if is_too_deep(bytes) {
        let detail = format!("objects and arrays lie in each other at most {DEPTH} deep");
        return Err(Problem::malformed("too_deep", detail));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let body: T = serde_path_to_error::deserialize(Strict::new(&mut reader)).map_err(|error| unreadable(&error))?;
    reader.end().map_err(|e| Problem::malformed("invalid_json", e.to_string()))?;
    let given: Fields = serde_json::from_slice(bytes)
        .map_err(|_| Problem::malformed_at("", "invalid_value", "the body must be a JSON object"))?;
    Ok((body, given))
}

fn media(request: &HttpRequest) -> String {
    let media = request.headers().get(CONTENT_TYPE).and_then(|h| h.to_str().ok()).unwrap_or("");
    media.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

fn is_json(request: &HttpRequest) -> bool {
    let media = media(request);
    media == "application/json" || media.ends_with("+json")
}

fn unreadable(error: &serde_path_to_error::Error<serde_json::Error>) -> Problem {
    let cause = error.inner();
    if cause.is_syntax() || cause.is_eof() {
        return Problem::malformed("invalid_json", cause.to_string());
    }
    let mut pointer = String::new();
    for segment in error.path() {
        use serde_path_to_error::Segment;
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    let text = cause.to_string();
    // The words are serde's: "unknown field `x`", "missing field `x`", "duplicate field `x`".
    let field = text.split('`').nth(1).unwrap_or_default();
    let neither_kind_nor_value = text.contains("expected \"type\" or \"value\"");
    let code = if text.starts_with("unknown field") || neither_kind_nor_value {
        "unknown_field"
    } else if text.starts_with("missing field") {
        pointer.push_str(&format!("/{field}"));
        "required"
    } else if text.starts_with("duplicate field") {
        "duplicate_field"
    } else {
        "invalid_value"
    };
    Problem::malformed_at(&pointer, code, text)
}
