//! What a use case takes from its surroundings, gathered so that signatures stay short.

use crate::access::{Actor, Environment};
use crate::chain::checkpoint::TreeHead;
use crate::chain::signer::Signer;
use crate::kernel::Instant;
use crate::kernel::id::IdSource;
use crate::kernel::time::Randomness;

/// Time, identity, randomness and the platform's key, for one use case.
pub struct Env<'a> {
    /// This moment; the same for everything that one use case writes.
    pub now: Instant,
    /// Who does it: a user or an API client.
    pub actor: &'a Actor,
    /// New ids.
    pub ids: &'a dyn IdSource,
    /// Salts and lane secrets.
    pub randomness: &'a dyn Randomness,
    /// The name of the log.
    pub origin: &'a str,
    /// The key that seals and that signs for people without one.
    pub platform: &'a dyn Signer,
    /// The last published head: what statements say they have seen.
    pub seen: TreeHead,
    /// Live or sandbox.
    pub environment: Environment,
}

/// One command of a batch and who asks for it: a batch gathers what several callers ask at one moment.
#[derive(Debug)]
pub struct Asked<'a, C> {
    /// Who asks.
    pub actor: &'a Actor,
    /// For what.
    pub command: &'a C,
}

impl<C> Clone for Asked<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Asked<'_, C> {}

impl Env<'_> {
    /// 32 unpredictable bytes.
    #[must_use]
    pub fn draw(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.randomness.fill(&mut bytes);
        bytes
    }
}

/// Makes an [`Env`] for work that outlasts one moment: every batch of a job asks again, so that its rows
/// carry the time at which they were written.
pub trait Surroundings: Send + Sync {
    /// What a use case takes from its surroundings, as of now.
    fn env<'a>(&'a self, actor: &'a Actor) -> Env<'a>;

    /// Whether the process is about to end: long work stops after its present batch.
    fn is_ending(&self) -> bool {
        false
    }
}
