//! Requests to change a row. A field that is absent stays; `null` empties it, where it may be empty.

use jiff::civil::Date;

use super::GstTimeline;
use super::number::Abn;
use super::organisation::OrganisationStatus;
use super::payee::{date, gst_needs_abn};
use super::record::{ContactRecord, MemberRecord, OrganisationRecord, PayeeRecord};
use super::text::{ClusterText, Email, LegalName, MemberRef, PersonName, Phone};
use crate::kernel::Faults;
use crate::kernel::fault::Reason;
use crate::kernel::ids::MemberId;

/// A field of a change: absent, `null`, or a text.
pub type Given = Option<Option<String>>;

/// A checked field of a change: absent, emptied, or a value.
pub type Changed<T> = Option<Option<T>>;

/// Reads a field that may be emptied; `None` when it is at fault.
pub(crate) fn nullable<T, E: Reason>(
    faults: &mut Faults,
    pointer: &str,
    given: &Given,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Option<Changed<T>> {
    match given {
        None => Some(None),
        Some(None) => Some(Some(None)),
        Some(Some(text)) => faults.keep(pointer, parse(text)).map(|value| Some(Some(value))),
    }
}

/// Reads a field that must keep a value; `None` when it is at fault.
pub(crate) fn kept<T, E: Reason>(
    faults: &mut Faults,
    pointer: &str,
    given: &Given,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Option<Option<T>> {
    match given {
        None => Some(None),
        Some(None) => {
            faults.push(pointer, "required", "this field cannot be emptied");
            None
        }
        Some(Some(text)) => faults.keep(pointer, parse(text)).map(Some),
    }
}

/// A request to change an organisation, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateOrganisationInput {
    /// `/name`
    pub name: Given,
    /// `/abn`
    pub abn: Given,
    /// `/status`
    pub status: Given,
}

/// A valid request to change an organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateOrganisation {
    name: Option<LegalName>,
    abn: Changed<Abn>,
    status: Option<OrganisationStatus>,
}

impl UpdateOrganisation {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &UpdateOrganisationInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let name = kept(&mut faults, "/name", &raw.name, LegalName::parse);
        let abn = nullable(&mut faults, "/abn", &raw.abn, Abn::parse);
        let status = kept(&mut faults, "/status", &raw.status, OrganisationStatus::parse);
        match (name, abn, status) {
            (Some(name), Some(abn), Some(status)) => Ok(Self { name, abn, status }),
            _ => Err(faults),
        }
    }

    /// The organisation after the change.
    #[must_use]
    pub fn apply(&self, mut record: OrganisationRecord) -> OrganisationRecord {
        let organisation = &mut record.organisation;
        organisation.name = self.name.clone().unwrap_or_else(|| organisation.name.clone());
        organisation.abn = self.abn.unwrap_or(organisation.abn);
        organisation.status = self.status.unwrap_or(organisation.status);
        record.version += 1;
        record
    }
}

/// A request to change what identifies a contact, unchecked.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UpdateContactInput {
    /// `/name`
    pub name: Given,
    /// `/email`
    pub email: Given,
    /// `/phone`
    pub phone: Given,
}

/// A valid request to change what identifies a contact.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct UpdateContact {
    name: Option<PersonName>,
    email: Changed<Email>,
    phone: Changed<Phone>,
}

impl UpdateContact {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &UpdateContactInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let name = kept(&mut faults, "/name", &raw.name, PersonName::parse);
        let email = nullable(&mut faults, "/email", &raw.email, Email::parse);
        let phone = nullable(&mut faults, "/phone", &raw.phone, Phone::parse);
        match (name, email, phone) {
            (Some(name), Some(email), Some(phone)) => Ok(Self { name, email, phone }),
            _ => Err(faults),
        }
    }

    /// The contact after the change; none when it was erased, since what is erased stays so.
    #[must_use]
    pub fn apply(&self, mut record: ContactRecord) -> Option<ContactRecord> {
        let personal = record.contact.personal.as_mut()?;
        personal.name = self.name.clone().unwrap_or_else(|| personal.name.clone());
        personal.email = self.email.clone().unwrap_or_else(|| personal.email.clone());
        personal.phone = self.phone.clone().unwrap_or_else(|| personal.phone.clone());
        record.version += 1;
        Some(record)
    }
}

/// How a request names an upline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UplineName {
    /// By its id.
    Id(MemberId),
    /// By what the organisation calls it.
    Ref(MemberRef),
}

