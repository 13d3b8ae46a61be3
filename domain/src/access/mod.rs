//! Who may do what: users, API clients, roles, scopes, actors.

use uuid::Uuid;

/// Whose eyes a read has: everything, or what concerns these organisations and members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// Operator staff, auditors, and the service itself.
    Everything,
    /// A partner or a member: rows whose `visible_to` holds one of these ids.
    Parties(Vec<Uuid>),
}
