//! Who calls; users and API clients.

use actix_web::web::Data;
use actix_web::{delete, get, post};
use domain::access::{AccessError, CreateApiClient, CreateUser, service};
use domain::kernel::ids::ApiClientId;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking, read};
use crate::extract::{Caller, Change, Command, Empty, Filter, Id, cursor};
use crate::once::{change, once};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::access::{
    ApiClientSecretView, ApiClientView, CreateApiClientRequest, CreateUserRequest, MeView, PageQuery, UserView,
};

/// Who you are
///
/// The user or API client behind the token, and what the token says: roles, scopes, and whom it acts for.
#[utoipa::path(operation_id = "get_me", tag = "access", security(("oauth2" = [])), responses((status = 200, description = "The caller", body = MeView)))]
#[get("/me")]
async fn get_me(app: Data<App>, caller: Caller) -> Result<Answer, Problem> {
    let subject = caller.subject;
    let name = blocking(move || app.store.transaction(|uow| service::name_of(uow, subject))).await??;
    Answer::ok(&MeView::new(&caller, name))
}

/// List API clients
///
/// Oldest first. Secrets are never shown again.
#[utoipa::path(operation_id = "list_api_clients", tag = "access", security(("oauth2" = ["access:admin"])), params(PageQuery), responses((status = 200, description = "A page of API clients", body = PageView<ApiClientView>)))]
#[get("/api-clients")]
async fn list_api_clients(app: Data<App>, caller: Caller, Filter(query): Filter<PageQuery>) -> Result<Answer, Problem> {
    let page = cursor::page_request(query.limit, query.cursor.as_deref())?;
    let page = read(&app, &caller, move |queries| queries.access().list_clients(&page)).await?;
    Answer::page(page, ApiClientView::from)
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
/// The old secret stops working at once; tokens that were issued with it end within their 15 minutes.
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
    once(&app, command, work, move |made| {
        let version = made.client.version;
        Ok(Answer::ok(&ApiClientSecretView::from(made))?.with_version(version).about(id.uuid()).private())
    })
    .await
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
        |client| Ok(Answer::no_content(client.id.uuid()).with_version(client.version)),
    )
    .await?;
    app.revoke(id.uuid());
    Ok(answer)
}

/// List users
///
/// Oldest first.
#[utoipa::path(operation_id = "list_users", tag = "access", security(("oauth2" = ["access:admin"])), params(PageQuery), responses((status = 200, description = "A page of users", body = PageView<UserView>)))]
#[get("/users")]
async fn list_users(app: Data<App>, caller: Caller, Filter(query): Filter<PageQuery>) -> Result<Answer, Problem> {
    let page = cursor::page_request(query.limit, query.cursor.as_deref())?;
    let page = read(&app, &caller, move |queries| queries.access().list_users(&page)).await?;
    Answer::page(page, UserView::from)
}

/// Create a user
///
/// Somebody who logs in with an e-mail address and a password at `/oauth/token`. Nobody can give a role with scopes that their own token lacks.
#[utoipa::path(operation_id = "create_user", tag = "access", security(("oauth2" = ["access:admin"])), request_body = CreateUserRequest, responses((status = 201, description = "The user", body = UserView)))]
#[post("/users")]
async fn create_user(app: Data<App>, command: Command<CreateUserRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| CreateUser::parse(&raw.into()))?;
    // Hashed before the transaction: one hash takes tens of milliseconds.
    let (hasher, password) = (app.passwords.clone(), command.body.password.clone());
    let hash = blocking(move || hasher.hash(&password)).await?.map_err(AccessError::from)?;
    let mut command = command.parse(|body| Ok::<_, Problem>((body, hash)))?;
    // The body holds a password: a bare digest of it could be guessed from the database.
    command.fingerprint = app.sealer.blind(&command.fingerprint);
    once(
        &app,
        command,
        |uow, env, (body, hash)| service::create_user(uow, env, body, hash),
        |user| {
            let (id, version) = (user.id, user.version);
            Ok(Answer::created(format!("/v1/users/{id}"), id.uuid(), &UserView::from(user))?
                .with_version(version)
                .private())
        },
    )
    .await
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(get_me)
        .service(list_api_clients)
        .service(create_api_client)
        .service(rotate_api_client_secret)
        .service(revoke_api_client)
        .service(list_users)
        .service(create_user);
}
