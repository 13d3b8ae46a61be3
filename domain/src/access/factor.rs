//! How somebody proved who they are (RFC 8176), and what they may not do without a second factor.
//!
//! Scopes that move money are withheld from a person's token unless its login had a second factor. Programs
//! have none: their secret or key is kept by a machine.

use std::collections::BTreeSet;

use super::standing::Subject;
use super::{Actor, Scope};

/// One way of proving who one is, as the `amr` of a token names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// A password.
    Password,
    /// A one-time code.
    OneTimeCode,
    /// More than one factor, as an outside issuer says.
    ManyFactors,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 3] = [Self::Password, Self::OneTimeCode, Self::ManyFactors];

    /// As tokens carry it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "pwd",
            Self::OneTimeCode => "otp",
            Self::ManyFactors => "mfa",
        }
    }

    /// Reads a method; `None` when it is none of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == text)
    }
}

/// Every way in which one login proved who it is; none for programs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Methods(pub BTreeSet<Method>);

impl Methods {
    /// A password alone.
    #[must_use]
    pub fn password() -> Self {
        Self(BTreeSet::from([Method::Password]))
    }

    /// With another one.
    #[must_use]
    pub fn and(mut self, method: Method) -> Self {
        self.0.insert(method);
        self
    }

    /// Reads names; those that are none of ours are dropped.
    #[must_use]
    pub fn restore<S: AsRef<str>>(names: &[S]) -> Self {
        Self(names.iter().filter_map(|name| Method::parse(name.as_ref())).collect())
    }

    /// The names.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|method| method.as_str()).collect()
    }

    /// Whether there was a second factor.
    #[must_use]
    pub fn had_second_factor(&self) -> bool {
        self.0.contains(&Method::OneTimeCode) || self.0.contains(&Method::ManyFactors)
    }

    /// Which of these scopes somebody who logged in like this does not get.
    #[must_use]
    pub fn withheld(&self, subject: Subject, scopes: &BTreeSet<Scope>) -> BTreeSet<Scope> {
        let person = matches!(subject, Subject::User(_));
        let withholds = |scope: &&Scope| person && !self.had_second_factor() && scope.moves_money();
        scopes.iter().filter(withholds).copied().collect()
    }

    /// The actor without what is withheld.
    #[must_use]
    pub fn allow(&self, subject: Subject, mut actor: Actor) -> Actor {
        for scope in self.withheld(subject, &actor.scopes) {
            actor.scopes.remove(&scope);
        }
        actor
    }
}
