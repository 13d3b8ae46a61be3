//! The inward side of the handshake chain on real PostgreSQL: keys, declarations, offers, accepts, seals.

mod countersigning;
mod declarations;
mod hand_over;
mod http;
mod http_keys;
mod key_events;
mod key_history;
mod key_races;
mod keys;
mod oracle;
mod recipes;
mod referrals;
mod strangers;
mod world;
