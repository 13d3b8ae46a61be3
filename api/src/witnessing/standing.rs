//! How one witness stands: what it cosigned last, since when it fails, whether it refuses.
//!
//! Bounds: a failure is tried again after [`FIRST`], then after twice as long each time, at most [`LONGEST`].

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use domain::kernel::Instant;
use serde::{Deserialize, Serialize};
use tokio::time::Instant as Tick;

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(60);

/// How one witness stands, in memory.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Whether it agreed since this process began to sign.
    pub(super) heard: bool,
    /// Whether it was asked at all since then.
    pub(super) tried: bool,
    /// Whether it is being asked.
    pub(super) busy: bool,
    /// The size that it cosigned last.
    pub(super) size: Option<u64>,
    /// Why the log must not be signed.
    pub(super) refusal: Option<String>,
    failing: Option<(&'static str, Instant)>,
    tries: u32,
    due: Option<Tick>,
    cosignatures: u64,
    failures: BTreeMap<&'static str, u64>,
}

/// How one witness stood, as the file tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptStanding {
    /// Its name.
    pub witness: String,
    /// Why it does not cosign, a stable word.
    pub failing: Option<String>,
    /// Since when.
    pub since: Option<Instant>,
    /// Why the log must not be signed.
    pub refusal: Option<String>,
}

impl Standing {
    /// Another one may have signed meanwhile: it is to be asked before anything is signed.
    pub(super) fn begin_again(&mut self) {
        (self.heard, self.tried, self.size) = (false, false, None);
        self.due = None;
    }

    /// Whether it can be asked now.
    pub(super) fn is_free(&self) -> bool {
        !self.busy && self.due.is_none_or(|due| due <= Tick::now())
    }

    /// When it is to be asked again.
    pub(super) fn due(&self) -> Option<Tick> {
        self.due.filter(|_| !self.busy)
    }

    /// It went back behind what it cosigned: it has not agreed to anything.
    pub(super) fn discredited(&mut self) {
        self.heard = false;
    }

    /// It cosigned; a checkpoint that is kept, of this size. Whether that counts.
    pub(super) fn agreed(&mut self, size: Option<u64>, counts: bool) {
        (self.heard, self.tried, self.busy) = (counts, true, false);
        (self.refusal, self.failing, self.due, self.tries) = (None, None, None, 0);
        self.size = size;
        self.cosignatures += u64::from(size.is_some());
    }

    /// It did not.
    pub(super) fn failed(&mut self, code: &'static str, refusal: Option<String>, now: Instant) {
        (self.tried, self.busy) = (true, false);
        self.refusal = refusal.or_else(|| self.refusal.take());
        *self.failures.entry(code).or_default() += 1;
        let since = self.failing.map_or(now, |(_, since)| since);
        self.failing = Some((code, since));
        self.due = Some(Tick::now() + FIRST.saturating_mul(1 << self.tries.min(16)).min(LONGEST));
        self.tries = self.tries.saturating_add(1);
    }

    /// As the file tells it.
    pub(super) fn kept(&self, name: &str) -> KeptStanding {
        KeptStanding {
            witness: name.to_owned(),
            failing: self.failing.map(|(code, _)| code.to_owned()),
            since: self.failing.map(|(_, since)| since),
            refusal: self.refusal.clone(),
        }
    }
}

/// The text that Prometheus reads (exposition format 0.0.4).
pub(super) fn prometheus<'n>(names: impl Iterator<Item = &'n str>, standings: &[Standing], evidence: u64) -> String {
    let mut text = String::new();
    // Writing to a text cannot fail.
    let _ = writeln!(
        text,
        "# HELP flip360_chain_evidence_total Refusals of witnesses that are kept as evidence: any is an alarm.\n# TYPE flip360_chain_evidence_total counter\nflip360_chain_evidence_total {evidence}"
    );
    let (mut cosignatures, mut failures, mut sizes) = (String::new(), String::new(), String::new());
    for (name, standing) in names.zip(standings) {
        let name = name.replace('\\', "\\\\").replace('"', "\\\"");
        let _ = writeln!(
            cosignatures,
            "flip360_witness_cosignatures_total{{witness=\"{name}\"}} {}",
            standing.cosignatures
        );
        for (code, count) in &standing.failures {
            let _ =
                writeln!(failures, "flip360_witness_failures_total{{witness=\"{name}\",reason=\"{code}\"}} {count}");
        }
        if let Some(size) = standing.size {
            let _ = writeln!(sizes, "flip360_witness_size{{witness=\"{name}\"}} {size}");
        }
    }
    for (name, kind, help, lines) in [
        ("flip360_witness_cosignatures_total", "counter", "Cosignatures that came, by witness.", cosignatures),
        (
            "flip360_witness_failures_total",
            "counter",
            "Checkpoints that a witness did not cosign, by reason.",
            failures,
        ),
        ("flip360_witness_size", "gauge", "Leaves of the checkpoint that a witness cosigned last.", sizes),
    ] {
        if !lines.is_empty() {
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{lines}");
        }
    }
    text
}
