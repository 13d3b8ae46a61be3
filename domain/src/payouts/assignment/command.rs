//! Requests about assignments.

use crate::directory::text::{DeedReference, Grounds};
use crate::directory::{optional, required};
use crate::kernel::Faults;
use crate::kernel::ids::{AssignmentId, MemberId, PayeeId};

/// A request to assign what is unpaid of a payee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposeAssignment {
    /// Whose the lines become.
    pub to: PayeeId,
    /// Only lines of this member.
    pub member: Option<MemberId>,
    /// The deed by which they go.
    pub deed_reference: DeedReference,
    /// Why.
    pub reason: Grounds,
}

/// The same, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProposeAssignmentInput {
    /// `/to_payee_id`
    pub to_payee_id: Option<String>,
    /// `/member_id`
    pub member_id: Option<String>,
    /// `/deed_reference`
    pub deed_reference: Option<String>,
    /// `/reason`
    pub reason: Option<String>,
}

impl ProposeAssignment {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &ProposeAssignmentInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let f = &mut faults;
        let to = required(f, "/to_payee_id", raw.to_payee_id.as_deref(), PayeeId::parse);
        let member = optional(f, "/member_id", raw.member_id.as_deref(), MemberId::parse);
        let deed_reference = required(f, "/deed_reference", raw.deed_reference.as_deref(), DeedReference::parse);
        let reason = required(f, "/reason", raw.reason.as_deref(), Grounds::parse);
        faults.clone().check()?;
        let made = (|| Some(Self { to: to?, member: member?, deed_reference: deed_reference?, reason: reason? }))();
        made.ok_or(faults)
    }
}

/// Names an assignment, and the version at which the caller saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnAssignment {
    /// The assignment.
    pub id: AssignmentId,
    /// The version that it must be at; any if absent.
    pub version: Option<u32>,
}
