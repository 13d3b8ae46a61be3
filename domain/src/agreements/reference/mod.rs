//! The default agreements that ship with the platform.
//!
//! V01, version 1: upfront only. Trail is left out until an engine can work it out; it will come as a
//! new version, so nothing that was calculated changes.

use uuid::Uuid;

use super::model::{ParseContentError, VersionContent};
use super::version::GoverningVersion;
use crate::kernel::ids::AgreementId;
use crate::kernel::jcs::JcsError;

/// The default agreement of residential mortgages.
pub const V01_AGREEMENT: AgreementId = AgreementId::new(Uuid::from_u128(0x0198_0000_0000_7000_8002_0000_0000_0001));
/// Its name.
pub const V01_NAME: &str = "Residential mortgages, default agreement";

const V01_JSON: &[u8] = include_bytes!("v01.json");

/// The shipped JSON does not read; found by a test long before a user could.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Not the content of a version.
    #[error(transparent)]
    Content(#[from] ParseContentError),
    /// No canonical form.
    #[error(transparent)]
    Canonical(#[from] JcsError),
}

/// Version 1 of the default agreement of V01.
///
/// # Errors
/// Never, as long as the tests pass.
pub fn v01() -> Result<GoverningVersion, ReferenceError> {
    Ok(GoverningVersion::try_new(V01_AGREEMENT, 1, VersionContent::parse(V01_JSON)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_v01_never_changes() {
        // sha256 of the canonical JSON, worked out with Python (json.dumps with sorted keys, hashlib).
        assert_eq!(
            v01().expect("the reference").content_hash().to_string(),
            "0412461b81a669ef1a27e3e5bb282c418ac6b740cbee975718b0f2c5afb5a190"
        );
    }

    #[test]
    fn what_is_written_reads_back_and_unknown_fields_are_refused() {
        let v01 = v01().expect("the reference");
        let bytes = v01.content().canonical_bytes().expect("canonical");
        assert_eq!(VersionContent::parse(&bytes).as_ref(), Ok(v01.content()));
        let text = String::from_utf8(bytes).expect("UTF-8");
        for (from, to) in [
            ("\"of\":[]", "\"of\":[],\"x\":1"),
            ("\"event\":\"settled\"", "\"event\":\"settled\",\"x\":1"),
            ("\"vertical\":\"V01\"", "\"vertical\":\"V01\",\"x\":1"),
            ("\"rate\":\"0.0065\"", "\"rate\":0.0065"),
            ("\"role\":\"member\"", "\"role\":\"upline_0\""),
        ] {
            assert!(text.contains(from), "{from}");
            assert!(VersionContent::parse(text.replacen(from, to, 1).as_bytes()).is_err(), "{to}");
        }
    }
}
