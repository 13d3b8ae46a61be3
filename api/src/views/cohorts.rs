//! Cohorts as they come in and go out.

use domain::directory::cohort::{Cohort, CreateCohortInput};
use domain::directory::update::Given;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::directory_requests::given;
use crate::extract::ListQuery;

/// A cohort: what the members of an organisation are grouped by.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cohort)]
pub struct CohortView {
    /// Its id.
    #[schema(example = "cohort_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Whose members it groups.
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    organisation_id: String,
    /// What members and agreements call it, unique in the organisation.
    #[schema(example = "2026")]
    code: String,
    /// What it is.
    #[schema(example = "Those of 2026")]
    name: String,
    /// When it was made.
    #[schema(example = "2026-11-23T12:00:00Z")]
    created_at: String,
}

impl From<Cohort> for CohortView {
    fn from(cohort: Cohort) -> Self {
        Self {
            id: cohort.id.to_string(),
            organisation_id: cohort.organisation.to_string(),
            code: cohort.code.to_string(),
            name: cohort.name.to_string(),
            created_at: cohort.created_at.to_string(),
        }
    }
}

/// A request to create a cohort.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateCohort, example = json!({"organisation_id": "org_01k0w4q7v8e2rtf3k2m9x5c6dz", "code": "2026", "name": "Those of 2026"}))]
pub struct CreateCohortRequest {
    /// Whose members it groups.
    #[schema(required = true, nullable = false)]
    organisation_id: Option<String>,
    /// What members and agreements call it, unique in the organisation; at most 100 characters.
    #[schema(required = true, nullable = false)]
    code: Option<String>,
    /// What it is.
    #[schema(required = true, nullable = false)]
    name: Option<String>,
}

impl From<CreateCohortRequest> for CreateCohortInput {
    fn from(raw: CreateCohortRequest) -> Self {
        let CreateCohortRequest { organisation_id, code, name } = raw;
        Self { organisation_id, code, name }
    }
}

/// A request to change a cohort; absent fields stay. Its code does not change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateCohort, example = json!({"name": "Joined in 2026"}))]
pub struct UpdateCohortRequest {
    /// What it is.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub name: Given,
}

/// Which cohorts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct CohortQuery {
    /// Of this organisation.
    pub organisation_id: Option<String>,
}

impl ListQuery for CohortQuery {}
