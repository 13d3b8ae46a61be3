//! Signing keys: register, rotate, revoke, look at.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::chain::registration::register as register_key;
use domain::chain::revocation::{RevokeKey, revoke};
use domain::chain::rotation::{RotateKey, rotate};
use domain::kernel::ids::SigningKeyId;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Caller, Command, Id, List, Unfiltered};
use crate::once::once;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::signing_keys::{
    CreateSigningKeyRequest, RevokeSigningKeyRequest, RotateSigningKeyRequest, SigningKeyView,
};

/// List signing keys
///
/// Your organisation's, your members', and those that signed a handshake of yours. Oldest first.
#[utoipa::path(operation_id = "list_signing_keys", tag = "chain", security(("oauth2" = ["chain:read"])), params(List<Unfiltered>), responses((status = 200, description = "A page of signing keys", body = PageView<SigningKeyView>)))]
#[get("/signing-keys")]
async fn list_signing_keys(app: Data<App>, list: List<Unfiltered>) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let page = read(&app, &caller, move |queries| queries.keys().list_keys(&page)).await?;
    Answer::page(page, &cursors, SigningKeyView::from)
}

/// Get a signing key
///
/// The public key, whose it is, in whose hand, and how it began and ended.
#[utoipa::path(operation_id = "get_signing_key", tag = "chain", security(("oauth2" = ["chain:read"])), params(("id" = String, Path, description = "The signing key", example = "key_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The signing key", body = SigningKeyView)))]
#[get("/signing-keys/{id}")]
async fn get_signing_key(app: Data<App>, caller: Caller, Id(id): Id<SigningKeyId>) -> Result<Answer, Problem> {
    let key = read(&app, &caller, move |queries| queries.keys().find_key(id)).await?;
    Answer::ok(&SigningKeyView::from(key.ok_or_else(Problem::not_found)?))
}

/// Register a signing key
///
/// The registration is signed by the very key that it names, for this log and for one party: your organisation or a
/// member of it. Weak, non-canonical and mixed-order keys are refused. A member's key is registered as its own
/// (`assurance: self`) by that member alone, with its own token; whoever else registers one for a member says `custodial`.
/// The same registration again answers 200.
#[utoipa::path(operation_id = "create_signing_key", tag = "chain", security(("oauth2" = ["chain:write"])), request_body = CreateSigningKeyRequest, responses((status = 201, description = "The signing key", body = SigningKeyView), (status = 200, description = "The same key, registered before", body = SigningKeyView)))]
#[post("/signing-keys")]
async fn create_signing_key(app: Data<App>, command: Command<CreateSigningKeyRequest>) -> Result<Answer, Problem> {
    once(
        &app,
        command,
        |uow, env, body| register_key(uow, env, &body.registration),
        |registered| {
            let (id, view) = (registered.key.id, SigningKeyView::from(registered.key));
            if registered.new {
                Answer::created(format!("/v1/signing-keys/{id}"), id.uuid(), &view)
            } else {
                Answer::ok(&view)
            }
        },
    )
    .await
}

/// Rotate a signing key
///
/// The key gives way to the next, and both sign that it does: the key signs the rotation, the next key the proof in it.
/// Where the key promised its `next`, it must be that one. Answers the next key; the old one signs nothing any more. The
/// same rotation again answers 200.
#[utoipa::path(operation_id = "rotate_signing_key", tag = "chain", security(("oauth2" = ["chain:write"])), params(("id" = String, Path, description = "The key that gives way", example = "key_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = RotateSigningKeyRequest, responses((status = 201, description = "The next key", body = SigningKeyView), (status = 200, description = "The same, rotated to before", body = SigningKeyView)))]
#[post("/signing-keys/{id}/rotate")]
async fn rotate_signing_key(
    app: Data<App>,
    Id(key): Id<SigningKeyId>,
    command: Command<RotateSigningKeyRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| Ok::<_, Problem>(RotateKey { key, rotation: raw.rotation }))?;
    once(&app, command, rotate, |rotated| {
        let (id, view) = (rotated.key.id, SigningKeyView::from(rotated.key));
        if rotated.new {
            Answer::created(format!("/v1/signing-keys/{id}"), id.uuid(), &view)
        } else {
            Answer::ok(&view)
        }
    })
    .await
}

/// Revoke a signing key
///
/// From its leaf on, nothing that the key signs is taken. Signed by the key itself or by another active key of its party;
/// when it is lost, an administrator or the member whose it is sends the reason alone, and the platform signs on that word
/// (`assurance: attested`). What was signed before stays good.
#[utoipa::path(operation_id = "revoke_signing_key", tag = "chain", security(("oauth2" = ["chain:write"])), params(("id" = String, Path, description = "The key", example = "key_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = RevokeSigningKeyRequest, responses((status = 200, description = "The key, revoked", body = SigningKeyView)))]
#[post("/signing-keys/{id}/revoke")]
async fn revoke_signing_key(
    app: Data<App>,
    Id(key): Id<SigningKeyId>,
    command: Command<RevokeSigningKeyRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| RevokeKey::parse(key, raw.into()))?;
    once(&app, command, revoke, |key| {
        let id = key.id.uuid();
        Ok(Answer::ok(&SigningKeyView::from(key))?.about(id))
    })
    .await
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_signing_keys)
        .service(get_signing_key)
        .service(create_signing_key)
        .service(rotate_signing_key)
        .service(revoke_signing_key);
}
