//! Who calls; API clients.

use actix_web::web::Data;
use actix_web::{delete, get, post};
use domain::access::{ApiClient, CreateApiClient, Subject, service, user_change};
use domain::kernel::ids::ApiClientId;
use domain::store::StoreError;
use serde_json::json;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking, ended_tokens, read};
use crate::extract::{Caller, Change, Command, Empty, Id, List, Unfiltered};
use crate::once::{change, once};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::access::{ApiClientSecretView, ApiClientView, CreateApiClientRequest, MeView};

/// Who you are
///
/// The user or API client behind the token, and what the token says: roles, scopes, and whom it acts for; and which scopes are withheld for want of a second factor.
#[utoipa::path(operation_id = "get_me", tag = "access", security(("oauth2" = [])), responses((status = 200, description = "The caller", body = MeView)))]
#[get("/me")]
async fn get_me(app: Data<App>, caller: Caller) -> Result<Answer, Problem> {
    let (subject, environment) = (caller.subject, app.environment);
    let known = blocking(move || {
        app.store.transaction(|uow| {
            let has_second_factor = match subject {
                Subject::User(id) => user_change::has_second_factor(uow, id)?,
                Subject::Client(_) => false,
            };
            Ok::<_, StoreError>((service::name_of(uow, subject)?, has_second_factor))
        })
    });
    let (name, has_second_factor) = known.await??;
    Answer::ok(&MeView::new(&caller, environment, name, has_second_factor))
}

/// List API clients
///
/// Oldest first. Secrets are never shown again.
#[utoipa::path(operation_id = "list_api_clients", tag = "access", security(("oauth2" = ["access:admin"])), params(List<Unfiltered>), responses((status = 200, description = "A page of API clients", body = PageView<ApiClientView>)))]
#[get("/api-clients")]
async fn list_api_clients(app: Data<App>, list: List<Unfiltered>) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let page = read(&app, &caller, move |queries| queries.access().list_clients(&page)).await?;
    Answer::page(page, &cursors, ApiClientView::from)
}

/// Create an API client
///
/// The secret is in this answer and nowhere else. Nobody can give a role with scopes that their own token lacks.
#[utoipa::path(operation_id = "create_api_client", tag = "access", security(("oauth2" = ["access:admin"])), request_body = CreateApiClientRequest, responses((status = 201, description = "The API client with its secret", body = ApiClientSecretView)))]
#[post("/api-clients")]
async fn create_api_client(app: Data<App>, command: Command<CreateApiClientRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| CreateApiClient::parse(&raw.into()))?;
    once(&app, command, service::create_client, |made| {
        let (id, version) = (made.client.id, made.client.version);
        let location = format!("/v1/api-clients/{id}");
        Ok(Answer::created(location, id.uuid(), &ApiClientSecretView::from(made))?.with_version(version).private())
    })
    .await
}

/// Give an API client a new secret
///
/// The old secret stops working at once, and the tokens that the client has end: the secret may have been stolen.
#[utoipa::path(operation_id = "rotate_api_client_secret", tag = "access", security(("oauth2" = ["access:admin"])), params(("id" = String, Path, description = "The API client", example = "client_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The API client with its new secret", body = ApiClientSecretView)))]
#[post("/api-clients/{id}/rotate-secret")]
async fn rotate_api_client_secret(
    app: Data<App>,
    Id(id): Id<ApiClientId>,
    command: Command<Empty>,
) -> Result<Answer, Problem> {
    let work = move |uow: &mut dyn domain::store::UnitOfWork, env: &domain::env::Env<'_>, _: &Empty| {
        service::rotate_secret(uow, env, id)
    };
    let answer = once(&app, command, work, move |made| {
        let version = made.client.version;
        Ok(Answer::ok(&ApiClientSecretView::from(made))?.with_version(version).about(id.uuid()).private())
    })
    .await?;
    ended_tokens(&app).await;
    Ok(answer)
}

/// Revoke an API client
///
/// It gets no more tokens, and those it has are good no more. A revoked client stays revoked.
#[utoipa::path(operation_id = "revoke_api_client", tag = "access", security(("oauth2" = ["access:admin"])), params(("id" = String, Path, description = "The API client", example = "client_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = String, Header, description = "The `ETag` that the caller last saw.", example = "\"1\"")), responses((status = 204, description = "Revoked")))]
#[delete("/api-clients/{id}")]
async fn revoke_api_client(app: Data<App>, Id(id): Id<ApiClientId>, body: Change<Empty>) -> Result<Answer, Problem> {
    let answer = change(
        &app,
        body,
        move |uow, env, change| service::revoke_client(uow, env, id, Some(change.if_match)),
        |altered| {
            let client = &altered.after;
            let revoked = |client: &ApiClient| json!({"revoked_at": client.revoked_at.map(|at| at.to_string())});
            let answer = Answer::no_content(client.id.uuid()).with_version(client.version);
            answer.altering(&revoked(&altered.before), &revoked(client))
        },
    )
    .await?;
    ended_tokens(&app).await;
    Ok(answer)
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    super::users::register(config);
    super::client_keys::register(config);
    super::totp::register(config);
    super::oidc::register(config);
    super::embed::register(config);
    config
        .service(get_me)
        .service(list_api_clients)
        .service(create_api_client)
        .service(rotate_api_client_secret)
        .service(revoke_api_client);
}
