//! Says of every value in the document what it looks like: formats, patterns, bounds.
//!
//! Names carry units and kinds throughout the API (`_id`, `_at`, `_on`, `_sha256`), so what a value looks
//! like follows from its name and is said once, here. What a name does not tell gets the bounds of its
//! type. A bound is never tighter than what the server takes or sends.

use std::collections::BTreeSet;

use serde_json::Value;
use utoipa::Number;
use utoipa::openapi::path::{Operation, Parameter};
use utoipa::openapi::schema::{AdditionalProperties, ArrayItems, SchemaType};
use utoipa::openapi::{Array, KnownFormat, Object, OpenApi, Ref, RefOr, Response, Schema, SchemaFormat, Type};

/// What JSON numbers carry exactly everywhere (RFC 8259, 6).
const SAFE_INTEGER: isize = 9_007_199_254_740_991;
/// No text that goes in or out is longer.
const LONGEST_TEXT: usize = 1_048_576;
/// No list is longer; pages hold at most [`PAGE`].
const LONGEST_LIST: usize = 100_000;
/// Rows on a page.
const PAGE: usize = 200;
/// A type prefix and a UUIDv7, TypeID specification 0.3.
const ID: &str = "^[a-z_]{1,63}_[0-7][0-9a-hjkmnp-tv-z]{25}$";
/// SHA-256 in lower-case hexadecimal.
const SHA256: &str = "^[0-9a-f]{64}$";
/// How the schema of a page of something is called by the generator of the document, and by us.
const PAGE_VIEW: &str = "PageView_";

/// Completes every schema of a document.
pub fn tighten(document: &mut OpenApi) {
    let paths = document.paths.paths.values_mut();
    let hooks = document.webhooks.iter_mut().flat_map(|hooks| hooks.paths.values_mut());
    for item in paths.chain(hooks) {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        operations.into_iter().flatten().for_each(operation);
    }
    let Some(components) = document.components.as_mut() else { return };
    for response in components.responses.values_mut() {
        if let RefOr::T(response) = response {
            answered(response);
        }
    }
    for header in components.headers.values_mut() {
        header_of(header);
    }
    let named = std::mem::take(&mut components.schemas);
    for (name, mut schema) in named {
        bounded(&mut schema, "");
        match name.strip_prefix(PAGE_VIEW) {
            Some(row) => {
                let item = page_of(&mut schema, row);
                components.schemas.entry(row.to_owned()).or_insert(item);
                components.schemas.insert(format!("{row}Page"), schema);
            }
            None => {
                components.schemas.insert(name, schema);
            }
        }
    }
    let used = used(document);
    if let Some(components) = document.components.as_mut() {
        components.schemas.retain(|name, _| used.contains(name));
    }
}

/// Names the rows of a page by reference; returns their schema.
fn page_of(page: &mut RefOr<Schema>, row: &str) -> RefOr<Schema> {
    let reference = || RefOr::Ref(Ref::from_schema_name(row));
    let RefOr::T(Schema::Object(object)) = page else { return reference() };
    match object.properties.get_mut("data") {
        Some(RefOr::T(Schema::Array(Array { items: ArrayItems::RefOrSchema(items), .. }))) => {
            std::mem::replace(items.as_mut(), reference())
        }
        _ => reference(),
    }
}

/// Every schema that something refers to.
fn used(document: &OpenApi) -> BTreeSet<String> {
    fn gather(value: &Value, names: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                let reference = members.get("$ref").and_then(Value::as_str);
                let name = reference.and_then(|text| text.strip_prefix("#/components/schemas/"));
                names.extend(name.map(str::to_owned));
                members.values().for_each(|member| gather(member, names));
            }
            Value::Array(items) => items.iter().for_each(|item| gather(item, names)),
            _ => {}
        }
    }
    let mut names = BTreeSet::new();
    gather(&serde_json::to_value(document).unwrap_or_default(), &mut names);
    names
}

fn operation(operation: &mut Operation) {
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            let (name, example) = (parameter.name.clone(), example_of(parameter));
            if let Some(schema) = &mut parameter.schema {
                bounded_like(schema, &name, example.as_ref());
            }
        }
    }
    if let Some(RefOr::T(body)) = operation.request_body.as_mut() {
        body.content.values_mut().for_each(content);
    }
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            answered(response);
        }
    }
}

/// The example of a parameter, which its type keeps to itself.
fn example_of(parameter: &Parameter) -> Option<Value> {
    serde_json::to_value(parameter).ok()?.get_mut("example").map(Value::take)
}

fn answered(response: &mut Response) {
    response.content.values_mut().for_each(content);
    response.headers.values_mut().for_each(header_of);
}

