//! Values shared by every context: ids, money, rates, time, digests, canonical JSON, faults.
//!
//! What a verifier needs of them too (ids, digests, canonical JSON, instants, faults) is in the crate `verifier`.
//!
//! Invariants: no value here can exist in an invalid state; no arithmetic wraps or rounds silently.

pub mod cents;
pub mod frozen;
pub mod id;
pub mod money;
pub mod page;
pub mod rate;
#[cfg(feature = "schema")]
mod schema;
pub mod split;
pub mod time;

pub use cents::Cents;
pub use frozen::Frozen;
pub use money::{Currency, Money};
pub use page::{Order, Page, PageRequest};
pub use rate::Rate;
pub use time::Instant;
pub use verifier::digest::Digest;
pub use verifier::fault::{Fault, Faults};
pub use verifier::{digest, fault, ids, jcs};
