//! What providers say that they paid: mappings, statements, exceptions, write-offs, funding.

mod exceptions;
mod statements;
mod write_offs;

use utoipa_actix_web::service_config::ServiceConfig;

/// Routes below `/v1`, before those of organisations and of the ledger.
pub fn register(config: &mut ServiceConfig) {
    statements::register(config);
    exceptions::register(config);
    write_offs::register(config);
}
