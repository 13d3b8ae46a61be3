//! Deals: look-ups, facts, decisions, the pipeline.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::catalogue::VerticalCode;
use domain::deals::advance::{AdvanceDeal, AdvanceDealError, Advanced, advance};
use domain::deals::deal::Stage;
use domain::deals::lookup::DealFilter;
use domain::deals::step::Step;
use domain::env::{Asked, Env};
use domain::kernel::ids::{DealId, MemberId};
use domain::ledger::posting::PostError;
use domain::store::{Queries, StoreError, UnitOfWork};
use serde_json::json;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::batch::{BatchWork, Batcher};
use crate::extract::{Caller, Command, Filter, Id, List, query};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::deal_history::{CommissionView, EventView, ParticipantView, ParticipantsView, TimelineView};
use crate::views::deal_requests::{CreateDealFactRequest, CreateDealTransitionRequest};
use crate::views::deals::{DealQuery, DealView, PipelineQuery, PipelineView, StepView};

/// Facts and decisions of one moment share one commit.
pub struct DealSteps;

impl BatchWork for DealSteps {
    type Command = AdvanceDeal;
    type Done = Advanced;
    type Refusal = AdvanceDealError;
    type Failure = PostError;

    fn run(
        uow: &mut dyn UnitOfWork,
        env: &Env<'_>,
        asked: &[Asked<'_, AdvanceDeal>],
    ) -> Result<Vec<Result<Advanced, AdvanceDealError>>, PostError> {
        advance(uow, env, asked)
    }

    fn answer(done: Advanced) -> Result<Answer, Problem> {
        let (deal, new) = (done.deal.id, done.fact.is_some() || !done.transitions.is_empty());
        let from = done.transitions.first().map(|moved| moved.from.map(Stage::as_str));
        let moved = from.zip(done.transitions.last().map(|moved| moved.to.as_str()));
        let view = StepView::from(done);
        if !new {
            return Answer::ok(&view);
        }
        let answer = Answer::created(format!("/v1/deals/{deal}/timeline"), deal.uuid(), &view)?;
        match moved {
            Some((from, to)) => answer.altering(&json!({"status": from}), &json!({"status": to})),
            None => Ok(answer),
        }
    }
}

/// List deals
///
/// Newest first.
#[utoipa::path(operation_id = "list_deals", tag = "deals", security(("oauth2" = ["deals:read"])), params(List<DealQuery>), responses((status = 200, description = "A page of deals", body = PageView<DealView>)))]
#[get("/deals")]
async fn list_deals(app: Data<App>, list: List<DealQuery>) -> Result<Answer, Problem> {
    let List { caller, query: asked, page, cursors } = list;
    let filter = DealFilter {
        stage: query::filter("status", asked.status.as_deref(), |text| Stage::parse(text).ok_or("no such status"))?,
        vertical: query::filter("vertical", asked.vertical.as_deref(), VerticalCode::parse)?,
        member: query::filter("member", asked.member.as_deref(), MemberId::parse)?,
        external_ref: query::plain("external_ref", asked.external_ref)?,
    };
    let page = read(&app, &caller, move |queries| queries.deals().list(&filter, &page)).await?;
    Answer::page(page, &cursors, DealView::from)
}

/// Get a deal
///
/// Where it stands, and every fact as it is known now.
#[utoipa::path(operation_id = "get_deal", tag = "deals", security(("oauth2" = ["deals:read"])), params(("id" = String, Path, description = "The deal", example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The deal", body = DealView)))]
#[get("/deals/{id}")]
async fn get_deal(app: Data<App>, caller: Caller, Id(id): Id<DealId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.deals().find(id)).await?.ok_or_else(Problem::not_found)?;
    let version = found.version;
    Ok(Answer::ok(&DealView::from(found))?.with_version(version))
}

/// Looks something of a deal up, when the caller may see the deal.
async fn of_deal<R: Send + 'static>(
    app: &Data<App>,
    caller: &Caller,
    id: DealId,
    look: impl Fn(&mut dyn Queries) -> Result<R, StoreError> + Send + 'static,
) -> Result<R, Problem> {
    let found = read(app, caller, move |queries| {
        let known = queries.deals().find(id)?.is_some();
        known.then(|| look(queries)).transpose()
    });
    found.await?.ok_or_else(Problem::not_found)
}

/// Get a deal's timeline
///
/// Its moves, what was said of it, and the statements of its handshake, in the order in which we learned of them.
#[utoipa::path(operation_id = "get_deal_timeline", tag = "deals", security(("oauth2" = ["deals:read"])), params(("id" = String, Path, description = "The deal", example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "What happened", body = TimelineView)))]
#[get("/deals/{id}/timeline")]
async fn get_deal_timeline(app: Data<App>, caller: Caller, Id(id): Id<DealId>) -> Result<Answer, Problem> {
    let events = of_deal(&app, &caller, id, move |queries| queries.deals().timeline(id)).await?;
    Answer::ok(&TimelineView { data: events.into_iter().map(EventView::from).collect() })
}

