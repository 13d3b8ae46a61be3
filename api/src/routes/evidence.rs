//! Evidence against the log, and against its witnesses: public, since it concerns whoever relies on the log.

use actix_web::get;
use actix_web::web::Data;
use domain::access::Viewer;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking};
use crate::extract::{OpenList, Unfiltered};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::evidence::EvidenceView;

/// List the evidence
///
/// What witnesses refused to cosign, newest first: each with the checkpoint that they were shown and what they answered. An
/// empty list says that no witness of this service ever refused; ask the witnesses themselves, too.
#[utoipa::path(operation_id = "list_chain_evidence", tag = "chain", params(OpenList<Unfiltered>), responses((status = 200, description = "A page of evidence", body = PageView<EvidenceView>)))]
#[get("/chain/evidence")]
async fn list_chain_evidence(app: Data<App>, list: OpenList<Unfiltered>) -> Result<Answer, Problem> {
    let OpenList { page, cursors, .. } = list;
    let nobody = Viewer::Parties(Vec::new());
    let find = move || app.store.read(&nobody, |queries| queries.witnesses().list_evidence(&page));
    let found = blocking(find).await??;
    Answer::page(found, &cursors, EvidenceView::from)
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(list_chain_evidence);
}
