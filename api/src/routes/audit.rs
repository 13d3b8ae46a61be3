//! The audit log: who did what to which object.

use actix_web::get;
use actix_web::web::Data;
use domain::access::audit::AuditFilter;
use domain::access::failed_login::NOBODY_KNOWN;
use domain::kernel::id::decode;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::List;
use crate::extract::query::{filter, plain};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::audit::{AuditQuery, AuditRecordView};

/// The bare id in a prefixed one of whatever kind, or a bare one.
fn any_id(text: &str) -> Result<Uuid, &'static str> {
    match text.rsplit_once('_') {
        Some((_, suffix)) => decode(suffix).ok_or("not an id"),
        None => Uuid::try_parse(text).map_err(|_| "not an id"),
    }
}

/// Who acted: an id, or one of the words `service` and `unknown`.
fn actor(text: &str) -> Result<Uuid, &'static str> {
    match text {
        "service" => Ok(Uuid::nil()),
        "unknown" => Ok(NOBODY_KNOWN),
        id => any_id(id),
    }
}

/// List the audit log
///
/// Who did what to which object, in which request, and what the changed fields were before and after. Newest first.
/// Personal data and free text are not in it: `[withheld]` stands in their place.
#[utoipa::path(operation_id = "list_audit_records", tag = "operations", security(("oauth2" = ["audit:read"])), params(List<AuditQuery>), responses((status = 200, description = "A page of acts", body = PageView<AuditRecordView>)))]
#[get("/audit-log")]
async fn list_audit_records(app: Data<App>, list: List<AuditQuery>) -> Result<Answer, Problem> {
    let List { caller, query: asked, page, cursors } = list;
    let filter = AuditFilter {
        actor: filter("actor", asked.actor.as_deref(), actor)?,
        action: plain("action", asked.action)?,
        object: filter("object_id", asked.object_id.as_deref(), any_id)?,
        request_id: plain("request_id", asked.request_id)?,
    };
    let page = read(&app, &caller, move |queries| queries.audit().list(&filter, &page)).await?;
    Answer::page(page, &cursors, AuditRecordView::from)
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(list_audit_records);
}
