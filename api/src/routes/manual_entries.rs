//! What people write into the ledger by hand: proposed by one, approved by another.

use actix_web::web::Data;
use actix_web::{get, post};
use domain::access::audit::Altered;
use domain::directory::text::Grounds;
use domain::env::Env;
use domain::kernel::ids::{AccountId, EntryId, ManualEntryId};
use domain::kernel::{Digest, Page};
use domain::ledger::manual::decide::OnProposal;
use domain::ledger::manual::{
    self, FrozenEntries, Item, ManualError, Proposal, ProposalKind, Propose, Refusal, decide, floor, propose, reverse,
};
use domain::payouts::command;
use domain::store::UnitOfWork;
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Caller, Command, Id, IfMatch, Large, List};
use crate::once::once;
use crate::problem::Problem;
use crate::views::manual_entries::{
    FloorView, ItemQuery, ManualBatchView, ManualEntryView, ManualItemView, ManualQuery,
};
use crate::views::manual_requests::{
    ApproveSeenRequest, CreateManualBatchRequest, CreateManualEntryRequest, ReverseEntryRequest, SetFloorRequest,
};
use crate::views::payouts::DecideRunRequest;
use crate::views::{MoneyView, PageView};

type Proposed = (Proposal, FrozenEntries, Vec<Refusal>);

fn location(id: ManualEntryId) -> String {
    format!("/v1/ledger/manual-entries/{id}")
}

fn etag(proposal: &Proposal) -> i32 {
    i32::try_from(proposal.version).unwrap_or(i32::MAX)
}

fn created((proposal, ..): Proposed) -> Result<Answer, Problem> {
    let answer = Answer::created(location(proposal.id), proposal.id.uuid(), &ManualEntryView::from(&proposal))?;
    Ok(answer.naming(&proposal.id).with_version(etag(&proposal)))
}

fn decided(altered: Altered<Proposal>) -> Result<Answer, Problem> {
    let (before, after) = (ManualEntryView::from(&altered.before), ManualEntryView::from(&altered.after));
    Answer::ok(&after)?
        .about(altered.after.id.uuid())
        .naming(&altered.after.id)
        .with_version(etag(&altered.after))
        .altering(&before, &after)
}

/// Propose an entry
///
/// Two or more sides that sum to zero, between accounts that no use case owns: what payees and members are owed follows from commission lines and is never written by hand. Nothing is posted until somebody else approves it.
#[utoipa::path(operation_id = "create_ledger_entry", tag = "ledger", security(("oauth2" = ["ledger:write"])), request_body = CreateManualEntryRequest, responses((status = 201, description = "The proposal", body = ManualEntryView)))]
#[post("/ledger/entries")]
async fn create_ledger_entry(app: Data<App>, command: Command<CreateManualEntryRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| Propose::parse(&raw.into(), ProposalKind::Entry))?;
    once(&app, command, propose::propose, created).await
}

/// Propose many entries
///
/// Up to 10,000 entries, approved as one by their digest. `atomic`: one that is wrong refuses all. `per_item`: what is wrong is left out, with its reason, and the rest is proposed; the same again when it is posted.
#[utoipa::path(operation_id = "create_ledger_entry_batch", tag = "ledger", security(("oauth2" = ["ledger:write"])), request_body = CreateManualBatchRequest, responses((status = 201, description = "The proposal, each entry with its own outcome", body = ManualBatchView)))]
#[post("/ledger/entries/batch")]
async fn create_ledger_entry_batch(
    app: Data<App>,
    Large(command): Large<CreateManualBatchRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| Propose::parse(&raw.into(), ProposalKind::Batch))?;
    once(&app, command, propose::propose, |(proposal, content, refused): Proposed| {
        let view = ManualBatchView::new(&proposal, &content.content().entries, refused);
        Ok(Answer::created(location(proposal.id), proposal.id.uuid(), &view)?.naming(&proposal.id))
    })
    .await
}

/// Approve what was written by hand
///
/// Somebody else than who proposed it names the content that they saw by its digest; it is posted at once, set by set.
#[utoipa::path(operation_id = "approve_ledger_entry", tag = "ledger", security(("oauth2" = ["ledger:approve"])), params(("id" = String, Path, description = "The proposal", example = "manual_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw; optional, since the digest or the key guards.", example = "\"1\"")), request_body = ApproveSeenRequest, responses((status = 200, description = "The proposal, posted", body = ManualEntryView)))]
#[post("/ledger/entries/{id}/approve")]
async fn approve_ledger_entry(
    app: Data<App>,
    Id(id): Id<ManualEntryId>,
    IfMatch(version): IfMatch,
    command: Command<ApproveSeenRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| command::seen_content(raw.content_sha256.as_deref()))?;
    let on = OnProposal { id, version };
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, seen: &Digest| decide::approve(uow, env, on, *seen);
    once::<_, _, ManualError>(&app, command, work, decided).await
}

/// Reject what was written by hand
///
/// Nothing is posted.
#[utoipa::path(operation_id = "reject_ledger_entry", tag = "ledger", security(("oauth2" = ["ledger:approve"])), params(("id" = String, Path, description = "The proposal", example = "manual_01k0w4q7v8e2rtf3k2m9x5c6dz"), ("If-Match" = Option<String>, Header, description = "The `ETag` that the caller last saw; optional, since the digest or the key guards.", example = "\"1\"")), request_body = DecideRunRequest, responses((status = 200, description = "The proposal, rejected", body = ManualEntryView)))]
#[post("/ledger/entries/{id}/reject")]
async fn reject_ledger_entry(
    app: Data<App>,
    Id(id): Id<ManualEntryId>,
    IfMatch(version): IfMatch,
    command: Command<DecideRunRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| command::grounds(raw.reason.as_deref()))?;
    let on = OnProposal { id, version };
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, grounds: &Grounds| decide::reject(uow, env, on, grounds);
    once::<_, _, ManualError>(&app, command, work, decided).await
}

