//! The `webhooks` section of the API document: one entry for each type of event, with its schema and an
//! example (OpenAPI 3.1).

use domain::events::EventKind;
use serde_json::{Value, json};
use utoipa::openapi::path::{HttpMethod, OperationBuilder, PathItem, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::AllOfBuilder;
use utoipa::openapi::{
    ContentBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Required, ResponseBuilder, ResponsesBuilder,
};

use crate::views::events;

/// Adds the types of events and the shapes of their data.
pub fn describe(document: &mut OpenApi) {
    if let Some(components) = document.components.as_mut() {
        components.schemas.extend(events::schemas().into_iter().map(|(name, schema)| (name.to_owned(), schema)));
    }
    let paths = EventKind::ALL.iter().fold(PathsBuilder::new(), |paths, kind| paths.path(kind.as_str(), item(*kind)));
    document.webhooks = Some(paths.build());
}

fn item(kind: EventKind) -> PathItem {
    let data = ObjectBuilder::new().property("data", Ref::from_schema_name(kind.data())).required("data");
    let schema = AllOfBuilder::new().item(Ref::from_schema_name("Event")).item(data);
    let content = ContentBuilder::new().schema(Some(schema)).example(Some(example(kind))).build();
    let body = RequestBodyBuilder::new().required(Some(Required::True)).content("application/json", content).build();
    let taken = ResponseBuilder::new().description("Any 2xx: taken, and not sent again").build();
    let id = kind.as_str().replace('.', "_");
    let operation = OperationBuilder::new()
        .operation_id(Some(format!("on_{id}")))
        .summary(Some(kind.purpose()))
        .description(Some(format!("Signed as Standard Webhooks says. Seen with the scope `{}`.", kind.scope())))
        .tag("events")
        .securities(Some(Vec::<utoipa::openapi::SecurityRequirement>::new()))
        .request_body(Some(body))
        .responses(ResponsesBuilder::new().response("2XX", RefOr::T(taken)).build())
        .build();
    PathItem::new(HttpMethod::Post, operation)
}

/// An event as it would be sent.
fn example(kind: EventKind) -> Value {
    json!({
        "id": "event_01k0w4q7v8e2rtf3k2m9x5c6dz",
        "type": kind.as_str(),
        "sequence": 4711,
        "occurred_at": "2026-11-25T01:02:03.456789Z",
        "subject_id": format!("{}_01k0w4q7v8e2rtf3k2m9x5c6dz", kind.subject_prefix()),
        "data": events::example(kind.data()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_a_shape_and_an_example_of_it() {
        for kind in EventKind::ALL {
            let example = serde_json::to_vec(&events::example(kind.data())).expect("an example");
            assert_eq!(events::read_as(kind.data(), &example), Ok(()), "{kind}");
        }
    }
}
