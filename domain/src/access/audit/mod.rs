//! The audit log: who did what to which object, in which request, and what it was before and after.
//!
//! Invariants: append-only; committed with the effect; no personal data and no secret: values go through
//! [`redact`] first, which shows what it knows to be harmless and withholds everything else.
//! Bounds: [`redact::LONGEST`] bytes a field.

pub mod redact;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::Subject;
use crate::env::Env;
use crate::kernel::{Instant, Page, PageRequest};
use crate::store::StoreError;

/// What kind of actor did it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActorKind {
    /// A person.
    User,
    /// A program.
    ApiClient,
    /// The service itself.
    Service,
    /// Somebody who did not prove who they are.
    Unknown,
}

impl ActorKind {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ApiClient => "api_client",
            Self::Service => "service",
            Self::Unknown => "unknown",
        }
    }

    /// Reads a kind.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::User, Self::ApiClient, Self::Service, Self::Unknown].into_iter().find(|kind| kind.as_str() == text)
    }
}

impl From<Subject> for ActorKind {
    fn from(subject: Subject) -> Self {
        match subject {
            Subject::User(_) => Self::User,
            Subject::Client(_) => Self::ApiClient,
        }
    }
}

/// Something that was changed, as it was and as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Altered<R> {
    /// As it was.
    pub before: R,
    /// As it is.
    pub after: R,
}

/// The fields of an object by name, as the API shows them.
pub type Fields = Map<String, Value>;

/// One act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// When.
    pub at: Instant,
    /// Who.
    pub actor: Uuid,
    /// What kind of actor it is.
    pub actor_kind: ActorKind,
    /// Whether it was by the token of a page: whoever asked for that token lent their name.
    pub embed: bool,
    /// Which operation, by its id in the API document.
    pub action: &'static str,
    /// What it was done to.
    pub object: Uuid,
    /// That object's id as it is shown; none when the act does not name its kind.
    pub object_name: Option<String>,
    /// The names of the fields that were given or changed.
    pub changed: Vec<String>,
    /// What they were; none when the object is new or the act does not look back.
    pub before: Option<Fields>,
    /// What they are.
    pub after: Option<Fields>,
    /// The reason when it was only tried: nothing was done.
    pub refused: Option<&'static str>,
    /// In which request; a job's id for what the service does by itself.
    pub request_id: String,
}

impl AuditRecord {
    /// An act of the service itself, in the course of what `cause` names.
    #[must_use]
    pub fn of_service(
        env: &Env<'_>,
        action: &'static str,
        object: (&dyn std::fmt::Display, Uuid),
        cause: String,
    ) -> Self {
        Self {
            at: env.now,
            actor: Uuid::nil(),
            actor_kind: ActorKind::Service,
            embed: false,
            action,
            object: object.1,
            object_name: Some(object.0.to_string()),
            changed: Vec::new(),
            before: None,
            after: None,
            refused: None,
            request_id: cause,
        }
    }

    /// What was given of something new, or of something that is not looked back at.
    #[must_use]
    pub fn given(mut self, fields: &Fields) -> Self {
        self.changed = fields.keys().cloned().collect();
        self.after = Some(redact::shown(self.action, fields));
        self
    }

    /// What was changed: the fields that differ, before and after; beside what was given, if that was said.
    #[must_use]
    pub fn altered(mut self, before: &Fields, after: &Fields) -> Self {
        let differs = |from: &Fields, to: &Fields| -> Fields {
            from.iter().filter(|(name, value)| to.get(*name) != Some(value)).map(owned).collect()
        };
        let (old, new) = (differs(before, after), differs(after, before));
        self.changed.extend(old.keys().chain(new.keys()).cloned());
        self.changed.sort();
        self.changed.dedup();
        self.before = Some(redact::shown(self.action, &old));
        self.after.get_or_insert_default().extend(redact::shown(self.action, &new));
        self
    }
}

fn owned((name, value): (&String, &Value)) -> (String, Value) {
    (name.clone(), value.clone())
}

/// The audit log, inside a transaction.
pub trait AuditRepository {
    /// Keeps acts.
    ///
    /// # Errors
    /// The failure of the store.
    fn append(&mut self, records: &[AuditRecord]) -> Result<(), StoreError>;
}

/// Which acts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AuditFilter {
    /// Only of this user, API client, or the service.
    pub actor: Option<Uuid>,
    /// Only this operation.
    pub action: Option<String>,
    /// Only on this object.
    pub object: Option<Uuid>,
    /// Only in this request.
    pub request_id: Option<String>,
}

/// One act as it was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Rises with each act.
    pub number: i64,
    /// When.
    pub at: Instant,
    /// Who.
    pub actor: Uuid,
    /// What kind of actor it is.
    pub actor_kind: ActorKind,
    /// Whether it was by the token of a page: whoever asked for that token lent their name.
    pub embed: bool,
    /// Which operation.
    pub action: String,
    /// What it was done to.
    pub object: Uuid,
    /// That object's id as it is shown, where it was kept.
    pub object_name: Option<String>,
    /// The names of the fields that were given or changed.
    pub changed: Vec<String>,
    /// Canonical JSON of what they were.
    pub before: Option<String>,
    /// Canonical JSON of what they are.
    pub after: Option<String>,
    /// The reason when it was only tried.
    pub refused: Option<String>,
    /// In which request.
    pub request_id: String,
}

/// The audit log, to look up.
pub trait AuditQueries {
    /// Acts, newest first.
    ///
    /// # Errors
    /// The failure of the store; a page key that is none.
    fn list(&mut self, filter: &AuditFilter, page: &PageRequest) -> Result<Page<AuditEntry>, StoreError>;
}
