//! Webhook endpoints, and what was sent to them.

use actix_web::web::Data;
use actix_web::{delete, get, patch, post};
use domain::env::Env;
use domain::events::EventKind;
use domain::kernel::ids::{EventId, WebhookDeliveryId, WebhookEndpointId};
use domain::store::UnitOfWork;
use domain::webhooks::delivery::DeliveryStatus;
use domain::webhooks::endpoint::Endpoint;
use domain::webhooks::repository::DeliveryFilter;
use domain::webhooks::{CreateEndpoint, UpdateEndpoint, service};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Caller, Change, Command, Empty, Id, List, Unfiltered, query};
use crate::once::{change, once};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::webhooks::{
    CreateWebhookEndpointRequest, UpdateWebhookEndpointRequest, WebhookDeliveryQuery, WebhookDeliveryView,
    WebhookEndpointSecretView, WebhookEndpointView, WebhookTestView,
};

fn endpoint(endpoint: &Endpoint) -> Result<Answer, Problem> {
    Ok(Answer::ok(&WebhookEndpointView::from(endpoint))?.with_version(endpoint.version).about(endpoint.id.uuid()))
}

/// List webhook endpoints
///
/// Oldest first. A partner sees its own; secrets are never shown again.
#[utoipa::path(operation_id = "list_webhook_endpoints", tag = "webhooks", security(("oauth2" = ["webhooks:read"])), params(List<Unfiltered>), responses((status = 200, description = "A page of endpoints", body = PageView<WebhookEndpointView>)))]
#[get("/webhook-endpoints")]
async fn list_webhook_endpoints(app: Data<App>, list: List<Unfiltered>) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let page = read(&app, &caller, move |queries| queries.webhooks().list_endpoints(&page)).await?;
    Answer::page(page, &cursors, |endpoint| WebhookEndpointView::from(&endpoint))
}

/// Create a webhook endpoint
///
/// It belongs to your organisation (or to the operator, for staff) and gets what happens from now on. The
/// shared secret of `v1` is in this answer and nowhere else; `v1a` shows its public key at any time. An endpoint
/// never gets more than your token may read.
#[utoipa::path(operation_id = "create_webhook_endpoint", tag = "webhooks", security(("oauth2" = ["webhooks:write"])), request_body = CreateWebhookEndpointRequest, responses((status = 201, description = "The endpoint with its secret", body = WebhookEndpointSecretView)))]
#[post("/webhook-endpoints")]
async fn create_webhook_endpoint(
    app: Data<App>,
    command: Command<CreateWebhookEndpointRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| CreateEndpoint::parse(&raw.into(), app.outbound.wall()))?;
    let own = app.clone();
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &CreateEndpoint| {
        service::create(uow, env, &own.sealer, command)
    };
    once(&app, command, work, |made| {
        let id = made.endpoint.id;
        let location = format!("/v1/webhook-endpoints/{id}");
        let answer = Answer::created(location, id.uuid(), &WebhookEndpointSecretView::from(&made))?;
        Ok(answer.with_version(made.endpoint.version).private())
    })
    .await
}

/// Get a webhook endpoint
///
/// One of your organisation, or any as staff of the operator.
#[utoipa::path(operation_id = "get_webhook_endpoint", tag = "webhooks", security(("oauth2" = ["webhooks:read"])), params(("id" = String, Path, description = "The endpoint", example = "endpoint_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The endpoint", body = WebhookEndpointView)))]
#[get("/webhook-endpoints/{id}")]
async fn get_webhook_endpoint(
    app: Data<App>,
    caller: Caller,
    Id(id): Id<WebhookEndpointId>,
) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.webhooks().find_endpoint(id)).await?;
    endpoint(&found.ok_or_else(Problem::not_found)?)
}

/// Change a webhook endpoint
///
/// Its address, its description, which events it gets, whether it gets any. Absent fields stay.
#[utoipa::path(operation_id = "update_webhook_endpoint", tag = "webhooks", security(("oauth2" = ["webhooks:write"])), params(("id" = String, Path, description = "The endpoint", example = "endpoint_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = UpdateWebhookEndpointRequest, responses((status = 200, description = "The endpoint", body = WebhookEndpointView)))]
#[patch("/webhook-endpoints/{id}")]
async fn update_webhook_endpoint(
    app: Data<App>,
    Id(id): Id<WebhookEndpointId>,
    body: Change<UpdateWebhookEndpointRequest>,
) -> Result<Answer, Problem> {
    let body = body.parse(|raw| UpdateEndpoint::parse(&raw.into(), app.outbound.wall()))?;
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, change: &Change<UpdateEndpoint>| {
        service::update(uow, env, id, change.if_match, &change.body)
    };
    change(&app, body, work, |changed| endpoint(&changed)).await
}

/// Delete a webhook endpoint
///
/// Its secrets are gone, what waits for it is given up.
#[utoipa::path(operation_id = "delete_webhook_endpoint", tag = "webhooks", security(("oauth2" = ["webhooks:write"])), params(("id" = String, Path, description = "The endpoint", example = "endpoint_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = String, Header, description = "The `ETag` that the caller last saw.", example = "\"1\"")), responses((status = 204, description = "Deleted")))]
#[delete("/webhook-endpoints/{id}")]
async fn delete_webhook_endpoint(
    app: Data<App>,
    Id(id): Id<WebhookEndpointId>,
    body: Change<Empty>,
) -> Result<Answer, Problem> {
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, change: &Change<Empty>| {
        service::delete(uow, env, id, change.if_match)
    };
    change(&app, body, work, |gone| Ok(Answer::no_content(gone.id.uuid()))).await
}

