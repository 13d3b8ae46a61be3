//! The double over HTTP: routing, authorisation, idempotency, faults; every request against the specification.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::spec::{Operation, Spec};
use super::state::{Answer, Asked, Fault, State, error};

/// What the handlers share.
pub struct Shared {
    /// The specification.
    pub spec: Spec,
    /// What is kept.
    pub state: Mutex<State>,
    /// Lets go of requests that are never answered.
    pub released: watch::Sender<bool>,
    /// The key that is accepted.
    pub key: String,
}

impl Shared {
    /// What is kept.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The operations of the double, and the id in the path.
fn route(method: &str, path: &str) -> Option<(Operation, Option<String>)> {
    let operation = |method, path| Operation { method, path };
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let id = |text: &str| Some(text.to_owned());
    Some(match (method, parts.as_slice()) {
        ("POST", ["v1", "accounts"]) => (operation("post", "/v1/accounts"), None),
        ("GET", ["v1", "accounts", account]) => (operation("get", "/v1/accounts/{account}"), id(account)),
        ("POST", ["v1", "account_links"]) => (operation("post", "/v1/account_links"), None),
        ("POST", ["v1", "transfers"]) => (operation("post", "/v1/transfers"), None),
        ("GET", ["v1", "transfers"]) => (operation("get", "/v1/transfers"), None),
        ("POST", ["v1", "transfers", transfer, "reversals"]) => {
            (operation("post", "/v1/transfers/{id}/reversals"), id(transfer))
        }
        ("GET", ["v1", "transfers", transfer, "reversals"]) => {
            (operation("get", "/v1/transfers/{id}/reversals"), id(transfer))
        }
        ("GET", ["v1", "balance"]) => (operation("get", "/v1/balance"), None),
        ("GET", ["v1", "balance_transactions"]) => (operation("get", "/v1/balance_transactions"), None),
        _ => return None,
    })
}

/// `application/x-www-form-urlencoded`, decoded.
fn pairs(text: &str) -> Vec<(String, String)> {
    let decoded = |part: &str| {
        let bytes = part.replace('+', " ").into_bytes();
        let mut out = Vec::with_capacity(bytes.len());
        let mut rest = bytes.as_slice();
        while let Some((&first, after)) = rest.split_first() {
            let code = after.get(..2).and_then(|two| std::str::from_utf8(two).ok());
            match code.and_then(|two| u8::from_str_radix(two, 16).ok()).filter(|_| first == b'%') {
                Some(byte) => {
                    out.push(byte);
                    rest = &after[2..];
                }
                None => {
                    out.push(first);
                    rest = after;
                }
            }
        }
        String::from_utf8_lossy(&out).into_owned()
    };
    let parts = text.split('&').filter(|part| !part.is_empty());
    parts.map(|part| part.split_once('=').unwrap_or((part, ""))).map(|(n, v)| (decoded(n), decoded(v))).collect()
}

fn header(request: &HttpRequest, name: &str) -> Option<String> {
    request.headers().get(name)?.to_str().ok().map(str::to_owned)
}

/// What comes of a request, apart from what goes wrong on the way back.
fn decide(shared: &Shared, request: &HttpRequest, body: &[u8]) -> (Answer, bool, Option<Fault>) {
    let plain = |answer: Answer| (answer, false, None);
    let authorised = header(request, AUTHORIZATION.as_str()) == Some(format!("Bearer {}", shared.key));
    let Some((operation, id)) = route(request.method().as_str(), request.path()) else {
        let why = format!("Unrecognized request URL ({}: {})", request.method(), request.path());
        return plain(error(404, "invalid_request_error", None, None, &why));
    };
    if !authorised {
        return plain(error(401, "invalid_request_error", None, None, "Invalid API Key provided"));
    }
    let posts = operation.method == "post";
    let text = if posts { String::from_utf8_lossy(body).into_owned() } else { request.query_string().to_owned() };
    let name = format!("{} {}", request.method(), operation.path);
    let key = header(request, "Idempotency-Key").filter(|_| posts);
    let mut state = shared.state();
    state.asked.push(Asked { operation: name.clone(), key: key.clone(), pairs: pairs(&text) });
    let fault = state.faults.get_mut(&name).and_then(std::collections::VecDeque::pop_front);
    match fault {
        Some(Fault::TooMany) => {
            return plain(error(429, "rate_limit_error", Some("rate_limit"), None, "Too many requests"));
        }
        Some(Fault::ServerError) => return plain(error(500, "api_error", None, None, "Something went wrong")),
        Some(Fault::KeyInUse) => {
            let why = "There is currently another in-progress request using this Idempotency-Key";
            return plain(error(409, "idempotency_error", Some("idempotency_key_in_use"), None, why));
        }
        Some(Fault::TimeoutBefore) => return (error(500, "api_error", None, None, ""), false, fault),
        Some(
            Fault::TimeoutAfter
            | Fault::ResetAfter
            | Fault::BadGatewayAfter
            | Fault::MalformedAfter
            | Fault::OtherAfter,
        )
        | None => {}
    }
    let fingerprint = format!("{name} {} {text}", request.path());
    if let Some((before, kept)) = key.as_ref().and_then(|key| state.keys.get(key)) {
        if *before != fingerprint {
            let why =
                "Keys for idempotent requests can only be used with the same parameters they were first used with.";
            return (error(400, "idempotency_error", None, None, why), false, fault);
        }
        return (kept.clone(), true, fault);
    }
    let read =
        if posts { shared.spec.form(operation, &pairs(&text)) } else { shared.spec.query(operation, &pairs(&text)) };
    let form = match read {
        Ok(form) => form,
        // Refused before it is executed: nothing is kept under the key.
        Err((param, why)) => {
            let code = if why == "missing" { "parameter_missing" } else { "parameter_unknown" };
            return plain(error(400, "invalid_request_error", Some(code), Some(&param), &why));
        }
    };
    let answer = done(&mut state, operation, id.as_deref().unwrap_or_default(), &form);
    if answer.status == 200 {
        let wrong = shared.spec.answer(operation, &answer.body);
        state.violations.extend(wrong.into_iter().map(|why| format!("{name}: {why}")));
    }
    if let Some(key) = key {
        let _ = state.keys.insert(key, (fingerprint, answer.clone()));
    }
    (answer, false, fault)
}

fn done(state: &mut State, operation: Operation, id: &str, form: &Value) -> Answer {
    match (operation.method, operation.path) {
        ("post", "/v1/accounts") => state.create_account(form),
        ("get", "/v1/accounts/{account}") => state.account(id),
        ("post", "/v1/account_links") => state.create_account_link(form),
        ("post", "/v1/transfers") => state.create_transfer(form),
        ("get", "/v1/transfers") => state.transfers(form),
        ("post", "/v1/transfers/{id}/reversals") => state.reverse(id, form),
        ("get", "/v1/transfers/{id}/reversals") => state.reversals(id, form),
        ("get", "/v1/balance") => state.balance_object(),
        _ => state.movements(form),
    }
}

/// Answers one request.
pub async fn answer(shared: Data<Arc<Shared>>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let (answer, replayed, fault) = decide(&shared, &request, &body);
    match fault {
        Some(Fault::TimeoutAfter | Fault::TimeoutBefore) => {
            let mut released = shared.released.subscribe();
            let _ = released.wait_for(|released| *released).await;
        }
        Some(Fault::BadGatewayAfter) => {
            return HttpResponse::BadGateway()
                .insert_header((CONTENT_TYPE, "text/html"))
                .body("<html><body><h1>502 Bad Gateway</h1></body></html>");
        }
        Some(Fault::MalformedAfter) => {
            return HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/json")).body("{\"id\": \"tr_");
        }
        Some(Fault::OtherAfter) => return HttpResponse::Ok().json(json!({"object": "something else"})),
        Some(Fault::ResetAfter) => {
            // The answer begins, and the connection breaks off.
            let broken = Broken(false);
            return HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/json")).body(broken);
        }
        Some(Fault::TooMany | Fault::ServerError | Fault::KeyInUse) | None => {}
    }
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    if replayed {
        response.insert_header(("Idempotent-Replayed", "true"));
    }
    response.insert_header(("Request-Id", "req_double")).json(answer.body)
}

/// A body that promises more than it has.
struct Broken(bool);

impl actix_web::body::MessageBody for Broken {
    type Error = std::io::Error;

    fn size(&self) -> actix_web::body::BodySize {
        actix_web::body::BodySize::Sized(1000)
    }

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Bytes, Self::Error>>> {
        let again = std::mem::replace(&mut self.0, true);
        std::task::Poll::Ready(Some(if again {
            Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))
        } else {
            Ok(Bytes::from_static(b"{\"id\":"))
        }))
    }
}
