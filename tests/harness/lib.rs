//! What tests stand on: a database of their own on a real PostgreSQL, and a platform whose time, ids and
//! randomness they set.

pub mod cluster;
pub mod documented;
pub mod imports;
pub mod platform;
pub mod promises;
pub mod server;
pub mod site;
pub mod skip;
