//! Verticals and products as they go out.

use domain::catalogue::product::CreateProductInput;
use domain::catalogue::{Product, Vertical, reference};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::directory_requests::given;
use domain::directory::update::Given;

/// A vertical.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Vertical)]
pub struct VerticalView {
    /// Its id; the same in every installation.
    #[schema(example = "vertical_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// `V01` … `V18`.
    #[schema(example = "V01")]
    code: String,
    /// What it is.
    #[schema(example = "Residential mortgages")]
    name: String,
}

impl From<Vertical> for VerticalView {
    fn from(vertical: Vertical) -> Self {
        Self { id: vertical.id.to_string(), code: vertical.code.to_string(), name: vertical.name }
    }
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
    /// Rows on a page, 1 to 200.
    #[param(example = 50)]
    pub limit: Option<u16>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
    /// Of this vertical, by its id or its code.
    #[param(example = "V01")]
    pub vertical: Option<String>,
}
