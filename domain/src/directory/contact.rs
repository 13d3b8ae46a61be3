//! Contacts: people and companies. What identifies a person is kept apart, so that erasing it leaves
//! ledger and chain whole: they hold the contact's id only.

use serde::{Deserialize, Serialize};

use super::organisation::UnknownWord;
use super::text::{Email, PersonName, Phone};
use super::{optional, required};
use crate::kernel::Faults;
use crate::kernel::ids::{ContactId, OrganisationId};

/// A person or a company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactKind {
    /// A natural person.
    Person,
    /// Anything else.
    Company,
}

impl ContactKind {
    /// Reads `person` or `company`.
    ///
    /// # Errors
    /// [`UnknownWord`].
    pub fn parse(text: &str) -> Result<Self, UnknownWord> {
        match text {
            "person" => Ok(Self::Person),
            "company" => Ok(Self::Company),
            _ => Err(UnknownWord { expected: "person, company" }),
        }
    }

    /// The word in the API and in storage.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Company => "company",
        }
    }
}

/// What identifies a contact; stored apart and erasable.
#[derive(Clone, PartialEq, Eq)]
pub struct PersonalData {
    /// The name.
    pub name: PersonName,
    /// The e-mail address.
    pub email: Option<Email>,
    /// The telephone number.
    pub phone: Option<Phone>,
}

impl std::fmt::Debug for PersonalData {
    /// Says nothing, so that no log does.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PersonalData(..)")
    }
}

/// A contact; `personal` is gone once erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Its id.
    pub id: ContactId,
    /// Person or company.
    pub kind: ContactKind,
    /// What identifies it, until erased.
    pub personal: Option<PersonalData>,
}

impl Contact {
    /// The contact without what identifies it. Erasing twice changes nothing.
    #[must_use]
    pub fn erased(self) -> Self {
        Self { personal: None, ..self }
    }
}

/// A request to create a contact, unchecked.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CreateContactInput {
    /// `/kind`
    pub kind: Option<String>,
    /// `/name`
    pub name: Option<String>,
    /// `/email`
    pub email: Option<String>,
    /// `/phone`
    pub phone: Option<String>,
}

/// A valid request to create a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateContact {
    /// Person or company.
    pub kind: ContactKind,
    /// What identifies it.
    pub personal: PersonalData,
}

impl CreateContact {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &CreateContactInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let kind = required(&mut faults, "/kind", raw.kind.as_deref(), ContactKind::parse);
        let name = required(&mut faults, "/name", raw.name.as_deref(), PersonName::parse);
        let email = optional(&mut faults, "/email", raw.email.as_deref(), Email::parse);
        let phone = optional(&mut faults, "/phone", raw.phone.as_deref(), Phone::parse);
        match (kind, name, email, phone) {
            (Some(kind), Some(name), Some(email), Some(phone)) => {
                Ok(Self { kind, personal: PersonalData { name, email, phone } })
            }
            _ => Err(faults),
        }
    }

    /// The new contact.
    #[must_use]
    pub fn into_contact(self, id: ContactId) -> Contact {
        Contact { id, kind: self.kind, personal: Some(self.personal) }
    }
}

/// A valid request to create a contact of an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateContactOf {
    /// Whose record it is.
    pub organisation: OrganisationId,
    /// The contact.
    pub contact: CreateContact,
}

impl CreateContactOf {
    /// Checks `/organisation_id` and every field of the contact.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(organisation_id: Option<&str>, raw: &CreateContactInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let organisation = required(&mut faults, "/organisation_id", organisation_id, OrganisationId::parse);
        match (organisation, CreateContact::parse(raw)) {
            (Some(organisation), Ok(contact)) => Ok(Self { organisation, contact }),
            (_, contact) => {
                faults.0.extend(contact.err().unwrap_or_default().0);
                Err(faults)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_point_at_their_fields_and_debug_says_nothing() {
        let raw = CreateContactInput {
            kind: Some("robot".into()),
            name: None,
            email: Some("nowhere".into()),
            phone: Some("12".into()),
        };
        let faults = CreateContact::parse(&raw).expect_err("four faults").0;
        let told: Vec<_> = faults.iter().map(|f| (f.pointer.as_str(), f.code)).collect();
        assert_eq!(
            told,
            [
                ("/kind", "unknown_value"),
                ("/name", "required"),
                ("/email", "invalid_email"),
                ("/phone", "invalid_phone")
            ]
        );
        let raw = CreateContactInput { kind: Some("person".into()), name: Some("Jane".into()), ..Default::default() };
        assert!(!format!("{:?}", CreateContact::parse(&raw).expect("valid")).contains("Jane"));
    }
}
