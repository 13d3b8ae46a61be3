//! The rules: agreements, their immutable versions, and how commission is worked out from them.
//!
//! `model` is what a version says, `predicate` its conditions, `version` its life from draft to
//! retirement, `evaluate` the frozen engines, `reference` what ships.

pub mod evaluate;
pub mod model;
pub mod predicate;
pub mod reference;
pub mod repository;
pub mod reproduce;
pub mod version;

pub use model::VersionContent;
pub use version::{AgreementVersion, GoverningVersion, Signatory, VersionState};
