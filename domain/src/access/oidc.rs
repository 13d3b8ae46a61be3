//! Outside issuers (OpenID Connect) and whom they vouch for. The login by them is in [`super::outside`].
//!
//! Invariants: an issuer of an organisation is linked to that organisation's people only, one of none to staff
//! only; whoever links somebody has all scopes of that user, since the issuer can then log in as them. The
//! name under which an issuer knows somebody is kept as a digest. Bounds: [`MAX_ISSUERS`], [`MAX_TEXT`].

use super::error::AccessError;
use super::session::{LONGEST_TOKEN_SECONDS, later};
use super::standing::Standing;
use super::{Role, Scope};
use crate::directory::{optional, required};
use crate::env::Env;
use crate::events::{EventKind, record_changed};
use crate::kernel::fault::Reason;
use crate::kernel::ids::{OidcIssuerId, OrganisationId};
use crate::kernel::{Digest, Faults, Instant};
use crate::store::{StoreError, UnitOfWork};
use crate::webhooks::Targets;

/// Issuers at most.
pub const MAX_ISSUERS: i64 = 200;
/// The longest audience or subject, in bytes (OpenID Connect Core 2).
pub const MAX_TEXT: usize = 255;

/// An issuer as it names itself: compared byte for byte, never changed on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerUrl(String);

impl IssuerUrl {
    /// An address that was checked when it was kept.
    #[must_use]
    pub fn restore(text: String) -> Self {
        Self(text)
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where its metadata lie (OpenID Connect Discovery 4).
    #[must_use]
    pub fn discovery(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.0.trim_end_matches('/'))
    }
}

/// An outside issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcIssuer {
    /// Its id.
    pub id: OidcIssuerId,
    /// How it names itself.
    pub issuer: IssuerUrl,
    /// How it names us: the client id that it gave us.
    pub audience: String,
    /// Whose people it vouches for; none for staff.
    pub organisation: Option<OrganisationId>,
    /// When it was registered.
    pub created_at: Instant,
}

impl OidcIssuer {
    /// An issuer never changes: it has one version.
    pub const VERSION: i32 = 1;
}

/// Under which name an issuer knows a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OidcLink {
    /// The issuer.
    pub issuer: OidcIssuerId,
    /// The digest of the name.
    pub subject: Digest,
}

impl OidcLink {
    /// The link of a name.
    #[must_use]
    pub fn new(issuer: OidcIssuerId, subject: &str) -> Self {
        Self { issuer, subject: Digest::of_parts(&[issuer.uuid().as_bytes(), subject.as_bytes()]) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must have at most {MAX_TEXT} printable ASCII characters, without blanks")]
struct TextError;

impl Reason for TextError {
    fn code(&self) -> &'static str {
        "invalid_value"
    }
}

/// Names that parties of OpenID Connect give each other.
fn name(text: &str) -> Result<String, TextError> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    if plain && text.len() <= MAX_TEXT { Ok(text.to_owned()) } else { Err(TextError) }
}

/// A link that a request names, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OidcLinkInput {
    /// `/oidc/issuer_id`
    pub issuer_id: Option<String>,
    /// `/oidc/subject`
    pub subject: Option<String>,
}

impl OidcLink {
    /// Reads a link, recording every fault.
    pub fn parse(raw: &OidcLinkInput, faults: &mut Faults) -> Option<Self> {
        let issuer = required(faults, "/oidc/issuer_id", raw.issuer_id.as_deref(), OidcIssuerId::parse);
        let subject = required(faults, "/oidc/subject", raw.subject.as_deref(), name);
        Some(Self::new(issuer?, &subject?))
    }
}

/// A request to register an issuer, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateOidcIssuerInput {
    /// `/issuer`
    pub issuer: Option<String>,
    /// `/audience`
    pub audience: Option<String>,
    /// `/organisation_id`
    pub organisation_id: Option<String>,
}

/// A valid request to register an issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateOidcIssuer {
    issuer: IssuerUrl,
    audience: String,
    organisation: Option<OrganisationId>,
}

impl CreateOidcIssuer {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &CreateOidcIssuerInput, targets: &dyn Targets) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        // What the check makes of it is not kept: an issuer is compared as it is written.
        let checked = |text: &str| targets.check(text).map(|_| IssuerUrl(text.to_owned()));
        let issuer = required(&mut faults, "/issuer", raw.issuer.as_deref(), checked);
        if issuer.as_ref().is_some_and(|issuer| issuer.0.contains('?') || issuer.0.len() > MAX_TEXT) {
            faults.push("/issuer", "invalid_url", "an issuer has no query and at most 255 characters");
        }
        let audience = required(&mut faults, "/audience", raw.audience.as_deref(), name);
        let organisation =
            optional(&mut faults, "/organisation_id", raw.organisation_id.as_deref(), OrganisationId::parse);
        match (issuer, audience, organisation) {
            (Some(issuer), Some(audience), Some(organisation)) if faults.0.is_empty() => {
                Ok(Self { issuer, audience, organisation })
            }
            _ => Err(faults),
        }
    }
}

