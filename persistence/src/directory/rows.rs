//! Rows of the directory, read back into the domain's records.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Date, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use domain::directory::contact::PersonalData;
use domain::directory::{
    AbaText, Abn, AccountNumber, BankDetails, Bsb, ClusterText, Contact, ContactKind, ContactRecord, Email,
    ExternalRef, GstTimeline, LegalName, Member, MemberRecord, MemberRef, Organisation, OrganisationKind,
    OrganisationRecord, OrganisationStatus, Payee, PayeeRecord, PersonName, Phone, Rail,
};
use domain::kernel::ids::{ContactId, MemberId, OrganisationId, PayeeId};
use domain::store::StoreError;
use uuid::Uuid;

use crate::bind::from_instant;
use crate::error::unreadable;

pub(super) fn read<T, E>(what: &'static str, parsed: Result<T, E>) -> Result<T, StoreError> {
    parsed.map_err(|_| unreadable(what))
}

fn maybe<T, E>(
    what: &'static str,
    text: Option<String>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, StoreError> {
    text.map(|text| read(what, parse(&text))).transpose()
}

pub type OrganisationColumns = (SqlUuid, Text, Text, Nullable<Text>, Nullable<Text>, Text, Timestamptz, Integer);

#[derive(Queryable)]
pub struct OrganisationRow {
    id: Uuid,
    kind: String,
    name: String,
    abn: Option<String>,
    external_ref: Option<String>,
    status: String,
    created_at: jiff_diesel::Timestamp,
    version: i32,
}

impl OrganisationRow {
    pub fn restore(self) -> Result<OrganisationRecord, StoreError> {
        Ok(OrganisationRecord {
            organisation: Organisation {
                id: OrganisationId::new(self.id),
                kind: read("the kind of an organisation", OrganisationKind::parse(&self.kind))?,
                name: read("the name of an organisation", LegalName::parse(&self.name))?,
                abn: maybe("an ABN", self.abn, Abn::parse)?,
                external_ref: maybe("an external reference", self.external_ref, ExternalRef::parse)?,
                status: read("a status", OrganisationStatus::parse(&self.status))?,
            },
            created_at: from_instant(self.created_at),
            version: self.version,
        })
    }
}

pub type ContactColumns =
    (SqlUuid, SqlUuid, Text, Nullable<Text>, Nullable<Text>, Nullable<Text>, Timestamptz, Integer);

#[derive(Queryable)]
pub struct ContactRow {
    id: Uuid,
    organisation: Uuid,
    kind: String,
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    created_at: jiff_diesel::Timestamp,
    version: i32,
}

impl ContactRow {
    pub fn restore(self) -> Result<ContactRecord, StoreError> {
        let email = maybe("an e-mail address", self.email, Email::parse)?;
        let phone = maybe("a telephone number", self.phone, Phone::parse)?;
        let name = maybe("a name", self.name, PersonName::parse)?;
        Ok(ContactRecord {
            organisation: OrganisationId::new(self.organisation),
            contact: Contact {
                id: ContactId::new(self.id),
                kind: read("the kind of a contact", ContactKind::parse(&self.kind))?,
                personal: name.map(|name| PersonalData { name, email, phone }),
            },
            created_at: from_instant(self.created_at),
            version: self.version,
        })
    }
}

pub type MemberColumns =
    (SqlUuid, SqlUuid, Nullable<SqlUuid>, Text, Nullable<Text>, Nullable<SqlUuid>, Text, Timestamptz, Integer);

#[derive(Queryable)]
pub struct MemberRow {
    id: Uuid,
    organisation: Uuid,
    contact: Option<Uuid>,
    member_ref: String,
    cohort: Option<String>,
    upline: Option<Uuid>,
    status: String,
    created_at: jiff_diesel::Timestamp,
    version: i32,
}

impl MemberRow {
    pub fn restore(self) -> Result<MemberRecord, StoreError> {
        Ok(MemberRecord {
            member: Member {
                id: MemberId::new(self.id),
                organisation: OrganisationId::new(self.organisation),
                contact: ContactId::new(self.contact.ok_or_else(|| unreadable("a member without contact"))?),
                member_ref: read("a member's reference", MemberRef::parse(&self.member_ref))?,
                cohort: maybe("a cohort", self.cohort, ClusterText::parse)?,
                upline: self.upline.map(MemberId::new),
            },
            status: read("a status", OrganisationStatus::parse(&self.status))?,
            created_at: from_instant(self.created_at),
            version: self.version,
        })
    }
}

pub type PayeeColumns = (
    (SqlUuid, SqlUuid, Nullable<Text>, Nullable<Text>, Nullable<Date>, Text, BigInt),
    (Nullable<Text>, Nullable<Text>, Nullable<Text>),
    (Nullable<Array<SqlUuid>>, Nullable<Array<Date>>),
    (Timestamptz, Integer),
);

#[derive(Queryable)]
pub struct PayeeRow {
    payee: (Uuid, Uuid, Option<String>, Option<String>, Option<jiff_diesel::Date>, String, i64),
    bank: (Option<String>, Option<String>, Option<String>),
    members: (Option<Vec<Uuid>>, Option<Vec<jiff_diesel::Date>>),
    kept: (jiff_diesel::Timestamp, i32),
}

impl PayeeRow {
    pub fn restore(self) -> Result<PayeeRecord, StoreError> {
        let (id, organisation, name, abn, gst_from, rail, minimum_payout_minor) = self.payee;
        let name = name.ok_or_else(|| unreadable("a payee without name"))?;
        let bank = match self.bank {
            (Some(bsb), Some(account), Some(title)) => Some(BankDetails {
                bsb: read("a BSB", Bsb::parse(&bsb))?,
                account: read("an account number", AccountNumber::parse(&account))?,
                title: read("an account's name", AbaText::parse(&title))?,
            }),
            _ => None,
        };
        let (members, from) = (self.members.0.unwrap_or_default(), self.members.1.unwrap_or_default());
        Ok(PayeeRecord {
            payee: Payee {
                id: PayeeId::new(id),
                organisation: OrganisationId::new(organisation),
                legal_name: read("a payee's name", LegalName::parse(&name))?,
                abn: maybe("an ABN", abn, Abn::parse)?,
                bank,
                gst: GstTimeline::restore(gst_from.map(|from| (from.to_jiff(), true))),
                rail: read("a rail", Rail::parse(&rail))?,
            },
            minimum_payout_minor,
            members: members.into_iter().map(MemberId::new).zip(from.into_iter().map(|d| d.to_jiff())).collect(),
            created_at: from_instant(self.kept.0),
            version: self.kept.1,
        })
    }
}
