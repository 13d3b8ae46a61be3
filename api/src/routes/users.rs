//! Users, and what somebody does about their own login.

use actix_web::web::Data;
use actix_web::{get, patch, post};
use domain::access::code::TotpCode;
use domain::access::user_change::{self, UpdateUser};
use domain::access::{AccessError, CreateUser, Password, Subject, User, service, totp};
use domain::kernel::Faults;
use domain::kernel::ids::UserId;
use serde_json::json;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking, ended_tokens, read};
use crate::extract::{Caller, Change, Command, Empty, Id, List, Unfiltered};
use crate::once::{answered, change, once};
use crate::problem::Problem;
use crate::routes::totp::second_factor;
use crate::views::PageView;
use crate::views::users::{ChangePasswordRequest, CreateUserRequest, UpdateUserRequest, UserView};

fn user(user: User) -> Result<Answer, Problem> {
    let version = user.version;
    Ok(Answer::ok(&UserView::from(user))?.with_version(version))
}

/// List users
///
/// Oldest first.
#[utoipa::path(operation_id = "list_users", tag = "access", security(("oauth2" = ["access:admin"])), params(List<Unfiltered>), responses((status = 200, description = "A page of users", body = PageView<UserView>)))]
#[get("/users")]
async fn list_users(app: Data<App>, list: List<Unfiltered>) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let page = read(&app, &caller, move |queries| queries.access().list_users(&page)).await?;
    Answer::page(page, &cursors, UserView::from)
}

/// Create a user
///
/// Somebody who logs in with an e-mail address and a password at `/oauth/token`. Nobody can give a role with scopes that their own token lacks.
#[utoipa::path(operation_id = "create_user", tag = "access", security(("oauth2" = ["access:admin"])), request_body = CreateUserRequest, responses((status = 201, description = "The user", body = UserView)))]
#[post("/users")]
async fn create_user(app: Data<App>, command: Command<CreateUserRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| CreateUser::parse(&raw.into(), app.password_rules.as_ref()))?;
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

/// Get a user
///
/// Its roles and whom it acts for.
#[utoipa::path(operation_id = "get_user", tag = "access", security(("oauth2" = ["access:admin"])), params(("id" = String, Path, description = "The user", example = "user_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The user", body = UserView)))]
#[get("/users/{id}")]
async fn get_user(app: Data<App>, caller: Caller, Id(id): Id<UserId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.access().find_user(id)).await?;
    user(found.ok_or_else(Problem::not_found)?)
}

/// Change a user
///
/// Its roles with whom it acts for, whether it may log in, and which outside issuer may log it in. Absent fields stay. A change ends the user's sessions and tokens at once. The last administrator can neither be disabled nor lose its role.
#[utoipa::path(operation_id = "update_user", tag = "access", security(("oauth2" = ["access:admin"])), params(("id" = String, Path, description = "The user", example = "user_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = UpdateUserRequest, responses((status = 200, description = "The user", body = UserView)))]
#[patch("/users/{id}")]
async fn update_user(app: Data<App>, Id(id): Id<UserId>, body: Change<UpdateUserRequest>) -> Result<Answer, Problem> {
    let body = body.parse(|raw| UpdateUser::parse(&raw.into()))?;
    let answer = change(
        &app,
        body,
        move |uow, env, change| user_change::update_user(uow, env, id, change.if_match, &change.body),
        move |altered| {
            let (before, after) = (UserView::from(altered.before), UserView::from(altered.after.clone()));
            user(altered.after)?.about(id.uuid()).altering(&before, &after)
        },
    )
    .await?;
    ended_tokens(&app).await;
    Ok(answer)
}

