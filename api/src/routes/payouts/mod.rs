//! Money out: own accounts, runs, payouts, statements.

use utoipa_actix_web::service_config::ServiceConfig;

mod records;
mod runs;

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    runs::register(config);
    records::register(config);
}
