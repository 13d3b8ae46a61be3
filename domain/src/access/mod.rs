//! Who may do what: users, API clients, roles, scopes, actors.
//!
//! Deny by default: a use case names the scope that it needs and checks the object's owner; reads
//! are guarded a second time by row-level security as the actor's [`Viewer`].

pub mod actor;
pub mod audit;
pub mod role;
pub mod scope;

pub use actor::{Actor, MissingScope, Viewer};
pub use role::Role;
pub use scope::Scope;
