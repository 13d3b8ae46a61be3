//! Public keys of API clients.

use actix_web::web::Data;
use actix_web::{delete, get, post};
use domain::access::client_key::{self, ApiClientKey, CreateApiClientKey};
use domain::env::Env;
use domain::kernel::ids::{ApiClientId, ApiClientKeyId};
use domain::store::UnitOfWork;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, ended_tokens, read};
use crate::extract::{Change, Command, Empty, Id, KeyId, List, Unfiltered};
use crate::once::{change, once};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::client_keys::{ApiClientKeyView, CreateApiClientKeyRequest};

/// List the keys of an API client
///
/// Oldest first. Each is the public half; the private half stays with the client.
#[utoipa::path(operation_id = "list_api_client_keys", tag = "access", security(("oauth2" = ["access:admin"])), params(("id" = String, Path, description = "The API client", example = "client_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<Unfiltered>), responses((status = 200, description = "A page of keys", body = PageView<ApiClientKeyView>)))]
#[get("/api-clients/{id}/keys")]
async fn list_api_client_keys(
    app: Data<App>,
    list: List<Unfiltered>,
    Id(id): Id<ApiClientId>,
) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let found = read(&app, &caller, move |queries| queries.access().list_client_keys(id, &page)).await?;
    Answer::page(found.ok_or_else(Problem::not_found)?, &cursors, |key| ApiClientKeyView::from(&key))
}

/// Register a key of an API client
///
/// From now on the client may get tokens by `private_key_jwt` (RFC 7523) with the private half, beside its secret. Ed25519 only. Nobody can register a key of a client with scopes that their own token lacks.
#[utoipa::path(operation_id = "create_api_client_key", tag = "access", security(("oauth2" = ["access:admin"])), params(("id" = String, Path, description = "The API client", example = "client_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = CreateApiClientKeyRequest, responses((status = 201, description = "The key", body = ApiClientKeyView)))]
#[post("/api-clients/{id}/keys")]
async fn create_api_client_key(
    app: Data<App>,
    Id(id): Id<ApiClientId>,
    command: Command<CreateApiClientKeyRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| CreateApiClientKey::parse(raw.input().as_ref()))?;
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &CreateApiClientKey| {
        client_key::create_client_key(uow, env, id, command)
    };
    once(&app, command, work, |made| {
        let location = format!("/v1/api-clients/{}/keys/{}", made.client, made.id);
        let answer = Answer::created(location, made.id.uuid(), &ApiClientKeyView::from(&made))?;
        Ok(answer.with_version(ApiClientKey::VERSION))
    })
    .await
}

/// Take a key of an API client away
///
/// Nothing that is signed with it is taken any more, and the tokens that the client has end at once. A key never changes, so its `ETag` is always `"1"`.
#[utoipa::path(operation_id = "delete_api_client_key", tag = "access", security(("oauth2" = ["access:admin"])), params(("id" = String, Path, description = "The API client", example = "client_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("key_id" = String, Path, description = "The key", example = "clientkey_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = String, Header, description = "The `ETag` that the caller last saw.", example = "\"1\"")), responses((status = 204, description = "It is gone")))]
#[delete("/api-clients/{id}/keys/{key_id}")]
async fn delete_api_client_key(
    app: Data<App>,
    Id(id): Id<ApiClientId>,
    KeyId(key): KeyId<ApiClientKeyId>,
    body: Change<Empty>,
) -> Result<Answer, Problem> {
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, change: &Change<Empty>| {
        client_key::delete_client_key(uow, env, id, key, change.if_match)
    };
    let answer = change(&app, body, work, |gone| Ok(Answer::no_content(gone.uuid()).naming(&gone))).await?;
    ended_tokens(&app).await;
    Ok(answer)
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(list_api_client_keys).service(create_api_client_key).service(delete_api_client_key);
}
