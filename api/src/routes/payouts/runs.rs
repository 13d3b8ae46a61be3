//! Payout runs: preview, propose, approve by somebody else, execute.

use std::num::NonZeroU32;

use actix_web::web::Data;
use actix_web::{get, post};
use domain::directory::text::Grounds;
use domain::env::Env;
use domain::kernel::Digest;
use domain::kernel::ids::PayoutRunId;
use domain::payouts::execute::Execution;
use domain::payouts::repository::PayoutFilter;
use domain::payouts::{OnRun, PayoutError, PayoutRun, PreviewRun, RunSummary, command, decide, execute};
use domain::store::UnitOfWork;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking, read};
use crate::extract::query::{Filter, filter};
use crate::extract::{Caller, Command, Empty, Id, IfMatch, List, ListQuery, Unfiltered};
use crate::once::{once, problem_answer};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::payouts::{
    ApproveRunRequest, BankFilesView, DecideRunRequest, PayoutRunView, PayoutView, PreviewRunRequest,
};

/// Which runs are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RunQuery {
    /// `previewed`, `proposed`, `approved`, `executed`, `rejected`, `cancelled`.
    #[param(example = "approved")]
    state: Option<String>,
}

impl ListQuery for RunQuery {}

/// The run, with the `ETag` of its version.
fn shown(run: &RunSummary) -> Result<Answer, Problem> {
    Ok(Answer::ok(&PayoutRunView::from(run))?.with_version(etag(run.version)).about(run.id.uuid()))
}

/// A run as it was and as it is.
type Decided = (Option<RunSummary>, PayoutRun);

/// Looks at a run, locked as the work will lock it, before something is done to it.
fn looking_back<R>(
    uow: &mut dyn UnitOfWork,
    run: PayoutRunId,
    work: impl FnOnce(&mut dyn UnitOfWork) -> Result<R, PayoutError>,
) -> Result<(Option<RunSummary>, R), PayoutError> {
    let before = uow.payouts().lock_run(run)?;
    Ok((before, work(uow)?))
}

/// The run, and what became of it for the audit log.
fn decided((before, run): Decided) -> Result<Answer, Problem> {
    let run = RunSummary::from(&run);
    altered(shown(&run)?, before.as_ref(), &run)
}

fn altered(answer: Answer, before: Option<&RunSummary>, run: &RunSummary) -> Result<Answer, Problem> {
    match before {
        Some(before) => answer.altering(&PayoutRunView::from(before), &PayoutRunView::from(run)),
        None => Ok(answer),
    }
}

fn etag(version: u32) -> i32 {
    i32::try_from(version).unwrap_or(i32::MAX)
}

/// List payout runs
///
/// Newest first.
#[utoipa::path(operation_id = "list_payout_runs", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(List<RunQuery>), responses((status = 200, description = "A page of runs", body = PageView<PayoutRunView>)))]
#[get("/payout-runs")]
async fn list_payout_runs(app: Data<App>, list: List<RunQuery>) -> Result<Answer, Problem> {
    let List { caller, query, page, cursors } = list;
    let states = ["previewed", "proposed", "approved", "executed", "rejected", "cancelled"];
    if query.state.as_deref().is_some_and(|state| !states.contains(&state)) {
        return Err(Problem::malformed_at("#state", "unknown_value", "there is no such state of a run"));
    }
    let page = read(&app, &caller, move |queries| queries.payouts().list_runs(query.state.as_deref(), &page)).await?;
    Answer::page(page, &cursors, |run| PayoutRunView::from(&run))
}

/// Preview a payout run
///
/// Releases what has come off hold, then works out whom a run would pay as things lie now: per payee what is available up to the cut-off, less what clawbacks take. Nothing moves. Whom, and who is left out why, says its content.
#[utoipa::path(operation_id = "create_payout_run", tag = "payouts", security(("oauth2" = ["payouts:write"])), request_body = PreviewRunRequest, responses((status = 201, description = "The run, previewed", body = PayoutRunView)))]
#[post("/payout-runs")]
async fn create_payout_run(app: Data<App>, command: Command<PreviewRunRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| PreviewRun::parse(raw.bank_account_id.as_deref(), raw.cut_off_on.as_deref()))?;
    let (release, actor) = (app.clone(), command.caller.actor.clone());
    blocking(move || decide::release_due(release.store.as_ref(), &release.env(&actor))).await??;
    once(&app, command, decide::preview, |run| {
        let location = format!("/v1/payout-runs/{}", run.id);
        let view = PayoutRunView::from(&RunSummary::from(&run));
        Ok(Answer::created(location, run.id.uuid(), &view)?.with_version(etag(run.version)))
    })
    .await
}

/// Get a payout run
///
/// Where it stands, and what it comes to.
#[utoipa::path(operation_id = "get_payout_run", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(("id" = String, Path, description = "The run", example = "run_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The run", body = PayoutRunView)))]
#[get("/payout-runs/{id}")]
async fn get_payout_run(app: Data<App>, caller: Caller, Id(id): Id<PayoutRunId>) -> Result<Answer, Problem> {
    let run = read(&app, &caller, move |queries| queries.payouts().find_run(id)).await?;
    shown(&run.ok_or_else(Problem::not_found)?)
}

