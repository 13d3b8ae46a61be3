//! Second factors, as they go in and out.

use domain::access::totp::{KeptTotp, NewTotp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A request to set a second factor up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateTotp, example = json!({"current_password": "a long and private phrase"}))]
pub struct CreateTotpRequest {
    /// The password.
    #[schema(format = Password, required = true, nullable = false)]
    pub current_password: Option<String>,
}

/// A code.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TotpCode, example = json!({"code": "492039"}))]
pub struct TotpCodeRequest {
    /// The six digits that the authenticator shows.
    #[schema(example = "492039", required = true, nullable = false)]
    pub code: Option<String>,
}

/// A second factor.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Totp)]
pub struct TotpView {
    /// `unconfirmed` or `confirmed`.
    #[schema(example = "confirmed")]
    status: &'static str,
    /// When the secret was drawn.
    created_at: String,
    /// When it became the second factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    confirmed_at: Option<String>,
}

impl From<&KeptTotp> for TotpView {
    fn from(kept: &KeptTotp) -> Self {
        Self {
            status: if kept.confirmed_at.is_some() { "confirmed" } else { "unconfirmed" },
            created_at: kept.created_at.to_string(),
            confirmed_at: kept.confirmed_at.map(|at| at.to_string()),
        }
    }
}

/// The secret of one-time codes, which is shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = TotpSecret)]
pub struct TotpSecretView {
    /// Base32, to type into an authenticator app.
    #[schema(example = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")]
    secret: String,
    /// The same as an address, to show as a QR code.
    #[schema(
        example = "otpauth://totp/Flip%20360:a%40b.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Flip%20360&algorithm=SHA1&digits=6&period=30"
    )]
    otpauth_uri: String,
}

impl TotpSecretView {
    /// A secret that was just drawn, of an account with a service.
    #[must_use]
    pub fn new(made: &NewTotp, service: &str, account: &str) -> Self {
        Self { secret: made.secret.reveal(), otpauth_uri: made.secret.uri(service, account) }
    }
}
