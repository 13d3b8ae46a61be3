//! The rules: agreements, their immutable versions, and how commission is worked out from them.
//!
//! `model` is what a version says, `predicate` its conditions, `check` whether it makes sense, `lint` whether it is
//! wise and lawful, `version` its life from draft to retirement, `facts` what a calculation is made from, `evaluate` the engines (a landed
//! one is frozen), `replay` many deals in their order, `reproduce` runs a stored calculation again, `reference` is what ships.

pub mod check;
pub mod evaluate;
pub mod facts;
pub mod finding;
pub mod lint;
pub mod model;
pub mod predicate;
pub mod reference;
pub mod replay;
pub mod repository;
pub mod reproduce;
pub mod version;

pub use model::VersionContent;
pub use version::{AgreementVersion, GoverningVersion, Signatory, VersionState};
