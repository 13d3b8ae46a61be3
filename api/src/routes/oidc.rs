//! Outside issuers.

use actix_web::web::Data;
use actix_web::{delete, get, post};
use domain::access::oidc::{self, CreateOidcIssuer, OidcIssuer};
use domain::env::Env;
use domain::kernel::ids::OidcIssuerId;
use domain::store::UnitOfWork;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, ended_tokens, read};
use crate::extract::{Change, Command, Empty, Id, List, Unfiltered};
use crate::once::{change, once};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::oidc::{CreateOidcIssuerRequest, OidcIssuerView};

/// List outside issuers
///
/// Oldest first.
#[utoipa::path(operation_id = "list_oidc_issuers", tag = "access", security(("oauth2" = ["access:admin"])), params(List<Unfiltered>), responses((status = 200, description = "A page of issuers", body = PageView<OidcIssuerView>)))]
#[get("/oidc-issuers")]
async fn list_oidc_issuers(app: Data<App>, list: List<Unfiltered>) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let page = read(&app, &caller, move |queries| queries.access().list_issuers(&page)).await?;
    Answer::page(page, &cursors, |issuer| OidcIssuerView::from(&issuer))
}

/// Register an outside issuer
///
/// An OpenID Connect provider whose ID tokens log people in: users are linked to it by the subject under which it knows them (`oidc` of a user), and then trade an ID token for an access token at `/oauth/token`. Its metadata and keys are looked for when they are first needed.
#[utoipa::path(operation_id = "create_oidc_issuer", tag = "access", security(("oauth2" = ["access:admin"])), request_body = CreateOidcIssuerRequest, responses((status = 201, description = "The issuer", body = OidcIssuerView)))]
#[post("/oidc-issuers")]
async fn create_oidc_issuer(app: Data<App>, command: Command<CreateOidcIssuerRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| CreateOidcIssuer::parse(&raw.into(), app.outbound.wall()))?;
    once(&app, command, oidc::create_issuer, |made| {
        let answer =
            Answer::created(format!("/v1/oidc-issuers/{}", made.id), made.id.uuid(), &OidcIssuerView::from(&made))?;
        Ok(answer.with_version(OidcIssuer::VERSION))
    })
    .await
}

/// Forget an outside issuer
///
/// Nobody is linked to it any more; sessions and tokens of those who were end at once. An issuer never changes, so its `ETag` is always `"1"`.
#[utoipa::path(operation_id = "delete_oidc_issuer", tag = "access", security(("oauth2" = ["access:admin"])), params(("id" = String, Path, description = "The issuer", example = "issuer_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = String, Header, description = "The `ETag` that the caller last saw.", example = "\"1\"")), responses((status = 204, description = "It is gone")))]
#[delete("/oidc-issuers/{id}")]
async fn delete_oidc_issuer(app: Data<App>, Id(id): Id<OidcIssuerId>, body: Change<Empty>) -> Result<Answer, Problem> {
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, change: &Change<Empty>| {
        oidc::delete_issuer(uow, env, id, change.if_match)
    };
    let answer = change(&app, body, work, |gone| Ok(Answer::no_content(gone.id.uuid()).naming(&gone.id))).await?;
    ended_tokens(&app).await;
    Ok(answer)
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(list_oidc_issuers).service(create_oidc_issuer).service(delete_oidc_issuer);
}
