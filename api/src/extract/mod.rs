//! What a handler takes from a request: who calls, with which key, and a body that was read strictly.
//!
//! [`Caller`] authenticates and enforces the scope that the API document declares for the operation;
//! [`Command`] adds an idempotency key and a JSON body, [`Change`] a precondition and a JSON body.
//! Bounds: a body has at most [`body::LIMIT`] bytes.

pub mod body;
pub mod caller;
pub mod cursor;
pub mod list;
pub mod path;
pub mod precondition;
pub mod query;
pub mod request_id;
pub mod strict;

pub use body::{Change, Command, Empty, Large, Upload};
pub use caller::{Caller, verified};
pub use list::{List, ListQuery, OpenList, Unfiltered};
pub use path::{Id, KeyId, PlanId};
pub use precondition::IfMatch;
pub use query::Filter;
pub use request_id::RequestId;
