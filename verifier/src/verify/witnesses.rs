//! Cosignatures of a checkpoint: which trusted witnesses saw it, and whether they are enough.
//!
//! A line in the name of a trusted witness that does not verify is a fault, also where the quorum is met without it.
//! Lines of others are not looked at.

use crate::fault::Faults;
use crate::instant::Instant;
use crate::note::Note;
use crate::policy::{Cosigned, Policy};

const POINTER: &str = "/checkpoint";

/// What the cosignatures of a checkpoint say.
#[derive(Default)]
pub struct Seen {
    /// The witnesses that cosigned it.
    pub names: Vec<String>,
    /// What holds, in words.
    pub proved: Option<String>,
    /// What is wrong.
    pub faults: Faults,
}

/// Judges the cosignatures of a checkpoint whose own signature is good.
#[must_use]
pub fn judge(policy: &Policy, checkpoint: &str) -> Seen {
    let mut seen = Seen::default();
    let Ok(note) = Note::parse(checkpoint) else { return seen };
    let mut said = Vec::new();
    for judged in policy.judged(&note) {
        match judged {
            Ok(cosigned) => {
                seen.names.push(cosigned.witness.name().to_owned());
                said.push(claim(cosigned));
            }
            Err(error) => seen.faults.push(POINTER, "cosignature_invalid", error.to_string()),
        }
    }
    let (cosigned, quorum, known) = (said.len(), policy.quorum(), policy.witnesses().len());
    if cosigned < quorum {
        let detail = format!("{cosigned} of {known} trusted witnesses cosigned the checkpoint, {quorum} must have");
        seen.faults.push(POINTER, "quorum_not_met", detail);
    } else if cosigned > 0 {
        seen.proved = Some(format!(
            "{cosigned} of {known} trusted witnesses cosigned this checkpoint, {quorum} must have: {}. Each says by it that the log, as far as it has seen it, was only ever added to.",
            said.join("; ")
        ));
    }
    seen
}

/// Who, and when by its own account.
fn claim(cosigned: Cosigned<'_>) -> String {
    let second = i64::try_from(cosigned.time).ok().and_then(|second| jiff::Timestamp::from_second(second).ok());
    let time = second.map_or_else(|| format!("second {}", cosigned.time), |at| Instant::new(at).to_string());
    format!("{}, at {time} by its own clock", cosigned.witness.name())
}

/// What cosignatures leave open.
pub(super) const fn left_open(names: &[String]) -> &'static str {
    if names.is_empty() {
        "That everybody is shown this same log: no witness has cosigned; compare the checkpoint with others'."
    } else {
        "That the witnesses are independent of the platform and of each other: whom you trust is your own judgement."
    }
}