/// Get what a payout run does
///
/// The payouts with their lines, set-offs and bank details by id and commitment, and who is left out with the reason; amounts are strings of cents. The bytes are canonical JSON (RFC 8785) whose SHA-256 is the run's `content_sha256`: hash them, read them, then approve.
#[utoipa::path(operation_id = "get_payout_run_content", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(("id" = String, Path, description = "The run", example = "run_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The content", body = serde_json::Value, example = json!({"bank_account": "bank_01k0w4q7v8e2rtf3k2m9x5c6dz", "currency": "AUD", "cut_off_on": "2026-11-25", "payouts": [], "run": "run_01k0w4q7v8e2rtf3k2m9x5c6dz", "skipped": [{"code": "gst_status_changed", "gross": "78000", "payee": "payee_01k0w4q7v8e2rtf3k2m9x5c6dz", "recoverable": "0"}], "total": "0", "type": "payout_run", "v": 1}))))]
#[get("/payout-runs/{id}/content")]
async fn get_payout_run_content(app: Data<App>, caller: Caller, Id(id): Id<PayoutRunId>) -> Result<Answer, Problem> {
    let content = read(&app, &caller, move |queries| queries.payouts().find_content(id)).await?;
    let content = content.ok_or_else(Problem::not_found)?;
    let sha256 = Digest::of(&content).to_string();
    Ok(Answer::bytes("application/json", content).with_etag(&sha256))
}

/// Propose a payout run
///
/// Asks for approval. `If-Match` is honoured when sent.
#[utoipa::path(operation_id = "propose_payout_run", tag = "payouts", security(("oauth2" = ["payouts:write"])), params(("id" = String, Path, description = "The run", example = "run_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw; optional, since the digest or the key guards.", example = "\"1\"")), responses((status = 200, description = "The run, proposed", body = PayoutRunView)))]
#[post("/payout-runs/{id}/propose")]
async fn propose_payout_run(
    app: Data<App>,
    Id(run): Id<PayoutRunId>,
    IfMatch(version): IfMatch,
    command: Command<Empty>,
) -> Result<Answer, Problem> {
    let on = OnRun { run, version };
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, _: &Empty| {
        looking_back(uow, run, |uow| decide::propose(uow, env, &on))
    };
    once(&app, command, work, decided).await
}

/// Approve a payout run
///
/// Names the content that the approver saw by its digest. The approver is neither the proposer nor whoever made the preview. The approval is signed and logged.
#[utoipa::path(operation_id = "approve_payout_run", tag = "payouts", security(("oauth2" = ["payouts:approve"])), params(("id" = String, Path, description = "The run", example = "run_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw; optional, since the digest or the key guards.", example = "\"1\"")), request_body = ApproveRunRequest, responses((status = 200, description = "The run, approved", body = PayoutRunView)))]
#[post("/payout-runs/{id}/approve")]
async fn approve_payout_run(
    app: Data<App>,
    Id(run): Id<PayoutRunId>,
    IfMatch(version): IfMatch,
    command: Command<ApproveRunRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| command::seen_content(raw.content_sha256.as_deref()))?;
    let on = OnRun { run, version };
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, seen: &Digest| {
        looking_back(uow, run, |uow| decide::approve(uow, env, &on, *seen))
    };
    once(&app, command, work, decided).await
}

/// Reject a payout run
///
/// The proposal ends here; a new preview starts another.
#[utoipa::path(operation_id = "reject_payout_run", tag = "payouts", security(("oauth2" = ["payouts:approve"])), params(("id" = String, Path, description = "The run", example = "run_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw; optional, since the digest or the key guards.", example = "\"1\"")), request_body = DecideRunRequest, responses((status = 200, description = "The run, rejected", body = PayoutRunView)))]
#[post("/payout-runs/{id}/reject")]
async fn reject_payout_run(
    app: Data<App>,
    Id(run): Id<PayoutRunId>,
    IfMatch(version): IfMatch,
    command: Command<DecideRunRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| command::grounds(raw.reason.as_deref()))?;
    let on = OnRun { run, version };
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, grounds: &Grounds| {
        looking_back(uow, run, |uow| decide::reject(uow, env, &on, grounds))
    };
    once(&app, command, work, decided).await
}

/// Cancel a payout run
///
/// Gives it up before it is executed.
#[utoipa::path(operation_id = "cancel_payout_run", tag = "payouts", security(("oauth2" = ["payouts:write"])), params(("id" = String, Path, description = "The run", example = "run_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw; optional, since the digest or the key guards.", example = "\"1\"")), request_body = DecideRunRequest, responses((status = 200, description = "The run, cancelled", body = PayoutRunView)))]
#[post("/payout-runs/{id}/cancel")]
async fn cancel_payout_run(
    app: Data<App>,
    Id(run): Id<PayoutRunId>,
    IfMatch(version): IfMatch,
    command: Command<DecideRunRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| command::grounds(raw.reason.as_deref()))?;
    let on = OnRun { run, version };
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, grounds: &Grounds| {
        looking_back(uow, run, |uow| decide::cancel(uow, env, &on, grounds))
    };
    once(&app, command, work, decided).await
}

