//! What tests stand on: a database of their own on a real PostgreSQL, and a platform whose time, ids and
//! randomness they set.

pub mod asking;
mod assigned;
pub mod bounced;
pub mod camt;
pub mod cluster;
pub mod counted;
pub mod documented;
pub mod imports;
pub mod leaves;
pub mod neighbour;
mod owned;
pub mod partners;
pub mod platform;
pub mod promises;
pub mod reply;
pub mod server;
pub mod signing;
pub mod site;
pub mod skip;
pub mod stripe;
mod told;
