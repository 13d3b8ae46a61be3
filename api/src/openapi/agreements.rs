//! What the content of an agreement takes in each of its cases: exactly the members of the case, told apart by its tag.
//!
//! The generator of the document writes the cases of an enumeration inside it and forgets that they take nothing else.
//! Each becomes a schema with a name of its own, closed, and found by a discriminator: so can a form and a client.

use utoipa::openapi::schema::{AdditionalProperties, Discriminator, Object};
use utoipa::openapi::{OpenApi, Ref, RefOr, Schema};

/// Schemas whose cases deny unknown fields.
const STRICT: [&str; 7] = ["Clawback", "ComponentRate", "Pay", "Predicate", "TierBasis", "Trigger", "TypedValue"];
/// The members that name a case.
const TAGS: [&str; 3] = ["kind", "op", "type"];

/// Closes every case and gives it a name.
pub fn close(document: &mut OpenApi) {
    let Some(components) = document.components.as_mut() else { return };
    for name in STRICT {
        let Some(RefOr::T(Schema::OneOf(cases))) = components.schemas.get_mut(name) else { continue };
        let mut discriminator: Option<Discriminator> = None;
        let mut named: Vec<(String, Object)> = Vec::new();
        for item in &mut cases.items {
            let RefOr::T(Schema::Object(case)) = item else { continue };
            let Some((tag, value)) = tagged(case) else { continue };
            let case_name = format!("{}{name}", pascal(&value));
            let reference = format!("#/components/schemas/{case_name}");
            let discriminator = discriminator.get_or_insert_with(|| Discriminator::new(tag));
            discriminator.mapping.insert(value, reference.clone());
            let mut case = std::mem::take(case);
            case.title = None;
            case.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
            named.push((case_name, case));
            *item = RefOr::Ref(Ref::new(reference));
        }
        cases.discriminator = discriminator;
        components.schemas.extend(named.into_iter().map(|(name, case)| (name, RefOr::T(Schema::Object(case)))));
    }
}

/// The member that names a case, and its one value.
fn tagged(case: &Object) -> Option<(&'static str, String)> {
    TAGS.into_iter().find_map(|tag| {
        let RefOr::T(Schema::Object(member)) = case.properties.get(tag)? else { return None };
        let value = member.enum_values.as_ref()?.first()?.as_str()?;
        Some((tag, value.to_owned()))
    })
}

/// `flat_per_unit` as `FlatPerUnit`.
fn pascal(snake: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    snake.split('_').map(word).collect()
}
