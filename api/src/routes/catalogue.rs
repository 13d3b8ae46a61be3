//! Verticals and products.

use actix_web::web::Data;
use actix_web::{get, patch, post};
use domain::catalogue::product::{CreateProduct, UpdateProduct};
use domain::catalogue::vertical::{CreateVertical, UpdateVertical};
use domain::catalogue::{Product, Vertical, VerticalCode, guardrail, reference, service};
use domain::kernel::ids::{ProductId, VerticalId};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::answer::Answer;
use crate::app::{App, read};
use crate::extract::query::filter;
use crate::extract::{Caller, Change, Command, Id, List};
use crate::once::{change, once};
use crate::problem::Problem;
use crate::views::PageView;
use crate::views::catalogue::{
    CreateProductRequest, CreateVerticalRequest, GuardrailView, GuardrailsView, ProductQuery, ProductView,
    UpdateProductRequest, UpdateVerticalRequest, VerticalView, VerticalsQuery,
};

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
/// In the order of their codes.
#[utoipa::path(operation_id = "list_verticals", tag = "catalogue", security(("oauth2" = ["catalogue:read"])), params(List<VerticalsQuery>), responses((status = 200, description = "A page of verticals", body = PageView<VerticalView>)))]
#[get("/verticals")]
async fn list_verticals(app: Data<App>, list: List<VerticalsQuery>) -> Result<Answer, Problem> {
    let List { caller, page, cursors, .. } = list;
    let page = read(&app, &caller, move |queries| queries.catalogue().list_verticals(&page)).await?;
    Answer::page(page, &cursors, VerticalView::from)
}

/// Get a vertical
///
/// Its code, its name, what is sold in it.
#[utoipa::path(operation_id = "get_vertical", tag = "catalogue", security(("oauth2" = ["catalogue:read"])), params(("id" = String, Path, description = "The vertical", example = "vertical_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The vertical", body = VerticalView)))]
#[get("/verticals/{id}")]
async fn get_vertical(app: Data<App>, caller: Caller, Id(id): Id<VerticalId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.catalogue().find_vertical(id)).await?;
    answer(found.ok_or_else(Problem::not_found)?)
}

fn answer(vertical: Vertical) -> Result<Answer, Problem> {
    let version = vertical.version;
    Ok(Answer::ok(&VerticalView::from(vertical))?.with_version(version))
}

/// Create a vertical
///
/// Beside the 18 that ship. Its id follows from its code, so it is the same in every installation.
#[utoipa::path(operation_id = "create_vertical", tag = "catalogue", security(("oauth2" = ["catalogue:write"])), request_body = CreateVerticalRequest, responses((status = 201, description = "The vertical", body = VerticalView)))]
#[post("/verticals")]
async fn create_vertical(app: Data<App>, command: Command<CreateVerticalRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| CreateVertical::parse(&raw.into()))?;
    once(&app, command, service::create_vertical, |made| {
        let (id, version) = (made.id, made.version);
        Ok(Answer::created(format!("/v1/verticals/{id}"), id.uuid(), &VerticalView::from(made))?.with_version(version))
    })
    .await
}

/// Change a vertical
///
/// Its name, what is sold in it. Its code stands in agreements and calculations and stays.
#[utoipa::path(operation_id = "update_vertical", tag = "catalogue", security(("oauth2" = ["catalogue:write"])), params(("id" = String, Path, description = "The vertical", example = "vertical_01k0w4q7v8e2rtf3k2m9x5c6dz")), request_body = UpdateVerticalRequest, responses((status = 200, description = "The vertical", body = VerticalView)))]
#[patch("/verticals/{id}")]
async fn update_vertical(
    app: Data<App>,
    Id(id): Id<VerticalId>,
    body: Change<UpdateVerticalRequest>,
) -> Result<Answer, Problem> {
    let body = body.parse(|raw| UpdateVertical::parse(&raw.into()))?;
    change(
        &app,
        body,
        move |uow, env, change| service::update_vertical(uow, env, id, change.if_match, &change.body),
        move |altered| {
            let (before, after) = (VerticalView::from(altered.before), VerticalView::from(altered.after.clone()));
            answer(altered.after)?.about(id.uuid()).altering(&before, &after)
        },
    )
    .await
}