impl UplineName {
    /// The field that it came in.
    #[must_use]
    pub const fn pointer(&self) -> &'static str {
        match self {
            Self::Id(_) => "/upline_id",
            Self::Ref(_) => "/upline_ref",
        }
    }
}

/// A request to change a member, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateMemberInput {
    /// `/cohort`
    pub cohort: Given,
    /// `/upline_id`
    pub upline_id: Given,
    /// `/upline_ref`
    pub upline_ref: Given,
    /// `/status`
    pub status: Given,
}

/// A valid request to change a member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateMember {
    /// The cohort, one of the organisation's.
    pub cohort: Changed<ClusterText>,
    /// Who stands directly above from now on.
    pub upline: Changed<UplineName>,
    status: Option<OrganisationStatus>,
}

impl UpdateMember {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &UpdateMemberInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let f = &mut faults;
        let cohort = nullable(f, "/cohort", &raw.cohort, ClusterText::parse);
        let by_id = nullable(f, "/upline_id", &raw.upline_id, |text| MemberId::parse(text).map(UplineName::Id));
        let by_ref = nullable(f, "/upline_ref", &raw.upline_ref, |text| MemberRef::parse(text).map(UplineName::Ref));
        let status = kept(f, "/status", &raw.status, OrganisationStatus::parse);
        if raw.upline_id.is_some() && raw.upline_ref.is_some() {
            f.push("/upline_ref", "not_allowed", "name the upline by its id or by its reference, not by both");
        }
        faults.clone().check()?;
        match (cohort, by_id, by_ref, status) {
            (Some(cohort), Some(by_id), Some(by_ref), Some(status)) => {
                Ok(Self { cohort, upline: by_id.or(by_ref), status })
            }
            _ => Err(faults),
        }
    }

    /// The member after the change; its upline was looked up before.
    #[must_use]
    pub fn apply(&self, mut record: MemberRecord, upline: Option<MemberId>) -> MemberRecord {
        let member = &mut record.member;
        member.cohort = self.cohort.clone().unwrap_or_else(|| member.cohort.clone());
        member.upline = upline;
        record.status = self.status.unwrap_or(record.status);
        record.version += 1;
        record
    }
}

/// A request to change a payee, unchecked. Bank details change by another way, with approval.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdatePayeeInput {
    /// `/legal_name`
    pub legal_name: Given,
    /// `/abn`
    pub abn: Given,
    /// `/gst_registered_from`
    pub gst_registered_from: Given,
    /// `/minimum_payout/amount`
    pub minimum_payout_minor: Option<i64>,
}

/// A valid request to change a payee.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdatePayee {
    legal_name: Option<LegalName>,
    abn: Changed<Abn>,
    gst_from: Changed<Date>,
    minimum_payout_minor: Option<i64>,
}

impl UpdatePayee {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &UpdatePayeeInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let legal_name = kept(&mut faults, "/legal_name", &raw.legal_name, LegalName::parse);
        let abn = nullable(&mut faults, "/abn", &raw.abn, Abn::parse);
        let gst_from = nullable(&mut faults, "/gst_registered_from", &raw.gst_registered_from, date);
        if raw.minimum_payout_minor.is_some_and(i64::is_negative) {
            faults.push("/minimum_payout/amount", "negative", "a minimum is nought or more");
        }
        faults.clone().check()?;
        match (legal_name, abn, gst_from) {
            (Some(legal_name), Some(abn), Some(gst_from)) => {
                Ok(Self { legal_name, abn, gst_from, minimum_payout_minor: raw.minimum_payout_minor })
            }
            _ => Err(faults),
        }
    }

    /// The payee after the change.
    ///
    /// # Errors
    /// When it would be registered for GST without an ABN.
    pub fn apply(&self, mut record: PayeeRecord) -> Result<PayeeRecord, Faults> {
        let payee = &mut record.payee;
        payee.legal_name = self.legal_name.clone().unwrap_or_else(|| payee.legal_name.clone());
        payee.abn = self.abn.unwrap_or(payee.abn);
        if let Some(from) = self.gst_from {
            payee.gst = GstTimeline::restore(from.map(|from| (from, true)));
        }
        if payee.abn.is_none() && !payee.gst.facts().is_empty() {
            return Err(gst_needs_abn());
        }
        record.minimum_payout_minor = self.minimum_payout_minor.unwrap_or(record.minimum_payout_minor);
        record.version += 1;
        Ok(record)
    }
}
