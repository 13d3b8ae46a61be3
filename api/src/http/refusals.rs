//! Refused attempts at what moves money are kept in the audit log: who tried what, on which object, and why not.
//!
//! An attempt is a request of somebody with a good token for an operation of a scope that moves money
//! ([`domain::access::Scope::moves_money`]), answered with 403 or because it takes another person
//! ([`SAME_PERSON`]). The record says what refused it; nothing else was done, and the answer stays as it is.
//! Bounds: one record a request, behind the limit of requests of each caller ([`super::limits`]).

use actix_web::HttpRequest;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::middleware::Next;
use actix_web::web::Data;
use domain::access::audit::AuditRecord;
use domain::kernel::id::decode;
use domain::store::StoreError;
use uuid::Uuid;

use crate::app::{App, blocking};
use crate::extract::{RequestId, verified};
use crate::problem::Problem;

/// Who proposed may not approve.
const SAME_PERSON: &str = "same_person";

/// Keeps what was refused.
///
/// # Errors
/// Those of what is behind it.
pub async fn keep(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let response = next.call(request).await?.map_into_boxed_body();
    let problem = response.response().error().and_then(|error| error.as_error::<Problem>());
    let refusal = problem.filter(|p| p.status == StatusCode::FORBIDDEN || p.code == SAME_PERSON).map(|p| p.code);
    let Some((app, record)) = refusal.and_then(|code| record(response.request(), code)) else { return Ok(response) };
    let kept = blocking(move || app.store.transaction(|uow| uow.audit().append(std::slice::from_ref(&record)))).await;
    // Whoever tried is refused all the same; that it could not be kept is for whoever runs the service to know.
    if let Err(reason) =
        kept.map_err(|p| p.to_string()).and_then(|kept: Result<(), StoreError>| kept.map_err(|e| e.to_string()))
    {
        tracing::error!(%reason, "a refused attempt at moving money was not kept");
    }
    Ok(response)
}

/// The record of a refusal; none when it was no attempt at moving money, or of nobody that is known.
fn record(request: &HttpRequest, refused: &'static str) -> Option<(Data<App>, AuditRecord)> {
    let app = request.app_data::<Data<App>>()?;
    let operation = app.policy.operation(request.method(), &request.match_pattern()?)?;
    let moves_money = operation.scopes.iter().any(|scope| scope.moves_money());
    let bearer = moves_money.then(|| verified(request).ok())??;
    let mut ids = request.path().split('/').filter_map(|part| Some((part, decode(part.rsplit_once('_')?.1)?)));
    let object = ids.next_back();
    let record = AuditRecord {
        at: app.clock.now(),
        actor: bearer.actor.id,
        actor_kind: bearer.subject.into(),
        embed: bearer.embed,
        action: operation.id,
        object: object.map_or_else(Uuid::nil, |(_, id)| id),
        object_name: object.map(|(name, _)| name.to_owned()),
        changed: Vec::new(),
        before: None,
        after: None,
        refused: Some(refused),
        request_id: RequestId::current(request).as_str().to_owned(),
    };
    Some((app.clone(), record))
}
