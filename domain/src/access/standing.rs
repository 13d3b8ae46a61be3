//! What a user or an API client is: its roles, and whom it acts for.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::{Actor, MissingScope, Role, Scope};
use crate::directory::optional;
use crate::kernel::Faults;
use crate::kernel::fault::Reason;
use crate::kernel::ids::{ApiClientId, MemberId, OrganisationId, UserId};

/// Who bears a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A person.
    User(UserId),
    /// A program.
    Client(ApiClientId),
}

impl Subject {
    /// The bare id.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::User(id) => id.uuid(),
            Self::Client(id) => id.uuid(),
        }
    }

    /// Reads the id of a user or of an API client.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let client = || ApiClientId::parse(text).ok().map(Self::Client);
        UserId::parse(text).ok().map(Self::User).or_else(client)
    }
}

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(id) => id.fmt(f),
            Self::Client(id) => id.fmt(f),
        }
    }
}

/// Roles with the organisation and member that they need; always consistent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    roles: BTreeSet<Role>,
    organisation: Option<OrganisationId>,
    member: Option<MemberId>,
}

/// Why roles, organisation and member do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StandingError {
    /// Nothing could be done.
    #[error("at least one role is needed")]
    NoRole,
    /// Staff see everything, partners their own: nobody is both.
    #[error("roles of staff and of partners, or `member` and another role, cannot be held together")]
    MixedRoles,
    /// A partner's role without its organisation.
    #[error("a partner's role needs an organisation")]
    NeedsOrganisation,
    /// A staff role with one.
    #[error("a role of staff belongs to no organisation")]
    TakesNoOrganisation,
    /// `member` without a member.
    #[error("the role `member` needs a member")]
    NeedsMember,
    /// Another role with one.
    #[error("only the role `member` takes a member")]
    TakesNoMember,
}

impl StandingError {
    /// The field at fault.
    #[must_use]
    pub const fn pointer(self) -> &'static str {
        match self {
            Self::NoRole | Self::MixedRoles => "/roles",
            Self::NeedsOrganisation | Self::TakesNoOrganisation => "/organisation_id",
            Self::NeedsMember | Self::TakesNoMember => "/member_id",
        }
    }
}

impl Reason for StandingError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoRole | Self::NeedsOrganisation | Self::NeedsMember => "required",
            Self::MixedRoles => "mixed_roles",
            Self::TakesNoOrganisation | Self::TakesNoMember => "not_allowed",
        }
    }
}

/// The standing that a request names, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StandingInput {
    /// `/roles`
    pub roles: Option<Vec<String>>,
    /// `/organisation_id`
    pub organisation_id: Option<String>,
    /// `/member_id`
    pub member_id: Option<String>,
}

impl Standing {
    /// Puts roles and parties together.
    ///
    /// # Errors
    /// Every contradiction.
    pub fn try_new(
        roles: BTreeSet<Role>,
        organisation: Option<OrganisationId>,
        member: Option<MemberId>,
    ) -> Result<Self, Vec<StandingError>> {
        let of_partner = roles.iter().any(|role| role.is_of_partner());
        let of_staff = roles.iter().any(|role| !role.is_of_partner());
        let is_member = roles.contains(&Role::Member);
        if roles.is_empty() {
            return Err(vec![StandingError::NoRole]);
        }
        if (of_partner && of_staff) || (is_member && roles.len() > 1) {
            return Err(vec![StandingError::MixedRoles]);
        }
        let errors: Vec<StandingError> = [
            (of_partner && organisation.is_none(), StandingError::NeedsOrganisation),
            (of_staff && organisation.is_some(), StandingError::TakesNoOrganisation),
            (is_member && member.is_none(), StandingError::NeedsMember),
            (!is_member && member.is_some(), StandingError::TakesNoMember),
        ]
        .into_iter()
        .filter_map(|(broken, error)| broken.then_some(error))
        .collect();
        if errors.is_empty() { Ok(Self { roles, organisation, member }) } else { Err(errors) }
    }

    /// Reads what a request says, recording every fault.
    pub fn parse(raw: &StandingInput, faults: &mut Faults) -> Option<Self> {
        let mut roles = BTreeSet::new();
        let mut clean = true;
        for (n, name) in raw.roles.iter().flatten().enumerate() {
            match Role::parse(name) {
                Some(role) => clean &= roles.insert(role) || repeated(faults, n),
                None => {
                    faults.push(format!("/roles/{n}"), "unknown_value", "there is no such role");
                    clean = false;
                }
            }
        }
        let f = &mut *faults;
        let organisation = optional(f, "/organisation_id", raw.organisation_id.as_deref(), OrganisationId::parse);
        let member = optional(f, "/member_id", raw.member_id.as_deref(), MemberId::parse);
        let (organisation, member) = (organisation?, member?);
        if !clean {
            return None;
        }
        match Self::try_new(roles, organisation, member) {
            Ok(standing) => Some(standing),
            Err(errors) => {
                errors.iter().for_each(|e| faults.push(e.pointer(), e.code(), e.to_string()));
                None
            }
        }
    }

