//! What comes in for the directory: creations, changes, filters.

use domain::directory::contact::CreateContactInput;
use domain::directory::member::CreateMemberInput;
use domain::directory::organisation::CreateOrganisationInput;
use domain::directory::payee::{BankAccountInput, CreatePayeeInput};
use domain::directory::update::{
    Given, UpdateContactInput, UpdateMemberInput, UpdateOrganisationInput, UpdatePayeeInput,
};
use domain::kernel::Faults;
use serde::{Deserialize, Deserializer};
use utoipa::{IntoParams, ToSchema};

use super::MoneyRequest;
use crate::extract::ListQuery;

/// Tells `null` from absent.
pub(super) fn given<'de, D: Deserializer<'de>>(d: D) -> Result<Given, D::Error> {
    Option::deserialize(d).map(Some)
}

/// A request to create an organisation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateOrganisation, example = json!({"kind": "introducer", "name": "Harbour Referrals Pty Ltd", "abn": "51 824 753 556"}))]
pub struct CreateOrganisationRequest {
    /// `operator`, `provider` or `introducer`.
    #[schema(required = true, nullable = false)]
    kind: Option<String>,
    /// Its registered name.
    #[schema(required = true, nullable = false)]
    name: Option<String>,
    /// Its ABN; blanks are taken out, the checksum is verified.
    abn: Option<String>,
    /// What you call it; unique.
    external_ref: Option<String>,
}

impl From<CreateOrganisationRequest> for CreateOrganisationInput {
    fn from(raw: CreateOrganisationRequest) -> Self {
        let CreateOrganisationRequest { kind, name, abn, external_ref } = raw;
        Self { kind, name, abn, external_ref }
    }
}

/// A request to change an organisation; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateOrganisation, example = json!({"status": "suspended"}))]
pub struct UpdateOrganisationRequest {
    /// Its registered name.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    name: Given,
    /// Its ABN; `null` takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    abn: Given,
    /// `active` or `suspended`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    status: Given,
}

impl From<UpdateOrganisationRequest> for UpdateOrganisationInput {
    fn from(raw: UpdateOrganisationRequest) -> Self {
        let UpdateOrganisationRequest { name, abn, status } = raw;
        Self { name, abn, status }
    }
}

/// A request to create a contact.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateContact, example = json!({"organisation_id": "org_01k0w4q7v8e2rtf3k2m9x5c6dz", "kind": "person", "name": "Zoë O’Brien", "email": "zoe@example.com"}))]
pub struct CreateContactRequest {
    /// Whose record it is.
    #[schema(required = true, nullable = false)]
    pub organisation_id: Option<String>,
    /// `person` or `company`.
    #[schema(required = true, nullable = false)]
    kind: Option<String>,
    /// The name, as one text.
    #[schema(required = true, nullable = false)]
    name: Option<String>,
    /// The e-mail address.
    email: Option<String>,
    /// The telephone number.
    phone: Option<String>,
}

impl From<CreateContactRequest> for CreateContactInput {
    fn from(raw: CreateContactRequest) -> Self {
        let CreateContactRequest { kind, name, email, phone, .. } = raw;
        Self { kind, name, email, phone }
    }
}

/// A request to change what identifies a contact; absent fields stay.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateContact, example = json!({"email": "zoe@example.com", "phone": null}))]
pub struct UpdateContactRequest {
    /// The name, as one text.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    name: Given,
    /// The e-mail address; `null` takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    email: Given,
    /// The telephone number; `null` takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    phone: Given,
}

impl From<UpdateContactRequest> for UpdateContactInput {
    fn from(raw: UpdateContactRequest) -> Self {
        let UpdateContactRequest { name, email, phone } = raw;
        Self { name, email, phone }
    }
}

/// A request to create a member.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateMember, example = json!({"organisation_id": "org_01k0w4q7v8e2rtf3k2m9x5c6dz", "contact_id": "contact_01k0w4q7v8e2rtf3k2m9x5c6dz", "member_ref": "M002", "upline_ref": "M001"}))]
pub struct CreateMemberRequest {
    /// Whose member it is.
    #[schema(required = true, nullable = false)]
    organisation_id: Option<String>,
    /// Who it is: a contact of the organisation.
    #[schema(required = true, nullable = false)]
    contact_id: Option<String>,
    /// What the organisation calls it, unique there.
    #[schema(required = true, nullable = false)]
    member_ref: Option<String>,
    /// The code of a cohort of the organisation.
    cohort: Option<String>,
    /// Who stands directly above, by its id …
    upline_id: Option<String>,
    /// … or by what the organisation calls it.
    upline_ref: Option<String>,
}

impl From<CreateMemberRequest> for CreateMemberInput {
    fn from(raw: CreateMemberRequest) -> Self {
        let CreateMemberRequest { organisation_id, contact_id, member_ref, cohort, upline_id, upline_ref } = raw;
        Self { organisation_id, contact_id, member_ref, cohort, upline_id, upline_ref }
    }
}

/// A request to change a member; absent fields stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateMember, example = json!({"upline_ref": "M003"}))]
pub struct UpdateMemberRequest {
    /// The code of a cohort of the organisation; `null` takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    cohort: Given,
    /// Who stands directly above from today on, by its id; `null`: nobody.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    upline_id: Given,
    /// The same by what the organisation calls it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    upline_ref: Given,
    /// `active` or `suspended`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    status: Given,
}

impl From<UpdateMemberRequest> for UpdateMemberInput {
    fn from(raw: UpdateMemberRequest) -> Self {
        let UpdateMemberRequest { cohort, upline_id, upline_ref, status } = raw;
        Self { cohort, upline_id, upline_ref, status }
    }
}