/// Reset a user's second factor
///
/// For somebody who lost theirs. It is gone, with the user's sessions and tokens; until the user has set up another one, no token of theirs has a scope that moves money. The user's organisation hears of it (`user.second_factor_reset`). Nobody resets their own, nor through an API client that they hold: 422 `same_person`. 409 when there is none.
#[utoipa::path(operation_id = "reset_second_factor", tag = "access", security(("oauth2" = ["access:admin"])), params(("id" = String, Path, description = "The user", example = "user_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The user", body = UserView)))]
#[post("/users/{id}/reset-second-factor")]
async fn reset_second_factor(app: Data<App>, Id(id): Id<UserId>, command: Command<Empty>) -> Result<Answer, Problem> {
    let work =
        move |uow: &mut dyn domain::store::UnitOfWork, env: &domain::env::Env<'_>, _: &Empty| totp::reset(uow, env, id);
    let answer = once(&app, command, work, move |altered| {
        let had = |has: bool| json!({"second_factor": has});
        user(altered.after)?.about(id.uuid()).naming(&id).private().altering(&had(true), &had(false))
    })
    .await?;
    ended_tokens(&app).await;
    Ok(answer)
}

/// Change your password
///
/// For a user. The present password is asked for again, and a code where there is a second factor; a wrong one counts towards the lock. Sessions and tokens of the old password end, also the one that asks: log in again.
#[utoipa::path(operation_id = "change_password", tag = "access", security(("oauth2" = [])), request_body = ChangePasswordRequest, responses((status = 200, description = "The user", body = UserView)))]
#[post("/me/password")]
async fn change_password(app: Data<App>, command: Command<ChangePasswordRequest>) -> Result<Answer, Problem> {
    let mut command = command.parse(passwords)?;
    // The body holds passwords: a bare digest of it could be guessed from the database.
    command.fingerprint = app.sealer.blind(&command.fingerprint);
    let Subject::User(id) = command.caller.subject else {
        return Err(Problem::refused("users_only", "only a user has a password"));
    };
    if let Some(first) = answered(&app, &command).await? {
        return Ok(first);
    }
    let (doing, Passwords { current, new, code }) = (app.clone(), command.body.clone());
    let hash = blocking(move || {
        let (store, hasher) = (doing.store.as_ref(), doing.passwords.as_ref());
        let email = user_change::confirm_password(store, hasher, doing.clock.now(), id, &current)?;
        let rules = doing.password_rules.as_ref();
        let mut faults = Faults::default();
        faults.keep("/new_password", new.accepted(rules, email.as_ref()));
        faults.check().map_err(AccessError::Invalid)?;
        // Last, since a code is used up by being looked at.
        totp::verify_beside_password(store, second_factor(&doing), doing.clock.now(), id, code.as_ref())?;
        Ok::<_, AccessError>(hasher.hash(&new)?)
    })
    .await??;
    let command = command.parse(|_| Ok::<_, Problem>(hash))?;
    let answer = once(
        &app,
        command,
        move |uow, env, hash| user_change::change_password(uow, env, id, hash),
        move |changed| Ok(user(changed)?.about(id.uuid()).naming(&id).private()),
    )
    .await?;
    ended_tokens(&app).await;
    Ok(answer)
}

/// What changes a password.
#[derive(Clone)]
struct Passwords {
    current: Password,
    new: Password,
    code: Option<TotpCode>,
}

fn passwords(raw: ChangePasswordRequest) -> Result<Passwords, Faults> {
    let mut faults = Faults::default();
    let read = |faults: &mut Faults, pointer: &str, text: Option<String>| match text {
        Some(text) => faults.keep(pointer, Password::parse(&text)),
        None => {
            faults.push(pointer, "required", "this field is required");
            None
        }
    };
    let current = read(&mut faults, "/current_password", raw.current_password);
    let new = read(&mut faults, "/new_password", raw.new_password);
    let code = raw.totp.as_deref().and_then(|text| faults.keep("/totp", TotpCode::parse(text)));
    match (current, new) {
        (Some(current), Some(new)) if faults.0.is_empty() => Ok(Passwords { current, new, code }),
        _ => Err(faults),
    }
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_users)
        .service(create_user)
        .service(get_user)
        .service(update_user)
        .service(change_password)
        .service(reset_second_factor);
}
