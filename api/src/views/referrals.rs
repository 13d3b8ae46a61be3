//! Referrals, as they go in and out.

use domain::deals::refer::Referred;
use domain::deals::referral::ReferInput;
use domain::deals::terms::{DeclaredInput, TermsInput};
use domain::directory::contact::CreateContactInput;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// That something was declared.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeclaredInput)]
pub struct DeclaredRequest {
    /// Whether it was; a referral needs `true`.
    #[schema(example = true)]
    #[schema(required = true, nullable = false)]
    declared: Option<bool>,
    /// SHA-256 of its words, 64 lower-case hexadecimal digits.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    text_sha256: Option<String>,
}

impl From<DeclaredRequest> for DeclaredInput {
    fn from(raw: DeclaredRequest) -> Self {
        Self { declared: raw.declared, text_sha256: raw.text_sha256 }
    }
}

/// Who is referred.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReferralClient)]
pub struct ClientRequest {
    /// `person` or `company`.
    #[schema(example = "person")]
    #[schema(required = true, nullable = false)]
    kind: Option<String>,
    /// The name.
    #[schema(example = "Jane Citizen")]
    #[schema(required = true, nullable = false)]
    name: Option<String>,
    /// The e-mail address.
    #[schema(example = "jane@example.com")]
    email: Option<String>,
    /// The telephone number.
    #[schema(example = "+61 2 9000 0000")]
    phone: Option<String>,
}

impl From<ClientRequest> for CreateContactInput {
    fn from(raw: ClientRequest) -> Self {
        let ClientRequest { kind, name, email, phone } = raw;
        Self { kind, name, email, phone }
    }
}

/// A request to refer. `offer` is the referrer's signed offer of exactly these terms, see `POST /v1/handshakes`;
/// for a member without a key leave it out and ask for `assurance: custodial`.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateReferral, example = json!({
    "member_id": "member_01k0w4q7v8e2rtf3k2m9x5c6dz", "provider_id": "org_01k0w4q7v8e2rtf3k2m9x5c6dz", "product": "FIXED-3Y",
    "external_ref": "HR-2026-0117", "referred_on": "2026-11-25", "client": {"kind": "person", "name": "Jane Citizen"},
    "consent": {"declared": true}, "disclosure": {"declared": true}, "assurance": "custodial"
}))]
pub struct CreateReferralRequest {
    /// Who refers.
    #[schema(required = true, nullable = false)]
    member_id: Option<String>,
    /// Who is to sell.
    #[schema(required = true, nullable = false)]
    provider_id: Option<String>,
    /// The code of the product.
    #[schema(required = true, nullable = false)]
    product: Option<String>,
    /// What you call the deal; unique to you.
    external_ref: Option<String>,
    /// The day of the referral, not after today in Sydney.
    #[schema(required = true, nullable = false)]
    referred_on: Option<String>,
    /// Who is referred.
    #[schema(required = true, nullable = false)]
    client: Option<ClientRequest>,
    /// That the client consented.
    #[schema(required = true, nullable = false)]
    consent: Option<DeclaredRequest>,
    /// That the commission was disclosed to the client.
    #[schema(required = true, nullable = false)]
    disclosure: Option<DeclaredRequest>,
    /// `self` (the default with an offer) or `custodial`.
    assurance: Option<String>,
    /// The offer: a compact JWS by the member's or the organisation's registered key.
    offer: Option<String>,
}

impl From<CreateReferralRequest> for ReferInput {
    fn from(raw: CreateReferralRequest) -> Self {
        let CreateReferralRequest {
            member_id,
            provider_id,
            product,
            external_ref,
            referred_on,
            client,
            consent,
            disclosure,
            assurance,
            offer,
        } = raw;
        let (consent, disclosure) = (consent.map(Into::into), disclosure.map(Into::into));
        Self {
            client: client.map(Into::into),
            terms: TermsInput { member_id, provider_id, product, external_ref, referred_on, consent, disclosure },
            assurance,
            offer,
        }
    }
}

/// A referral that was made.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Referral)]
pub struct ReferralView {
    /// Its deal.
    #[schema(example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    deal_id: String,
    /// Its handshake: what the provider accepts.
    #[schema(example = "handshake_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    handshake_id: String,
    /// The client's contact.
    #[schema(example = "contact_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    client_id: String,
    /// `self` or `custodial`: whose hand the offer's key is in.
    #[schema(example = "self")]
    assurance: String,
    /// SHA-256 of the offer's envelope: what the accept commits to.
    offer_sha256: String,
}

impl From<Referred> for ReferralView {
    fn from(made: Referred) -> Self {
        Self {
            deal_id: made.deal.to_string(),
            handshake_id: made.handshake.to_string(),
            client_id: made.client.to_string(),
            assurance: made.assurance,
            offer_sha256: made.offer_sha256.to_string(),
        }
    }
}
