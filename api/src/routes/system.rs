//! Health, the API document, the reference page.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking};
use crate::problem::Problem;

/// How the service feels.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Health)]
struct HealthView {
    /// `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Whether the process runs
///
/// Answers without touching the database.
#[utoipa::path(operation_id = "get_liveness", tag = "operations", responses((status = 200, description = "It runs", body = HealthView, example = json!({"status": "ok"}))))]
#[get("/health/live")]
async fn live() -> Result<Answer, Problem> {
    Answer::ok(&HealthView { status: "ok" })
}

/// Whether the service can work
///
/// Asks the database.
#[utoipa::path(operation_id = "get_readiness", tag = "operations", responses((status = 200, description = "The database answers", body = HealthView, example = json!({"status": "ok"}))))]
#[get("/health/ready")]
async fn ready(app: Data<App>) -> Result<Answer, Problem> {
    let viewer = domain::access::Viewer::Parties(Vec::new());
    app.log_is_signed()?;
    blocking(move || app.store.read(&viewer, |queries| queries.deals().count_by_stage())).await??;
    Answer::ok(&HealthView { status: "ok" })
}

/// This document
///
/// OpenAPI 3.1, the same bytes as the committed `openapi/flip360.v1.json`.
#[utoipa::path(operation_id = "get_openapi", tag = "operations", responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = Object)))]
#[get("/openapi.json")]
async fn openapi(app: Data<App>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(app.document.clone())
}

/// Public routes outside of `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(live).service(ready).service(openapi);
}