/// List the guardrails of a vertical
///
/// The law and the policy that every agreement of it must keep to, with their sources. They come with the release.
#[utoipa::path(operation_id = "list_guardrails", tag = "catalogue", security(("oauth2" = ["catalogue:read"])), params(("id" = String, Path, description = "The vertical", example = "vertical_01k0w4q7v8e2rtf3k2m9x5c6dz")), responses((status = 200, description = "The guardrails", body = GuardrailsView)))]
#[get("/verticals/{id}/guardrails")]
async fn list_guardrails(app: Data<App>, caller: Caller, Id(id): Id<VerticalId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.catalogue().find_vertical(id)).await?;
    let code = found.ok_or_else(Problem::not_found)?.code;
    Answer::ok(&GuardrailsView { data: guardrail::of(code).into_iter().map(GuardrailView::from).collect() })
}

/// List products
///
/// By vertical, then in the order in which they were added.
#[utoipa::path(operation_id = "list_products", tag = "catalogue", security(("oauth2" = ["catalogue:read"])), params(List<ProductQuery>), responses((status = 200, description = "A page of products", body = PageView<ProductView>)))]
#[get("/products")]
async fn list_products(app: Data<App>, list: List<ProductQuery>) -> Result<Answer, Problem> {
    let List { caller, query, page, cursors } = list;
    let vertical = vertical(query.vertical.as_deref())?;
    let page = read(&app, &caller, move |queries| queries.catalogue().list_products(vertical, &page)).await?;
    Answer::page(page, &cursors, ProductView::from)
}

/// Get a product
///
/// Its vertical, its code and its name.
#[utoipa::path(operation_id = "get_product", tag = "catalogue", security(("oauth2" = ["catalogue:read"])), params(("id" = String, Path, description = "The product", example = "product_01k00000003g080040000g0001")), responses((status = 200, description = "The product", body = ProductView)))]
#[get("/products/{id}")]
async fn get_product(app: Data<App>, caller: Caller, Id(id): Id<ProductId>) -> Result<Answer, Problem> {
    let found = read(&app, &caller, move |queries| queries.catalogue().find_product(id)).await?;
    product(found.ok_or_else(Problem::not_found)?)
}

fn product(product: Product) -> Result<Answer, Problem> {
    let version = product.version;
    Ok(Answer::ok(&ProductView::from(product))?.with_version(version))
}

/// Create a product
///
/// Of one of the verticals; deals name it by its code.
#[utoipa::path(operation_id = "create_product", tag = "catalogue", security(("oauth2" = ["catalogue:write"])), request_body = CreateProductRequest, responses((status = 201, description = "The product", body = ProductView)))]
#[post("/products")]
async fn create_product(app: Data<App>, command: Command<CreateProductRequest>) -> Result<Answer, Problem> {
    let command = command.parse(|raw| CreateProduct::parse(&raw.into()))?;
    once(&app, command, service::create_product, |made| {
        let (id, version) = (made.id, made.version);
        Ok(Answer::created(format!("/v1/products/{id}"), id.uuid(), &ProductView::from(made))?.with_version(version))
    })
    .await
}

/// Change a product
///
/// Its name. Its code and its vertical stand in deals and stay.
#[utoipa::path(operation_id = "update_product", tag = "catalogue", security(("oauth2" = ["catalogue:write"])), params(("id" = String, Path, description = "The product", example = "product_01k00000003g080040000g0001")), request_body = UpdateProductRequest, responses((status = 200, description = "The product", body = ProductView)))]
#[patch("/products/{id}")]
async fn update_product(
    app: Data<App>,
    Id(id): Id<ProductId>,
    body: Change<UpdateProductRequest>,
) -> Result<Answer, Problem> {
    let body = body.parse(|raw| UpdateProduct::parse(raw.name.as_ref()))?;
    change(
        &app,
        body,
        move |uow, env, change| service::update_product(uow, env, id, change.if_match, &change.body),
        move |altered| {
            let (before, after) = (ProductView::from(altered.before), ProductView::from(altered.after.clone()));
            product(altered.after)?.about(id.uuid()).altering(&before, &after)
        },
    )
    .await
}

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(list_verticals)
        .service(list_guardrails)
        .service(get_vertical)
        .service(create_vertical)
        .service(update_vertical)
        .service(list_products)
        .service(get_product)
        .service(create_product)
        .service(update_product);
}
