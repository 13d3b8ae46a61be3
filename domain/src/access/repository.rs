//! The ports of access.

use uuid::Uuid;

use super::client::{ApiClient, ClientCredentials};
use super::client_key::ApiClientKey;
use super::oidc::OidcIssuer;
use super::secret::PasswordHash;
use super::standing::Standing;
use super::user::{Attempts, User, UserCredentials};
use crate::directory::Email;
use crate::kernel::ids::{ApiClientId, MemberId, OrganisationId, UserId};
use crate::kernel::{Digest, Instant, Page, PageRequest};
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

    /// Keeps that somebody was shown what it takes to act as an API client; once is enough.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_holder(&mut self, client: ApiClientId, holder: Uuid, at: Instant) -> Result<(), StoreError>;

    /// Who holds these users and API clients, with the holders of holders: pairs of one that was asked for and
    /// one who holds it.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_holders(&mut self, subjects: &[Uuid]) -> Result<Vec<(Uuid, Uuid)>, StoreError>;

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

    /// Whether the organisation or the member that somebody acts for is suspended.
    ///
    /// # Errors
    /// The failure of the store.
    fn is_suspended(&mut self, standing: &Standing) -> Result<bool, StoreError>;

    /// A user with its credentials, locked until the transaction ends.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_user(&mut self, id: UserId) -> Result<Option<UserCredentials>, StoreError>;

    /// Writes what may change of a user: standing, password, whether it is disabled, its version.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_user(&mut self, user: &UserCredentials) -> Result<(), StoreError>;

    /// Takes a user's address away.
    ///
    /// # Errors
    /// The failure of the store.
    fn erase_address(&mut self, id: UserId) -> Result<(), StoreError>;

    /// Takes away what people call an API client.
    ///
    /// # Errors
    /// The failure of the store.
    fn erase_client_name(&mut self, id: ApiClientId) -> Result<(), StoreError>;

    /// Whether an administrator other than this user or API client may act; until the transaction ends nobody
    /// else takes one away.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_other_administrator(&mut self, than: Uuid) -> Result<bool, StoreError>;

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

    /// The public keys of an API client, oldest first; `None` when there is no such client.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_client_keys(
        &mut self,
        client: ApiClientId,
        page: &PageRequest,
    ) -> Result<Option<Page<ApiClientKey>>, StoreError>;

    /// Outside issuers, oldest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_issuers(&mut self, page: &PageRequest) -> Result<Page<OidcIssuer>, StoreError>;

    /// Users, oldest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_users(&mut self, page: &PageRequest) -> Result<Page<User>, StoreError>;

    /// One user.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_user(&mut self, id: UserId) -> Result<Option<User>, StoreError>;

    /// Whose tokens are refused now: a user, an API client or a single token with the version below which its
    /// tokens are; a suspended organisation or member with the largest one.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_revoked(&mut self, now: Instant) -> Result<Vec<(Uuid, i32)>, StoreError>;
}
