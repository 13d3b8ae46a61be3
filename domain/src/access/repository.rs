//! The ports of access.

use super::client::{ApiClient, ClientCredentials};
use super::secret::PasswordHash;
use super::user::{Attempts, User, UserCredentials};
use crate::directory::Email;
use crate::kernel::ids::{ApiClientId, MemberId, OrganisationId, UserId};
use crate::kernel::{Digest, Page, PageRequest};
use crate::store::StoreError;

/// Users and API clients, inside a transaction.
pub trait AccessRepository {
    /// Whether the organisation exists and the member, if one is named, is a member of it.
    ///
    /// # Errors
    /// The failure of the store.
    fn belongs(&mut self, organisation: OrganisationId, member: Option<MemberId>) -> Result<bool, StoreError>;

    /// Whether any API client exists; nobody else can make the first one until this transaction ends.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_first_client(&mut self) -> Result<bool, StoreError>;

    /// Keeps a new API client.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_client(&mut self, client: &ApiClient, secret_sha256: &Digest) -> Result<(), StoreError>;

    /// An API client with the digest of its secret.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_client(&mut self, id: ApiClientId) -> Result<Option<ClientCredentials>, StoreError>;

    /// The same, locked until the transaction ends.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_client(&mut self, id: ApiClientId) -> Result<Option<ClientCredentials>, StoreError>;

    /// Writes what may change of an API client: its secret, whether it is revoked, its version.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_client(&mut self, client: &ClientCredentials) -> Result<(), StoreError>;

    /// Keeps a new user and its address.
    ///
    /// # Errors
    /// `personal_data_user_email` when another user has the address.
    fn insert_user(&mut self, user: &User, email: &Email, password: &PasswordHash) -> Result<(), StoreError>;

    /// The user with an id.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_user(&mut self, id: UserId) -> Result<Option<User>, StoreError>;

    /// The user with an address, in whatever letter case.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_user_by_email(&mut self, email: &Email) -> Result<Option<UserCredentials>, StoreError>;

    /// The failures of a user, locked until the transaction ends.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_attempts(&mut self, id: UserId) -> Result<Attempts, StoreError>;

    /// Writes the failures of a user.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_attempts(&mut self, id: UserId, attempts: &Attempts) -> Result<(), StoreError>;
}

/// Users and API clients, to look up.
pub trait AccessQueries {
    /// API clients, oldest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_clients(&mut self, page: &PageRequest) -> Result<Page<ApiClient>, StoreError>;

    /// Users, oldest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_users(&mut self, page: &PageRequest) -> Result<Page<User>, StoreError>;
}
