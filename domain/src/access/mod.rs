//! Who may do what: users, API clients, roles, scopes, actors.
//!
//! Deny by default: a use case names the scope that it needs and checks the object's owner; reads
//! are guarded a second time by row-level security as the actor's [`Viewer`].
//!
//! Invariants: partners' roles come with an organisation, `member` with a member, staff roles with
//! neither; nobody gives a scope that they do not have; no secret is kept, only its digest or hash.

pub mod actor;
pub mod assertion;
pub mod audit;
pub mod bootstrap;
pub mod client;
pub mod client_key;
pub mod code;
pub mod embed;
pub mod environment;
pub mod error;
pub mod factor;
pub mod failed_login;
pub mod jwt;
pub mod login;
pub mod oidc;
pub mod outside;
pub mod ownership;
pub mod person;
pub mod repository;
pub mod role;
pub mod scope;
pub mod secret;
pub mod service;
pub mod session;
pub mod standing;
pub mod totp;
pub mod user;
pub mod user_change;

pub use actor::{Actor, MissingScope, Viewer};
pub use client::{ApiClient, CreateApiClient};
pub use environment::Environment;
pub use error::AccessError;
pub use factor::{Method, Methods};
pub use person::Persons;
pub use role::Role;
pub use scope::Scope;
pub use secret::{ClientSecret, Password, PasswordHash, PasswordHasher, PasswordRules};
pub use standing::{Standing, Subject};
pub use user::{CreateUser, User};
