//! The API document: collected from the routes, completed with what every operation has in common, and
//! committed at `openapi/flip360.v1.json`.

use actix_web::App as ActixApp;
use domain::access::Scope;
use utoipa::OpenApi as _;
use utoipa::openapi::path::HttpMethod;
use utoipa::openapi::security::{ClientCredentials, Flow, OAuth2, Password, Scopes, SecurityScheme};
use utoipa::openapi::{OpenApi, RefOr};
use utoipa_actix_web::AppExt;

mod agreements;
mod event_catalogue;
mod operations;
mod schemas;

use crate::problem::{FieldErrorView, ProblemView};

/// Where clients get tokens.
const TOKEN_URL: &str = "/oauth/token";

/// What the document starts from.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Flip 360 Commission Platform",
        version = "1.0.0",
        description = "Takes a referral through settlement, commission, ledger and payout, and lets everybody concerned verify it offline.\n\nMoney is whole minor units with a currency; rates are decimal strings; times are RFC 3339 UTC. Every POST that records something needs an `Idempotency-Key`; every PATCH needs `If-Match`. Errors are `application/problem+json` and name every invalid field at once.\n\nHow it is built and what is proved: [architecture](/architecture).",
        contact(name = "Flip 360", email = "integrations@flip360.example"),
        license(name = "Proprietary", identifier = "LicenseRef-Proprietary"),
    ),
    servers((url = "/", description = "This server: production, sandbox or a local one, whichever served the document")),
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
    let mut components = document.components.take().unwrap_or_default();
    components.security_schemes.insert("oauth2".to_owned(), RefOr::T(oauth2()));
    operations::headers(&mut components);
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
                operations::complete(path, &method, operation);
                operations::share(operation, &mut components);
            }
        }
    }
    document.components = Some(components);
    for server in document.servers.iter_mut().flatten() {
        // The audience of every server is the public that integrates.
        server.extensions.get_or_insert_default().insert("x-internal".to_owned(), false.into());
    }
    event_catalogue::describe(&mut document);
    agreements::close(&mut document);
    schemas::tighten(&mut document);
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
            Flow::ClientCredentials(ClientCredentials::with_refresh_url(TOKEN_URL, scopes(), TOKEN_URL)),
            Flow::Password(Password::with_refresh_url(TOKEN_URL, scopes(), TOKEN_URL)),
        ],
        "Access tokens are EdDSA JWTs (RFC 9068), checked as RFC8725 asks, and live for 15 minutes.",
    ))
}
