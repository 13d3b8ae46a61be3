//! The API document: collected from the routes, completed with what every operation has in common, and
//! committed at `openapi/flip360.v1.json`.

use actix_web::App as ActixApp;
use domain::access::Scope;
use utoipa::OpenApi as _;
use utoipa::openapi::path::{HttpMethod, Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{ClientCredentials, Flow, OAuth2, Password, Scopes, SecurityScheme};
use utoipa::openapi::{
    Content, HeaderBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder, Type,
};
use utoipa_actix_web::AppExt;

use crate::problem::{FieldErrorView, ProblemView};

/// Where clients get tokens.
const TOKEN_URL: &str = "/oauth/token";

/// What the document starts from.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Flip 360 Commission Platform",
        version = "1.0.0",
        description = "Takes a referral through settlement, commission, ledger and payout, and lets everybody concerned verify it offline.\n\nMoney is whole minor units with a currency; rates are decimal strings; times are RFC 3339 UTC. Every POST that records something needs an `Idempotency-Key`; every PATCH needs `If-Match`. Errors are `application/problem+json` and name every invalid field at once.",
        contact(name = "Flip 360", email = "integrations@flip360.example"),
        license(name = "Proprietary", identifier = "LicenseRef-Proprietary"),
    ),
    servers((url = "/", description = "This server")),
    components(schemas(ProblemView, FieldErrorView)),
    tags(
        (name = "access", description = "Tokens, users, API clients"),
        (name = "directory", description = "Organisations, contacts, members, payees"),
        (name = "catalogue", description = "Verticals and products"),
        (name = "agreements", description = "Agreements, versions, calculations"),
        (name = "deals", description = "Referrals, deals, imports"),
        (name = "ledger", description = "Accounts, entries, balances"),
        (name = "payouts", description = "Payout runs, payouts, statements"),
        (name = "chain", description = "Keys, handshakes, receipts, the public log"),
        (name = "events", description = "What happened: replay, streams, webhooks"),
        (name = "webhooks", description = "Endpoints that events are sent to, deliveries"),
        (name = "guarantees", description = "The six promises, checked over live data"),
        (name = "operations", description = "Health, jobs"),
    )
)]
struct Base;

/// The whole document.
#[must_use]
pub fn document() -> OpenApi {
    let app = ActixApp::new().into_utoipa_app().openapi(Base::openapi()).configure(crate::routes::register);
    let (_, mut document) = app.split_for_parts();
    if let Some(components) = document.components.as_mut() {
        components.security_schemes.insert("oauth2".to_owned(), RefOr::T(oauth2()));
    }
    for (path, item) in &mut document.paths.paths {
        let operations = [
            (HttpMethod::Get, &mut item.get),
            (HttpMethod::Post, &mut item.post),
            (HttpMethod::Put, &mut item.put),
            (HttpMethod::Patch, &mut item.patch),
            (HttpMethod::Delete, &mut item.delete),
        ];
        for (method, operation) in operations {
            if let Some(operation) = operation {
                complete(path, &method, operation);
            }
        }
    }
    crate::event_catalogue::describe(&mut document);
    document
}

/// The document as it is served and committed.
#[must_use]
pub fn bytes(document: &OpenApi) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(document).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

fn oauth2() -> SecurityScheme {
    let scopes = || Scopes::from_iter(Scope::ALL.iter().map(|scope| (scope.as_str(), scope.purpose())));
    SecurityScheme::OAuth2(OAuth2::with_description(
        [
            Flow::ClientCredentials(ClientCredentials::new(TOKEN_URL, scopes())),
            Flow::Password(Password::new(TOKEN_URL, scopes())),
        ],
        "Access tokens are EdDSA JWTs (RFC 9068) and live for 15 minutes.",
    ))
}

/// What operations have in common: their problems, and the headers that they ask for.
fn complete(path: &str, method: &HttpMethod, operation: &mut Operation) {
    // `security: []` and no `security` both mean that no login is needed.
    let with_login = operation.security.as_ref().is_some_and(|s| !s.is_empty());
    let keyed = *method == HttpMethod::Post && with_login;
    let conditional = *method == HttpMethod::Patch || *method == HttpMethod::Put;
    if with_login {
        problem(operation, "401", "No valid access token");
        problem(operation, "403", "The token lacks the scope");
    }
    if path.contains('{')
        || matches!(operation.operation_id.as_deref(), Some("get_statement" | "get_trial_balance" | "export_ledger"))
    {
        problem(operation, "404", "There is no such thing, or it is not yours to see");
    }
    if operation.request_body.is_some() || operation.parameters.is_some() || keyed {
        problem(operation, "400", "The request cannot be read");
    }
    if operation.request_body.is_some() {
        problem(operation, "413", "The body is too large");
        problem(operation, "415", "The body is not of the expected media type");
    }
    if keyed {
        parameter(
            operation,
            "Idempotency-Key",
            "The caller's name for this request: a retry with it has no second effect and gets the first answer again.",
            "018f6f2e-5c3c-7c5e-9f0a-2b1d3c4e5f60",
        );
        problem(operation, "409", "The key is being worked on, or the state does not allow it");
        problem(operation, "422", "Fields are not valid, a rule refuses it, or the key stands for another request");
    }
    let guarded = operation.parameters.iter().flatten().any(|p| matches!(p, RefOr::T(p) if p.name == "If-Match"));
    if guarded && !conditional {
        problem(operation, "412", "It was changed since");
        problem(operation, "428", "`If-Match` is missing");
    }
    if conditional {
        parameter(operation, "If-Match", "The `ETag` that the caller last saw.", "\"3\"");
        problem(operation, "412", "It was changed since");
        problem(operation, "422", "Fields are not valid");
        problem(operation, "428", "`If-Match` is missing");
    }
    problem(operation, "500", "Something went wrong on our side");
    problem(operation, "503", "Busy: try again");
}

fn problem(operation: &mut Operation, status: &str, description: &str) {
    let content = Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem"))));
    let request_id = HeaderBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String))).build();
    let response: Response = ResponseBuilder::new()
        .description(description)
        .content("application/problem+json", content)
        .header("X-Request-Id", request_id)
        .build();
    operation.responses.responses.entry(status.to_owned()).or_insert(RefOr::T(response));
}

fn parameter(operation: &mut Operation, name: &str, description: &str, example: &str) {
    let parameters = operation.parameters.get_or_insert_default();
    if parameters.iter().any(|p| matches!(p, RefOr::T(p) if p.name == name)) {
        return;
    }
    let parameter: Parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .example(Some(example.into()))
        .build();
    parameters.push(RefOr::T(parameter));
}
