//! Who acts: the bearer of a token, with what it may do and whom it acts for.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Role, Scope};
use crate::kernel::ids::{MemberId, OrganisationId};

/// Whose eyes a read has: everything, or what concerns these organisations and members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// Operator staff, auditors, and the service itself.
    Everything,
    /// A partner or a member: rows whose `visible_to` holds one of these ids.
    Parties(Vec<Uuid>),
}

/// A user, an API client, or the service itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The user or API client; what idempotency keys and approvals are bound to.
    pub id: Uuid,
    /// Its roles.
    pub roles: BTreeSet<Role>,
    /// What it may do: the scopes of its roles, or fewer when the token asked for fewer.
    pub scopes: BTreeSet<Scope>,
    /// The organisation that it belongs to; none for operator staff, auditors and investors.
    pub organisation: Option<OrganisationId>,
    /// The member that it is.
    pub member: Option<MemberId>,
}

/// The scope that was missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this needs the scope `{0}`")]
pub struct MissingScope(pub Scope);

impl Actor {
    /// The service itself: workers, the sequencer, reference data.
    #[must_use]
    pub fn service() -> Self {
        Self {
            id: Uuid::nil(),
            roles: BTreeSet::from([Role::OperatorAdmin]),
            scopes: Scope::ALL.iter().copied().collect(),
            organisation: None,
            member: None,
        }
    }

    /// Refuses unless the scope is there.
    ///
    /// # Errors
    /// [`MissingScope`].
    pub fn require(&self, scope: Scope) -> Result<(), MissingScope> {
        if self.scopes.contains(&scope) { Ok(()) } else { Err(MissingScope(scope)) }
    }

    /// Whether the actor sees rows of everybody. A partner never does; an investor sees no rows at all.
    #[must_use]
    pub fn sees_everything(&self) -> bool {
        let staff = [Role::OperatorAdmin, Role::Finance, Role::Approver, Role::Support, Role::Auditor];
        self.organisation.is_none() && self.member.is_none() && self.roles.iter().any(|role| staff.contains(role))
    }

    /// Whether the actor may act for an organisation: its own, or any when it sees everything.
    #[must_use]
    pub fn acts_for(&self, organisation: OrganisationId) -> bool {
        self.sees_everything() || (self.organisation == Some(organisation) && self.member.is_none())
    }

    /// Whose eyes its reads have. A member sees as that member, never as the whole organisation.
    #[must_use]
    pub fn viewer(&self) -> Viewer {
        if self.sees_everything() {
            return Viewer::Everything;
        }
        let party = match (self.member, self.organisation) {
            (Some(member), _) => Some(member.uuid()),
            (None, Some(organisation)) => Some(organisation.uuid()),
            (None, None) => None,
        };
        Viewer::Parties(party.into_iter().collect())
    }
}
