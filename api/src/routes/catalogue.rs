//! Verticals and products.

use actix_web::get;
use actix_web::web::Data;
use domain::catalogue::{VerticalCode, reference};
use domain::kernel::ids::{ProductId, VerticalId};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::query::filter;
use crate::extract::{Caller, Filter, Id, cursor};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::access::PageQuery;
use crate::views::catalogue::{ProductView, VerticalQuery, VerticalView};

/// Reads the filter on a vertical: its id or its code.
///
/// # Errors
/// 400 when it is neither.
pub fn vertical(text: Option<&str>) -> Result<Option<VerticalId>, Problem> {
    filter("vertical", text, |text| {
        VerticalId::parse(text).or_else(|_| VerticalCode::parse(text).map(reference::vertical_id))
    })
}

/// List verticals
///
/// All 18, in the order of their codes.
#[utoipa::path(operation_id = "list_verticals", tag = "catalogue", security(("oauth2" = ["catalogue:read"])), params(PageQuery), responses((status = 200, description = "A page of verticals", body = PageView<VerticalView>)))]
#[get("/verticals")]
async fn list_verticals(app: Data<App>, caller: Caller, Filter(query): Filter<PageQuery>) -> Result<Answer, Problem> {
    let page = cursor::page_request(query.limit, query.cursor.as_deref())?;
    let page = read(&app, &caller, move |queries| queries.catalogue().list_verticals(&page)).await?;
    Answer::page(page, VerticalView::from)
}

/// Get a vertical
///
/// Its code and its name.
#[utoipa::path(operation_id = "get_vertical", tag = "catalogue", security(("oauth2" = ["catalogue:read"])), params(("id" = String, Path, description = "The vertical", example = "vertical_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The vertical", body = VerticalView)))]
#[get("/verticals/{id}")]
async fn get_vertical(app: Data<App>, caller: Caller, Id(id): Id<VerticalId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.catalogue().find_vertical(id)).await?;
    Answer::ok(&VerticalView::from(found.ok_or_else(Problem::not_found)?))
}

/// List products
///
/// By vertical, then in the order in which they were added.
#[utoipa::path(operation_id = "list_products", tag = "catalogue", security(("oauth2" = ["catalogue:read"])), params(VerticalQuery), responses((status = 200, description = "A page of products", body = PageView<ProductView>)))]
#[get("/products")]
async fn list_products(
    app: Data<App>,
    caller: Caller,
    Filter(query): Filter<VerticalQuery>,
) -> Result<Answer, Problem> {
    let page = cursor::page_request(query.limit, query.cursor.as_deref())?;
    let vertical = vertical(query.vertical.as_deref())?;
    let page = read(&app, &caller, move |queries| queries.catalogue().list_products(vertical, &page)).await?;
    Answer::page(page, ProductView::from)
}

/// Get a product
///
/// Its vertical, its code and its name.
#[utoipa::path(operation_id = "get_product", tag = "catalogue", security(("oauth2" = ["catalogue:read"])), params(("id" = String, Path, description = "The product", example = "product_01k00000003g080040000g0001")), responses((status = 200, description = "The product", body = ProductView)))]
#[get("/products/{id}")]
async fn get_product(app: Data<App>, caller: Caller, Id(id): Id<ProductId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.catalogue().find_product(id)).await?;
    Answer::ok(&ProductView::from(found.ok_or_else(Problem::not_found)?))
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config.service(list_verticals).service(get_vertical).service(list_products).service(get_product);
}
