//! What is asked of agreements and lookup tables.

use domain::agreements::VersionContent;
use domain::agreements::model::LookupTable;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

/// A request to make an agreement.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateAgreement)]
pub struct CreateAgreementRequest {
    /// The code of the vertical whose deals it is for.
    #[schema(example = "V01", required = true, nullable = false)]
    pub vertical: Option<String>,
    /// What people call it.
    #[schema(example = "Residential mortgages, First Provider Bank", required = true, nullable = false)]
    pub name: Option<String>,
    /// The provider that it is made for; without one it is for everybody.
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub provider_id: Option<String>,
}

/// A request to write a version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WriteAgreementVersion)]
pub struct WriteVersionRequest {
    /// What it says.
    #[schema(value_type = VersionContent)]
    pub content: Option<VersionContent>,
}

/// A request to approve a version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApproveAgreementVersion)]
pub struct ApproveVersionRequest {
    /// The hash of what the approver saw.
    #[schema(
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        required = true,
        nullable = false
    )]
    pub content_sha256: Option<String>,
    /// The codes of the warnings that the approver took note of: every one that the lint gives.
    #[serde(default)]
    #[schema(example = json!(["cliff"]))]
    pub acknowledged: Vec<String>,
}

/// A request to reject or retire a version.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DecideAgreementVersion)]
pub struct DecideVersionRequest {
    /// Why.
    #[schema(example = "The rate is last year's.", required = true, nullable = false)]
    pub reason: Option<String>,
}

/// With which version another one is compared.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DiffQuery {
    /// The number of the version to compare with; the one before when it is not said.
    #[param(example = "1")]
    pub against: Option<String>,
}

/// A request to make a lookup table.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateLookupTable)]
pub struct CreateTableRequest {
    /// What people call it.
    #[schema(example = "Placement fees by level", required = true, nullable = false)]
    pub name: Option<String>,
}

/// A request to add a version to a lookup table.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateLookupTableVersion)]
pub struct CreateTableVersionRequest {
    /// What it says.
    #[schema(value_type = LookupTable)]
    pub content: Option<LookupTable>,
}

/// What was read of a field, refused where an array was given in the place of an object: what is derived for a structure
/// reads its fields from one by their order.
///
/// # Errors
/// 400 at the first such place.
pub fn written_as_objects(given: Option<&Value>, read: &impl Serialize, at: &str) -> Result<(), Problem> {
    let read = serde_json::to_value(read).map_err(|error| Problem::internal(&error))?;
    match given.and_then(|given| by_position(given, &read, at)) {
        Some(pointer) => Err(Problem::malformed_at(&pointer, "invalid_value", "expected a JSON object")),
        None => Ok(()),
    }
}

fn by_position(given: &Value, read: &Value, at: &str) -> Option<String> {
    match (given, read) {
        (Value::Array(_), Value::Object(_)) => Some(at.to_owned()),
        (Value::Object(given), Value::Object(read)) => read
            .iter()
            .find_map(|(name, value)| given.get(name).and_then(|g| by_position(g, value, &format!("{at}/{name}")))),
        (Value::Array(given), Value::Array(read)) => {
            given.iter().zip(read).enumerate().find_map(|(n, (g, r))| by_position(g, r, &format!("{at}/{n}")))
        }
        _ => None,
    }
}
