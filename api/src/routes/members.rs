//! Members and who stands below them.

use actix_web::web::Data;
use actix_web::{get, patch, post};
use domain::directory::member::MAX_UPLINE_DEPTH;
use domain::directory::record::MemberFilter;
use domain::directory::update::UpdateMember;
use domain::directory::{CreateMember, MemberRecord, OrganisationStatus, service};
use domain::kernel::ids::{MemberId, OrganisationId};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, ended_tokens, read};
use crate::extract::query::{filter, plain};
use crate::extract::{Caller, Change, Command, Id, List};
use crate::once::{change, once};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::directory::{DownlineView, MemberView};
use crate::views::directory_requests::{CreateMemberRequest, DownlineQuery, MemberQuery, UpdateMemberRequest};

fn member(record: MemberRecord) -> Result<Answer, Problem> {
    let version = record.version;
    Ok(Answer::ok(&MemberView::from(record))?.with_version(version))
}

/// List members
///
/// In the order of their creation.
#[utoipa::path(operation_id = "list_members", tag = "directory", security(("oauth2" = ["directory:read"])), params(List<MemberQuery>), responses((status = 200, description = "A page of members", body = PageView<MemberView>)))]
#[get("/members")]
async fn list_members(app: Data<App>, list: List<MemberQuery>) -> Result<Answer, Problem> {
    let List { caller, query, page, cursors } = list;
    let filter = MemberFilter {
        organisation: filter("organisation_id", query.organisation_id.as_deref(), OrganisationId::parse)?,
        member_ref: plain("member_ref", query.member_ref)?,
        cohort: plain("cohort", query.cohort)?,
        upline: filter("upline_id", query.upline_id.as_deref(), MemberId::parse)?,
        status: filter("status", query.status.as_deref(), OrganisationStatus::parse)?,
    };
    let page = read(&app, &caller, move |queries| queries.directory().list_members(&filter, &page)).await?;
    Answer::page(page, &cursors, MemberView::from)
}

/// Create a member
///
/// A contact of an organisation that may refer, below an upline or not.
#[utoipa::path(operation_id = "create_member", tag = "directory", security(("oauth2" = ["directory:write"])), request_body = CreateMemberRequest, responses((status = 201, description = "The member", body = MemberView)))]
#[post("/members")]
async fn create_member(app: Data<App>, command: Command<CreateMemberRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| CreateMember::parse(&raw.into()))?;
    once(&app, command, service::create_member, |record| {
        let (id, version) = (record.member.id, record.version);
        let location = format!("/v1/members/{id}");
        Ok(Answer::created(location, id.uuid(), &MemberView::from(record))?.with_version(version))
    })
    .await
}

/// Get a member
///
/// With its upline.
#[utoipa::path(operation_id = "get_member", tag = "directory", security(("oauth2" = ["directory:read"])), params(("id" = String, Path, description = "The member", example = "member_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The member", body = MemberView)))]
#[get("/members/{id}")]
async fn get_member(app: Data<App>, caller: Caller, Id(id): Id<MemberId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.directory().find_member(id)).await?;
    member(found.ok_or_else(Problem::not_found)?)
}

/// Change a member
///
/// Its cohort, its upline from today on, whether it may refer. An upline that would close a circle is refused.
#[utoipa::path(operation_id = "update_member", tag = "directory", security(("oauth2" = ["directory:write"])), params(("id" = String, Path, description = "The member", example = "member_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = UpdateMemberRequest, responses((status = 200, description = "The member", body = MemberView)))]
#[patch("/members/{id}")]
async fn update_member(
    app: Data<App>,
    Id(id): Id<MemberId>,
    body: Change<UpdateMemberRequest>,
) -> Result<Answer, Problem> {
    let body = body.parse(|raw| UpdateMember::parse(&raw.into()))?;
    let answer = change(
        &app,
        body,
        move |uow, env, change| service::update_member(uow, env, id, change.if_match, &change.body),
        move |altered| {
            let (before, after) = (MemberView::from(altered.before), MemberView::from(altered.after.clone()));
            member(altered.after)?.about(id.uuid()).altering(&before, &after)
        },
    )
    .await?;
    ended_tokens(&app).await;
    Ok(answer)
}

/// List the downline of a member
///
/// Everybody below, with the level at which they stand, in the order of their creation.
#[utoipa::path(operation_id = "list_downline", tag = "directory", security(("oauth2" = ["directory:read"])), params(("id" = String, Path, description = "The member", example = "member_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<DownlineQuery>), responses((status = 200, description = "A page of members below", body = PageView<DownlineView>)))]
#[get("/members/{id}/downline")]
async fn list_downline(app: Data<App>, list: List<DownlineQuery>, Id(id): Id<MemberId>) -> Result<Answer, Problem> {
    let List { caller, query, page, cursors } = list;
    let deepest = u16::try_from(MAX_UPLINE_DEPTH).unwrap_or(u16::MAX);
    let levels = query.levels.unwrap_or(deepest);
    if !(1..=deepest).contains(&levels) {
        let detail = format!("levels is 1 to {deepest}");
        return Err(Problem::malformed_at("#levels", "levels_out_of_range", detail));
    }
    let page = read(&app, &caller, move |queries| {
        let queries = queries.directory();
        match queries.find_member(id)? {
            Some(_) => queries.list_downline(id, i32::from(levels), &page).map(Some),
            None => Ok(None),
        }
    })
    .await?;
    Answer::page(page.ok_or_else(Problem::not_found)?, &cursors, DownlineView::from)
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_members)
        .service(create_member)
        .service(list_downline)
        .service(get_member)
        .service(update_member);
}
