//! Verticals and products as they go out.

use domain::catalogue::guardrail::{Guardrail, Limit};
use domain::catalogue::product::CreateProductInput;
use domain::catalogue::vertical::{CreateVerticalInput, UpdateVerticalInput};
use domain::catalogue::{Product, Vertical, reference};
use serde::{Deserialize, Serialize};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use super::directory_requests::given;
use crate::extract::ListQuery;
use domain::directory::update::Given;

/// A vertical.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Vertical)]
pub struct VerticalView {
    /// Its id; the same in every installation.
    #[schema(example = "vertical_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// `V01` … `V99`; the first 18 ship.
    #[schema(example = "V01")]
    code: String,
    /// What it is.
    #[schema(example = "Residential mortgages")]
    name: String,
    /// What is sold in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Home loans to people who live in the home or let it.")]
    description: Option<String>,
}

impl From<Vertical> for VerticalView {
    fn from(vertical: Vertical) -> Self {
        let Vertical { id, code, name, description, version: _ } = vertical;
        Self { id: id.to_string(), code: code.to_string(), name, description }
    }
}

/// A request to create a vertical.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateVertical, example = json!({"code": "V19", "name": "Pet insurance", "description": "Cover for dogs and cats."}))]
pub struct CreateVerticalRequest {
    /// Its code: `V01` … `V99`, one that is free.
    #[schema(required = true, nullable = false)]
    code: Option<String>,
    /// What it is.
    #[schema(required = true, nullable = false)]
    name: Option<String>,
    /// What is sold in it.
    description: Option<String>,
}

impl From<CreateVerticalRequest> for CreateVerticalInput {
    fn from(raw: CreateVerticalRequest) -> Self {
        let CreateVerticalRequest { code, name, description } = raw;
        Self { code, name, description }
    }
}

/// A request to change a vertical; absent fields stay. Its code does not change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateVertical, example = json!({"description": "Cover for dogs, cats and horses."}))]
pub struct UpdateVerticalRequest {
    /// What it is.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    name: Given,
    /// What is sold in it; `null` takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    description: Given,
}

impl From<UpdateVerticalRequest> for UpdateVerticalInput {
    fn from(raw: UpdateVerticalRequest) -> Self {
        let UpdateVerticalRequest { name, description } = raw;
        Self { name, description }
    }
}

/// A number that a guardrail sets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = GuardrailLimit)]
pub struct GuardrailLimitView {
    /// `months` since settlement, or `share`.
    #[schema(example = "months")]
    unit: &'static str,
    /// The number, as a decimal.
    #[schema(example = "24")]
    value: String,
}

/// A rule that every agreement of a vertical must keep to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Guardrail)]
pub struct GuardrailView {
    /// Stable and machine-readable.
    #[schema(example = "clawback_months_at_most")]
    code: &'static str,
    /// `law` or `policy`.
    #[schema(example = "law")]
    basis: &'static str,
    /// What it asks, for a person.
    #[schema(example = "Commission is taken back for at most 24 months after settlement.")]
    statement: &'static str,
    /// Where that is written.
    #[schema(example = "National Consumer Credit Protection Act 2009, Part 3-5A, and the regulations made for it")]
    source: &'static str,
    /// The number that it sets, if it sets one.
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<GuardrailLimitView>,
}

impl From<Guardrail> for GuardrailView {
    fn from(guardrail: Guardrail) -> Self {
        let Guardrail { code, basis, statement, source, limit } = guardrail;
        let limit = limit.map(|limit| match limit {
            Limit::Months(months) => GuardrailLimitView { unit: "months", value: months.to_string() },
            Limit::Share(share) => GuardrailLimitView { unit: "share", value: share.to_owned() },
        });
        Self { code, basis: basis.as_str(), statement, source, limit }
    }
}

/// The guardrails of a vertical.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Guardrails)]
pub struct GuardrailsView {
    /// Its own first, then those of every vertical.
    pub data: Vec<GuardrailView>,
}

/// A product.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Product)]
pub struct ProductView {
    /// Its id; the same in every installation.
    #[schema(example = "product_01k00000003g080040000g0001")]
    id: String,
    /// The vertical that sells it.
    #[schema(example = "vertical_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    vertical_id: String,
    /// Its code, unique over all verticals; what an import names.
    #[schema(example = "FIXED-3Y")]
    code: String,
    /// What it is.
    #[schema(example = "Fixed-rate home loan, three years")]
    name: String,
}

impl From<Product> for ProductView {
    fn from(product: Product) -> Self {
        Self {
            id: product.id.to_string(),
            vertical_id: reference::vertical_id(product.vertical).to_string(),
            code: product.code.to_string(),
            name: product.name,
        }
    }
}

/// A request to create a product.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateProduct, example = json!({"vertical": "V01", "code": "FIXED-5Y", "name": "Fixed-rate home loan, five years"}))]
pub struct CreateProductRequest {
    /// The vertical that sells it, by its id or its code.
    #[schema(required = true, nullable = false)]
    vertical: Option<String>,
    /// Its code, unique over all verticals: 1 to 40 capital letters, digits and hyphens.
    #[schema(required = true, nullable = false)]
    code: Option<String>,
    /// What it is.
    #[schema(required = true, nullable = false)]
    name: Option<String>,
}

impl From<CreateProductRequest> for CreateProductInput {
    fn from(raw: CreateProductRequest) -> Self {
        let CreateProductRequest { vertical, code, name } = raw;
        Self { vertical, code, name }
    }
}

/// A request to change a product; absent fields stay. Its code and its vertical do not change.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateProduct, example = json!({"name": "Fixed-rate home loan, 3 years"}))]
pub struct UpdateProductRequest {
    /// What it is.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    pub name: Given,
}

/// Of which vertical.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct VerticalQuery {
    /// Of this vertical, by its id or its code.
    #[param(example = "V01")]
    pub vertical: Option<String>,
}

impl ListQuery for VerticalQuery {}

/// Which products.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProductQuery {
    /// Of this vertical, by its id or its code.
    #[param(example = "V01")]
    pub vertical: Option<String>,
}

impl ListQuery for ProductQuery {
    const DATED: bool = false;
}

/// Which verticals: all of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerticalsQuery {}

impl ListQuery for VerticalsQuery {
    const SORT: &'static str = "code";
    const DATED: bool = false;
}

impl IntoParams for VerticalsQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        Vec::new()
    }
}