/// A bank account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = BankDetails, example = json!({"bsb": "062-000", "account_number": "12345678", "account_name": "Zoë O’Brien"}))]
pub struct BankAccountRequest {
    /// The branch: six digits of a bank that is known.
    #[schema(required = true, nullable = false)]
    bsb: Option<String>,
    /// One to nine digits.
    #[schema(required = true, nullable = false)]
    account_number: Option<String>,
    /// The name of the account; made fit for the bank's character set, at most 32 characters.
    #[schema(required = true, nullable = false)]
    account_name: Option<String>,
}

impl From<BankAccountRequest> for BankAccountInput {
    fn from(raw: BankAccountRequest) -> Self {
        let BankAccountRequest { bsb, account_number, account_name } = raw;
        Self { bsb, account_number, account_name }
    }
}

/// A request to create a payee.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreatePayee, example = json!({"organisation_id": "org_01k0w4q7v8e2rtf3k2m9x5c6dz", "legal_name": "Zoë O’Brien", "abn": "51 824 753 556", "bank_account": {"bsb": "062-000", "account_number": "12345678", "account_name": "Zoë O’Brien"}, "member_id": "member_01k0w4q7v8e2rtf3k2m9x5c6dz", "from_on": "2026-07-01"}))]
pub struct CreatePayeeRequest {
    /// Through whom it earns.
    #[schema(required = true, nullable = false)]
    organisation_id: Option<String>,
    /// The name on its documents.
    #[schema(required = true, nullable = false)]
    legal_name: Option<String>,
    /// Its ABN; the checksum is verified.
    abn: Option<String>,
    /// The first day of its registration for GST; needs an ABN.
    gst_registered_from: Option<String>,
    /// `aba` (a bank file, the default) or `stripe`.
    rail: Option<String>,
    /// Its account; the rail `aba` needs one.
    #[schema(required = true, nullable = false)]
    bank_account: Option<BankAccountRequest>,
    /// Less than this is not paid out; nothing if absent.
    pub minimum_payout: Option<MoneyRequest>,
    /// Who is paid to it.
    member_id: Option<String>,
    /// From which day on; today if absent.
    from_on: Option<String>,
}

impl From<CreatePayeeRequest> for CreatePayeeInput {
    fn from(raw: CreatePayeeRequest) -> Self {
        Self {
            organisation_id: raw.organisation_id,
            legal_name: raw.legal_name,
            abn: raw.abn,
            gst_registered_from: raw.gst_registered_from,
            rail: raw.rail,
            bank_account: raw.bank_account.map(BankAccountInput::from),
            minimum_payout_minor: raw.minimum_payout.map(|money| money.amount),
            member_id: raw.member_id,
            from_on: raw.from_on,
        }
    }
}

/// A request to change a payee; absent fields stay. Bank details do not change this way.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdatePayee, example = json!({"gst_registered_from": "2026-07-01"}))]
pub struct UpdatePayeeRequest {
    /// The name on its documents.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    legal_name: Given,
    /// Its ABN; `null` takes it away.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    abn: Given,
    /// The first day of its registration for GST; `null`: it is not registered.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    gst_registered_from: Given,
    /// Less than this is not paid out.
    pub minimum_payout: Option<MoneyRequest>,
}

impl From<UpdatePayeeRequest> for UpdatePayeeInput {
    fn from(raw: UpdatePayeeRequest) -> Self {
        Self {
            legal_name: raw.legal_name,
            abn: raw.abn,
            gst_registered_from: raw.gst_registered_from,
            minimum_payout_minor: raw.minimum_payout.map(|money| money.amount),
        }
    }
}

/// Adds a fault when an amount is not of the one currency that is traded.
///
/// # Errors
/// The faults of the parse, and this one.
pub fn in_dollars<T>(money: Option<&MoneyRequest>, parsed: Result<T, Faults>) -> Result<T, Faults> {
    if money.is_none_or(|money| money.currency == "AUD") {
        return parsed;
    }
    let mut faults = parsed.err().unwrap_or_default();
    faults.push("/minimum_payout/currency", "unknown_value", "expected AUD");
    Err(faults)
}

/// Which organisations.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrganisationQuery {
    /// `operator`, `provider` or `introducer`.
    pub kind: Option<String>,
    /// `active` or `suspended`.
    pub status: Option<String>,
}

impl ListQuery for OrganisationQuery {}

/// Which contacts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ContactQuery {
    /// Of this organisation.
    pub organisation_id: Option<String>,
    /// `person` or `company`.
    pub kind: Option<String>,
}

impl ListQuery for ContactQuery {}

/// Which members.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MemberQuery {
    /// Of this organisation.
    pub organisation_id: Option<String>,
    /// Called so.
    pub member_ref: Option<String>,
    /// In this cohort.
    pub cohort: Option<String>,
    /// Directly below this member.
    pub upline_id: Option<String>,
    /// `active` or `suspended`.
    pub status: Option<String>,
}

impl ListQuery for MemberQuery {}

/// How far down.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DownlineQuery {
    /// Levels to look down, 1 to 1000; everything if absent.
    #[param(example = 1)]
    pub levels: Option<u16>,
}

impl ListQuery for DownlineQuery {}

/// Which payees.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PayeeQuery {
    /// Of this organisation.
    pub organisation_id: Option<String>,
    /// That this member was ever mapped to.
    pub member_id: Option<String>,
    /// `aba` or `stripe`.
    pub rail: Option<String>,
}

impl ListQuery for PayeeQuery {}
