//! Erasing contacts, and what became of it.

use actix_web::web::Data;
use actix_web::{delete, get};
use domain::directory::DirectoryError;
use domain::directory::erase::{self, Erased};
use domain::kernel::ids::ContactId;
use domain::store::{StoreError, UnitOfWork};
use serde::Serialize;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, ended_tokens, read};
use crate::extract::{Change, Empty, Id, List, Unfiltered};
use crate::once::change;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::directory::{ContactView, PayeeView};
use crate::views::erasures::ErasureView;
use crate::views::users::UserView;

fn bytes(view: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(view).map_err(|error| StoreError::Failed(error.to_string()))
}

/// First answers that told of what was erased tell what is there now.
fn rewrite(uow: &mut dyn UnitOfWork, erased: &Erased) -> Result<(), StoreError> {
    let contact = &erased.contact.after;
    let view = bytes(&ContactView::from(contact.clone()))?;
    uow.idempotency().rewrite_contact(&format!("/v1/contacts/{}", contact.contact.id), &view)?;
    for id in &erased.payees {
        if let Some(payee) = uow.directory().lock_payee(*id)? {
            let view = bytes(&PayeeView::from(payee))?;
            uow.idempotency().rewrite_person(&format!("/v1/payees/{id}"), &view)?;
        }
    }
    for id in &erased.users {
        if let Some(user) = uow.access().find_user(*id)? {
            uow.idempotency().rewrite_person(&format!("/v1/users/{id}"), &bytes(&UserView::from(user))?)?;
        }
    }
    Ok(())
}

/// Erase a contact
///
/// Its name, e-mail address and telephone number are gone for good, with the signed words, salts and lane secrets of the
/// handshakes by which it was referred. The log keeps its leaves and gets one more that says so; ledger and deals hold ids
/// only and stay whole. Of a member who was paid, what the tax law wants kept stays for five years, and what money is owed
/// by as long as it is: `GET /v1/contacts/{id}/erasures` tells what, why and until when. Erasing again, then, takes it.
#[utoipa::path(operation_id = "erase_contact", tag = "directory", security(("oauth2" = ["directory:write"])), params(("id" = String, Path, description = "The contact", example = "contact_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = String, Header, description = "The `ETag` that the caller last saw.", example = "\"1\"")), responses((status = 204, description = "Erased")))]
#[delete("/contacts/{id}")]
async fn erase_contact(app: Data<App>, Id(id): Id<ContactId>, body: Change<Empty>) -> Result<Answer, Problem> {
    let answer = change(
        &app,
        body,
        move |uow, env, change| {
            let erased = erase::erase_contact(uow, env, id, change.if_match)?;
            rewrite(uow, &erased)?;
            Ok::<_, DirectoryError>(erased)
        },
        move |erased| {
            let altered = erased.contact;
            let version = altered.after.version;
            let (before, after) = (ContactView::from(altered.before), ContactView::from(altered.after));
            Answer::no_content(id.uuid()).with_version(version).altering(&before, &after)
        },
    )
    .await?;
    // Users who logged in as it do so no more.
    ended_tokens(&app).await;
    Ok(answer)
}

/// List the erasures of a contact
///
/// Oldest first: what each took, what stays and why, and the leaf of the log that says so. Nothing in it is personal.
#[utoipa::path(operation_id = "list_contact_erasures", tag = "directory", security(("oauth2" = ["directory:read"])), params(("id" = String, Path, description = "The contact", example = "contact_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<Unfiltered>), responses((status = 200, description = "A page of erasures", body = PageView<ErasureView>)))]
#[get("/contacts/{id}/erasures")]
async fn list_contact_erasures(
    app: Data<App>,
    list: List<Unfiltered>,
    Id(id): Id<ContactId>,
) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let page = read(&app, &caller, move |queries| match queries.directory().find_contact(id)? {
        Some(_) => queries.erasures().list_erasures(id, &page).map(Some),
        None => Ok(None),
    })
    .await?;
    Answer::page(page.ok_or_else(Problem::not_found)?, &cursors, ErasureView::from)
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(erase_contact).service(list_contact_erasures);
}
