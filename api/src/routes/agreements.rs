//! Agreements, their versions, and calculations; how versions live, and lookup tables, are in the folder.

mod life;
mod tables;

use actix_web::web::{Data, Path};
use actix_web::{get, post};
use domain::agreements::AgreementVersion;
use domain::agreements::repository::StoredCalculation;
use domain::agreements::reproduce::{ReproduceError, Rerun, rerun};
use domain::kernel::ids::{AgreementId, CalculationId, OrganisationId};
use utoipa_actix_web::service_config::ServiceConfig;

use super::catalogue::vertical;
use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Caller, Command, Empty, Id, List, Unfiltered};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::agreements::{AgreementView, CalculationView, ExplanationView, ReproductionView, VersionView};
use crate::views::catalogue::VerticalQuery;

/// List agreements
///
/// Of one vertical or of all.
#[utoipa::path(operation_id = "list_agreements", tag = "agreements", security(("oauth2" = ["agreements:read"])), params(List<VerticalQuery>), responses((status = 200, description = "A page of agreements", body = PageView<AgreementView>)))]
#[get("/agreements")]
async fn list_agreements(app: Data<App>, list: List<VerticalQuery>) -> Result<Answer, Problem> {
    let List { caller, query, page, cursors } = list;
    let vertical = vertical(query.vertical.as_deref())?;
    let page = read(&app, &caller, move |queries| queries.agreements().list(vertical, &page)).await?;
    Answer::page(page, &cursors, AgreementView::from)
}

/// Get an agreement
///
/// What it is for; what it says is in its versions.
#[utoipa::path(operation_id = "get_agreement", tag = "agreements", security(("oauth2" = ["agreements:read"])), params(("id" = String, Path, description = "The agreement", example = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The agreement", body = AgreementView)))]
#[get("/agreements/{id}")]
async fn get_agreement(app: Data<App>, caller: Caller, Id(id): Id<AgreementId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.agreements().find(id)).await?;
    Answer::ok(&AgreementView::from(found.ok_or_else(Problem::not_found)?))
}

/// List the versions of an agreement
///
/// The first one first, each with its content.
#[utoipa::path(operation_id = "list_agreement_versions", tag = "agreements", security(("oauth2" = ["agreements:read"])), params(("id" = String, Path, description = "The agreement", example = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<Unfiltered>), responses((status = 200, description = "A page of versions", body = PageView<VersionView>)))]
#[get("/agreements/{id}/versions")]
async fn list_agreement_versions(
    app: Data<App>,
    list: List<Unfiltered>,
    Id(id): Id<AgreementId>,
) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let page = read(&app, &caller, move |queries| {
        let queries = queries.agreements();
        match queries.find(id)? {
            Some(_) => queries.list_versions(id, &page).map(Some),
            None => Ok(None),
        }
    })
    .await?
    .ok_or_else(Problem::not_found)?;
    let views = page.data.iter().map(VersionView::try_from).collect::<Result<Vec<_>, _>>()?;
    Answer::page(domain::kernel::Page { data: views, next: page.next }, &cursors, |view| view)
}

/// Get a version of an agreement
///
/// Its content is what was hashed: the SHA-256 of its canonical JSON is `content_sha256`.
#[utoipa::path(operation_id = "get_agreement_version", tag = "agreements", security(("oauth2" = ["agreements:read"])), params(("id" = String, Path, description = "The agreement", example = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("number" = u32, Path, description = "The version", example = 1)), responses((status = 200, description = "The version", body = VersionView)))]
#[get("/agreements/{id}/versions/{number}")]
async fn get_agreement_version(
    app: Data<App>,
    caller: Caller,
    Id(id): Id<AgreementId>,
    path: Path<(String, String)>,
) -> Result<Answer, Problem> {
    let number = number(&path.1)?;
    let found = read(&app, &caller, move |queries| queries.agreements().find_version(id, number)).await?;
    shown(&found.ok_or_else(Problem::not_found)?)
}

/// The number of a version in a path; one that no version has is not found.
fn number(text: &str) -> Result<u32, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

