//! Embed tokens, as they go in and out.

use domain::access::embed::CreateEmbedTokenInput;
use domain::kernel::ids::MemberId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::auth::token::IssuedToken;

/// A request for an embed token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateEmbedToken, example = json!({"member_id": "member_01k0w4q7v8e2rtf3k2m9x5c6dz", "scopes": ["deals:read"], "origin": "https://portal.example", "expires_in": 900}))]
pub struct CreateEmbedTokenRequest {
    /// The member as whom it reads; one of yours.
    #[schema(required = true, nullable = false)]
    member_id: Option<String>,
    /// Scopes that a member has and that only read; none that your own token lacks.
    #[schema(required = true, nullable = false)]
    scopes: Option<Vec<String>>,
    /// The origin of the page that will use it.
    origin: Option<String>,
    /// Seconds until it expires, 60 to 3600; 900 if absent.
    expires_in: Option<i64>,
}

impl From<CreateEmbedTokenRequest> for CreateEmbedTokenInput {
    fn from(raw: CreateEmbedTokenRequest) -> Self {
        let CreateEmbedTokenRequest { member_id, scopes, origin, expires_in } = raw;
        Self { member_id, scopes, origin, expires_in }
    }
}

/// An embed token.
#[derive(Serialize, ToSchema)]
#[schema(as = EmbedToken)]
pub struct EmbedTokenView {
    /// The JWT.
    access_token: String,
    /// `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Seconds.
    #[schema(example = 900)]
    expires_in: i64,
    /// What it allows.
    #[schema(example = "deals:read")]
    scope: String,
    /// The member as whom it reads.
    #[schema(example = "member_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    member_id: String,
}

impl EmbedTokenView {
    /// A token as it was issued.
    #[must_use]
    pub fn new(issued: IssuedToken, member: MemberId) -> Self {
        let IssuedToken { token, expires_in, scope } = issued;
        Self { access_token: token, token_type: "Bearer", expires_in, scope, member_id: member.to_string() }
    }
}
