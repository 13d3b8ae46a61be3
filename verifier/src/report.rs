//! What a run of the guarantees found, as the platform signs it.
//!
//! The payload of a JWS with `typ` [`TYP`], in canonical JSON: counts are whole numbers, amounts are strings of minor
//! units. It names ids and leaf indexes only, never a person. [`Report::parse`] takes one spelling only, and no report
//! that contradicts itself: a promise holds exactly when it has no counterexample, the run exactly when all hold.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::checkpoint::TreeHead;
use crate::ids::GuaranteeRunId;
use crate::instant::Instant;
use crate::jcs;

/// `typ` of a signed report.
pub const TYP: &str = "flip360-guarantees+jws";
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

/// Why bytes are not a report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not the report of a run of the guarantees: {0}")]
pub struct ReportError(pub String);

impl Report {
    /// Reads the bytes.
    ///
    /// # Errors
    /// [`ReportError`], with the reason.
    pub fn parse(bytes: &[u8]) -> Result<Self, ReportError> {
        let refused = |why: String| ReportError(why);
        let report: Self = serde_json::from_slice(bytes).map_err(|e| refused(e.to_string()))?;
        if report.r#type != TYPE || report.v != VERSION {
            return Err(refused(format!("expected {TYPE} version {VERSION}")));
        }
        if jcs::to_bytes(&report).map_err(|e| refused(e.to_string()))? != bytes {
            return Err(refused("a member is not written as it must be".to_owned()));
        }
        report.contradiction().map_or(Ok(report), |why| Err(refused(why)))
    }

    /// What in it cannot be true together.
    fn contradiction(&self) -> Option<String> {
        let named: BTreeSet<Guarantee> = self.guarantees.iter().map(|result| result.guarantee).collect();
        if named.is_empty() || named.len() != self.guarantees.len() {
            return Some("it tells of each promise once, and of one at least".to_owned());
        }
        let odd = self.guarantees.iter().find(|result| !result.agrees());
        if let Some(result) = odd {
            return Some(format!("what it says of {} contradicts itself", result.guarantee.as_str()));
        }
        let all = self.guarantees.iter().all(|result| result.holds);
        (self.holds != all).then(|| "the run holds when each promise does, and only then".to_owned())
    }
}

impl GuaranteeResult {
    /// Whether verdict, count, examples and amounts fit each other.
    fn agrees(&self) -> bool {
        let shown = self.counterexamples.len() as u64;
        let whole = |text: &String| text.parse::<i64>().is_ok_and(|minor| minor.to_string() == *text);
        self.holds == (self.counterexample_count == 0)
            && shown <= self.counterexample_count
            && self.figures.values().all(whole)
    }
}
