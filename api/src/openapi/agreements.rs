//! What the content of an agreement takes in each of its cases: exactly the members of the case, named by its tag.
//! The generator of the document says so of structures, and forgets it of the cases of an enumeration.

use utoipa::openapi::schema::AdditionalProperties;
use utoipa::openapi::{OpenApi, RefOr, Schema};

/// Schemas whose cases deny unknown fields.
const STRICT: [&str; 6] = ["Clawback", "ComponentRate", "Pay", "Predicate", "TierBasis", "Trigger"];
/// The members that name a case.
const TAGS: [&str; 2] = ["kind", "op"];

/// Closes every case and gives it its tag as title.
pub fn close(document: &mut OpenApi) {
    let Some(components) = document.components.as_mut() else { return };
    for name in STRICT {
        let Some(RefOr::T(Schema::OneOf(cases))) = components.schemas.get_mut(name) else { continue };
        for case in &mut cases.items {
            let RefOr::T(Schema::Object(case)) = case else { continue };
            case.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
            let tag = TAGS.iter().find_map(|tag| case.properties.get(*tag));
            if let Some(RefOr::T(Schema::Object(tag))) = tag {
                let named = tag.enum_values.iter().flatten().next().and_then(|value| value.as_str());
                case.title = named.map(str::to_owned);
            }
        }
    }
}
