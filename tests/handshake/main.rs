//! The inward side of the handshake chain on real PostgreSQL: keys, declarations, offers, accepts, seals.

mod countersigning;
mod declarations;
mod http;
mod keys;
mod oracle;
mod recipes;
mod referrals;
mod strangers;
mod world;
