//! Rows of the directory as they are kept: the value, when it came, and its version.

use jiff::civil::Date;

use super::organisation::OrganisationStatus;
use super::{Contact, Member, Organisation, Payee};
use crate::kernel::Instant;
use crate::kernel::ids::{MemberId, OrganisationId};

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganisationRecord {
    /// The organisation.
    pub organisation: Organisation,
    /// When it was made.
    pub created_at: Instant,
    /// Rises with each change.
    pub version: i32,
}

/// A contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactRecord {
    /// Whose record it is.
    pub organisation: OrganisationId,
    /// The contact.
    pub contact: Contact,
    /// When it was made.
    pub created_at: Instant,
    /// Rises with each change.
    pub version: i32,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRecord {
    /// The member.
    pub member: Member,
    /// May it make new referrals?
    pub status: OrganisationStatus,
    /// When it was made.
    pub created_at: Instant,
    /// Rises with each change.
    pub version: i32,
}

/// A member below another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Downline {
    /// The member.
    pub record: MemberRecord,
    /// 1 for those directly below.
    pub level: i32,
}

/// A payee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayeeRecord {
    /// The payee.
    pub payee: Payee,
    /// Less than this is not paid out, in minor units.
    pub minimum_payout_minor: i64,
    /// Who is paid to it, from which day on; a later mapping of the member to another payee ends it.
    pub members: Vec<(MemberId, Date)>,
    /// When it was made.
    pub created_at: Instant,
    /// Rises with each change.
    pub version: i32,
}

/// Which organisations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrganisationFilter {
    /// Of this kind.
    pub kind: Option<super::OrganisationKind>,
    /// In this status.
    pub status: Option<OrganisationStatus>,
}

/// Which contacts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ContactFilter {
    /// Of this organisation.
    pub organisation: Option<OrganisationId>,
    /// Of this kind.
    pub kind: Option<super::ContactKind>,
}

/// Which members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberFilter {
    /// Of this organisation.
    pub organisation: Option<OrganisationId>,
    /// Called so.
    pub member_ref: Option<String>,
    /// In this cohort.
    pub cohort: Option<String>,
    /// Directly below this member.
    pub upline: Option<MemberId>,
    /// In this status.
    pub status: Option<OrganisationStatus>,
}

/// Which payees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PayeeFilter {
    /// Of this organisation.
    pub organisation: Option<OrganisationId>,
    /// That this member was ever mapped to.
    pub member: Option<MemberId>,
    /// Paid by this rail.
    pub rail: Option<super::Rail>,
}
