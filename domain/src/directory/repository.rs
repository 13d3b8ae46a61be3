//! The ports of the directory.

use jiff::civil::Date;

use super::{Contact, Member, Organisation, Payee, PayeeMapping};
use crate::kernel::Instant;
use crate::kernel::ids::{ContactId, MemberId, OrganisationId, PayeeId};
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
    /// Who stands directly above.
    pub upline: Option<MemberId>,
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

    /// Who is paid for each of these members on a date; members without payee are left out.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_payees(&mut self, members: &[MemberId], on: Date) -> Result<Vec<(MemberId, PayeeId)>, StoreError>;
}

/// The directory, to look up.
pub trait DirectoryQueries {
    /// The name of a contact, until it is erased.
    ///
    /// # Errors
    /// The failure of the store.
    fn contact_name(&mut self, contact: ContactId) -> Result<Option<String>, StoreError>;
}
