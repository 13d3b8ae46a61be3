//! The ports of the directory.

use jiff::civil::Date;

use super::record::{
    ContactFilter, ContactRecord, Downline, MemberFilter, MemberRecord, OrganisationFilter, OrganisationRecord,
    PayeeFilter, PayeeRecord,
};
use super::{Contact, Member, Organisation, Payee, PayeeMapping};
use crate::kernel::ids::{ContactId, MemberId, OrganisationId, PayeeId};
use crate::kernel::{Instant, Page, PageRequest};
use crate::store::StoreError;

/// A new contact of an organisation, its name apart from everything else.
#[derive(Clone, PartialEq, Eq)]
pub struct NewContact {
    /// Whose record it is.
    pub organisation: OrganisationId,
    /// The contact.
    pub contact: Contact,
}

/// What a deal needs to know of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberStanding {
    /// The member.
    pub id: MemberId,
    /// What the organisation calls it.
    pub member_ref: String,
}

/// The directory, inside a transaction.
pub trait DirectoryRepository {
    /// Keeps a new organisation.
    ///
    /// # Errors
    /// `organisation_one_operator`.
    fn insert_organisation(&mut self, organisation: &Organisation, at: Instant) -> Result<(), StoreError>;

    /// Keeps new contacts and their personal data.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_contacts(&mut self, contacts: &[NewContact], at: Instant) -> Result<(), StoreError>;

    /// Keeps new members, an upline before those below it.
    ///
    /// # Errors
    /// `member_ref_taken`.
    fn insert_members(&mut self, members: &[Member], at: Instant) -> Result<(), StoreError>;

    /// Keeps new payees and their bank details.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_payees(&mut self, payees: &[Payee], ids: &[uuid::Uuid], at: Instant) -> Result<(), StoreError>;

    /// Says who is paid for members from a date on.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_payee_mappings(&mut self, mappings: &[PayeeMapping], at: Instant) -> Result<(), StoreError>;

    /// The members of an organisation with these references.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_members(
        &mut self,
        organisation: OrganisationId,
        refs: &[String],
    ) -> Result<Vec<MemberStanding>, StoreError>;

    /// Locks an organisation: whoever moves its members waits.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_organisation(&mut self, id: OrganisationId) -> Result<Option<OrganisationRecord>, StoreError>;

    /// Writes what may change of an organisation.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_organisation(&mut self, record: &OrganisationRecord) -> Result<(), StoreError>;

    /// Whose record a contact is.
    ///
    /// # Errors
    /// The failure of the store.
    fn owner_of_contact(&mut self, id: ContactId) -> Result<Option<OrganisationId>, StoreError>;

    /// Locks a contact, with what identifies it.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_contact(&mut self, id: ContactId) -> Result<Option<ContactRecord>, StoreError>;

    /// Writes what identifies a contact, or that nothing does any more.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_contact(&mut self, record: &ContactRecord) -> Result<(), StoreError>;

    /// Locks a member.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_member(&mut self, id: MemberId) -> Result<Option<MemberRecord>, StoreError>;

    /// A member with its organisation and everybody above it, the nearest first; none when there is no such member.
    /// At most [`super::member::MAX_UPLINE_DEPTH`] + 1 of them.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_lineage(&mut self, id: MemberId) -> Result<Vec<(MemberId, OrganisationId)>, StoreError>;

    /// Writes what may change of a member; a new upline is also a dated fact.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_member(&mut self, record: &MemberRecord, moved_on: Option<Date>, at: Instant) -> Result<(), StoreError>;

    /// Locks a payee.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_payee(&mut self, id: PayeeId) -> Result<Option<PayeeRecord>, StoreError>;

    /// Writes what may change of a payee.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_payee(&mut self, record: &PayeeRecord) -> Result<(), StoreError>;

    /// Who is paid for each of these members on a date; members without payee are left out.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_payees(&mut self, members: &[MemberId], on: Date) -> Result<Vec<(MemberId, PayeeId)>, StoreError>;
}

/// The directory, to look up: each list by id, each row as the viewer may see it.
pub trait DirectoryQueries {
    /// Organisations.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_organisations(
        &mut self,
        filter: &OrganisationFilter,
        page: &PageRequest,
    ) -> Result<Page<OrganisationRecord>, StoreError>;

    /// One organisation.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_organisation(&mut self, id: OrganisationId) -> Result<Option<OrganisationRecord>, StoreError>;

    /// Contacts.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_contacts(&mut self, filter: &ContactFilter, page: &PageRequest) -> Result<Page<ContactRecord>, StoreError>;

    /// One contact.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_contact(&mut self, id: ContactId) -> Result<Option<ContactRecord>, StoreError>;

    /// Members.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_members(&mut self, filter: &MemberFilter, page: &PageRequest) -> Result<Page<MemberRecord>, StoreError>;

    /// One member.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_member(&mut self, id: MemberId) -> Result<Option<MemberRecord>, StoreError>;

    /// Everybody below a member, down to a level.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_downline(&mut self, top: MemberId, levels: i32, page: &PageRequest) -> Result<Page<Downline>, StoreError>;

    /// Payees.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_payees(&mut self, filter: &PayeeFilter, page: &PageRequest) -> Result<Page<PayeeRecord>, StoreError>;

    /// One payee.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_payee(&mut self, id: PayeeId) -> Result<Option<PayeeRecord>, StoreError>;

    /// The name of a contact, until it is erased.
    ///
    /// # Errors
    /// The failure of the store.
    fn contact_name(&mut self, contact: ContactId) -> Result<Option<String>, StoreError>;
}
