//! Licences as they come in and go out.

use domain::directory::licence::{CreateLicenceInput, Licence};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::extract::ListQuery;

/// What an organisation may do by law, as the operator has seen it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Licence)]
pub struct LicenceView {
    /// Its id.
    #[schema(example = "licence_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Whose it is.
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    organisation_id: String,
    /// What for.
    #[schema(example = "credit")]
    kind: &'static str,
    /// What the authority calls it.
    #[schema(example = "389328")]
    number: String,
    /// Where it is good: `AU`, or a state or territory.
    #[schema(example = "AU")]
    jurisdiction: &'static str,
    /// The first day.
    #[schema(example = "2024-07-01")]
    valid_from: String,
    /// The last day; absent when no end is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2027-06-30")]
    valid_to: Option<String>,
    /// When it was recorded.
    #[schema(example = "2026-11-23T12:00:00Z")]
    recorded_at: String,
}

impl From<Licence> for LicenceView {
    fn from(licence: Licence) -> Self {
        Self {
            id: licence.id.to_string(),
            organisation_id: licence.organisation.to_string(),
            kind: licence.kind.code(),
            number: licence.number.to_string(),
            jurisdiction: licence.jurisdiction.code(),
            valid_from: licence.valid_from.to_string(),
            valid_to: licence.valid_to.map(|on| on.to_string()),
            recorded_at: licence.recorded_at.to_string(),
        }
    }
}

/// A request to record a licence.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateLicence, example = json!({"kind": "credit", "number": "389328", "jurisdiction": "AU", "valid_from": "2024-07-01"}))]
pub struct CreateLicenceRequest {
    /// What for: `credit`, `credit_representative`, `financial_services`, `authorised_representative`, `estate_agent`, `tax_agent`,
    /// `conveyancer`, `legal_practice`, `motor_dealer`, `electrical` or `other`.
    #[schema(required = true, nullable = false)]
    kind: Option<String>,
    /// What the authority calls it.
    #[schema(required = true, nullable = false)]
    number: Option<String>,
    /// Where it is good: `AU`, `ACT`, `NSW`, `NT`, `QLD`, `SA`, `TAS`, `VIC` or `WA`.
    #[schema(required = true, nullable = false)]
    jurisdiction: Option<String>,
    /// The first day.
    #[schema(required = true, nullable = false)]
    valid_from: Option<String>,
    /// The last day, if an end is known.
    valid_to: Option<String>,
}

impl From<CreateLicenceRequest> for CreateLicenceInput {
    fn from(raw: CreateLicenceRequest) -> Self {
        let CreateLicenceRequest { kind, number, jurisdiction, valid_from, valid_to } = raw;
        Self { kind, number, jurisdiction, valid_from, valid_to }
    }
}

/// Which licences.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LicenceQuery {
    /// Of this kind.
    #[param(example = "credit")]
    pub kind: Option<String>,
    /// Good here.
    #[param(example = "NSW")]
    pub jurisdiction: Option<String>,
    /// Good on this day.
    #[param(example = "2026-11-25")]
    pub valid_on: Option<String>,
}

impl ListQuery for LicenceQuery {
    const SORT: &'static str = "recorded_at";
    const DATED: bool = false;
}