    /// The roles; never empty.
    #[must_use]
    pub const fn roles(&self) -> &BTreeSet<Role> {
        &self.roles
    }

    /// Whom it acts for.
    #[must_use]
    pub const fn organisation(&self) -> Option<OrganisationId> {
        self.organisation
    }

    /// The member that it is.
    #[must_use]
    pub const fn member(&self) -> Option<MemberId> {
        self.member
    }

    /// Everything that the roles allow.
    #[must_use]
    pub fn scopes(&self) -> BTreeSet<Scope> {
        self.roles.iter().flat_map(|role| role.scopes()).copied().collect()
    }

    /// The actor with these roles and with the scopes asked for, or all of them.
    ///
    /// # Errors
    /// The first scope asked for that the roles do not have.
    pub fn actor(&self, id: Uuid, asked: Option<&BTreeSet<Scope>>) -> Result<Actor, MissingScope> {
        let all = self.scopes();
        let scopes = asked.unwrap_or(&all);
        if let Some(more) = scopes.iter().find(|scope| !all.contains(scope)) {
            return Err(MissingScope(*more));
        }
        let (roles, scopes) = (self.roles.clone(), scopes.clone());
        Ok(Actor { id, roles, scopes, organisation: self.organisation, member: self.member })
    }
}

fn repeated(faults: &mut Faults, n: usize) -> bool {
    faults.push(format!("/roles/{n}"), "repeated", "this role is named twice");
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn organisation() -> OrganisationId {
        OrganisationId::new(Uuid::from_u128(1))
    }

    fn member() -> MemberId {
        MemberId::new(Uuid::from_u128(2))
    }

    /// The rule, written down again as a table: every role alone with every pair of parties.
    #[test]
    fn each_role_takes_exactly_its_parties() {
        for role in Role::ALL {
            for (with_organisation, with_member) in [(false, false), (true, false), (false, true), (true, true)] {
                let fits = match role {
                    Role::PartnerAdmin | Role::PartnerAgent => (true, false),
                    Role::Member => (true, true),
                    _ => (false, false),
                } == (with_organisation, with_member);
                let made = Standing::try_new(
                    BTreeSet::from([role]),
                    with_organisation.then(organisation),
                    with_member.then(member),
                );
                assert_eq!(made.is_ok(), fits, "{role:?} {with_organisation} {with_member}");
            }
        }
    }

    #[test]
    fn nobody_is_staff_and_partner() {
        for pair in [[Role::Finance, Role::PartnerAdmin], [Role::Member, Role::PartnerAgent]] {
            let made = Standing::try_new(BTreeSet::from(pair), Some(organisation()), Some(member()));
            assert_eq!(made, Err(vec![StandingError::MixedRoles]));
        }
        assert!(Standing::try_new(BTreeSet::from([Role::Finance, Role::Approver]), None, None).is_ok());
    }

    #[test]
    fn faults_point_at_every_wrong_role_and_id() {
        let raw = StandingInput {
            roles: Some(vec!["finance".into(), "king".into(), "finance".into()]),
            organisation_id: Some("deal_01h455vb4pex5vsknk084sn02q".into()),
            member_id: None,
        };
        let mut faults = Faults::default();
        assert!(Standing::parse(&raw, &mut faults).is_none());
        let told: Vec<_> = faults.0.iter().map(|f| (f.pointer.as_str(), f.code)).collect();
        assert_eq!(told, [("/roles/1", "unknown_value"), ("/roles/2", "repeated"), ("/organisation_id", "invalid_id")]);
    }

    #[test]
    fn a_token_may_have_fewer_scopes_but_never_more() {
        let standing = Standing::try_new(BTreeSet::from([Role::Support]), None, None).expect("a standing");
        let fewer = BTreeSet::from([Scope::DealsRead]);
        let actor = standing.actor(Uuid::nil(), Some(&fewer)).expect("an actor");
        assert_eq!(actor.scopes, fewer);
        let more = BTreeSet::from([Scope::DealsRead, Scope::DealsWrite]);
        assert_eq!(standing.actor(Uuid::nil(), Some(&more)), Err(MissingScope(Scope::DealsWrite)));
        assert_eq!(standing.actor(Uuid::nil(), None).map(|a| a.scopes), Ok(standing.scopes()));
    }
}