/// Propose the reversal of an entry
///
/// Its mirror, to be approved by somebody else. Only what was written by hand is undone so, and once; entries of use cases are put right by these: the refusal says by which.
#[utoipa::path(operation_id = "reverse_ledger_entry", tag = "ledger", security(("oauth2" = ["ledger:write"])), params(("id" = String, Path, description = "The entry", example = "entry_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = ReverseEntryRequest, responses((status = 201, description = "The proposal", body = ManualEntryView)))]
#[post("/ledger/entries/{id}/reverse")]
async fn reverse_ledger_entry(
    app: Data<App>,
    Id(id): Id<EntryId>,
    command: Command<ReverseEntryRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| reverse::Reverse::parse(raw.reason.as_deref(), raw.effective_on.as_deref()))?;
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &reverse::Reverse| {
        reverse::reverse(uow, env, id, command)
    };
    once(&app, command, work, created).await
}

/// Set the floor of an own account
///
/// A bank account's or the Stripe balance's, not above what lies there. The database refuses what would get below it.
#[utoipa::path(operation_id = "set_ledger_account_floor", tag = "ledger", security(("oauth2" = ["ledger:approve"])), params(("id" = String, Path, description = "The account", example = "account_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = SetFloorRequest, responses((status = 200, description = "The floor", body = FloorView)))]
#[post("/ledger/accounts/{id}/floor")]
async fn set_ledger_account_floor(
    app: Data<App>,
    Id(id): Id<AccountId>,
    command: Command<SetFloorRequest>,
) -> Result<Answer, Problem> {
    let command = command.parse(|raw| {
        let (amount, currency) = raw.floor.map_or((None, None), |money| (Some(money.amount), Some(money.currency)));
        floor::parse(amount, currency.as_deref())
    })?;
    let work = move |uow: &mut dyn UnitOfWork, env: &Env<'_>, minor: &i64| floor::set(uow, env, id, *minor);
    once::<_, _, ManualError>(&app, command, work, move |minor| {
        let view = FloorView { account_id: id.to_string(), floor: MoneyView::aud(minor) };
        Ok(Answer::ok(&view)?.about(id.uuid()).naming(&id))
    })
    .await
}

/// List what was written by hand
///
/// Newest first; for those who see everything.
#[utoipa::path(operation_id = "list_manual_entries", tag = "ledger", security(("oauth2" = ["ledger:read"])), params(List<ManualQuery>), responses((status = 200, description = "A page of proposals", body = PageView<ManualEntryView>)))]
#[get("/ledger/manual-entries")]
async fn list_manual_entries(app: Data<App>, list: List<ManualQuery>) -> Result<Answer, Problem> {
    let List { caller, query, page, cursors } = list;
    if query.state.as_deref().is_some_and(|state| !["proposed", "posted", "rejected"].contains(&state)) {
        return Err(Problem::malformed_at("#state", "unknown_value", "there is no such state of a proposal"));
    }
    let list = move |queries: &mut dyn domain::store::Queries| {
        queries.manual_entries().list_proposals(query.state.as_deref(), &page)
    };
    let page = read(&app, &caller, list).await?;
    Answer::page(page, &cursors, |proposal| ManualEntryView::from(&proposal))
}

/// Get what was written by hand
///
/// One proposal; its entries are a list of their own.
#[utoipa::path(operation_id = "get_manual_entry", tag = "ledger", security(("oauth2" = ["ledger:read"])), params(("id" = String, Path, description = "The proposal", example = "manual_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The proposal", body = ManualEntryView)))]
#[get("/ledger/manual-entries/{id}")]
async fn get_manual_entry(app: Data<App>, caller: Caller, Id(id): Id<ManualEntryId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.manual_entries().find_proposal(id)).await?;
    let proposal = found.ok_or_else(Problem::not_found)?;
    Ok(Answer::ok(&ManualEntryView::from(&proposal))?.with_version(etag(&proposal)))
}

/// List the entries of a proposal
///
/// In the order in which they were asked for, each with its sides and what became of it.
#[utoipa::path(operation_id = "list_manual_entry_items", tag = "ledger", security(("oauth2" = ["ledger:read"])), params(("id" = String, Path, description = "The proposal", example = "manual_01k0w4q7v8e2rtf3k2m9x5c6dz"), List<ItemQuery>), responses((status = 200, description = "A page of entries", body = PageView<ManualItemView>)))]
#[get("/ledger/manual-entries/{id}/items")]
async fn list_manual_entry_items(
    app: Data<App>,
    list: List<ItemQuery>,
    Id(id): Id<ManualEntryId>,
) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let found = read(&app, &caller, move |queries| {
        let Some(proposal) = queries.manual_entries().find_proposal(id)? else { return Ok(None) };
        let Some((content, refused)) = queries.manual_entries().find_items(id)? else { return Ok(None) };
        Ok(Some((proposal, manual::page_of(&content, refused, &page)?)))
    })
    .await?;
    let (proposal, items): (Proposal, Page<Item>) = found.ok_or_else(Problem::not_found)?;
    let state = proposal.state.code();
    Answer::page(items, &cursors, |item| ManualItemView::new(&item, state))
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(create_ledger_entry_batch)
        .service(create_ledger_entry)
        .service(approve_ledger_entry)
        .service(reject_ledger_entry)
        .service(reverse_ledger_entry)
        .service(set_ledger_account_floor)
        .service(list_manual_entry_items)
        .service(get_manual_entry)
        .service(list_manual_entries);
}
