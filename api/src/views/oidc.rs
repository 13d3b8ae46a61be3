//! Outside issuers and links to them, as they go in and out.

use domain::access::oidc::{CreateOidcIssuerInput, OidcIssuer, OidcLinkInput};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

/// A request to register an outside issuer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateOidcIssuer, example = json!({"issuer": "https://login.harbour.example", "audience": "flip360", "organisation_id": "org_01k0w4q7v8e2rtf3k2m9x5c6dz"}))]
pub struct CreateOidcIssuerRequest {
    /// How it names itself (`iss`), exactly; its metadata lie at `/.well-known/openid-configuration` below.
    #[schema(required = true, nullable = false)]
    issuer: Option<String>,
    /// How it names us (`aud`): the client id that it gave us.
    #[schema(required = true, nullable = false)]
    audience: Option<String>,
    /// The organisation whose people it vouches for; absent for the operator's staff.
    organisation_id: Option<String>,
}

impl From<CreateOidcIssuerRequest> for CreateOidcIssuerInput {
    fn from(raw: CreateOidcIssuerRequest) -> Self {
        let CreateOidcIssuerRequest { issuer, audience, organisation_id } = raw;
        Self { issuer, audience, organisation_id }
    }
}

/// An outside issuer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OidcIssuer)]
pub struct OidcIssuerView {
    /// Its id.
    #[schema(example = "issuer_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// How it names itself.
    #[schema(example = "https://login.harbour.example")]
    issuer: String,
    /// How it names us.
    #[schema(example = "flip360")]
    audience: String,
    /// Whose people it vouches for; absent for staff.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation_id: Option<String>,
    /// When it was registered.
    created_at: String,
}

impl From<&OidcIssuer> for OidcIssuerView {
    fn from(issuer: &OidcIssuer) -> Self {
        Self {
            id: issuer.id.to_string(),
            issuer: issuer.issuer.as_str().to_owned(),
            audience: issuer.audience.clone(),
            organisation_id: issuer.organisation.map(|id| id.to_string()),
            created_at: issuer.created_at.to_string(),
        }
    }
}

/// Under which name an outside issuer knows a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OidcLink, example = json!({"issuer_id": "issuer_01k0w4q7v8e2rtf3k2m9x5c6dz", "subject": "248289761001"}))]
pub struct OidcLinkRequest {
    /// The issuer.
    issuer_id: Option<String>,
    /// Its name for the user (`sub`). It is kept as a digest and not shown again.
    subject: Option<String>,
}

impl From<OidcLinkRequest> for OidcLinkInput {
    fn from(raw: OidcLinkRequest) -> Self {
        let OidcLinkRequest { issuer_id, subject } = raw;
        Self { issuer_id, subject }
    }
}

/// Tells `null` from absent.
pub(super) fn given_link<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Option<OidcLinkRequest>>, D::Error> {
    Option::deserialize(d).map(Some)
}

/// That a user is linked to an outside issuer.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LinkedIssuer)]
pub struct LinkedIssuerView {
    /// The issuer.
    #[schema(example = "issuer_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub issuer_id: String,
}
