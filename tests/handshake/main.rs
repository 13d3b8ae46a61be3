//! The inward side of the handshake chain on real PostgreSQL: keys, declarations, offers, accepts, seals.

mod countersigning;
mod declarations;
mod keys;
mod oracle;
mod referrals;
mod world;
