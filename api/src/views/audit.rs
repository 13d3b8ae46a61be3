//! The audit log, as it goes out.

use domain::access::audit::{ActorKind, AuditEntry};
use domain::kernel::ids::{ApiClientId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::extract::ListQuery;

/// Which acts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// Only of this user or API client; `service` for what the service did by itself, `unknown` for whoever failed to log in.
    #[param(example = "client_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub actor: Option<String>,
    /// Only this operation, by its id in this document.
    #[param(example = "update_organisation")]
    pub action: Option<String>,
    /// Only on this object, whatever its kind.
    #[param(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub object_id: Option<String>,
    /// Only in this request.
    #[param(example = "0199c0de-0000-7000-8000-000000000001")]
    pub request_id: Option<String>,
}

impl ListQuery for AuditQuery {}

/// Who did it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditActor)]
pub struct AuditActorView {
    /// `user`, `api_client`, `service`, or `unknown`: somebody who did not prove who they are.
    #[schema(example = "api_client")]
    kind: &'static str,
    /// The user or API client; absent for the service and for whoever is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "client_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: Option<String>,
    /// Whether it was by an embed token, in a page: this user or API client had asked for it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false, example = true)]
    embed: bool,
}

/// One act.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditRecord)]
pub struct AuditRecordView {
    /// Rises with each act.
    #[schema(example = 1024)]
    number: i64,
    /// When.
    #[schema(example = "2026-11-25T02:00:00Z")]
    at: String,
    /// Who.
    actor: AuditActorView,
    /// Which operation, by its id in this document.
    #[schema(example = "update_organisation")]
    action: String,
    /// What it was done to; absent when nothing in particular was tried in vain. For a failed login the user or API client that was named, or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    object_id: Option<String>,
    /// The names of the fields that were given or changed.
    #[schema(example = json!(["status"]))]
    changed: Vec<String>,
    /// What they were; absent when the object is new, or the act does not look back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, example = json!({"status": "active"}))]
    before: Option<Box<RawValue>>,
    /// What they are. `[withheld]` stands for personal data, free text and secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>, example = json!({"status": "suspended"}))]
    after: Option<Box<RawValue>>,
    /// Why not, when it was only tried: the code of the problem. Attempts at moving money and failed logins are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "insufficient_scope")]
    refused: Option<String>,
    /// In which request; the job for what the service did in the course of one.
    #[schema(example = "0199c0de-0000-7000-8000-000000000001")]
    request_id: String,
}

/// Kept JSON as it is, not read and written again.
fn raw(text: Option<String>) -> Option<Box<RawValue>> {
    text.and_then(|text| RawValue::from_string(text).ok())
}

impl From<AuditEntry> for AuditRecordView {
    fn from(entry: AuditEntry) -> Self {
        let actor = match entry.actor_kind {
            ActorKind::User => Some(UserId::new(entry.actor).to_string()),
            ActorKind::ApiClient => Some(ApiClientId::new(entry.actor).to_string()),
            ActorKind::Service | ActorKind::Unknown => None,
        };
        Self {
            number: entry.number,
            at: entry.at.to_string(),
            actor: AuditActorView { kind: entry.actor_kind.as_str(), id: actor, embed: entry.embed },
            action: entry.action,
            object_id: entry.object_name,
            changed: entry.changed,
            before: raw(entry.before),
            after: raw(entry.after),
            refused: entry.refused,
            request_id: entry.request_id,
        }
    }
}
