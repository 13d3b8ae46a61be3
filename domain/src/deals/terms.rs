//! The terms of a referral: what the offer commits to, beside the parties.
//!
//! The SHA-256 of their canonical JSON stands in the offer as `row_sha256`, where an imported deal has
//! the digest of its line, and the same bytes are kept as the deal's first fact. They hold ids and
//! dates only, nothing personal.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::catalogue::ProductCode;
use crate::chain::statement::Declared;
use crate::directory::ExternalRef;
use crate::kernel::ids::{MemberId, OrganisationId};
use crate::kernel::jcs::{self, JcsError};
use crate::kernel::{Digest, Faults};

/// The version of the terms so far.
pub const VERSION: u8 = 1;

/// What a referral is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// That the client consented to being referred.
    pub consent: Declared,
    /// That the commission was disclosed to the client.
    pub disclosure: Declared,
    /// What the introducer calls the deal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_ref: Option<ExternalRef>,
    /// Who refers.
    pub member: MemberId,
    /// What is to be sold.
    pub product: ProductCode,
    /// Who is to sell it.
    pub provider: OrganisationId,
    /// The day of the referral.
    pub referred_on: Date,
    /// [`VERSION`].
    pub v: u8,
}

impl Terms {
    /// The bytes that are kept and whose digest is signed.
    ///
    /// # Errors
    /// Never for terms that were parsed.
    pub fn canonical_bytes(&self) -> Result<Vec<u8>, JcsError> {
        jcs::to_bytes(self)
    }

    /// The digest that the offer carries.
    ///
    /// # Errors
    /// Never for terms that were parsed.
    pub fn digest(&self) -> Result<Digest, JcsError> {
        Ok(Digest::of(&self.canonical_bytes()?))
    }
}

/// A declaration, unchecked: whether it was made, and the digest of its words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeclaredInput {
    /// `…/declared`
    pub declared: Option<bool>,
    /// `…/text_sha256`
    pub text_sha256: Option<String>,
}

/// Terms, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TermsInput {
    /// `/member_id`
    pub member_id: Option<String>,
    /// `/provider_id`
    pub provider_id: Option<String>,
    /// `/product`
    pub product: Option<String>,
    /// `/external_ref`
    pub external_ref: Option<String>,
    /// `/referred_on`
    pub referred_on: Option<String>,
    /// `/consent`
    pub consent: Option<DeclaredInput>,
    /// `/disclosure`
    pub disclosure: Option<DeclaredInput>,
}

impl TermsInput {
    /// Pointers to the fields that are there.
    pub(crate) fn given(&self) -> Vec<&'static str> {
        let fields = [
            ("/member_id", self.member_id.is_some()),
            ("/provider_id", self.provider_id.is_some()),
            ("/product", self.product.is_some()),
            ("/external_ref", self.external_ref.is_some()),
            ("/referred_on", self.referred_on.is_some()),
            ("/consent", self.consent.is_some()),
            ("/disclosure", self.disclosure.is_some()),
        ];
        fields.into_iter().filter(|(_, given)| *given).map(|(pointer, _)| pointer).collect()
    }
}

/// Not a date of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a date such as 2026-11-25")]
struct NotADate;

impl crate::kernel::fault::Reason for NotADate {
    fn code(&self) -> &'static str {
        "invalid_date"
    }
}

fn date(text: &str) -> Result<Date, NotADate> {
    // jiff reads more than one spelling; only the plain one is a date here.
    text.parse().ok().filter(|date: &Date| date.to_string() == text).ok_or(NotADate)
}

impl Terms {
    /// Checks every field; consent and disclosure have to be declared.
    ///
    /// # Errors
    /// All faults, also those that were found before.
    pub fn parse(raw: &TermsInput, faults: &mut Faults) -> Option<Self> {
        use crate::directory::{optional, required};
        let member = required(faults, "/member_id", raw.member_id.as_deref(), MemberId::parse);
        let provider = required(faults, "/provider_id", raw.provider_id.as_deref(), OrganisationId::parse);
        let product = required(faults, "/product", raw.product.as_deref(), ProductCode::parse);
        let external_ref = optional(faults, "/external_ref", raw.external_ref.as_deref(), ExternalRef::parse);
        let referred_on = required(faults, "/referred_on", raw.referred_on.as_deref(), date);
        let consent = declared(faults, "/consent", raw.consent.as_ref());
        let disclosure = declared(faults, "/disclosure", raw.disclosure.as_ref());
        Some(Self {
            consent: consent?,
            disclosure: disclosure?,
            external_ref: external_ref?,
            member: member?,
            product: product?,
            provider: provider?,
            referred_on: referred_on?,
            v: VERSION,
        })
    }
}

fn declared(faults: &mut Faults, pointer: &str, raw: Option<&DeclaredInput>) -> Option<Declared> {
    let Some(raw) = raw else {
        faults.push(pointer, "required", "this field is required");
        return None;
    };
    let made = match raw.declared {
        Some(true) => Some(true),
        Some(false) => {
            faults.push(format!("{pointer}/declared"), "not_declared", "a referral needs this to be declared");
            None
        }
        None => {
            faults.push(format!("{pointer}/declared"), "required", "this field is required");
            None
        }
    };
    let digest = match raw.text_sha256.as_deref().map(Digest::parse_hex) {
        None => Some(None),
        Some(Some(digest)) => Some(Some(digest)),
        Some(None) => {
            let detail = "expected 64 lower-case hexadecimal digits";
            faults.push(format!("{pointer}/text_sha256"), "invalid_digest", detail);
            None
        }
    };
    Some(Declared { declared: made?, text_sha256: digest? })
}
