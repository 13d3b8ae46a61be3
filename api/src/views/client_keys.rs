//! Public keys of API clients, as they go in and out.

use domain::access::client_key::{ApiClientKey, JwkInput};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::log::JwkView;

/// A public key as JSON (RFC 7517, RFC 8037).
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PublicJwk)]
pub struct JwkRequest {
    /// `OKP`.
    #[schema(example = "OKP")]
    kty: Option<String>,
    /// `Ed25519`.
    #[schema(example = "Ed25519")]
    crv: Option<String>,
    /// The 32 bytes of the public half, base64url.
    #[schema(example = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")]
    x: Option<String>,
    /// `sig`, if anything.
    #[serde(rename = "use")]
    #[schema(example = "sig")]
    usage: Option<String>,
    /// `EdDSA` or `Ed25519`, if anything.
    #[schema(example = "EdDSA")]
    alg: Option<String>,
    /// Not kept: keys are named by their thumbprint (RFC 7638).
    #[serde(rename = "kid")]
    #[schema(example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")]
    _kid: Option<String>,
}

/// A request to register a key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateApiClientKey, example = json!({"jwk": {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}))]
pub struct CreateApiClientKeyRequest {
    /// The public half. Never send the private one (`d`): it is refused.
    #[schema(required = true, nullable = false)]
    jwk: Option<JwkRequest>,
}

impl CreateApiClientKeyRequest {
    /// As the domain reads it.
    #[must_use]
    pub fn input(self) -> Option<JwkInput> {
        self.jwk.map(|JwkRequest { kty, crv, x, usage, alg, _kid }| JwkInput { kty, crv, x, usage, alg })
    }
}

/// A public key of an API client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiClientKey)]
pub struct ApiClientKeyView {
    /// Its id.
    #[schema(example = "clientkey_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Whose.
    #[schema(example = "client_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    client_id: String,
    /// Its thumbprint (RFC 7638): what the `kid` of an assertion names, if it names anything.
    #[schema(example = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k")]
    kid: String,
    /// The public half.
    jwk: JwkView,
    /// When it was registered.
    created_at: String,
}

impl From<&ApiClientKey> for ApiClientKeyView {
    fn from(key: &ApiClientKey) -> Self {
        let jwk = key.key.jwk();
        Self {
            id: key.id.to_string(),
            client_id: key.client.to_string(),
            kid: key.key.kid(),
            jwk: JwkView { crv: jwk.crv, kty: jwk.kty, x: jwk.x },
            created_at: key.created_at.to_string(),
        }
    }
}
