//! Embed tokens: a partner's program lets a member's browser read as that member, for a short while.
//!
//! Invariants: read-only, never more than the member's role or than whoever asks has, for a member of one's own
//! organisation only. It ends with the version of whoever asked for it, and never reaches their account.
//! Bounds: [`SHORTEST_SECONDS`] to [`LONGEST_TOKEN_SECONDS`].

use std::collections::BTreeSet;

use super::error::AccessError;
use super::session::LONGEST_TOKEN_SECONDS;
use super::standing::Standing;
use super::{Actor, Role, Scope};
use crate::directory::required;
use crate::env::Env;
use crate::kernel::Faults;
use crate::kernel::fault::Reason;
use crate::kernel::ids::MemberId;
use crate::store::{StoreError, UnitOfWork};

/// No embed token is shorter.
pub const SHORTEST_SECONDS: i64 = 60;
/// How long one is good when nothing is said.
pub const DEFAULT_SECONDS: i64 = 900;

/// Where a browser loaded the page from (RFC 6454): scheme, host and port, as the `Origin` header says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebOrigin(String);

/// Why an origin is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an origin such as https://portal.example: lower case, without a path; http only on localhost")]
pub struct OriginError;

impl Reason for OriginError {
    fn code(&self) -> &'static str {
        "invalid_origin"
    }
}

impl WebOrigin {
    /// Reads an origin as browsers write it.
    ///
    /// # Errors
    /// [`OriginError`].
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        let (scheme, authority) = text.split_once("://").ok_or(OriginError)?;
        let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        let local = host == "localhost" || host == "127.0.0.1";
        let port_is_good = port.is_none_or(|port| !port.starts_with(['0', '+']) && port.parse::<u16>().is_ok());
        let host_is_good = !host.is_empty() && host.len() <= 253 && host.chars().all(plain);
        let scheme_is_good = scheme == "https" || (scheme == "http" && local);
        if scheme_is_good && host_is_good && port_is_good { Ok(Self(text.to_owned())) } else { Err(OriginError) }
    }

    /// As the `Origin` header says it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A request for an embed token, unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateEmbedTokenInput {
    /// `/member_id`
    pub member_id: Option<String>,
    /// `/scopes`
    pub scopes: Option<Vec<String>>,
    /// `/origin`
    pub origin: Option<String>,
    /// `/expires_in`
    pub expires_in: Option<i64>,
}

/// A valid request for an embed token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateEmbedToken {
    /// As whom.
    pub member: MemberId,
    /// To read what.
    pub scopes: BTreeSet<Scope>,
    /// Where from, when it is bound.
    pub origin: Option<WebOrigin>,
    /// For how long, in seconds.
    pub expires_in: i64,
}

impl CreateEmbedToken {
    /// Checks every field.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(raw: &CreateEmbedTokenInput) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let member = required(&mut faults, "/member_id", raw.member_id.as_deref(), MemberId::parse);
        let scopes = scopes(&mut faults, raw.scopes.as_deref());
        let origin = raw.origin.as_deref().map(|text| faults.keep("/origin", WebOrigin::parse(text)));
        let expires_in = raw.expires_in.unwrap_or(DEFAULT_SECONDS);
        if !(SHORTEST_SECONDS..=LONGEST_TOKEN_SECONDS).contains(&expires_in) {
            faults.push("/expires_in", "out_of_range", "must be from 60 to 3600 seconds");
        }
        faults.check()?;
        let missing = || {
            let mut faults = Faults::default();
            faults.push("/member_id", "required", "this field is required");
            faults
        };
        Ok(Self { member: member.ok_or_else(missing)?, scopes, origin: origin.flatten(), expires_in })
    }
}

/// The scopes that only read and that members have.
fn scopes(faults: &mut Faults, raw: Option<&[String]>) -> BTreeSet<Scope> {
    let mut scopes = BTreeSet::new();
    if raw.is_none_or(<[String]>::is_empty) {
        faults.push("/scopes", "required", "at least one scope is needed");
    }
    for (n, name) in raw.unwrap_or_default().iter().enumerate() {
        let readable = |scope: &Scope| Role::Member.scopes().contains(scope) && scope.as_str().ends_with(":read");
        match Scope::parse(name).filter(readable) {
            Some(scope) => drop(scopes.insert(scope)),
            None => faults.push(format!("/scopes/{n}"), "unknown_value", "no scope of a member that only reads"),
        }
    }
    scopes
}

/// The member that a browser is to read as.
///
/// # Errors
/// A scope that the actor does not have itself; a member that is not its own, or suspended, is a fault of the input.
pub fn embed(uow: &mut dyn UnitOfWork, env: &Env<'_>, command: &CreateEmbedToken) -> Result<Actor, AccessError> {
    env.actor.require(Scope::DirectoryWrite)?;
    command.scopes.iter().try_for_each(|scope| env.actor.require(*scope))?;
    let found = uow.parties().find_members_by_id(&[command.member])?.into_iter().next();
    let Some(organisation) = found.map(|member| member.organisation).filter(|id| env.actor.acts_for(*id)) else {
        let mut faults = Faults::default();
        faults.push("/member_id", "not_found", "there is no such member, or it is not yours");
        return Err(AccessError::Invalid(faults));
    };
    let roles = BTreeSet::from([Role::Member]);
    let standing = Standing::try_new(roles, Some(organisation), Some(command.member))
        .map_err(|_| StoreError::Failed("a member without a standing".into()))?;
    if uow.access().is_suspended(&standing)? {
        let mut faults = Faults::default();
        faults.push("/member_id", "suspended", "the member, or its organisation, is suspended");
        return Err(AccessError::Invalid(faults));
    }
    Ok(standing.actor(env.actor.id, Some(&command.scopes))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_those_that_browsers_send() {
        for good in ["https://a.example", "https://a.example:8443", "http://localhost:3000", "http://127.0.0.1"] {
            assert!(WebOrigin::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "null",
            "*",
            "https://",
            "https://A.example",
            "https://a.example/",
            "https://a.example:0",
            "http://a.example",
            "https://a.example:99999",
            "https://u@a.example",
            "https://a.example:443:1",
            "ftp://a.example",
            "https://a b",
        ] {
            assert!(WebOrigin::parse(bad).is_err(), "{bad}");
        }
    }
}
