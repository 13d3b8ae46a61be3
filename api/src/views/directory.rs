//! Organisations, contacts, members and payees as they go out.

use domain::directory::{BankDetails, ContactRecord, Downline, MemberRecord, OrganisationRecord, PayeeRecord};
use serde::Serialize;
use utoipa::ToSchema;

use super::MoneyView;

/// An organisation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Organisation)]
pub struct OrganisationView {
    /// Its id.
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// `operator`, `provider` or `introducer`.
    #[schema(example = "introducer")]
    kind: &'static str,
    /// Its registered name.
    #[schema(example = "Harbour Referrals Pty Ltd")]
    name: String,
    /// Its ABN, eleven digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "51824753556")]
    abn: Option<String>,
    /// What its creator calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_ref: Option<String>,
    /// `active` or `suspended`: a suspended one does no new business; what is earned is still paid.
    #[schema(example = "active")]
    status: &'static str,
    /// When it was made.
    #[schema(example = "2026-11-23T12:00:00Z")]
    created_at: String,
}

impl From<OrganisationRecord> for OrganisationView {
    fn from(record: OrganisationRecord) -> Self {
        let organisation = record.organisation;
        Self {
            id: organisation.id.to_string(),
            kind: organisation.kind.code(),
            name: organisation.name.to_string(),
            abn: organisation.abn.map(|abn| abn.to_string()),
            external_ref: organisation.external_ref.map(|text| text.to_string()),
            status: organisation.status.code(),
            created_at: record.created_at.to_string(),
        }
    }
}

/// A contact.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Contact)]
pub struct ContactView {
    /// Its id.
    #[schema(example = "contact_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Whose record it is.
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    organisation_id: String,
    /// `person` or `company`.
    #[schema(example = "person")]
    kind: &'static str,
    /// The name; absent once erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "Zoë O’Brien")]
    name: Option<String>,
    /// The e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    /// The telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    /// Whether what identified it was erased.
    #[schema(example = false)]
    erased: bool,
    /// When it was made.
    #[schema(example = "2026-11-23T12:00:00Z")]
    created_at: String,
}

impl From<ContactRecord> for ContactView {
    fn from(record: ContactRecord) -> Self {
        let contact = record.contact;
        let personal = contact.personal.as_ref();
        Self {
            id: contact.id.to_string(),
            organisation_id: record.organisation.to_string(),
            kind: contact.kind.code(),
            name: personal.map(|p| p.name.to_string()),
            email: personal.and_then(|p| p.email.as_ref()).map(ToString::to_string),
            phone: personal.and_then(|p| p.phone.as_ref()).map(ToString::to_string),
            erased: personal.is_none(),
            created_at: record.created_at.to_string(),
        }
    }
}

/// A member.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Member)]
pub struct MemberView {
    /// Its id.
    #[schema(example = "member_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Whose member it is.
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    organisation_id: String,
    /// Who it is.
    #[schema(example = "contact_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    contact_id: String,
    /// What the organisation calls it.
    #[schema(example = "M001")]
    member_ref: String,
    /// The code of its cohort.
    #[serde(skip_serializing_if = "Option::is_none")]
    cohort: Option<String>,
    /// Who stands directly above.
    #[serde(skip_serializing_if = "Option::is_none")]
    upline_id: Option<String>,
    /// `active` or `suspended`.
    #[schema(example = "active")]
    status: &'static str,
    /// When it was made.
    #[schema(example = "2026-11-23T12:00:00Z")]
    created_at: String,
}

impl From<MemberRecord> for MemberView {
    fn from(record: MemberRecord) -> Self {
        let member = record.member;
        Self {
            id: member.id.to_string(),
            organisation_id: member.organisation.to_string(),
            contact_id: member.contact.to_string(),
            member_ref: member.member_ref.to_string(),
            cohort: member.cohort.map(|cohort| cohort.to_string()),
            upline_id: member.upline.map(|upline| upline.to_string()),
            status: record.status.code(),
            created_at: record.created_at.to_string(),
        }
    }
}

/// A member below another one.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DownlineMember)]
pub struct DownlineView {
    /// The member.
    #[serde(flatten)]
    member: MemberView,
    /// 1 for those directly below, 2 for those below them, and so on.
    #[schema(example = 1)]
    level: i32,
}

impl From<Downline> for DownlineView {
    fn from(below: Downline) -> Self {
        Self { level: below.level, member: below.record.into() }
    }
}

/// Where a payee's money goes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankDetailsShown)]
pub struct BankAccountView {
    /// The branch.
    #[schema(example = "062-000")]
    bsb: String,
    /// The account; all but the last three digits are hidden.
    #[schema(example = "*****678")]
    account_number: String,
    /// The name of the account, as the bank file carries it.
    #[schema(example = "Zoe O'Brien")]
    account_name: String,
}

impl From<BankDetails> for BankAccountView {
    fn from(bank: BankDetails) -> Self {
        Self {
            bsb: bank.bsb.to_string(),
            account_number: masked(bank.account.as_str()),
            account_name: bank.title.as_str().to_owned(),
        }
    }
}

/// Who is paid to a payee, and since when.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PayeeMember)]
pub struct PayeeMemberView {
    /// The member.
    #[schema(example = "member_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    member_id: String,
    /// The first day; lines that accrue from then on go to this payee, until a later mapping.
    #[schema(example = "2026-07-01")]
    from_on: String,
}

/// A payee.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payee)]
pub struct PayeeView {
    /// Its id.
    #[schema(example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Through whom it earns.
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    organisation_id: String,
    /// The name on its documents.
    #[schema(example = "Zoë O’Brien")]
    legal_name: String,
    /// Its ABN, eleven digits; without one tax is withheld.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "51824753556")]
    abn: Option<String>,
    /// The first day of its registration for GST.
    #[serde(skip_serializing_if = "Option::is_none")]
    gst_registered_from: Option<String>,
    /// `aba` (a bank file) or `stripe`.
    #[schema(example = "aba")]
    rail: &'static str,
    /// Its account.
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_account: Option<BankAccountView>,
    /// Less than this is not paid out.
    minimum_payout: MoneyView,
    /// Who is paid to it.
    members: Vec<PayeeMemberView>,
    /// When it was made.
    #[schema(example = "2026-11-23T12:00:00Z")]
    created_at: String,
}

impl From<PayeeRecord> for PayeeView {
    fn from(record: PayeeRecord) -> Self {
        let payee = record.payee;
        let gst = payee.gst.facts().iter().find(|(_, registered)| *registered);
        let member = |(member, from): &(domain::kernel::ids::MemberId, jiff::civil::Date)| PayeeMemberView {
            member_id: member.to_string(),
            from_on: from.to_string(),
        };
        Self {
            id: payee.id.to_string(),
            organisation_id: payee.organisation.to_string(),
            gst_registered_from: gst.map(|(from, _)| from.to_string()),
            legal_name: payee.legal_name.to_string(),
            abn: payee.abn.map(|abn| abn.to_string()),
            rail: payee.rail.code(),
            bank_account: payee.bank.map(BankAccountView::from),
            minimum_payout: MoneyView::aud(record.minimum_payout_minor),
            members: record.members.iter().map(member).collect(),
            created_at: record.created_at.to_string(),
        }
    }
}

/// Digits but the last three, hidden; a short number shows one.
fn masked(digits: &str) -> String {
    let shown = if digits.len() > 4 { 3 } else { 1 };
    let hidden = digits.len().saturating_sub(shown);
    format!("{}{}", "*".repeat(hidden), &digits[hidden..])
}
