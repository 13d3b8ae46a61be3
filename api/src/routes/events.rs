//! Events: replay, streams, and the catalogue of their types.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse, get};
use domain::events::{Event, EventKind, EventsAsked};
use domain::kernel::id::decode;
use domain::kernel::ids::EventId;
use serde_json::value::RawValue;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Caller, Filter, Id, List, query};
use crate::feed::{Follower, Told};
use crate::problem::Problem;
use crate::sse::{self, Frame, Next};
use crate::views::PageView;
use crate::views::events::{EventQuery, EventTypeView, EventTypesView, EventView, FeedQuery, StreamQuery};

/// Replay events
///
/// In the order of their sequence, oldest first: begin with `after_sequence=0` and go on with the largest
/// sequence that you have dealt with. You see events of what you may read. The same bytes go to streams and
/// webhooks. Events are kept for ever.
#[utoipa::path(operation_id = "list_events", tag = "events", security(("oauth2" = ["events:read"])), params(List<EventQuery>), responses((status = 200, description = "A page of events", body = PageView<EventView>)))]
#[get("/events")]
async fn list_events(app: Data<App>, list: List<EventQuery>) -> Result<Answer, Problem> {
    let List { caller, query: asked, page, cursors } = list;
    let asked = EventsAsked {
        kinds: kinds(&caller, asked.r#type.as_deref())?,
        subject: query::filter("subject_id", asked.subject_id.as_deref(), subject)?,
        after_sequence: asked.after_sequence.unwrap_or_default(),
    };
    let page = read(&app, &caller, move |queries| queries.events().list_events(&asked, &page)).await?;
    let next = page.next;
    let data = page.data.iter().map(raw).collect::<Result<Vec<_>, _>>()?;
    Answer::page(domain::kernel::Page { data, next }, &cursors, |event| event)
}

/// Get an event
///
/// The bytes that a webhook for it carries.
#[utoipa::path(operation_id = "get_event", tag = "events", security(("oauth2" = ["events:read"])), params(("id" = String, Path, description = "The event", example = "event_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The event", body = EventView)))]
#[get("/events/{id}")]
async fn get_event(app: Data<App>, caller: Caller, Id(id): Id<EventId>) -> Result<Answer, Problem> {
    let event = read(&app, &caller, move |queries| queries.events().find_event(id)).await?;
    let event = event.filter(|event| caller.actor.scopes.contains(&event.kind.scope()));
    Answer::ok(&raw(&event.ok_or_else(Problem::not_found)?)?)
}

/// List the types of event
///
/// Those that this caller may see, each with the schema of its data. New types may come at any time.
#[utoipa::path(operation_id = "list_event_types", tag = "events", security(("oauth2" = ["events:read"])), responses((status = 200, description = "The types", body = EventTypesView)))]
#[get("/event-types")]
async fn list_event_types(caller: Caller) -> Result<Answer, Problem> {
    let data = EventKind::seen_with(&caller.actor.scopes).into_iter().map(EventTypeView::from).collect();
    Answer::ok(&EventTypesView { data })
}

/// Follow events
///
/// Server-sent events: each carries the bytes that a webhook for it would carry, its sequence as `id` and its
/// type as `event`. Begins with what comes next, or after `Last-Event-ID` (which browsers send by themselves)
/// or `after_sequence`. Says something every 15 seconds; ends when the token expires: connect again.
#[utoipa::path(operation_id = "stream_events", tag = "events", security(("oauth2" = ["events:read"])), params(StreamQuery, ("Last-Event-ID" = Option<u64>, Header, description = "The last sequence that was dealt with", example = 4711)), responses((status = 200, description = "Events until the token expires", body = String, content_type = "text/event-stream", example = "id: 4711\nevent: deal.settled\ndata: {\"id\":\"event_01k0w4q7v8e2rtf3k2m9x5c6dz\",\"type\":\"deal.settled\",\"sequence\":4711}\n\n")))]
#[get("/events/stream")]
async fn stream_events(
    app: Data<App>,
    caller: Caller,
    Filter(asked): Filter<StreamQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let kinds = kinds(&caller, asked.r#type.as_deref())?;
    follow(&app, &caller, kinds, asked.after_sequence, &request)
}

/// Follow the ledger
///
/// The events of entries as they are posted, for those who may read the ledger: `stream_events` for
/// `ledger_entry.posted`.
#[utoipa::path(operation_id = "stream_ledger", tag = "ledger", security(("oauth2" = ["ledger:read"])), params(FeedQuery, ("Last-Event-ID" = Option<u64>, Header, description = "The last sequence that was dealt with", example = 4711)), responses((status = 200, description = "Entries until the token expires", body = String, content_type = "text/event-stream", example = "id: 4711\nevent: ledger_entry.posted\ndata: {\"id\":\"event_01k0w4q7v8e2rtf3k2m9x5c6dz\",\"type\":\"ledger_entry.posted\",\"sequence\":4711}\n\n")))]
#[get("/ledger/feed")]
async fn stream_ledger(
    app: Data<App>,
    caller: Caller,
    Filter(asked): Filter<FeedQuery>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    follow(&app, &caller, vec![EventKind::EntryPosted], asked.after_sequence, &request)
}

fn follow(
    app: &Data<App>,
    caller: &Caller,
    kinds: Vec<EventKind>,
    after_sequence: Option<u64>,
    request: &HttpRequest,
) -> Result<HttpResponse, Problem> {
    let last = request.headers().get("last-event-id").map(|h| h.to_str().ok().and_then(|text| text.parse().ok()));
    let last: Option<u64> = match last {
        Some(None) => return Err(Problem::malformed_at("#Last-Event-ID", "invalid_header", "a sequence number")),
        Some(Some(last)) => Some(last),
        None => after_sequence,
    };
    let head = app.feed.head();
    // A number that does not exist yet would wait for it in silence.
    if last.is_some_and(|last| last > head) {
        let detail = format!("the last event is {head}");
        return Err(Problem::malformed_at("#after_sequence", "sequence_in_future", detail));
    }
    let follower = Follower::new(app, caller.viewer(), kinds, last.unwrap_or(head));
    Ok(sse::respond(follower, caller.life(app)))
}

/// The kinds that are asked for, as far as the caller may see them.
///
/// # Errors
/// 400 when there is no such type.
pub(super) fn kinds(caller: &Caller, names: Option<&str>) -> Result<Vec<EventKind>, Problem> {
    let seen = EventKind::seen_with(&caller.actor.scopes);
    let parse = |names: &str| {
        let parse = |name| EventKind::parse(name).ok_or("there is no such type of event: see GET /v1/event-types");
        names.split(',').map(parse).collect::<Result<Vec<_>, _>>()
    };
    let asked = query::filter("type", names, parse)?;
    Ok(asked.map_or_else(|| seen.clone(), |asked| asked.into_iter().filter(|kind| seen.contains(kind)).collect()))
}

impl sse::Source for Follower {
    async fn next(&mut self) -> Result<Next, Problem> {
        let told = Follower::next(self).await?;
        Ok(Next::Frames(told.iter().map(|told| frame(told)).collect()))
    }
}

fn frame(told: &Told) -> Frame {
    Frame { id: told.event.sequence, event: told.event.kind.as_str(), data: told.payload.clone() }
}

/// The bare id in a prefixed one of whatever kind.
fn subject(text: &str) -> Result<Uuid, &'static str> {
    text.split_once('_').and_then(|(_, suffix)| decode(suffix)).ok_or("not an id")
}

/// The event as it goes out, not parsed and written again: bytes stay what they are.
fn raw(event: &Event) -> Result<Box<RawValue>, Problem> {
    let text = String::from_utf8(event.payload()?).map_err(|e| Problem::internal(&e))?;
    RawValue::from_string(text).map_err(|e| Problem::internal(&e))
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_event_types)
        .service(list_events)
        .service(stream_events)
        .service(get_event)
        .service(stream_ledger);
}
