//! API clients and the caller, as they go in and out.

use domain::access::client::{CreateApiClientInput, NewSecret};
use domain::access::standing::StandingInput;
use domain::access::{ApiClient, Environment, Scope, Standing, Subject};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::extract::Caller;

/// A request to create an API client.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateApiClient, example = json!({"name": "Harbour portal", "roles": ["partner_admin"], "organisation_id": "org_01k0w4q7v8e2rtf3k2m9x5c6dz"}))]
pub struct CreateApiClientRequest {
    /// What people call it.
    #[schema(required = true, nullable = false)]
    name: Option<String>,
    /// `operator_admin`, `finance`, `approver`, `support`, `partner_admin`, `partner_agent`, `member`, `auditor`, `investor`.
    #[schema(required = true, nullable = false)]
    roles: Option<Vec<String>>,
    /// The organisation that it acts for; partners' roles need one, staff roles take none.
    organisation_id: Option<String>,
    /// The member that it is; only with the role `member`.
    member_id: Option<String>,
}

impl From<CreateApiClientRequest> for CreateApiClientInput {
    fn from(raw: CreateApiClientRequest) -> Self {
        let CreateApiClientRequest { name, roles, organisation_id, member_id } = raw;
        Self { name, standing: StandingInput { roles, organisation_id, member_id } }
    }
}

/// An API client.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiClient)]
pub struct ApiClientView {
    /// Its id, which is also its `client_id`.
    #[schema(example = "client_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// What people call it.
    #[schema(example = "Harbour portal")]
    name: String,
    /// Its roles.
    roles: Vec<&'static str>,
    /// The organisation that it acts for.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation_id: Option<String>,
    /// The member that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    member_id: Option<String>,
    /// When it was made.
    created_at: String,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
}

impl From<ApiClient> for ApiClientView {
    fn from(client: ApiClient) -> Self {
        Self {
            id: client.id.to_string(),
            name: client.name.to_string(),
            roles: roles(&client.standing),
            organisation_id: client.standing.organisation().map(|id| id.to_string()),
            member_id: client.standing.member().map(|id| id.to_string()),
            created_at: client.created_at.to_string(),
            revoked_at: client.revoked_at.map(|at| at.to_string()),
        }
    }
}

/// An API client with its new secret, which is shown this once.
#[derive(Serialize, ToSchema)]
#[schema(as = ApiClientSecret)]
pub struct ApiClientSecretView {
    /// The client.
    #[serde(flatten)]
    client: ApiClientView,
    /// Its secret. It is kept nowhere: store it now.
    #[schema(example = "flip_sk_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc")]
    client_secret: String,
}

impl From<NewSecret> for ApiClientSecretView {
    fn from(made: NewSecret) -> Self {
        Self { client_secret: made.secret.reveal().to_owned(), client: made.client.into() }
    }
}

/// The caller.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Me)]
pub struct MeView {
    /// The user or API client.
    #[schema(example = "client_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// `user` or `client`.
    kind: &'static str,
    /// `live` or `sandbox`.
    #[schema(example = "live")]
    environment: &'static str,
    /// The name of an API client, the address of a user.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Its roles.
    roles: Vec<&'static str>,
    /// What this token may do.
    scopes: Vec<&'static str>,
    /// How a user proved who they are (RFC 8176).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    methods: Vec<&'static str>,
    /// Scopes of a user's roles that this token does not have for want of a second factor.
    #[serde(skip_serializing_if = "Option::is_none")]
    withheld: Option<WithheldView>,
    /// The organisation that it acts for.
    #[serde(skip_serializing_if = "Option::is_none")]
    organisation_id: Option<String>,
    /// The member that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    member_id: Option<String>,
}

/// What is withheld, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Withheld)]
struct WithheldView {
    /// Scopes that move money.
    #[schema(example = json!(["payouts:approve"]))]
    scopes: Vec<&'static str>,
    /// `second_factor_not_set_up`: see `POST /v1/me/totp`; `second_factor_not_shown`: log in with `totp`.
    #[schema(example = "second_factor_not_shown")]
    reason: &'static str,
}

impl WithheldView {
    fn of(caller: &Caller, has_second_factor: bool) -> Option<Self> {
        let scopes = caller.actor.roles.iter().flat_map(|role| role.scopes()).copied().collect();
        let withheld = caller.methods.withheld(caller.subject, &scopes);
        (!withheld.is_empty()).then(|| Self {
            scopes: withheld.into_iter().map(Scope::as_str).collect(),
            reason: if has_second_factor { "second_factor_not_shown" } else { "second_factor_not_set_up" },
        })
    }
}

impl MeView {
    /// What the token says, the name of its bearer, and whether codes are asked of it.
    #[must_use]
    pub fn new(caller: &Caller, environment: Environment, name: Option<String>, has_second_factor: bool) -> Self {
        let Caller { subject, actor, methods, .. } = caller;
        Self {
            id: subject.to_string(),
            kind: match subject {
                Subject::User(_) => "user",
                Subject::Client(_) => "client",
            },
            environment: environment.as_str(),
            name,
            roles: actor.roles.iter().map(|role| role.as_str()).collect(),
            scopes: actor.scopes.iter().map(|scope| scope.as_str()).collect(),
            methods: methods.names(),
            withheld: WithheldView::of(caller, has_second_factor),
            organisation_id: actor.organisation.map(|id| id.to_string()),
            member_id: actor.member.map(|id| id.to_string()),
        }
    }
}

pub(super) fn roles(standing: &Standing) -> Vec<&'static str> {
    standing.roles().iter().map(|role| role.as_str()).collect()
}