/// The version in full, with the `ETag` of its changes.
fn shown(version: &AgreementVersion) -> Result<Answer, Problem> {
    Ok(Answer::ok(&VersionView::try_from(version)?)?.with_version(version.version))
}

/// A calculation that the caller sees, with the version that governed it and the introducer of its deal.
async fn calculation(
    app: &Data<App>,
    caller: &Caller,
    id: CalculationId,
) -> Result<(StoredCalculation, AgreementVersion, OrganisationId), Problem> {
    let found = read(app, caller, move |queries| {
        let Some(stored) = queries.agreements().find_calculation(id)? else { return Ok(None) };
        let version = queries.agreements().find_version(stored.version.0, stored.version.1)?;
        let deal = queries.deals().find(stored.deal)?;
        Ok(version.zip(deal).map(|(version, deal)| (stored, version, deal.deal.introducer)))
    });
    found.await?.ok_or_else(Problem::not_found)
}

fn again(stored: &StoredCalculation, version: &AgreementVersion) -> Result<Rerun, ReproduceError> {
    let version = version.governing().map_err(|_| ReproduceError::Version)?;
    rerun(stored, &[version])
}

/// Get a calculation
///
/// What it was worked out from, and those of its lines that you see, derived from that again. The lines are those of `GET /v1/deals/{id}/commission`: an introducer sees what its members earn, not the platform's share; a provider sees no lines. `output_sha256` is of all of them.
#[utoipa::path(operation_id = "get_calculation", tag = "agreements", security(("oauth2" = ["agreements:read"])), params(("id" = String, Path, description = "The calculation", example = "calc_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The calculation", body = CalculationView)))]
#[get("/calculations/{id}")]
async fn get_calculation(app: Data<App>, caller: Caller, Id(id): Id<CalculationId>) -> Result<Answer, Problem> {
    let (stored, version, introducer) = calculation(&app, &caller, id).await?;
    let rerun = again(&stored, &version).map_err(|error| Problem::internal(&error))?;
    let rerun = rerun.seen_by(&caller.viewer(), introducer);
    Answer::ok(&CalculationView::new(&stored, &rerun)?)
}

/// Explain a calculation
///
/// Every component considered, each condition with the values that it saw, each rounding and split; without the steps that tell what others get.
#[utoipa::path(operation_id = "explain_calculation", tag = "agreements", security(("oauth2" = ["agreements:read"])), params(("id" = String, Path, description = "The calculation", example = "calc_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "Every step", body = ExplanationView)))]
#[get("/calculations/{id}/explain")]
async fn explain_calculation(app: Data<App>, caller: Caller, Id(id): Id<CalculationId>) -> Result<Answer, Problem> {
    let (stored, version, introducer) = calculation(&app, &caller, id).await?;
    let rerun = again(&stored, &version).map_err(|error| Problem::internal(&error))?;
    let rerun = rerun.seen_by(&caller.viewer(), introducer);
    Answer::ok(&ExplanationView::new(&stored, &rerun))
}

/// Reproduce a calculation
///
/// Works it out again from its stored input and compares the digests. Changes nothing.
#[utoipa::path(operation_id = "reproduce_calculation", tag = "agreements", security(("oauth2" = ["agreements:read"])), params(("id" = String, Path, description = "The calculation", example = "calc_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "Whether it comes to the same", body = ReproductionView)))]
#[post("/calculations/{id}/reproduce")]
async fn reproduce_calculation(
    app: Data<App>,
    Id(id): Id<CalculationId>,
    command: Command<Empty>,
) -> Result<Answer, Problem> {
    let (stored, version, _) = calculation(&app, &command.caller, id).await?;
    Answer::ok(&ReproductionView::new(&stored, &again(&stored, &version)))
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    life::register(config);
    tables::register(config);
    config
        .service(list_agreements)
        .service(get_agreement)
        .service(list_agreement_versions)
        .service(get_agreement_version)
        .service(get_calculation)
        .service(explain_calculation)
        .service(reproduce_calculation);
}