/// Give a webhook endpoint another secret
///
/// For 24 hours each request carries two signatures, with the new secret and with the one before.
#[utoipa::path(operation_id = "rotate_webhook_endpoint_secret", tag = "webhooks", security(("oauth2" = ["webhooks:write"])), params(("id" = String, Path, description = "The endpoint", example = "endpoint_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The endpoint with its new secret", body = WebhookEndpointSecretView)))]
#[post("/webhook-endpoints/{id}/rotate-secret")]
async fn rotate_webhook_endpoint_secret(
    app: Data<App>,
    Id(id): Id<WebhookEndpointId>,
    command: Command<Empty>,
) -> Result<Answer, Problem> {
    let own = app.clone();
    let work =
        move |uow: &mut dyn UnitOfWork, env: &Env<'_>, _: &Empty| service::rotate_secret(uow, env, &own.sealer, id);
    once(&app, command, work, |made| {
        let answer = Answer::ok(&WebhookEndpointSecretView::from(&made))?.with_version(made.endpoint.version);
        Ok(answer.about(made.endpoint.id.uuid()).private())
    })
    .await
}

/// Test a webhook endpoint
///
/// Sends a `webhook.test` event to this endpoint and to no other, whatever types it wants.
#[utoipa::path(operation_id = "test_webhook_endpoint", tag = "webhooks", security(("oauth2" = ["webhooks:write"])), params(("id" = String, Path, description = "The endpoint", example = "endpoint_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 202, description = "The event is on its way", body = WebhookTestView)))]
#[post("/webhook-endpoints/{id}/test")]
async fn test_webhook_endpoint(
    app: Data<App>,
    Id(id): Id<WebhookEndpointId>,
    command: Command<Empty>,
) -> Result<Answer, Problem> {
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, _: &Empty| service::test(uow, env, id);
    once(&app, command, work, |(event, endpoint)| {
        let location = format!("/v1/webhook-endpoints/{}/deliveries?event_id={event}", endpoint.id);
        Answer::accepted(location, endpoint.id.uuid(), &WebhookTestView::from(event))
    })
    .await
}

/// List the deliveries of a webhook endpoint
///
/// Newest first, each with its attempts. Kept for three months.
#[utoipa::path(operation_id = "list_webhook_deliveries", tag = "webhooks", security(("oauth2" = ["webhooks:read"])), params(("id" = String, Path, description = "The endpoint", example = "endpoint_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<WebhookDeliveryQuery>), responses((status = 200, description = "A page of deliveries", body = PageView<WebhookDeliveryView>)))]
#[get("/webhook-endpoints/{id}/deliveries")]
async fn list_webhook_deliveries(
    app: Data<App>,
    list: List<WebhookDeliveryQuery>,
    Id(id): Id<WebhookEndpointId>,
) -> Result<Answer, Problem> {
    let List { caller, query: asked, page, cursors } = list;
    let kind = |text: &str| EventKind::parse(text).ok_or("there is no such type of event");
    let filter = DeliveryFilter {
        status: query::filter("status", asked.status.as_deref(), DeliveryStatus::parse)?,
        kind: query::filter("event_type", asked.event_type.as_deref(), kind)?,
        event: query::filter("event_id", asked.event_id.as_deref(), EventId::parse)?,
    };
    let page = read(&app, &caller, move |queries| match queries.webhooks().find_endpoint(id)? {
        Some(_) => queries.webhooks().list_deliveries(id, &filter, &page).map(Some),
        None => Ok(None),
    });
    Answer::page(page.await?.ok_or_else(Problem::not_found)?, &cursors, WebhookDeliveryView::from)
}

/// Send a delivery again
///
/// Now, with the same `webhook-id`. One that still waits keeps its place among the events of its subject; one
/// that was delivered or given up is sent out of order.
#[utoipa::path(operation_id = "redeliver_webhook", tag = "webhooks", security(("oauth2" = ["webhooks:write"])), params(("id" = String, Path, description = "The delivery", example = "delivery_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 202, description = "It is sent again", body = WebhookDeliveryView)))]
#[post("/webhook-endpoints/deliveries/{id}/redeliver")]
async fn redeliver_webhook(
    app: Data<App>,
    Id(id): Id<WebhookDeliveryId>,
    command: Command<Empty>,
) -> Result<Answer, Problem> {
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, _: &Empty| service::redeliver(uow, env, id);
    let answer = once(&app, command, work, |delivery| {
        let location = format!("/v1/webhook-endpoints/{}/deliveries?event_id={}", delivery.endpoint, delivery.event);
        Answer::accepted(location, delivery.id.uuid(), &WebhookDeliveryView::from(&delivery))
    })
    .await?;
    app.dispatching.notify_one();
    Ok(answer)
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(redeliver_webhook)
        .service(list_webhook_endpoints)
        .service(create_webhook_endpoint)
        .service(get_webhook_endpoint)
        .service(update_webhook_endpoint)
        .service(delete_webhook_endpoint)
        .service(rotate_webhook_endpoint_secret)
        .service(test_webhook_endpoint)
        .service(list_webhook_deliveries);
}
