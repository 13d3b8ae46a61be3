//! Who exists: organisations, contacts, members, payees, and the numbers and accounts they are known by.
//!
//! Invariants: every value is parsed once and valid from then on; a checksum that fails never gets in;
//! uplines form a forest; a payee's account name fits a bank file at the moment when it is saved.
//! Bounds: see each value. Sources: the directory section of the domain document; each number names its own.

pub mod aba_text;
pub mod bank;
pub mod bank_change;
pub mod bsb_list;
pub mod cohort;
pub mod contact;
pub mod erase;
pub mod erasure;
pub mod erasure_repository;
pub mod error;
pub mod licence;
pub mod member;
pub mod number;
pub mod organisation;
pub mod party;
pub mod payee;
pub mod record;
pub mod repository;
pub mod sample;
pub mod service;
pub mod text;
pub mod update;

pub use aba_text::{AbaText, AbaTextError};
pub use bank::{AccountNumber, BankDetails, Bsb, BsbDirectory, PrefixDirectory};
pub use bsb_list::BsbList;
pub use contact::{Contact, ContactKind, CreateContact, PersonalData};
pub use error::DirectoryError;
pub use member::{CreateMember, Member};
pub use number::{Abn, Acn};
pub use organisation::{CreateOrganisation, Organisation, OrganisationKind, OrganisationStatus};
pub use payee::{CreatePayee, GstTimeline, Payee, PayeeMapping, Rail};
pub use record::{ContactRecord, Downline, MemberRecord, OrganisationRecord, PayeeRecord};
pub use text::{
    ClusterText, DeedReference, Description, Email, ExternalRef, Grounds, LegalName, MemberRef, PersonName, Phone,
    ProductName,
};

use crate::kernel::Faults;
use crate::kernel::fault::Reason;

/// Parses a field that must be there; a missing or empty one is the fault `required`.
pub(crate) fn required<T, E: Reason>(
    faults: &mut Faults,
    pointer: &str,
    raw: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Option<T> {
    match raw {
        Some(text) if !text.trim().is_empty() => faults.keep(pointer, parse(text)),
        _ => {
            faults.push(pointer, "required", "this field is required");
            None
        }
    }
}

/// Parses a field that may be absent; `Some(None)` when it is.
pub(crate) fn optional<T, E: Reason>(
    faults: &mut Faults,
    pointer: &str,
    raw: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Option<Option<T>> {
    match raw {
        None => Some(None),
        Some(text) => faults.keep(pointer, parse(text)).map(Some),
    }
}
