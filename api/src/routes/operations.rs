//! How the service does: errors of the last minutes. The figures for scrapers have a listener of their own.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};
use domain::access::Viewer;
use domain::payouts::sla;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, blocking, read};
use crate::extract::{Caller, Filter};
use crate::figures::{MINUTES, payouts_in_time};
use crate::problem::Problem;
use crate::views::operations::{ErrorRateQuery, ErrorRateView, PayoutSlaView};

/// Minutes that are looked back at when the caller does not say.
const WINDOW: u16 = 5;

/// Get the error rate
///
/// Of the requests that this process answered in the last minutes, the present one among them: how many failed
/// through a fault of the service (5xx), as a share of all.
#[utoipa::path(operation_id = "get_error_rate", tag = "operations", security(("oauth2" = ["operations:read"])), params(ErrorRateQuery), responses((status = 200, description = "The rate", body = ErrorRateView)))]
#[get("/operations/error-rate")]
async fn get_error_rate(
    app: Data<App>,
    _caller: Caller,
    Filter(asked): Filter<ErrorRateQuery>,
) -> Result<Answer, Problem> {
    let window = asked.window_minutes.unwrap_or(WINDOW);
    if !(1..=MINUTES).contains(&usize::from(window)) {
        let detail = format!("window_minutes is 1 to {MINUTES}");
        return Err(Problem::malformed_at("#window_minutes", "window_out_of_range", detail));
    }
    Answer::ok(&ErrorRateView::new(window, app.figures.answered(window, app.clock.now())))
}

/// Get how payouts keep to their time
///
/// By rail: how many payouts arrived in time, how many late, how many are on their way, how many of these are late, and the oldest. The clock runs in banking days from the day on which a payout is sent.
#[utoipa::path(operation_id = "get_payout_sla", tag = "operations", security(("oauth2" = ["operations:read"])), responses((status = 200, description = "The figures", body = PayoutSlaView)))]
#[get("/operations/payout-sla")]
async fn get_payout_sla(app: Data<App>, caller: Caller) -> Result<Answer, Problem> {
    let today = app.clock.now().sydney_date();
    let counts = read(&app, &caller, move |queries| queries.payouts().sla_counts(sla::since(today))).await?;
    Answer::ok(&PayoutSlaView::new(sla::by_rail(&counts, today), today))
}

/// The figures as Prometheus reads them.
///
/// # Errors
/// When the database does not answer.
pub async fn metrics(app: Data<App>) -> Result<HttpResponse, Problem> {
    let asked = app.clone();
    let today = app.clock.now().sydney_date();
    let look = move || {
        asked.store.read(&Viewer::Everything, |queries| {
            let counts = queries.payouts().sla_counts(sla::since(today))?;
            Ok((queries.operations().backlog()?, queries.witnesses().count_evidence()?, counts))
        })
    };
    let (backlog, evidence, counts) = blocking(look).await??;
    let waiting = [
        ("referrals", app.referrals.waiting()),
        ("deal_steps", app.deal_steps.waiting()),
        ("accepts", app.accepts.waiting()),
    ];
    let text = app.figures.prometheus(&backlog, &app.store.pools(), &waiting);
    let text = text + &app.witnessing.prometheus(evidence) + &payouts_in_time(&sla::by_rail(&counts, today));
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(text))
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(get_error_rate).service(get_payout_sla);
}