/// Registers an issuer. Nobody can log in by it until they are linked to it.
///
/// # Errors
/// See [`AccessError`].
pub fn create_issuer(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    command: &CreateOidcIssuer,
) -> Result<OidcIssuer, AccessError> {
    env.actor.require(Scope::AccessAdmin)?;
    if let Some(organisation) = command.organisation
        && !(env.actor.acts_for(organisation) && uow.access().belongs(organisation, None)?)
    {
        let mut faults = Faults::default();
        faults.push("/organisation_id", "not_found", "there is no such organisation");
        return Err(AccessError::Invalid(faults));
    }
    if uow.issuers().count_issuers()? >= MAX_ISSUERS {
        return Err(AccessError::TooManyIssuers);
    }
    let CreateOidcIssuer { issuer, audience, organisation } = command.clone();
    let id = OidcIssuerId::new(env.ids.next());
    let made = OidcIssuer { id, issuer, audience, organisation, created_at: env.now };
    match uow.issuers().insert_issuer(&made) {
        Err(StoreError::Violates(rule)) if rule == "oidc_issuer_taken" => return Err(AccessError::IssuerTaken),
        kept => kept?,
    }
    issuer_changed(uow, env, EventKind::OidcIssuerCreated, &made)?;
    Ok(made)
}

/// Forgets an issuer: nobody is linked to it any more, and whoever was loses sessions and tokens.
///
/// # Errors
/// See [`AccessError`].
pub fn delete_issuer(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    id: OidcIssuerId,
    version: i32,
) -> Result<OidcIssuer, AccessError> {
    env.actor.require(Scope::AccessAdmin)?;
    let found = uow.issuers().lock_issuer(id)?.ok_or(AccessError::NotFound)?;
    if version != OidcIssuer::VERSION {
        return Err(AccessError::Stale);
    }
    // Whoever has fewer scopes does not lock out somebody with more.
    for role in uow.issuers().roles_linked(id)? {
        role.scopes().iter().try_for_each(|scope| env.actor.require(*scope))?;
    }
    let until = later(env.now, LONGEST_TOKEN_SECONDS + 60);
    uow.issuers().unlink_everybody(id, until.ok_or_else(|| StoreError::Violates("value_out_of_range".into()))?)?;
    uow.issuers().delete_issuer(id)?;
    issuer_changed(uow, env, EventKind::OidcIssuerDeleted, &found)?;
    Ok(found)
}

fn issuer_changed(
    uow: &mut dyn UnitOfWork,
    env: &Env<'_>,
    kind: EventKind,
    issuer: &OidcIssuer,
) -> Result<(), StoreError> {
    let seen: Vec<uuid::Uuid> = issuer.organisation.map(OrganisationId::uuid).into_iter().collect();
    record_changed(uow, env, kind, (&issuer.id, issuer.id.uuid()), None, &seen)
}

/// Refuses a link that does not fit what its user is.
pub(super) fn may_link(
    uow: &mut dyn UnitOfWork,
    link: Option<&OidcLink>,
    standing: &Standing,
) -> Result<(), AccessError> {
    let Some(link) = link else { return Ok(()) };
    let mut faults = Faults::default();
    match uow.issuers().find_issuer(link.issuer)? {
        None => faults.push("/oidc/issuer_id", "not_found", "there is no such issuer"),
        Some(issuer) if issuer.organisation != standing.organisation() => {
            let what = "an issuer vouches for the people of its organisation only, one of none for staff only";
            faults.push("/oidc/issuer_id", "other_organisation", what);
        }
        Some(_) => {}
    }
    faults.check().map_err(AccessError::Invalid)
}

/// Outside issuers and whom they vouch for, inside a transaction.
pub trait IssuerRepository {
    /// How many there are; nobody else adds one until the transaction ends.
    ///
    /// # Errors
    /// The failure of the store.
    fn count_issuers(&mut self) -> Result<i64, StoreError>;

    /// Keeps an issuer.
    ///
    /// # Errors
    /// `oidc_issuer_taken` when it is known under this audience.
    fn insert_issuer(&mut self, issuer: &OidcIssuer) -> Result<(), StoreError>;

    /// One issuer; nobody forgets it until the transaction ends.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_issuer(&mut self, id: OidcIssuerId) -> Result<Option<OidcIssuer>, StoreError>;

    /// One issuer that is to go; nobody is linked to it until the transaction ends.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_issuer(&mut self, id: OidcIssuerId) -> Result<Option<OidcIssuer>, StoreError>;

    /// Those that name themselves so.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_issuers(&mut self, issuer: &str) -> Result<Vec<OidcIssuer>, StoreError>;

    /// Forgets an issuer to which nobody is linked.
    ///
    /// # Errors
    /// The failure of the store.
    fn delete_issuer(&mut self, id: OidcIssuerId) -> Result<(), StoreError>;

    /// The roles of those who are linked to an issuer.
    ///
    /// # Errors
    /// The failure of the store.
    fn roles_linked(&mut self, id: OidcIssuerId) -> Result<Vec<Role>, StoreError>;

    /// Takes every link to an issuer away; those users get another version, and their tokens end.
    ///
    /// # Errors
    /// The failure of the store.
    fn unlink_everybody(&mut self, id: OidcIssuerId, until: Instant) -> Result<(), StoreError>;

    /// The user whom an issuer knows under a name.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_linked(&mut self, link: &OidcLink) -> Result<Option<super::User>, StoreError>;
}
