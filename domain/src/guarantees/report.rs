//! What a run of the guarantees found.
//!
//! Canonical JSON: counts are whole numbers, amounts are strings of minor units. It names ids and
//! leaf indexes only, never a person.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::chain::checkpoint::TreeHead;
use crate::kernel::Instant;
use crate::kernel::ids::GuaranteeRunId;

/// `type` of every report.
pub const TYPE: &str = "guarantee_run";
/// The version of every report so far.
pub const VERSION: u8 = 1;

/// A promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Guarantee {
    /// Every accrued cent traces to a signed and logged handshake.
    Attribution,
    /// Every calculation comes to the same again.
    Determinism,
    /// Entries balance, nothing is missing, hashes and the log recompute.
    Integrity,
    /// Nothing was accrued or paid twice.
    ExactlyOnce,
    /// What was paid is what the ledger says.
    Payout,
}

impl Guarantee {
    /// Every one that is checked.
    pub const ALL: [Self; 5] = [Self::Attribution, Self::Determinism, Self::Integrity, Self::ExactlyOnce, Self::Payout];

    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Attribution => "attribution",
            Self::Determinism => "determinism",
            Self::Integrity => "integrity",
            Self::ExactlyOnce => "exactly_once",
            Self::Payout => "payout",
        }
    }

    /// What it promises.
    #[must_use]
    pub const fn promise(self) -> &'static str {
        match self {
            Self::Attribution => {
                "Every accrued cent traces to a handshake whose signatures verify and whose leaves are under a published checkpoint."
            }
            Self::Determinism => "Every calculation, run again from its stored input, comes to the same digest.",
            Self::Integrity => {
                "Every entry balances, the sequence has no gap, balances equal postings, hashes and the log recompute, each checkpoint extends the one before."
            }
            Self::ExactlyOnce => "No fact is accrued twice, no line is paid twice.",
            Self::Payout => "What was paid equals what the ledger owed, and the bank file says the same.",
        }
    }
}

/// Something that should not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counterexample {
    /// A stable reason.
    pub code: String,
    /// In words.
    pub detail: String,
    /// What it is about: an id, or `leaf N`, `entry N`, `checkpoint N`.
    pub id: String,
}

/// What was found of one promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GuaranteeResult {
    /// All counterexamples.
    pub counterexample_count: u64,
    /// The first of them.
    pub counterexamples: Vec<Counterexample>,
    /// How much was looked at.
    pub coverage: BTreeMap<String, u64>,
    /// Amounts, in minor units.
    pub figures: BTreeMap<String, String>,
    /// Which promise.
    pub guarantee: Guarantee,
    /// Whether it holds.
    pub holds: bool,
}

/// A whole run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// The newest signed checkpoint; none when nothing was signed yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<TreeHead>,
    /// One for each promise.
    pub guarantees: Vec<GuaranteeResult>,
    /// Whether all hold.
    pub holds: bool,
    /// The run.
    pub id: GuaranteeRunId,
    /// The key that signs the report.
    pub kid: String,
    /// The last ledger entry that it covers.
    pub ledger_seq: u64,
    /// The name of the log.
    pub log: String,
    /// When.
    pub taken_at: Instant,
    /// [`TYPE`].
    pub r#type: String,
    /// [`VERSION`].
    pub v: u8,
}
