//! Handshakes, as they go in and out: prepared, countersigned, handed over, shown.

use domain::deals::countersign::Countersigned;
use domain::deals::draft::{DraftInput, Prepared};
use domain::deals::hand_over::HandedOver;
use domain::deals::handshake_repository::{SeenHandshake, SeenStatement};
use domain::deals::terms::TermsInput;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::referrals::DeclaredRequest;
use crate::problem::Problem;

/// A request to prepare a statement: an offer with its terms, the accept of a handshake, or the offer that hands one over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PrepareHandshake, example = json!({
    "type": "offer", "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k", "member_id": "member_01k0w4q7v8e2rtf3k2m9x5c6dz",
    "provider_id": "org_01k0w4q7v8e2rtf3k2m9x5c6dz", "product": "FIXED-3Y", "external_ref": "HR-2026-0117",
    "referred_on": "2026-11-25", "consent": {"declared": true}, "disclosure": {"declared": true}
}))]
pub struct PrepareHandshakeRequest {
    /// `offer`, `accept` or `hand_over`.
    #[schema(required = true, nullable = false)]
    r#type: Option<String>,
    /// The key that will sign.
    #[schema(required = true, nullable = false)]
    kid: Option<String>,
    /// Of an accept: the handshake; of a hand-over: the one that is handed over.
    handshake_id: Option<String>,
    /// Of an offer: who refers.
    member_id: Option<String>,
    /// Of an offer: who is to sell; of a hand-over: who is to take it over.
    provider_id: Option<String>,
    /// Of an offer: the code of the product.
    product: Option<String>,
    /// Of an offer: what you call the deal.
    external_ref: Option<String>,
    /// Of an offer: the day of the referral.
    referred_on: Option<String>,
    /// Of an offer: that the client consented.
    consent: Option<DeclaredRequest>,
    /// Of an offer: that the commission was disclosed to the client.
    disclosure: Option<DeclaredRequest>,
}

impl From<PrepareHandshakeRequest> for DraftInput {
    fn from(raw: PrepareHandshakeRequest) -> Self {
        let PrepareHandshakeRequest {
            r#type,
            kid,
            handshake_id,
            member_id,
            provider_id,
            product,
            external_ref,
            referred_on,
            consent,
            disclosure,
        } = raw;
        let (consent, disclosure) = (consent.map(Into::into), disclosure.map(Into::into));
        let terms = TermsInput { member_id, provider_id, product, external_ref, referred_on, consent, disclosure };
        Self { kind: r#type, kid, handshake_id, terms }
    }
}

/// A statement to sign.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PreparedHandshake)]
pub struct PreparedHandshakeView {
    /// The handshake.
    #[schema(example = "handshake_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    handshake_id: String,
    /// Of an offer: the contact that the client will be.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    /// The statement, to look at.
    #[schema(value_type = Object)]
    statement: serde_json::Value,
    /// Sign these bytes with Ed25519 and append `.` and the base64url of the 64 bytes of the signature.
    signing_input: String,
}

impl TryFrom<Prepared> for PreparedHandshakeView {
    type Error = Problem;

