//! Cosignatures of a receipt's checkpoint: which trusted witnesses saw it, and whether they are enough.
//!
//! A line in the name of a trusted witness that does not verify is a fault, also where the quorum is met without it.
//! Lines of others are not looked at.

use super::Findings;
use crate::instant::Instant;
use crate::note::Note;
use crate::policy::{Cosigned, Policy};

const POINTER: &str = "/checkpoint";

/// Judges the cosignatures of a checkpoint whose own signature is good.
pub(super) fn verify(policy: &Policy, checkpoint: &str, findings: &mut Findings) {
    let Ok(note) = Note::parse(checkpoint) else { return };
    let mut said = Vec::new();
    for judged in policy.judged(&note) {
        match judged {
            Ok(cosigned) => {
                findings.witnesses.push(cosigned.witness.name().to_owned());
                said.push(claim(cosigned));
            }
            Err(error) => findings.fault(POINTER, "cosignature_invalid", error.to_string()),
        }
    }
    let (cosigned, quorum, known) = (said.len(), policy.quorum(), policy.witnesses().len());
    if cosigned < quorum {
        let detail = format!("{cosigned} of {known} trusted witnesses cosigned the checkpoint, {quorum} must have");
        findings.fault(POINTER, "quorum_not_met", detail);
    } else if cosigned > 0 {
        findings.proved.push(format!(
            "{cosigned} of {known} trusted witnesses cosigned this checkpoint, {quorum} must have: {}. Each says by it that the log, as far as it has seen it, was only ever added to.",
            said.join("; ")
        ));
    }
}

/// Who, and when by its own account.
fn claim(cosigned: Cosigned<'_>) -> String {
    let second = i64::try_from(cosigned.time).ok().and_then(|second| jiff::Timestamp::from_second(second).ok());
    let time = second.map_or_else(|| format!("second {}", cosigned.time), |at| Instant::new(at).to_string());
    format!("{}, at {time} by its own clock", cosigned.witness.name())
}

/// What cosignatures leave open.
pub(super) fn tell(findings: &mut Findings) {
    findings.not_proved.push(if findings.witnesses.is_empty() {
        "That everybody is shown this same log: no witness has cosigned; compare the checkpoint with others'."
            .to_owned()
    } else {
        "That the witnesses are independent of the platform and of each other: whom you trust is your own judgement."
            .to_owned()
    });
}