fn header_of(header: &mut RefOr<utoipa::openapi::Header>) {
    if let RefOr::T(header) = header
        && let Some(schema) = &mut header.schema
    {
        bounded(schema, "");
    }
}

fn content(content: &mut RefOr<utoipa::openapi::Content>) {
    if let RefOr::T(content) = content
        && let Some(schema) = &mut content.schema
    {
        bounded(schema, "");
    }
}

fn bounded(schema: &mut RefOr<Schema>, name: &str) {
    bounded_like(schema, name, None);
}

/// Bounds a value with this name; its example may stand beside its schema.
fn bounded_like(schema: &mut RefOr<Schema>, name: &str, example: Option<&Value>) {
    match schema {
        RefOr::Ref(reference) => {
            if let Some(row) = reference.ref_location.strip_prefix("#/components/schemas/PageView_") {
                *reference = Ref::from_schema_name(format!("{row}Page"));
            }
        }
        RefOr::T(Schema::Object(object)) => value(object, name, example),
        RefOr::T(Schema::Array(array)) => list(array, name),
        RefOr::T(Schema::OneOf(one)) => one.items.iter_mut().for_each(|item| bounded_like(item, name, example)),
        RefOr::T(Schema::AllOf(all)) => all.items.iter_mut().for_each(|item| bounded_like(item, name, example)),
        RefOr::T(Schema::AnyOf(any)) => any.items.iter_mut().for_each(|item| bounded_like(item, name, example)),
        RefOr::T(_) => {}
    }
}

fn list(array: &mut Array, name: &str) {
    array.max_items.get_or_insert(if name == "data" { PAGE } else { LONGEST_LIST });
    if let ArrayItems::RefOrSchema(items) = &mut array.items {
        bounded(items, name);
    }
}

fn value(object: &mut Object, name: &str, example: Option<&Value>) {
    for (name, property) in &mut object.properties {
        bounded(property, name);
    }
    if let Some(AdditionalProperties::RefOr(more)) = object.additional_properties.as_deref_mut() {
        bounded(more, "");
    }
    if let Some(Schema::Object(names)) = object.property_names.as_deref_mut() {
        value(names, "", None);
    }
    if is(&object.schema_type, &Type::String) {
        text(object, name, example);
    }
    if is(&object.schema_type, &Type::Integer) {
        let narrow = matches!(object.format, Some(SchemaFormat::KnownFormat(KnownFormat::Int32)));
        let most = if narrow { i32::MAX as isize } else { SAFE_INTEGER };
        object.format.get_or_insert(SchemaFormat::KnownFormat(KnownFormat::Int64));
        object.minimum.get_or_insert(Number::Int(-most));
        object.maximum.get_or_insert(Number::Int(most));
    }
}

fn is(schema_type: &SchemaType, wanted: &Type) -> bool {
    match schema_type {
        SchemaType::Type(one) => one == wanted,
        SchemaType::Array(several) => several.contains(wanted),
        SchemaType::AnyValue => false,
    }
}

fn text(object: &mut Object, name: &str, example: Option<&Value>) {
    if object.enum_values.is_some() {
        return;
    }
    if object.format.is_none() && object.pattern.is_none() {
        let prefix = prefix(object.example.as_ref().or(example));
        let is_day = object.example.as_ref().and_then(Value::as_str).is_some_and(|text| text.len() == 10);
        let is_date = name.ends_with("_on")
            || (name == "as_of" && is_day)
            || matches!(name, "on" | "effective_from" | "effective_until" | "gst_registered_from");
        let of_any = matches!(name, "subject_id" | "party_id" | "source_id" | "object_id");
        let prefix = prefix.filter(|_| !of_any);
        let of_others = matches!(name, "request_id" | "client_id" | "transaction_id") || name.ends_with("_by_id");
        let own_word = of_others && prefix.is_none();
        if (name == "id" || name.ends_with("_id")) && !own_word {
            object.pattern = Some(prefix.map_or_else(|| ID.to_owned(), |p| ID.replace("[a-z_]{1,63}", p)));
        } else if name.ends_with("_sha256") {
            object.pattern = Some(SHA256.to_owned());
        } else if (matches!(name, "at" | "as_of") && !is_date) || name.ends_with("_at") {
            object.format = Some(SchemaFormat::KnownFormat(KnownFormat::DateTime));
        } else if is_date {
            object.format = Some(SchemaFormat::KnownFormat(KnownFormat::Date));
        }
    }
    object.max_length.get_or_insert(LONGEST_TEXT);
}

/// The prefix of an example that is an id of ours.
fn prefix(example: Option<&Value>) -> Option<&str> {
    let (prefix, suffix) = example?.as_str()?.rsplit_once('_')?;
    (suffix.len() == 26).then_some(prefix)
}
