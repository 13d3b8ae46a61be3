//! The rules: agreements, their immutable versions, and how commission is worked out from them.
//!
//! `model` is what a version says, `predicate` its conditions, `check` whether it makes sense, `version` its
//! life from draft to retirement, `facts` what a calculation is made from, `evaluate` the engines (a landed
//! one is frozen), `explain` puts a calculation into words, `dry_run`
//! works out a deal that somebody made up, `replay` many deals in their order, `reproduce` runs a stored calculation again, `reference` is what ships.

pub mod check;
pub mod dry_run;
pub mod evaluate;
pub mod explain;
pub mod facts;
pub mod finding;
pub mod model;
pub mod predicate;
pub mod reference;
pub mod replay;
pub mod repository;
pub mod reproduce;
pub mod version;

pub use model::VersionContent;
pub use version::{AgreementVersion, GoverningVersion, Signatory, VersionState};
