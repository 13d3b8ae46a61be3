//! Money out: own accounts, runs, payouts, statements.

use utoipa_actix_web::service_config::ServiceConfig;

mod bank;
mod recalls;
mod records;
mod returns;
mod runs;

/// Routes below `/v1`.
pub fn register(config: &mut ServiceConfig) {
    runs::register(config);
    records::register(config);
    recalls::register(config);
    returns::register(config);
    bank::register(config);
}