    fn try_from(prepared: Prepared) -> Result<Self, Problem> {
        Ok(Self {
            handshake_id: prepared.handshake.to_string(),
            client_id: prepared.client.map(|id| id.to_string()),
            statement: serde_json::to_value(&prepared.statement).map_err(|error| Problem::internal(&error))?,
            signing_input: prepared.signing_input,
        })
    }
}

/// A request to accept an offer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CountersignHandshake, example = json!({"accept": "eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoiLi4uIiwidHlwIjoiZmxpcDM2MC1oYW5kc2hha2UrandzIn0.eyJhc3N1cmFuY2UiOiJzZWxmIn0.c2lnbmF0dXJl"}))]
pub struct CountersignHandshakeRequest {
    /// The accept: a compact JWS by the registered key of who the offer is made to.
    pub accept: String,
}

/// A handshake that is whole.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CountersignedHandshake)]
pub struct CountersignedView {
    /// The handshake.
    #[schema(example = "handshake_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    handshake_id: String,
    /// Its deal, which is `accepted` now.
    #[schema(example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    deal_id: String,
    /// SHA-256 of the accept's envelope.
    accept_sha256: String,
    /// SHA-256 of the seal's envelope.
    seal_sha256: String,
    /// The agreement that governs the deal from now on.
    #[schema(example = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    agreement_id: String,
    /// Its version.
    #[schema(example = 1)]
    agreement_version: u32,
    /// `self` or `custodial`: the weaker of the two signatures, as the seal says.
    #[schema(example = "self")]
    assurance: &'static str,
}

impl From<Countersigned> for CountersignedView {
    fn from(made: Countersigned) -> Self {
        Self {
            handshake_id: made.handshake.to_string(),
            deal_id: made.deal.to_string(),
            accept_sha256: made.accept_sha256.to_string(),
            seal_sha256: made.seal_sha256.to_string(),
            agreement_id: made.agreement.0.to_string(),
            agreement_version: made.agreement.1,
            assurance: made.assurance.as_str(),
        }
    }
}

/// A request to hand a deal over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HandOverHandshake, example = json!({"offer": "eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoiLi4uIiwidHlwIjoiZmxpcDM2MC1oYW5kc2hha2UrandzIn0.eyJhc3N1cmFuY2UiOiJzZWxmIn0.c2lnbmF0dXJl"}))]
pub struct HandOverHandshakeRequest {
    /// The offer: a compact JWS by the registered key of who accepted the handshake; `previous` names its seal.
    pub offer: String,
}

/// A deal that is offered to another partner.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HandedOverHandshake)]
pub struct HandedOverView {
    /// The new handshake, for the other partner to countersign.
    #[schema(example = "handshake_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    handshake_id: String,
    /// The handshake that is handed over.
    #[schema(example = "handshake_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    previous_id: String,
    /// Its deal.
    #[schema(example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    deal_id: String,
    /// `self` or `custodial`.
    #[schema(example = "self")]
    assurance: &'static str,
    /// SHA-256 of the offer's envelope: what the accept commits to.
    offer_sha256: String,
}

impl From<HandedOver> for HandedOverView {
    fn from(made: HandedOver) -> Self {
        Self {
            handshake_id: made.handshake.to_string(),
            previous_id: made.previous.to_string(),
            deal_id: made.deal.to_string(),
            assurance: made.assurance.as_str(),
            offer_sha256: made.offer_sha256.to_string(),
        }
    }
}

/// A statement of a handshake.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HandshakeStatement)]
pub struct StatementView {
    /// `offer`, `accept`, `seal`.
    #[schema(example = "offer")]
    r#type: String,
    /// The key that signed.
    kid: String,
    /// `self`, `custodial` or `attested`: how its party stands behind it.
    #[schema(example = "self")]
    assurance: &'static str,
    /// The envelope: a compact JWS; absent once erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    envelope: Option<String>,
    /// SHA-256 of the envelope.
    envelope_sha256: String,
    /// Its index in the log, once it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
    /// When it was taken.
    created_at: String,
}

impl From<SeenStatement> for StatementView {
    fn from(statement: SeenStatement) -> Self {
        Self {
            assurance: statement.assurance.as_str(),
            r#type: statement.kind,
            kid: statement.kid,
            envelope: statement.envelope,
            envelope_sha256: statement.envelope_sha256.to_string(),
            index: statement.index,
            created_at: statement.created_at.to_string(),
        }
    }
}

/// A handshake.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Handshake)]
pub struct HandshakeView {
    /// Its id.
    #[schema(example = "handshake_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Its deal.
    deal_id: String,
    /// Where the deal stands. `closed`: it was offered to you to take over, and that offer is not open any more.
    #[schema(example = "referred")]
    stage: String,
    /// `self`, `custodial` or `attested`: the weakest of what was signed so far.
    #[schema(example = "self")]
    assurance: String,
    /// Of a hand-over: the handshake that it hands over.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "handshake_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    previous_id: Option<String>,
    /// When the offer was taken.
    created_at: String,
    /// Offer, accept, seal: as far as it has come.
    statements: Vec<StatementView>,
}

impl From<SeenHandshake> for HandshakeView {
    fn from(handshake: SeenHandshake) -> Self {
        Self {
            assurance: handshake.weakest().to_owned(),
            id: handshake.id.to_string(),
            deal_id: handshake.deal.to_string(),
            stage: handshake.stage,
            previous_id: handshake.previous.map(|id| id.to_string()),
            created_at: handshake.created_at.to_string(),
            statements: handshake.statements.into_iter().map(Into::into).collect(),
        }
    }
}
