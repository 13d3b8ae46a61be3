//! What is asked of agreements, read from requests: every fault at once.

use super::model::{LookupTable, VersionContent};
use crate::catalogue::VerticalCode;
use crate::directory::text::{Grounds, ProductName};
use crate::directory::{optional, required};
use crate::kernel::fault::Reason;
use crate::kernel::ids::{AgreementId, OrganisationId};
use crate::kernel::{Digest, Faults};

/// The most codes that an approval acknowledges.
pub const MAX_ACKNOWLEDGED: usize = 100;

/// Makes an agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateAgreement {
    /// The vertical whose deals it is for.
    pub vertical: VerticalCode,
    /// What people call it.
    pub name: ProductName,
    /// The provider that it is made for; none = for everybody.
    pub provider: Option<OrganisationId>,
}

impl CreateAgreement {
    /// Reads `/vertical`, `/name` and `/provider_id`.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(vertical: Option<&str>, name: Option<&str>, provider: Option<&str>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let f = &mut faults;
        let vertical = required(f, "/vertical", vertical, VerticalCode::parse);
        let name = required(f, "/name", name, ProductName::parse);
        let provider = optional(f, "/provider_id", provider, OrganisationId::parse);
        match (vertical, name, provider) {
            (Some(vertical), Some(name), Some(provider)) => Ok(Self { vertical, name, provider }),
            _ => Err(faults),
        }
    }
}

/// Names a version, and the `ETag` at which the caller saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnVersion {
    /// The agreement.
    pub agreement: AgreementId,
    /// The number of the version.
    pub number: u32,
    /// Where its counter of changes must be; anywhere if absent.
    pub version: Option<i32>,
}

/// The content of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteVersion {
    /// What it says.
    pub content: VersionContent,
}

/// Approves a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApproveVersion {
    /// What the approver saw.
    pub content_sha256: Digest,
    /// The codes of the warnings that the approver took note of.
    pub acknowledged: Vec<String>,
}

/// Why a field is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum CommandError {
    /// Not 64 hexadecimal digits.
    #[error("expected the 64 hexadecimal digits of the version's `content_sha256`")]
    Digest,
}

impl Reason for CommandError {
    fn code(&self) -> &'static str {
        "invalid_digest"
    }
}

fn digest(text: &str) -> Result<Digest, CommandError> {
    Digest::parse_hex(text).ok_or(CommandError::Digest)
}

impl ApproveVersion {
    /// Reads `/content_sha256` and `/acknowledged`.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(content_sha256: Option<&str>, acknowledged: Vec<String>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let seen = required(&mut faults, "/content_sha256", content_sha256, digest);
        if acknowledged.len() > MAX_ACKNOWLEDGED {
            faults.push("/acknowledged", "too_many", format!("at most {MAX_ACKNOWLEDGED}"));
        }
        for (place, code) in acknowledged.iter().enumerate().take(MAX_ACKNOWLEDGED) {
            let word = code.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            if !word || code.is_empty() || code.len() > 64 {
                faults.push(format!("/acknowledged/{place}"), "unknown_value", "expected the code of a warning");
            }
        }
        faults.clone().check()?;
        Ok(Self { content_sha256: seen.ok_or(faults)?, acknowledged })
    }
}

/// Reads `/reason`.
///
/// # Errors
/// The fault.
pub fn grounds(text: Option<&str>) -> Result<Grounds, Faults> {
    let mut faults = Faults::default();
    let grounds = required(&mut faults, "/reason", text, Grounds::parse);
    grounds.ok_or(faults)
}

/// Makes a lookup table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateLookupTable {
    /// What people call it.
    pub name: ProductName,
}

impl CreateLookupTable {
    /// Reads `/name`.
    ///
    /// # Errors
    /// The fault.
    pub fn parse(name: Option<&str>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let name = required(&mut faults, "/name", name, ProductName::parse);
        name.map(|name| Self { name }).ok_or(faults)
    }
}

/// Adds a version to a lookup table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTableVersion {
    /// What it says.
    pub content: LookupTable,
}
