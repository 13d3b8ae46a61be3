//! Licences: what an organisation may do by law, as the operator has seen it.
//!
//! A licence decides who may earn (see the guardrails), so whom it is for does not record it itself. It is a
//! fact and never changed: of two about one licence that begins on one day, the one recorded last counts, and so a
//! licence that is taken away gets an end.

use jiff::civil::Date;

use super::error::DirectoryError;
use super::organisation::UnknownWord;
use super::payee::date;
use super::text::ExternalRef;
use super::{optional, required};
use crate::access::Scope;
use crate::env::Env;
use crate::events::{EventKind, record_changed};
use crate::kernel::ids::{LicenceId, OrganisationId};
use crate::kernel::{Faults, Instant, Page, PageRequest};
use crate::store::{StoreError, UnitOfWork};

macro_rules! words {
    ($(#[doc = $what:literal])+ $name:ident, $expected:literal, $($(#[doc = $doc:literal])+ $variant:ident = $text:literal),+ $(,)?) => {
        $(#[doc = $what])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[doc = $doc])+ $variant,)+ }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Reads the word.
            ///
            /// # Errors
            /// [`UnknownWord`].
            pub fn parse(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { expected: $expected }),
                }
            }

            /// The word in the API and in storage.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

words! {
    /// What a licence is for.
    LicenceKind,
    "credit, credit_representative, financial_services, authorised_representative, estate_agent, tax_agent, conveyancer, legal_practice, motor_dealer, electrical, other",
    /// An Australian credit licence.
    Credit = "credit",
    /// Somebody who acts under another one's credit licence.
    CreditRepresentative = "credit_representative",
    /// An Australian financial services licence.
    FinancialServices = "financial_services",
    /// Somebody who acts under another one's financial services licence.
    AuthorisedRepresentative = "authorised_representative",
    /// An estate agent's licence of a state.
    EstateAgent = "estate_agent",
    /// Registration with the Tax Practitioners Board.
    TaxAgent = "tax_agent",
    /// A conveyancer's licence of a state.
    Conveyancer = "conveyancer",
    /// A practising certificate of a legal practice.
    LegalPractice = "legal_practice",
    /// A motor dealer's licence of a state.
    MotorDealer = "motor_dealer",
    /// An electrical contractor's licence of a state.
    Electrical = "electrical",
    /// Something else that an authority gave.
    Other = "other",
}

words! {
    /// Where a licence is good: the Commonwealth, a state or a territory.
    Jurisdiction,
    "AU, ACT, NSW, NT, QLD, SA, TAS, VIC, WA",
    /// All of Australia.
    Au = "AU",
    /// The Australian Capital Territory.
    Act = "ACT",
    /// New South Wales.
    Nsw = "NSW",
    /// The Northern Territory.
    Nt = "NT",
    /// Queensland.
    Qld = "QLD",
    /// South Australia.
    Sa = "SA",
    /// Tasmania.
    Tas = "TAS",
    /// Victoria.
    Vic = "VIC",
    /// Western Australia.
    Wa = "WA",
}

/// A licence of an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Licence {
    /// Its id.
    pub id: LicenceId,
    /// Whose it is.
    pub organisation: OrganisationId,
    /// What for.
    pub kind: LicenceKind,
    /// What the authority calls it.
    pub number: ExternalRef,
    /// Where.
    pub jurisdiction: Jurisdiction,
    /// The first day.
    pub valid_from: Date,
    /// The last day; none when no end is known.
    pub valid_to: Option<Date>,
    /// When it was recorded.
    pub recorded_at: Instant,
}

/// A request to record a licence, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateLicenceInput {
    /// `/kind`
    pub kind: Option<String>,
    /// `/number`
    pub number: Option<String>,
    /// `/jurisdiction`
    pub jurisdiction: Option<String>,
    /// `/valid_from`
    pub valid_from: Option<String>,
    /// `/valid_to`
    pub valid_to: Option<String>,
}

/// A valid request to record a licence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateLicence {
    kind: LicenceKind,
    number: ExternalRef,
    jurisdiction: Jurisdiction,
    valid_from: Date,
    valid_to: Option<Date>,
}

