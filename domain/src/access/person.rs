//! Who is one person: where two people must decide, a program counts as whoever holds its secret.
//!
//! Whoever makes an API client, gives it a new secret or registers a key for it is shown what it takes to act as
//! it, and so holds it: also once they have handed it on, since nobody can prove that they forgot it. The holder of
//! a holder holds it, too. Two names are one person when somebody holds both. Clients that were made before holders
//! were kept, at the first start or by hand on the machine have none: such a one is a person of its own.
//!
//! This is the one place that compares two people. Every use case that needs a second person asks it.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::Actor;
use crate::env::Env;
use crate::kernel::ids::ApiClientId;
use crate::store::{StoreError, UnitOfWork};

/// Users and API clients, each with everybody who holds it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Persons(BTreeMap<Uuid, BTreeSet<Uuid>>);

impl Persons {
    /// Looks up who holds these users and API clients.
    ///
    /// # Errors
    /// The failure of the store.
    pub fn among(uow: &mut dyn UnitOfWork, subjects: &[Uuid]) -> Result<Self, StoreError> {
        Ok(Self::restore(uow.access().list_holders(subjects)?))
    }

    /// Pairs of a user or API client and one who holds it, however far removed.
    #[must_use]
    pub fn restore(held: impl IntoIterator<Item = (Uuid, Uuid)>) -> Self {
        let mut persons = Self::default();
        for (subject, holder) in held {
            persons.0.entry(subject).or_default().insert(holder);
        }
        persons
    }

    /// Whether both are one person.
    #[must_use]
    pub fn are_one(&self, one: Uuid, other: Uuid) -> bool {
        let (left, right) = (self.names_of(one), self.names_of(other));
        left.intersection(&right).next().is_some()
    }

    /// Itself and everybody who holds it.
    fn names_of(&self, subject: Uuid) -> BTreeSet<Uuid> {
        let mut names = self.0.get(&subject).cloned().unwrap_or_default();
        names.insert(subject);
        names
    }
}

/// Keeps that the actor was shown what it takes to act as an API client. The service itself holds nothing.
///
/// # Errors
/// The failure of the store.
pub(super) fn hold(uow: &mut dyn UnitOfWork, env: &Env<'_>, client: ApiClientId) -> Result<(), StoreError> {
    if env.actor.id == Actor::service().id {
        return Ok(());
    }
    uow.access().insert_holder(client, env.actor.id, env.now)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    #[test]
    fn a_program_is_whoever_holds_it_and_two_of_one_holder_are_one() {
        // 1 holds 10, 10 holds 100; 1 and 2 hold 20; 3 holds 30.
        let held = [(10, 1), (100, 10), (100, 1), (20, 1), (20, 2), (30, 3)];
        let persons = Persons::restore(held.map(|(subject, holder)| (id(subject), id(holder))));
        for (one, other) in [(1, 1), (1, 10), (100, 1), (100, 10), (10, 20), (100, 20), (2, 20), (7, 7)] {
            assert!(persons.are_one(id(one), id(other)) && persons.are_one(id(other), id(one)), "{one} {other}");
        }
        for (one, other) in [(1, 2), (2, 10), (3, 10), (30, 20), (30, 100), (7, 8), (7, 30)] {
            assert!(!persons.are_one(id(one), id(other)) && !persons.are_one(id(other), id(one)), "{one} {other}");
        }
    }
}
