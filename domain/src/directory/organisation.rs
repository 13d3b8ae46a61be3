//! Organisations: the operator, the providers that pay commission in, the introducers whose members refer.

use serde::{Deserialize, Serialize};

use super::number::Abn;
use super::text::{ExternalRef, LegalName};
use super::{optional, required};
use crate::kernel::Faults;
use crate::kernel::fault::Reason;
use crate::kernel::ids::OrganisationId;

/// What an organisation does here; the last two are partners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganisationKind {
    /// Runs the platform.
    Operator,
    /// Sells products and pays commission in.
    Provider,
    /// Its members refer.
    Introducer,
}

/// Not one of the words that are known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected one of: {expected}")]
pub struct UnknownWord {
    /// The words, separated by commas.
    pub expected: &'static str,
}

impl Reason for UnknownWord {
    fn code(&self) -> &'static str {
        "unknown_value"
    }
}

impl OrganisationKind {
    /// Reads `operator`, `provider` or `introducer`.
    ///
    /// # Errors
    /// [`UnknownWord`].
    pub fn parse(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "operator" => Ok(Self::Operator),
            "provider" => Ok(Self::Provider),
            "introducer" => Ok(Self::Introducer),
            _ => Err(UnknownWord { expected: "operator, provider, introducer" }),
        }
    }

    /// The word in the API and in storage.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Provider => "provider",
            Self::Introducer => "introducer",
        }
    }
}

/// May this organisation do new business?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrganisationStatus {
    /// Yes.
    #[default]
    Active,
    /// No; what is earned is still paid.
    Suspended,
}

impl OrganisationStatus {
    /// Reads `active` or `suspended`.
    ///
    /// # Errors
    /// [`UnknownWord`].
    pub fn parse(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "active" => Ok(Self::Active),
            "suspended" => Ok(Self::Suspended),
            _ => Err(UnknownWord { expected: "active, suspended" }),
        }
    }

    /// The word in the API and in storage.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }
}

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Its id.
    pub id: OrganisationId,
    /// What it does here.
    pub kind: OrganisationKind,
    /// Its registered name.
    pub name: LegalName,
    /// Its ABN, if it has one.
    pub abn: Option<Abn>,
    /// What the caller calls it.
    pub external_ref: Option<ExternalRef>,
    /// May it do new business?
    pub status: OrganisationStatus,
}

/// A request to create an organisation, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateOrganisationInput {
    /// `/kind`
    pub kind: Option<String>,
    /// `/name`
    pub name: Option<String>,
    /// `/abn`
    pub abn: Option<String>,
    /// `/external_ref`
    pub external_ref: Option<String>,
}

/// A valid request to create an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateOrganisation {
    /// What it does here.
    pub kind: OrganisationKind,
    /// Its registered name.
    pub name: LegalName,
    /// Its ABN.
    pub abn: Option<Abn>,
    /// What the caller calls it.
    pub external_ref: Option<ExternalRef>,
}

impl CreateOrganisation {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &CreateOrganisationInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let kind = required(&mut faults, "/kind", raw.kind.as_deref(), OrganisationKind::parse);
        let name = required(&mut faults, "/name", raw.name.as_deref(), LegalName::parse);
        let abn = optional(&mut faults, "/abn", raw.abn.as_deref(), Abn::parse);
        let external_ref = optional(&mut faults, "/external_ref", raw.external_ref.as_deref(), ExternalRef::parse);
        match (kind, name, abn, external_ref) {
            (Some(kind), Some(name), Some(abn), Some(external_ref)) => Ok(Self { kind, name, abn, external_ref }),
            _ => Err(faults),
        }
    }

    /// The new organisation.
    #[must_use]
    pub fn into_organisation(self, id: OrganisationId) -> Organisation {
        let Self { kind, name, abn, external_ref } = self;
        Organisation { id, kind, name, abn, external_ref, status: OrganisationStatus::Active }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_told_at_once() {
        let raw = CreateOrganisationInput {
            kind: Some("bank".into()),
            name: Some("A\0B".into()),
            abn: Some("51824753557".into()),
            external_ref: Some("a b".into()),
        };
        let faults = CreateOrganisation::parse(&raw).expect_err("four faults").0;
        let told: Vec<_> = faults.iter().map(|f| (f.pointer.as_str(), f.code)).collect();
        assert_eq!(
            told,
            [
                ("/kind", "unknown_value"),
                ("/name", "control_character"),
                ("/abn", "invalid_abn_checksum"),
                ("/external_ref", "invalid_reference")
            ]
        );
    }

    #[test]
    fn missing_fields_are_required_and_optional_ones_are_not() {
        let faults = CreateOrganisation::parse(&CreateOrganisationInput::default()).expect_err("two faults").0;
        assert_eq!(
            faults.iter().map(|f| (f.pointer.as_str(), f.code)).collect::<Vec<_>>(),
            [("/kind", "required"), ("/name", "required")]
        );
        let raw = CreateOrganisationInput {
            kind: Some("introducer".into()),
            name: Some(" Harbour Referrals Pty Ltd ".into()),
            ..CreateOrganisationInput::default()
        };
        let made = CreateOrganisation::parse(&raw).expect("valid");
        assert_eq!(
            (made.kind, made.name.as_str(), made.abn),
            (OrganisationKind::Introducer, "Harbour Referrals Pty Ltd", None)
        );
    }
}
