//! Embed tokens for frontends.

use actix_web::post;
use actix_web::web::Data;
use domain::access::Methods;
use domain::access::embed::{self, CreateEmbedToken};
use domain::access::login::Login;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::App;
use crate::extract::Command;
use crate::once::once;
use crate::problem::Problem;
use crate::views::embed::{CreateEmbedTokenRequest, EmbedTokenView};

/// Create an embed token
///
/// A short, read-only access token that sees what one member of yours sees, for a frontend of yours. It cannot be refreshed; it ends early when whoever asked for it is revoked or changed. Bound to an `origin`, it is refused to browsers on pages of another one.
#[utoipa::path(operation_id = "create_embed_token", tag = "access", security(("oauth2" = ["directory:write"])), request_body = CreateEmbedTokenRequest, responses((status = 200, description = "The token", body = EmbedTokenView)))]
#[post("/embed-tokens")]
async fn create_embed_token(app: Data<App>, command: Command<CreateEmbedTokenRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| CreateEmbedToken::parse(&raw.into()))?;
    let (issuing, caller) = (app.clone(), &command.caller);
    let (subject, version, session) = (caller.subject, caller.bearer_version, caller.session);
    let (seconds, origin) = (command.body.expires_in, command.body.origin.clone());
    let member = command.body.member;
    once(&app, command, embed::embed, move |actor| {
        let login = Login { subject, actor, version, methods: Methods::default(), session };
        let (id, now) = (issuing.ids.next(), issuing.clock.now());
        let issued = issuing.tokens.issue_embed(&login, id, now, seconds, origin.as_ref().map(|o| o.as_str()));
        let issued = issued.map_err(|error| Problem::internal(&error))?;
        Ok(Answer::ok(&EmbedTokenView::new(issued, member))?.about(member.uuid()).naming(&member).private())
    })
    .await
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(create_embed_token);
}
