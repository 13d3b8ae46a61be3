//! What statements are made of: salts, parties, assurances, amounts, declarations, terms, participants.

use serde::{Deserialize, Serialize};

use super::encoding::{b64url, from_b64url};
use crate::currency::Currency;
use crate::digest::Digest;
use crate::ids::{AgreementId, MemberId};

/// 32 random bytes, base64url.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt(pub [u8; 32]);

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt(…)")
    }
}

impl Serialize for Salt {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&b64url(&self.0))
    }
}

impl<'de> Deserialize<'de> for Salt {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        let bytes = from_b64url(&text).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| serde::de::Error::custom("expected the base64url of 32 bytes"))
    }
}

/// A party by its opaque id: `member_…`, `org_…`, `contact_…`, or `platform`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct PartyId(String);

impl PartyId {
    /// The operator of the log.
    #[must_use]
    pub fn platform() -> Self {
        Self("platform".to_owned())
    }

    /// Reads 1 to 64 lower-case letters, digits and underscores.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        ((1..=64).contains(&text.len()) && text.bytes().all(allowed)).then(|| Self(text.to_owned()))
    }

    /// The party of a member.
    #[must_use]
    pub fn member(id: MemberId) -> Self {
        Self(id.to_string())
    }

    /// The party of an organisation.
    #[must_use]
    pub fn organisation(id: crate::ids::OrganisationId) -> Self {
        Self(id.to_string())
    }

    /// The party of a contact.
    #[must_use]
    pub fn contact(id: crate::ids::ContactId) -> Self {
        Self(id.to_string())
    }

    /// Whether this is the operator of the log.
    #[must_use]
    pub fn is_platform(&self) -> bool {
        self.0 == "platform"
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for PartyId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PartyId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a party id"))
    }
}

/// Whose hand the key is in. Ordered from weakest to strongest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assurance {
    /// Nobody signed for the party: the importing organisation's declaration stands for it.
    Attested,
    /// The platform keeps the party's key and signs on its instruction.
    Custodial,
    /// The party keeps its own key.
    #[serde(rename = "self")]
    Own,
}

impl Assurance {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attested => "attested",
            Self::Custodial => "custodial",
            Self::Own => "self",
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Attested, Self::Custodial, Self::Own].into_iter().find(|assurance| assurance.as_str() == text)
    }
}

/// An amount: minor units as a string, so that no reader turns it into a float.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Amount {
    /// Whole minor units, e.g. `"125000"` for 1,250 dollars.
    pub amount: String,
    /// ISO 4217.
    pub currency: Currency,
}

/// That something was said or agreed to, and the digest of its words where they are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declared {
    /// Whether it was.
    pub declared: bool,
    /// SHA-256 of the words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_sha256: Option<Digest>,
}

/// A version of an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgreementRef {
    /// SHA-256 of the version's canonical content.
    pub content_sha256: Digest,
    /// The agreement.
    pub id: AgreementId,
    /// Its version number, from 1.
    pub version: u32,
}

/// Who takes part in the deal in which role, frozen at sealing (the upline among them).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Participant {
    /// The member.
    pub member: MemberId,
    /// The role, as the agreement names it.
    pub role: String,
}

/// A version of an agreement by its name: `agreement_01k…-2`. An id holds no hyphen; paths and names of files take one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VersionName {
    /// The agreement.
    pub agreement: AgreementId,
    /// Its version number, from 1.
    pub number: u32,
}

impl VersionName {
    /// Reads exactly what [`std::fmt::Display`] prints.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (agreement, number) = text.split_once('-')?;
        let name = Self { agreement: AgreementId::parse(agreement).ok()?, number: number.parse().ok()? };
        (name.number > 0 && name.to_string() == text).then_some(name)
    }
}

impl std::fmt::Display for VersionName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.agreement, self.number)
    }
}