impl CreateLicence {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &CreateLicenceInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let f = &mut faults;
        let kind = required(f, "/kind", raw.kind.as_deref(), LicenceKind::parse);
        let number = required(f, "/number", raw.number.as_deref(), ExternalRef::parse);
        let jurisdiction = required(f, "/jurisdiction", raw.jurisdiction.as_deref(), Jurisdiction::parse);
        let valid_from = required(f, "/valid_from", raw.valid_from.as_deref(), date);
        let valid_to = optional(f, "/valid_to", raw.valid_to.as_deref(), date);
        if let (Some(from), Some(Some(to))) = (valid_from, valid_to)
            && to < from
        {
            f.push("/valid_to", "date_out_of_order", format!("{to} is before {from}"));
        }
        faults.clone().check()?;
        match (kind, number, jurisdiction, valid_from, valid_to) {
            (Some(kind), Some(number), Some(jurisdiction), Some(valid_from), Some(valid_to)) => {
                Ok(Self { kind, number, jurisdiction, valid_from, valid_to })
            }
            _ => Err(faults),
        }
    }

    fn into_licence(self, id: LicenceId, organisation: OrganisationId, recorded_at: Instant) -> Licence {
        let Self { kind, number, jurisdiction, valid_from, valid_to } = self;
        Licence { id, organisation, kind, number, jurisdiction, valid_from, valid_to, recorded_at }
    }
}

/// Which licences.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LicenceFilter {
    /// Of this kind.
    pub kind: Option<LicenceKind>,
    /// Good here.
    pub jurisdiction: Option<Jurisdiction>,
    /// Good on this day.
    pub valid_on: Option<Date>,
}

/// Licences, inside a transaction.
pub trait LicenceRepository {
    /// Keeps a licence.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_licence(&mut self, licence: &Licence) -> Result<(), StoreError>;

    /// What counts of the licence that this one is about.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_same_licence(&mut self, licence: &Licence) -> Result<Option<Licence>, StoreError>;
}

/// Licences, to look up.
pub trait LicenceQueries {
    /// The licences of an organisation that count, by id.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_licences(
        &mut self,
        organisation: OrganisationId,
        filter: &LicenceFilter,
        page: &PageRequest,
    ) -> Result<Page<Licence>, StoreError>;
}

/// Records a licence of an organisation.
///
/// # Errors
/// See [`DirectoryError`]; [`DirectoryError::LicenceKnown`] when it says nothing new.
pub fn create(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    organisation: OrganisationId,
    command: &CreateLicence,
) -> Result<Licence, DirectoryError> {
    env.actor.require(Scope::OrganisationsWrite)?;
    // Two of one licence take turns.
    let found = uow.directory().lock_organisation(organisation)?.filter(|_| env.actor.acts_for(organisation));
    found.ok_or(DirectoryError::NotFound)?;
    let id = LicenceId::new(env.ids.next());
    let licence = command.clone().into_licence(id, organisation, env.now);
    let known = uow.licences().find_same_licence(&licence)?;
    if known.is_some_and(|known| known.valid_to == licence.valid_to) {
        return Err(DirectoryError::LicenceKnown);
    }
    uow.licences().append_licence(&licence)?;
    record_changed(uow, env, EventKind::LicenceRecorded, (&id, id.uuid()), None, &[organisation.uuid()])?;
    Ok(licence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_told_at_once_and_every_word_reads_back() {
        let raw = CreateLicenceInput {
            kind: Some("driving".into()),
            number: Some("a b".into()),
            jurisdiction: Some("nsw".into()),
            valid_from: Some("2026-02-01".into()),
            valid_to: Some("2026-01-31".into()),
        };
        let faults = CreateLicence::parse(&raw).expect_err("four faults").0;
        let told: Vec<_> = faults.iter().map(|f| (f.pointer.as_str(), f.code)).collect();
        assert_eq!(
            told,
            [
                ("/kind", "unknown_value"),
                ("/number", "invalid_reference"),
                ("/jurisdiction", "unknown_value"),
                ("/valid_to", "date_out_of_order")
            ]
        );
        assert_eq!(CreateLicence::parse(&CreateLicenceInput::default()).expect_err("four").0.len(), 4);
        for kind in LicenceKind::ALL {
            assert_eq!(LicenceKind::parse(kind.code()), Ok(*kind));
            assert!(LicenceKind::parse("").is_err_and(|word| word.expected.contains(kind.code())));
        }
        for place in Jurisdiction::ALL {
            assert_eq!(Jurisdiction::parse(place.code()), Ok(*place));
            assert!(Jurisdiction::parse("").is_err_and(|word| word.expected.contains(place.code())));
        }
    }
}
