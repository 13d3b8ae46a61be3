//! Signing keys, as they go in and out.

use domain::chain::registry::{EndedBy, KeyEnd, KeyOwner, SeenKey, SigningKey};
use domain::chain::revocation::RevokeKeyInput;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::log::JwkView;

/// A request to register a public key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateSigningKey, example = json!({"registration": "eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoiLi4uIiwidHlwIjoiZmxpcDM2MC1rZXkrandzIn0.eyJhc3N1cmFuY2UiOiJzZWxmIn0.c2lnbmF0dXJl"}))]
pub struct CreateSigningKeyRequest {
    /// The registration: a compact JWS of type `flip360-key+jws`, signed by the very key that it names.
    pub registration: String,
}

/// A request to rotate a key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RotateSigningKey, example = json!({"rotation": "eyJhbGciOiJFZDI1NTE5Iiwia2lkIjoiLi4uIiwidHlwIjoiZmxpcDM2MC1rZXkrandzIn0.eyJhc3N1cmFuY2UiOiJzZWxmIn0.c2lnbmF0dXJl"}))]
pub struct RotateSigningKeyRequest {
    /// The rotation: a compact JWS of type `flip360-key+jws`, signed by the key that gives way; it holds the next key's proof.
    pub rotation: String,
}

/// A request to revoke a key: signed by a key of its party, or, without one, for a reason.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RevokeSigningKey, example = json!({"reason": "lost"}))]
pub struct RevokeSigningKeyRequest {
    /// The revocation: a compact JWS of type `flip360-key+jws`, signed by the key itself or by another active key of its party.
    revocation: Option<String>,
    /// Without a signature: `compromised`, `lost` or `retired`. The platform signs on your word, and shows that.
    reason: Option<String>,
}

impl From<RevokeSigningKeyRequest> for RevokeKeyInput {
    fn from(raw: RevokeSigningKeyRequest) -> Self {
        let RevokeSigningKeyRequest { revocation, reason } = raw;
        Self { revocation, reason }
    }
}

/// A registered public key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SigningKey)]
pub struct SigningKeyView {
    /// Its id.
    #[schema(example = "key_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Its thumbprint (RFC 7638): what statements name it by.
    #[schema(example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")]
    kid: String,
    /// The organisation, or that of the member.
    organisation_id: String,
    /// The member, when it is a member's.
    #[serde(skip_serializing_if = "Option::is_none")]
    member_id: Option<String>,
    /// `self` or `custodial`: whose hand it is in.
    #[schema(example = "self")]
    assurance: &'static str,
    /// The key.
    jwk: JwkView,
    /// SHA-256 of the next public key's 32 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// `active`, `rotated` (it gave way to the next) or `revoked`. Only an active key signs.
    #[schema(example = "active")]
    status: &'static str,
    /// The leaf of its registration, or of the rotation to it, once it has an index: it is good for leaves after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
    /// The key that gave way to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "key_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    replaces_id: Option<String>,
    /// The key that it gave way to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "key_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    replaced_by: Option<String>,
    /// How it ended, when it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<KeyEndView>,
    /// When it was registered or rotated to.
    created_at: String,
}

/// The end of a signing key.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SigningKeyEnd)]
pub struct KeyEndView {
    /// `rotation` or `revocation`.
    #[schema(example = "revocation")]
    r#type: &'static str,
    /// Its leaf, once it has an index: the key is good for leaves before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
    /// The key that signed it.
    #[schema(example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")]
    kid: String,
    /// `self` or `custodial`, as the key that signed; `attested`: the platform signed on an administrator's or the owner's word.
    #[schema(example = "self")]
    assurance: &'static str,
    /// Of a revocation: `compromised`, `lost` or `retired`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "lost")]
    reason: Option<&'static str>,
    /// When it was taken.
    created_at: String,
}

impl KeyEndView {
    fn of(end: &KeyEnd, index: Option<u64>) -> Self {
        let (r#type, reason) = match end.by {
            EndedBy::Rotation(_) => ("rotation", None),
            EndedBy::Revocation { reason, .. } => ("revocation", Some(reason.as_str())),
        };
        let (kid, assurance) = (end.kid.clone(), end.assurance.as_str());
        Self { r#type, index, kid, assurance, reason, created_at: end.at.to_string() }
    }
}

impl From<SigningKey> for SigningKeyView {
    /// A key of this moment: its leaves have no index yet.
    fn from(key: SigningKey) -> Self {
        SeenKey { key, index: None, end_index: None }.into()
    }
}

impl From<SeenKey> for SigningKeyView {
    fn from(SeenKey { key, index, end_index }: SeenKey) -> Self {
        let jwk = key.public.jwk();
        let (organisation, member) = match key.owner {
            KeyOwner::Organisation(organisation) => (organisation, None),
            KeyOwner::Member { member, organisation } => (organisation, Some(member)),
        };
        Self {
            id: key.id.to_string(),
            kid: key.public.kid(),
            organisation_id: organisation.to_string(),
            member_id: member.map(|id| id.to_string()),
            assurance: key.assurance.as_str(),
            jwk: JwkView { crv: jwk.crv, kty: jwk.kty, x: jwk.x },
            next: key.next.map(|digest| digest.to_string()),
            status: key.status(),
            index,
            replaces_id: key.replaces.map(|id| id.to_string()),
            replaced_by: key.end.as_ref().and_then(|end| match end.by {
                EndedBy::Rotation(successor) => Some(successor.to_string()),
                EndedBy::Revocation { .. } => None,
            }),
            end: key.end.as_ref().map(|end| KeyEndView::of(end, end_index)),
            created_at: key.created_at.to_string(),
        }
    }
}
