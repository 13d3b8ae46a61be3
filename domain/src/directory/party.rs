//! Parties by their ids: what a handshake needs to know of a member or an organisation.
//!
//! Bounds: one statement per call, whatever the number of ids; ids that do not exist are left out.

use jiff::civil::Date;

use super::organisation::OrganisationKind;
use crate::deals::frozen::Frozen;
use crate::kernel::ids::{ContactId, MemberId, OrganisationId};
use crate::store::StoreError;

/// A member as a party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberParty {
    /// The member.
    pub id: MemberId,
    /// Whose member it is.
    pub organisation: OrganisationId,
    /// Who stands directly above now.
    pub upline: Option<MemberId>,
    /// May it refer?
    pub active: bool,
}

/// An organisation as a party.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrganisationParty {
    /// The organisation.
    pub id: OrganisationId,
    /// What it does here.
    pub kind: OrganisationKind,
    /// May it do new business?
    pub active: bool,
}

/// Parties, inside a transaction.
pub trait PartyRepository {
    /// The members with these ids.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_members_by_id(&mut self, ids: &[MemberId]) -> Result<Vec<MemberParty>, StoreError>;

    /// Who stands where around these members on a day: what a seal freezes.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_frozen(&mut self, members: &[MemberId], on: Date) -> Result<Vec<(MemberId, Frozen)>, StoreError>;

    /// The organisations with these ids.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_organisations_by_id(&mut self, ids: &[OrganisationId]) -> Result<Vec<OrganisationParty>, StoreError>;

    /// Which of these ids belong to a contact already.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_taken_contacts(&mut self, ids: &[ContactId]) -> Result<Vec<ContactId>, StoreError>;
}
