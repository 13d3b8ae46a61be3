//! The rules: agreements, their immutable versions, and how commission is worked out from them.
//!
//! `model` is what a version says, `predicate` its conditions, `check` whether it makes sense, `lint` what is unwise or
//! unlawful, `life` its way from draft to retirement, `decide` who takes it there, `diff` what two of them differ in,
//! `tables` the lookup tables that they name, `version` a version as a calculation names it, `in_force` which one
//! governs a deal, `facts` what a calculation is made from, `evaluate` the engines (a landed one is frozen), `explain`
//! puts a calculation into words, `dry_run` works out a deal that somebody made up, `replay` many deals in their order, `reproduce` runs a stored calculation again, `reference` is what ships.

pub mod check;
pub mod command;
pub mod decide;
pub mod diff;
pub mod dry_run;
pub mod error;
pub mod evaluate;
pub mod explain;
pub mod facts;
pub mod finding;
pub mod in_force;
pub mod life;
pub mod lint;
pub mod model;
pub mod predicate;
pub mod reference;
pub mod replay;
pub mod repository;
pub mod reproduce;
pub mod tables;
pub mod version;

pub use error::AgreementError;
pub use life::{AgreementVersion, VersionState};
pub use model::VersionContent;
pub use version::GoverningVersion;