/// Get a deal's participants
///
/// Provider, introducer, member, everybody who stood above the member at the seal, client.
#[utoipa::path(operation_id = "get_deal_participants", tag = "deals", security(("oauth2" = ["deals:read"])), params(("id" = String, Path, description = "The deal", example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "Who takes part", body = ParticipantsView)))]
#[get("/deals/{id}/participants")]
async fn get_deal_participants(app: Data<App>, caller: Caller, Id(id): Id<DealId>) -> Result<Answer, Problem> {
    let found = of_deal(&app, &caller, id, move |queries| queries.deals().participants(id)).await?;
    Answer::ok(&ParticipantsView { data: found.into_iter().map(ParticipantView::from).collect() })
}

/// Get a deal's commission
///
/// The lines that concern you, where their money lies, and the calculations that they stand on.
#[utoipa::path(operation_id = "get_deal_commission", tag = "deals", security(("oauth2" = ["deals:read"])), params(("id" = String, Path, description = "The deal", example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "What it earns", body = CommissionView)))]
#[get("/deals/{id}/commission")]
async fn get_deal_commission(app: Data<App>, caller: Caller, Id(id): Id<DealId>) -> Result<Answer, Problem> {
    let found = of_deal(&app, &caller, id, move |queries| queries.deals().commission(id)).await?;
    Answer::ok(&CommissionView::from(found))
}

/// Record a fact
///
/// A contract, a settlement, a discharge, a milestone, the balance of a month of its trail, or a correction of what was said before;
/// the commission follows in the same transaction. A milestone and a balance are corrected by saying them again with `correction`.
/// A fact that is known already answers 200 and changes nothing; one that contradicts what is known answers 409 and takes a correction.
/// Settling needs a sealed handshake.
#[utoipa::path(operation_id = "create_deal_fact", tag = "deals", security(("oauth2" = ["deals:write"])), params(("id" = String, Path, description = "The deal", example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = CreateDealFactRequest, responses((status = 201, description = "Recorded", body = StepView), (status = 200, description = "Known already", body = StepView)))]
#[post("/deals/{id}/facts")]
async fn create_deal_fact(
    app: Data<App>,
    Id(id): Id<DealId>,
    command: Command<CreateDealFactRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| Step::parse_fact(&raw.into()).map(|step| AdvanceDeal { deal: id, step }))?;
    Batcher::<DealSteps>::submit(&app, |app| &app.deal_steps, command).await
}

/// Move a deal
///
/// What people decide: `accepted` and `declined` (the provider), `in_progress`, `withdrawn`, `lost`; and `contracted`, which is
/// recorded as the fact that it is. What settles or unwinds a deal is a fact.
#[utoipa::path(operation_id = "create_deal_transition", tag = "deals", security(("oauth2" = ["deals:write"])), params(("id" = String, Path, description = "The deal", example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = CreateDealTransitionRequest, responses((status = 201, description = "Moved", body = StepView), (status = 200, description = "Known already", body = StepView)))]
#[post("/deals/{id}/transitions")]
async fn create_deal_transition(
    app: Data<App>,
    Id(id): Id<DealId>,
    command: Command<CreateDealTransitionRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| Step::parse_decision(&raw.into()).map(|step| AdvanceDeal { deal: id, step }))?;
    Batcher::<DealSteps>::submit(&app, |app| &app.deal_steps, command).await
}

/// Get the pipeline
///
/// How many of your deals stand where, what they settled for, and for how long they have stood there.
#[utoipa::path(operation_id = "get_pipeline", tag = "deals", security(("oauth2" = ["deals:read"])), params(PipelineQuery), responses((status = 200, description = "The pipeline", body = PipelineView)))]
#[get("/pipeline")]
async fn get_pipeline(app: Data<App>, caller: Caller, Filter(asked): Filter<PipelineQuery>) -> Result<Answer, Problem> {
    let vertical = query::filter("vertical", asked.vertical.as_deref(), VerticalCode::parse)?;
    let now = app.clock.now();
    let stages = read(&app, &caller, move |queries| queries.deals().pipeline(vertical, now.sydney_date())).await?;
    Answer::ok(&PipelineView::new(now, stages))
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_deals)
        .service(get_deal_timeline)
        .service(get_deal_participants)
        .service(get_deal_commission)
        .service(create_deal_fact)
        .service(create_deal_transition)
        .service(get_deal)
        .service(get_pipeline);
}
