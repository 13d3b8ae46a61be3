//! Members: contacts that may refer. Their uplines form a forest; a cycle is refused.

use std::collections::HashSet;

use super::text::{ClusterText, MemberRef};
use super::update::UplineName;
use super::{optional, required};
use crate::kernel::Faults;
use crate::kernel::fault::Reason;
use crate::kernel::ids::{ContactId, MemberId, OrganisationId};

/// A member of an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its id.
    pub id: MemberId,
    /// Whose member it is.
    pub organisation: OrganisationId,
    /// Who it is.
    pub contact: ContactId,
    /// What the organisation calls it, unique there.
    pub member_ref: MemberRef,
    /// The cohort it belongs to.
    pub cohort: Option<ClusterText>,
    /// Who gets the upline share.
    pub upline: Option<MemberId>,
}

/// The deepest tree of uplines that is accepted.
pub const MAX_UPLINE_DEPTH: usize = 1_000;

/// Why an upline is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UplineError {
    /// The member would be above itself.
    #[error("this upline would make the member its own upline")]
    Cycle,
    /// More than [`MAX_UPLINE_DEPTH`] members above.
    #[error("the chain of uplines is longer than {MAX_UPLINE_DEPTH}")]
    TooDeep,
}

impl Reason for UplineError {
    fn code(&self) -> &'static str {
        match self {
            Self::Cycle => "upline_cycle",
            Self::TooDeep => "upline_too_deep",
        }
    }
}

/// May `member` stand under `upline`, given who stands above whom now?
///
/// # Errors
/// [`UplineError::Cycle`] also when the present tree already holds a cycle above `upline`.
pub fn check_upline<K: Copy + Eq + std::hash::Hash>(
    member: K,
    upline: K,
    parent_of: impl Fn(K) -> Option<K>,
) -> Result<(), UplineError> {
    let mut seen = HashSet::from([member]);
    let mut above = Some(upline);
    while let Some(current) = above {
        if !seen.insert(current) {
            return Err(UplineError::Cycle);
        }
        if seen.len() > MAX_UPLINE_DEPTH + 1 {
            return Err(UplineError::TooDeep);
        }
        above = parent_of(current);
    }
    Ok(())
}

/// A request to create a member, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateMemberInput {
    /// `/organisation_id`
    pub organisation_id: Option<String>,
    /// `/contact_id`
    pub contact_id: Option<String>,
    /// `/member_ref`
    pub member_ref: Option<String>,
    /// `/cohort`
    pub cohort: Option<String>,
    /// `/upline_id`
    pub upline_id: Option<String>,
    /// `/upline_ref`
    pub upline_ref: Option<String>,
}

/// A valid request to create a member; that the ids exist is for the service to find out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateMember {
    /// Whose member it is.
    pub organisation: OrganisationId,
    /// Who it is.
    pub contact: ContactId,
    /// What the organisation calls it.
    pub member_ref: MemberRef,
    /// The cohort.
    pub cohort: Option<ClusterText>,
    /// Who gets the upline share. A new member has nobody below, so no cycle can arise.
    pub upline: Option<UplineName>,
}

impl CreateMember {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &CreateMemberInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let f = &mut faults;
        let organisation = required(f, "/organisation_id", raw.organisation_id.as_deref(), OrganisationId::parse);
        let contact = required(f, "/contact_id", raw.contact_id.as_deref(), ContactId::parse);
        let member_ref = required(f, "/member_ref", raw.member_ref.as_deref(), MemberRef::parse);
        let cohort = optional(f, "/cohort", raw.cohort.as_deref(), ClusterText::parse);
        let by_id = |text: &str| MemberId::parse(text).map(UplineName::Id);
        let by_id = optional(f, "/upline_id", raw.upline_id.as_deref(), by_id);
        let by_ref = |text: &str| MemberRef::parse(text).map(UplineName::Ref);
        let by_ref = optional(f, "/upline_ref", raw.upline_ref.as_deref(), by_ref);
        if raw.upline_id.is_some() && raw.upline_ref.is_some() {
            f.push("/upline_ref", "not_allowed", "name the upline by its id or by its reference, not by both");
        }
        faults.clone().check()?;
        match (organisation, contact, member_ref, cohort, by_id, by_ref) {
            (Some(organisation), Some(contact), Some(member_ref), Some(cohort), Some(by_id), Some(by_ref)) => {
                Ok(Self { organisation, contact, member_ref, cohort, upline: by_id.or(by_ref) })
            }
            _ => Err(faults),
        }
    }

    /// The new member; its upline was looked up before.
    #[must_use]
    pub fn into_member(self, id: MemberId, upline: Option<MemberId>) -> Member {
        let Self { organisation, contact, member_ref, cohort, .. } = self;
        Member { id, organisation, contact, member_ref, cohort, upline }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn a_member_is_never_above_itself() {
        let parents = HashMap::from([(2, 1), (3, 2), (4, 3)]);
        let parent_of = |m: u32| parents.get(&m).copied();
        assert_eq!(check_upline(1, 1, parent_of), Err(UplineError::Cycle));
        assert_eq!(check_upline(1, 4, parent_of), Err(UplineError::Cycle));
        assert_eq!(check_upline(4, 1, parent_of), Ok(()));
        assert_eq!(check_upline(9, 4, parent_of), Ok(()));
        assert_eq!(check_upline(9, 5, |_: u32| Some(5)), Err(UplineError::Cycle));
        assert_eq!(check_upline(0, 1, |m: u32| Some(m + 1)), Err(UplineError::TooDeep));
    }

    #[test]
    fn ids_of_another_kind_are_refused() {
        let raw = CreateMemberInput {
            organisation_id: Some("deal_01h455vb4pex5vsknk084sn02q".into()),
            contact_id: Some("contact_01h455vb4pex5vsknk084sn02q".into()),
            member_ref: Some("M001".into()),
            cohort: Some("\0".into()),
            upline_id: Some(String::new()),
            upline_ref: None,
        };
        let faults = CreateMember::parse(&raw).expect_err("three faults").0;
        let told: Vec<_> = faults.iter().map(|f| (f.pointer.as_str(), f.code)).collect();
        assert_eq!(
            told,
            [("/organisation_id", "invalid_id"), ("/cohort", "control_character"), ("/upline_id", "invalid_id")]
        );
    }

    proptest! {
        #[test]
        fn accepted_uplines_never_close_a_circle(moves in proptest::collection::vec((0_u8..12, 0_u8..12), 0..60)) {
            let mut parents: HashMap<u8, u8> = HashMap::new();
            for (member, upline) in moves {
                if check_upline(member, upline, |m| parents.get(&m).copied()).is_ok() {
                    parents.insert(member, upline);
                }
            }
            for start in 0..12 {
                let mut at = start;
                for _ in 0..12 {
                    if let Some(up) = parents.get(&at) { at = *up; } else { break; }
                }
                prop_assert!(!parents.contains_key(&at), "twelve steps up from {start} and still not at a root");
            }
        }
    }
}
