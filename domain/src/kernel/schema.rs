//! JSON schemas of the small values that stand in what agreements say, for the API document only (feature `schema`).
//!
//! A pattern is never tighter than what the value's own parser takes.

use std::borrow::Cow;

use utoipa::openapi::schema::{AdditionalProperties, KnownFormat, OneOfBuilder, SchemaFormat};
use utoipa::openapi::{Object, ObjectBuilder, Ref, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::{Money, Rate};
use crate::agreements::model::{ComponentKey, Role, ShareSize};
use crate::agreements::predicate::{Attribute, Value};
use crate::catalogue::VerticalCode;

fn value(of: Type, description: &str, example: impl Into<serde_json::Value>) -> Object {
    let mut object = ObjectBuilder::new().schema_type(of).description(Some(description)).build();
    object.example = Some(example.into());
    object
}

fn text(description: &str, pattern: impl Into<String>, example: &str) -> RefOr<Schema> {
    let mut object = value(Type::String, description, example);
    object.pattern = Some(pattern.into());
    RefOr::T(object.into())
}

macro_rules! texts {
    ($($value:ty as $name:literal: $description:literal, $pattern:expr, $example:literal;)*) => {$(
        impl PartialSchema for $value {
            fn schema() -> RefOr<Schema> {
                text($description, $pattern, $example)
            }
        }

        impl ToSchema for $value {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    )*};
}

texts! {
    Rate as "Rate": "An exact decimal fraction with at most six places: `0.0065` is 0.65 %.", r"^-?[0-9]{1,4}(\.[0-9]{1,6})?$", "0.0065";
    VerticalCode as "VerticalCode": "The code of a vertical: `V01` … `V99`.", "^V(0[1-9]|[1-9][0-9])$", "V01";
    ComponentKey as "ComponentKey": "1 to 40 of `a`–`z`, `0`–`9` and `_`.", "^[a-z0-9_]{1,40}$", "upfront";
    Role as "AgreementRole": "Who earns: the member who referred, a level above it, another who took part, or the operator.",
        "^(member|platform|(upline|participant)_[1-9])$", "member";
    ShareSize as "ShareSize": "A fraction of the whole, or `remainder` for what the others leave.",
        r"^(remainder|-?[0-9]{1,4}(\.[0-9]{1,6})?)$", "0.7";
    Attribute as "Attribute": "A fact that can be asked for, or `accumulator.` and the key of a running total.", attributes(), "product.code";
}

/// Every name of an attribute.
fn attributes() -> String {
    let named: Vec<String> = Attribute::NAMED.iter().map(|named| named.to_string().replace('.', r"\.")).collect();
    format!(r"^({}|accumulator\.[a-z0-9_]{{1,40}})$", named.join("|"))
}

impl PartialSchema for Money {
    fn schema() -> RefOr<Schema> {
        let mut amount = value(Type::Integer, "Minor units: cents of the Australian dollar.", 12_345);
        amount.format = Some(SchemaFormat::KnownFormat(KnownFormat::Int64));
        let money = ObjectBuilder::new()
            .schema_type(Type::Object)
            .description(Some("Whole minor units of a currency (ISO 4217)."))
            .property("amount", amount)
            .required("amount")
            .property("currency", value(Type::String, "ISO 4217.", "AUD"))
            .required("currency");
        RefOr::T(money.build().into())
    }
}

impl ToSchema for Money {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Money")
    }
}

/// A value with the name of its type.
fn typed(name: &str, description: &str, value: impl Into<RefOr<Schema>>) -> Object {
    let tag = ObjectBuilder::new().schema_type(Type::String).enum_values(Some([name]));
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .title(Some(name))
        .description(Some(description))
        .property("type", tag)
        .required("type")
        .property("value", value)
        .required("value")
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
        .build()
}

impl PartialSchema for Value {
    fn schema() -> RefOr<Schema> {
        let mut integer = value(Type::Integer, "So many.", 10);
        integer.format = Some(SchemaFormat::KnownFormat(KnownFormat::Int64));
        let mut date = value(Type::String, "A day.", "2027-01-01");
        date.format = Some(SchemaFormat::KnownFormat(KnownFormat::Date));
        let kinds = OneOfBuilder::new()
            .description(Some("A value that a fact is compared with, and its type."))
            .item(typed("text", "Text.", value(Type::String, "Compared letter by letter.", "FIXED-3Y")))
            .item(typed("integer", "A whole number.", integer))
            .item(typed("money", "An amount.", Ref::from_schema_name("Money")))
            .item(typed("date", "A date.", date));
        RefOr::T(kinds.build().into())
    }
}

impl ToSchema for Value {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("TypedValue")
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        schemas.push((Money::name().into_owned(), Money::schema()));
    }
}
