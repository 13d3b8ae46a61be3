//! Users, as they go in and out.

use domain::access::User;
use domain::access::standing::StandingInput;
use domain::access::user::CreateUserInput;
use domain::access::user_change::UpdateUserInput;
use domain::directory::update::Given;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::access::roles;
use super::directory_requests::given;
use super::oidc::{LinkedIssuerView, OidcLinkRequest, given_link};

/// A request to create a user.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateUser, example = json!({"email": "approver@flip360.example", "password": "a long and private phrase", "roles": ["approver"]}))]
pub struct CreateUserRequest {
    /// What it logs in with; unique in any letter case.
    #[schema(required = true, nullable = false)]
    email: Option<String>,
    /// 12 to 128 characters.
    #[schema(format = Password)]
    #[schema(required = true, nullable = false)]
    password: Option<String>,
    /// The roles, as for an API client.
    #[schema(required = true, nullable = false)]
    roles: Option<Vec<String>>,
    /// The organisation that it acts for; partners' roles need one, staff roles take none.
    organisation_id: Option<String>,
    /// The member that it is; only with the role `member`.
    member_id: Option<String>,
    /// Under which name an outside issuer knows it, who may then log it in.
    oidc: Option<OidcLinkRequest>,
}

impl From<CreateUserRequest> for CreateUserInput {
    fn from(raw: CreateUserRequest) -> Self {
        let CreateUserRequest { email, password, roles, organisation_id, member_id, oidc } = raw;
        let standing = StandingInput { roles, organisation_id, member_id };
        Self { email, password, standing, oidc: oidc.map(Into::into) }
    }
}

/// A request to change a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateUser, example = json!({"disabled": true}))]
pub struct UpdateUserRequest {
    /// All its roles from now on.
    roles: Option<Vec<String>>,
    /// The organisation that it acts for from now on; given with `roles`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    organisation_id: Given,
    /// The member that it is from now on; given with `roles`.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    member_id: Given,
    /// Whether it may not log in.
    disabled: Option<bool>,
    /// Under which name an outside issuer knows it from now on; `null` for none.
    #[serde(default, deserialize_with = "given_link")]
    #[schema(value_type = Option<OidcLinkRequest>)]
    oidc: Option<Option<OidcLinkRequest>>,
}

impl From<UpdateUserRequest> for UpdateUserInput {
    fn from(raw: UpdateUserRequest) -> Self {
        let UpdateUserRequest { roles, organisation_id, member_id, disabled, oidc } = raw;
        Self { roles, organisation_id, member_id, disabled, oidc: oidc.map(|link| link.map(Into::into)) }
    }
}

/// A request to change one's own password.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ChangePassword, example = json!({"current_password": "a long and private phrase", "new_password": "another long and private phrase"}))]
pub struct ChangePasswordRequest {
    /// The password until now.
    #[schema(format = Password)]
    #[schema(required = true, nullable = false)]
    pub current_password: Option<String>,
    /// The password from now on: 12 to 128 characters, not easily guessed, without the e-mail address.
    #[schema(format = Password)]
    #[schema(required = true, nullable = false)]
    pub new_password: Option<String>,
    /// A one-time code, for a user who has a second factor.
    #[schema(format = Password, example = "492039")]
    pub totp: Option<String>,
}

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView {
    /// Its id.
    #[schema(example = "user_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// What it logs in with; absent once erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "approver@flip360.example")]
    email: Option<String>,
    /// Its roles.
    roles: Vec<&'static str>,
    /// The organisation that it acts for.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation_id: Option<String>,
    /// The member that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    member_id: Option<String>,
    /// The outside issuer that may log it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    oidc: Option<LinkedIssuerView>,
    /// When it was made.
    created_at: String,
    /// When it was disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled_at: Option<String>,
}

impl From<User> for UserView {
    fn from(user: User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.map(|email| email.to_string()),
            roles: roles(&user.standing),
            organisation_id: user.standing.organisation().map(|id| id.to_string()),
            member_id: user.standing.member().map(|id| id.to_string()),
            oidc: user.oidc.map(|link| LinkedIssuerView { issuer_id: link.issuer.to_string() }),
            created_at: user.created_at.to_string(),
            disabled_at: user.disabled_at.map(|at| at.to_string()),
        }
    }
}
