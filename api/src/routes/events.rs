//! Events: replay, and the catalogue of their types.

use actix_web::get;
use actix_web::web::Data;
use domain::events::{Event, EventKind, EventsAsked};
use domain::kernel::id::decode;
use domain::kernel::ids::EventId;
use serde_json::value::RawValue;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::{Caller, Filter, Id, cursor, query};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::events::{EventQuery, EventTypeView, EventTypesView, EventView};

/// Replay events
///
/// In the order of their sequence, oldest first: begin with `after_sequence=0` and go on with the largest
/// sequence that you have dealt with. You see events of what you may read. The same bytes go to streams and
/// webhooks. Events are kept for ever.
#[utoipa::path(operation_id = "list_events", tag = "events", security(("oauth2" = ["events:read"])), params(EventQuery), responses((status = 200, description = "A page of events", body = PageView<EventView>)))]
#[get("/events")]
async fn list_events(app: Data<App>, caller: Caller, Filter(asked): Filter<EventQuery>) -> Result<Answer, Problem> {
    let page = cursor::page_request(asked.limit, asked.cursor.as_deref())?;
    let asked = EventsAsked {
        kinds: kinds(&caller, asked.r#type.as_deref())?,
        subject: query::filter("subject_id", asked.subject_id.as_deref(), subject)?,
        after_sequence: asked.after_sequence.unwrap_or_default(),
    };
    let page = read(&app, &caller, move |queries| queries.events().list_events(&asked, &page)).await?;
    let next = page.next;
    let data = page.data.iter().map(raw).collect::<Result<Vec<_>, _>>()?;
    Answer::page(domain::kernel::Page { data, next }, |event| event)
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
    config.service(list_event_types).service(list_events).service(get_event);
}
