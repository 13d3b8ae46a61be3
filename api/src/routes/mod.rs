//! The routes, one file per context.
//!
//! How to write one (see `docs/adding-a-resource.md`):
//! 1. a handler with `#[utoipa::path(...)]` above `#[get("/things/{id}")]`; the document names its
//!    `operation_id` (`verb_noun`), `tag`, `security(("oauth2" = ["things:read"]))`, and an example;
//! 2. reads: `caller: Caller`, then [`crate::app::read`]; effects: `command: Command<ThingRequest>`, then
//!    `command.parse(…)?` and [`crate::once::once`]; changes: `Change<…>` and [`crate::once::change`];
//! 3. registered in this context's `register`, with `.service()` only, the more special path first.
//!
//! 400, 401, 403, 404, 409, 412, 413, 415, 422, 428, 500 and 503 are added to the document from what the
//! operation is; a handler lists only its own successes.

use utoipa_actix_web::scope;
use utoipa_actix_web::service_config::ServiceConfig;

pub mod access;
pub mod agreements;
pub mod architecture;
pub mod assignments;
pub mod audit;
pub mod bank_changes;
pub mod catalogue;
pub mod chain_export;
pub mod client_keys;
pub mod cohorts;
pub mod deals;
pub mod directory;
pub mod embed;
pub mod erasures;
pub mod events;
pub mod evidence;
pub mod guarantees;
pub mod handshakes;
pub mod holds;
pub mod imports;
pub mod jobs;
pub mod ledger;
pub mod licences;
pub mod log;
pub mod manual_entries;
pub mod members;
pub mod oauth;
pub mod oidc;
pub mod operations;
mod page;
pub mod payee_statements;
pub mod payee_tax;
pub mod payees;
pub mod payouts;
pub mod periods;
pub mod provider_statements;
pub mod receipts;
pub mod recovery_plans;
pub mod referrals;
pub mod signing_keys;
pub mod simulations;
pub mod stripe;
pub mod system;
pub mod tax;
pub mod totp;
pub mod trail_runs;
pub mod users;
pub mod verify;
pub mod webhooks;

/// Every route.
pub fn register(config: &mut ServiceConfig) {
    system::register(config);
    oauth::register(config);
    log::register(config);
    stripe::register(config);
    config.service(scope::scope("/v1").configure(v1));
}

fn v1(config: &mut ServiceConfig) {
    access::register(config);
    events::register(config);
    guarantees::register(config);
    imports::register(config);
    deals::register(config);
    jobs::register(config);
    audit::register(config);
    operations::register(config);
    signing_keys::register(config);
    handshakes::register(config);
    log::register_v1(config);
    evidence::register(config);
    chain_export::register(config);
    provider_statements::register(config);
    receipts::register(config);
    referrals::register(config);
    directory::register(config);
    catalogue::register(config);
    agreements::register(config);
    simulations::register(config);
    manual_entries::register(config);
    periods::register(config);
    ledger::register(config);
    holds::register(config);
    payee_statements::register(config);
    payouts::register(config);
    recovery_plans::register(config);
    assignments::register(config);
    stripe::register_v1(config);
    tax::register(config);
    trail_runs::register(config);
    webhooks::register(config);
}

/// The reference page: Swagger UI out of the binary, nothing from outside.
#[must_use]
pub fn docs() -> utoipa_swagger_ui::SwaggerUi {
    utoipa_swagger_ui::SwaggerUi::new("/docs/{_:.*}")
        .config(utoipa_swagger_ui::Config::from("/openapi.json").try_it_out_enabled(true).persist_authorization(false))
}
