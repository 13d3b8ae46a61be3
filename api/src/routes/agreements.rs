//! Agreements, their versions, and calculations; how versions live, and lookup tables, are in the folder.

mod life;
mod tables;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, get, post};
use domain::agreements::AgreementVersion;
use domain::agreements::dry_run::{DryRunError, dry_run};
use domain::agreements::repository::StoredCalculation;
use domain::agreements::reproduce::{ReproduceError, Rerun, rerun};
use domain::kernel::Faults;
use domain::kernel::ids::{AgreementId, CalculationId, OrganisationId};
use utoipa_actix_web::service_config::ServiceConfig;

use super::catalogue::vertical;
use crate::answer::Answer;
use crate::app::{App, blocking, read};
use crate::extract::{Caller, Command, Empty, Id, List, Unfiltered};
use crate::http::media::prefers;
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::agreements::{AgreementView, CalculationView, ExplanationView, ReproductionView, VersionView};
use crate::views::catalogue::VerticalQuery;
use crate::views::dry_runs::{CreateCalculationRequest, DryRunView, Under};

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

/// Work out a made-up deal
///
/// Under a version that exists, in whatever state, or under content that need not. Says what everybody would earn, which components
/// would pay nothing and why, and every step. Stores nothing: its participants are made up, its amounts are owed to nobody.
#[utoipa::path(operation_id = "create_calculation", tag = "agreements", security(("oauth2" = ["agreements:read"])), request_body = CreateCalculationRequest, responses((status = 200, description = "What it comes to", body = DryRunView)))]
#[post("/calculations")]
async fn create_calculation(app: Data<App>, command: Command<CreateCalculationRequest>) -> Result<Answer, Problem> {
    let command = command.parse(CreateCalculationRequest::parse)?;
    let (under, run) = command.body;
    let version = match under {
        Under::MadeUp(version) => *version,
        Under::Stored(agreement, number) => {
            let found =
                read(&app, &command.caller, move |queries| queries.agreements().find_version(agreement, number));
            let found = found.await?.ok_or_else(|| at("/agreement_id", "not_found", "there is no such version"))?;
            found.governing().map_err(|error| Problem::internal(&error))?
        }
    };
    // Content of a megabyte takes longer than a thread of the server may be held.
    blocking(move || match dry_run(&version, &run) {
        Ok(outcome) => Answer::ok(&DryRunView::new(&version, &outcome)),
        Err(error) => Err(not_worked_out(error)),
    })
    .await?
}

fn at(pointer: &str, code: &'static str, detail: impl Into<String>) -> Problem {
    let mut faults = Faults::default();
    faults.push(pointer, code, detail);
    faults.into()
}

fn not_worked_out(error: DryRunError) -> Problem {
    match error {
        DryRunError::Content(findings) => {
            let mut faults = Faults::default();
            for finding in findings {
                faults.push(format!("/content{}", finding.pointer), finding.code, finding.message);
            }
            faults.into()
        }
        DryRunError::UnknownCounter(_) => at("/counters", "unknown_value", error.to_string()),
        DryRunError::Evaluate(_) => Problem::refused("amount_out_of_range", error.to_string()),
    }
}

/// Explain a calculation
///
/// Every component considered, each condition with the values that it saw, each rounding and split, without the steps that tell what
/// others get; and the same as a person reads it, which is all that `Accept: text/plain` gets.
#[utoipa::path(operation_id = "explain_calculation", tag = "agreements", security(("oauth2" = ["agreements:read"])), params(("id" = String, Path, description = "The calculation", example = "calc_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "Every step", content((ExplanationView = "application/json"), (String = "text/plain")))))]
#[get("/calculations/{id}/explain")]
async fn explain_calculation(
    app: Data<App>,
    caller: Caller,
    Id(id): Id<CalculationId>,
    request: HttpRequest,
) -> Result<Answer, Problem> {
    let (stored, version, introducer) = calculation(&app, &caller, id).await?;
    let rerun = again(&stored, &version).map_err(|error| Problem::internal(&error))?;
    let rerun = rerun.seen_by(&caller.viewer(), introducer);
    let governing = version.governing().map_err(|error| Problem::internal(&error))?;
    let view = ExplanationView::new(&stored, &rerun, &governing);
    if prefers(request.headers(), "text/plain", "application/json") {
        return Ok(Answer::text(view.into_text()));
    }
    Answer::ok(&view)
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
        .service(create_calculation)
        .service(get_calculation)
        .service(explain_calculation)
        .service(reproduce_calculation);
}