/// Execute a payout run
///
/// Posts the ledger entries, makes the payouts and the bank file, all or nothing. Executing it again gives the same run. If what is available no longer fits what was approved (say, a clawback came since), nothing moves: the answer is 409 `approval_void`, and the run is back at `previewed` with a new content.
#[utoipa::path(operation_id = "execute_payout_run", tag = "payouts", security(("oauth2" = ["payouts:execute"])), params(("id" = String, Path, description = "The run", example = "run_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw; optional, since the digest or the key guards.", example = "\"1\"")), responses((status = 200, description = "The run, executed", body = PayoutRunView)))]
#[post("/payout-runs/{id}/execute")]
async fn execute_payout_run(
    app: Data<App>,
    Id(run): Id<PayoutRunId>,
    IfMatch(version): IfMatch,
    command: Command<Empty>,
) -> Result<Answer, Problem> {
    let on = OnRun { run, version };
    let caller = command.caller.clone();
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, _: &Empty| {
        looking_back(uow, run, |uow| execute::execute(uow, env, &on))
    };
    let answer = move |(before, execution): (Option<RunSummary>, Execution)| match execution {
        Execution::Done(run) => decided((before, run)),
        Execution::Voided(run, found) => {
            let reasons = found.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            let problem =
                Problem::conflict("approval_void", format!("nothing was paid and the approval is void: {reasons}"));
            altered(Answer::refusal(problem_answer(&problem, &caller), run.id.uuid()), before.as_ref(), &(&run).into())
        }
    };
    once::<_, _, PayoutError>(&app, command, work, answer).await
}

/// List the payouts of a run
///
/// Newest first; none before the run is executed.
#[utoipa::path(operation_id = "list_payout_run_payouts", tag = "payouts", security(("oauth2" = ["payouts:read"])), params(("id" = String, Path, description = "The run", example = "run_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<Unfiltered>), responses((status = 200, description = "A page of payouts", body = PageView<PayoutView>)))]
#[get("/payout-runs/{id}/payouts")]
async fn list_payout_run_payouts(
    app: Data<App>,
    list: List<Unfiltered>,
    Id(id): Id<PayoutRunId>,
) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let found = read(&app, &caller, move |queries| {
        let filter = PayoutFilter { run: Some(id), ..PayoutFilter::default() };
        let run = queries.payouts().find_run(id)?;
        Ok((run.is_some(), queries.payouts().list_payouts(&filter, &page)?))
    })
    .await?;
    let (true, payouts) = found else { return Err(Problem::not_found()) };
    let today = app.clock.now().sydney_date();
    Answer::page(payouts, &cursors, |payout| PayoutView::new(payout, today))
}

/// Which file is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct FileQuery {
    /// Its place among the files of the run, from 1; needed only where there are several.
    #[param(value_type = Option<u32>, example = 1)]
    file: Option<String>,
}

/// Get the bank file of a run
///
/// Direct Entry (ABA), byte for byte as it was made when the run was executed; not found before, nor if nothing of the run goes by bank file. Of a run with several files, the list of them, and with `?file=` one of them.
#[utoipa::path(operation_id = "get_payout_run_aba", tag = "payouts", security(("oauth2" = ["payouts:execute"])), params(("id" = String, Path, description = "The run", example = "run_01k0w4q7v8e2rtf3k2m9x5c6dz"), FileQuery), responses((status = 200, description = "The bank file, or the list of files where there are several and none is named", content((String = "text/plain"), (BankFilesView = "application/json")))))]
#[get("/payout-runs/{id}/aba")]
async fn get_payout_run_aba(
    app: Data<App>,
    caller: Caller,
    Id(id): Id<PayoutRunId>,
    Filter(query): Filter<FileQuery>,
) -> Result<Answer, Problem> {
    let asked = filter("file", query.file.as_deref(), |text| text.parse::<NonZeroU32>())?.map(NonZeroU32::get);
    let found = read(&app, &caller, move |queries| {
        let files = queries.payouts().list_files(id)?;
        let n = asked.or(if files.len() > 1 { None } else { Some(1) });
        Ok((files, n.map(|n| queries.payouts().find_file(id, n)).transpose()?))
    })
    .await?;
    match found {
        (files, None) => Answer::ok(&BankFilesView::from(files.as_slice())),
        (_, Some(file)) => {
            let file = file.ok_or_else(Problem::not_found)?;
            let sha256 = Digest::of(&file).to_string();
            Ok(Answer::bytes("text/plain; charset=us-ascii", file).with_etag(&sha256))
        }
    }
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_payout_runs)
        .service(create_payout_run)
        .service(propose_payout_run)
        .service(approve_payout_run)
        .service(reject_payout_run)
        .service(cancel_payout_run)
        .service(execute_payout_run)
        .service(list_payout_run_payouts)
        .service(get_payout_run_aba)
        .service(get_payout_run_content)
        .service(get_payout_run);
}
