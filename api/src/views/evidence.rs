//! Views of evidence: what a witness was shown, and what it said.

use domain::chain::witness::record::Evidence;
use serde::Serialize;
use utoipa::ToSchema;

/// A witness refused a checkpoint of the log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ChainEvidence)]
pub struct EvidenceView {
    /// Its id.
    #[schema(example = "evidence_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub id: String,
    /// `fork`: the witness has seen another tree of this log. `ahead`: it has seen a larger one than the log has. `refused`: it refused what extends, provably, the checkpoint that it cosigned itself. `behind`: it says to have cosigned fewer leaves than it did; it counts for no quorum any more.
    #[schema(example = "fork")]
    pub kind: &'static str,
    /// The verifier key of the witness.
    #[schema(example = "witness.example/w1+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv")]
    pub witness: String,
    /// The size that the witness was said to have cosigned last.
    #[schema(example = 1024)]
    pub old_size: u64,
    /// The size of the checkpoint that it was shown.
    #[schema(example = 4096)]
    pub size: u64,
    /// That checkpoint, as the log had signed it.
    #[schema(
        example = "flip360.example/log\n4096\n3Ebbig1rmJ0xUkZ7RfxJ3K2cCFL1yYq5qmy1mTqPA3w=\n\n— flip360.example/log obLD1A==\n"
    )]
    pub checkpoint: String,
    /// The HTTP status of the witness's answer.
    #[schema(example = 422)]
    pub status: u16,
    /// Its answer, as far as it was read; what is not UTF-8 is replaced.
    #[schema(example = "the proof does not lead from the 1024 leaves that were cosigned to this checkpoint\n")]
    pub response: String,
    /// When it came.
    #[schema(example = "2026-11-23T12:00:00Z")]
    pub created_at: String,
}

impl From<Evidence> for EvidenceView {
    fn from(evidence: Evidence) -> Self {
        Self {
            id: evidence.id.to_string(),
            kind: evidence.kind.as_str(),
            witness: evidence.witness,
            old_size: evidence.old_size,
            size: evidence.size,
            checkpoint: evidence.note,
            status: evidence.status,
            response: String::from_utf8_lossy(&evidence.response).into_owned(),
            created_at: evidence.at.to_string(),
        }
    }
}
