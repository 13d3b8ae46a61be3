//! The witnesses of the log, as this process asks them: who they are, how each of them stands, whether the log may be signed.
//!
//! Only the process that signs the log asks ([`Witnessing::take_turn`]). Before it signs anything it asks every witness
//! what it has seen: a quorum must have agreed that the log extends that, and nobody may have seen more or something else
//! ([`Clearance`]). The high-water file guards against the same, but whoever restores a machine restores it too.
//! Afterwards each signed checkpoint goes to all of them ([`rounds`]); none of it is in the way of the sequencer.
//! Witnesses are the operator's settings, so the wall around hosts that others name does not stand here; redirects are
//! not followed, and time, size and number of requests are bounded all the same.

mod exchange;
pub mod rounds;
mod standing;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::chain::policy::Policy;
use domain::chain::witness::file::Witnesses;
use integrations::outbound::Outbound;
use tokio::sync::Notify;

pub use standing::{KeptStanding, Standing};

/// In the data directory: how each witness answered last.
pub const STATUS_FILE: &str = "witnesses.json";

/// Whether the log may be signed, as far as its witnesses go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clearance {
    /// It may.
    Cleared,
    /// Too few have been heard since this process began to sign.
    Waiting {
        /// How many agreed.
        heard: usize,
        /// How many must.
        quorum: usize,
    },
    /// A witness has seen what this log does not extend: why, and what to do.
    Refused(String),
}

/// The witnesses of one log.
#[derive(Default)]
pub struct Witnessing {
    witnesses: Witnesses,
    outbound: Option<Outbound>,
    standings: Mutex<Vec<Standing>>,
    ours: AtomicBool,
    wanted: Notify,
    status_file: Option<PathBuf>,
    told: Mutex<Vec<u8>>,
}

impl Witnessing {
    /// Asks these witnesses through this client, and tells in a file how they stand.
    #[must_use]
    pub fn new(witnesses: Witnesses, outbound: Outbound, status_file: Option<PathBuf>) -> Self {
        let standings = witnesses.policy.witnesses().iter().map(|_| Standing::default()).collect();
        Self { outbound: Some(outbound), standings: Mutex::new(standings), status_file, witnesses, ..Self::default() }
    }

    /// Whose cosignatures count, and how many there must be.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.witnesses.policy
    }

    /// Whether a checkpoint is published only when witnesses have cosigned it.
    #[must_use]
    pub const fn holds_back(&self) -> bool {
        self.witnesses.policy.quorum() > 0
    }

    /// Whether this process signs the log, and so asks the witnesses. Who begins to asks all of them anew.
    pub fn take_turn(&self, ours: bool) {
        if self.ours.swap(ours, Ordering::AcqRel) != ours {
            self.standings().iter_mut().for_each(Standing::begin_again);
            self.wake();
        }
    }

    /// A checkpoint was signed, or the process ends.
    pub fn wake(&self) {
        self.wanted.notify_one();
    }

    fn is_ours(&self) -> bool {
        self.ours.load(Ordering::Acquire)
    }

    fn standings(&self) -> MutexGuard<'_, Vec<Standing>> {
        self.standings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the log may be signed.
    #[must_use]
    pub fn clearance(&self) -> Clearance {
        let standings = self.standings();
        if let Some(why) = standings.iter().find_map(|standing| standing.refusal.clone()) {
            return Clearance::Refused(why);
        }
        let (heard, quorum) = (standings.iter().filter(|s| s.heard).count(), self.policy().quorum());
        let asked = standings.iter().all(|standing| standing.tried);
        if (quorum > 0 && heard >= quorum) || (quorum == 0 && asked) {
            Clearance::Cleared
        } else {
            Clearance::Waiting { heard, quorum }
        }
    }

    /// Figures for Prometheus, with the number of pieces of evidence that there are.
    #[must_use]
    pub fn prometheus(&self, evidence: u64) -> String {
        let names = self.policy().witnesses().iter().map(domain::chain::cosignature::WitnessKey::name);
        standing::prometheus(names, &self.standings(), evidence)
    }
}
