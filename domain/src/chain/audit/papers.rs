//! Tax papers, out of an export: each leaf's statement reads, is of this log, and follows the one before it.
//!
//! `paper_malformed`, `other_log`: not what the leaf says it is. `paper_gap`: from the first paper that was logged on every
//! one is. `paper_chain_broken`: it does not name the digest of the one before.

use super::AuditReport;
use crate::chain::paper::LoggedPaper;
use crate::kernel::Digest;

/// The papers, as far as the export was read.
#[derive(Debug, Default)]
pub(super) struct Papers {
    /// The place of the last one and its digest; no digest when that one could not be read.
    last: Option<(i64, Option<Digest>)>,
}

impl Papers {
    /// Takes the next one.
    pub(super) fn take(&mut self, report: &mut AuditReport, origin: &str, index: u64, bytes: &[u8]) {
        let mut differ = |code, detail| report.differ(Some(index), code, detail);
        let paper = match LoggedPaper::parse(bytes) {
            Ok(paper) => paper,
            Err(error) => {
                differ("paper_malformed", error.to_string());
                return self.skip();
            }
        };
        if paper.log != origin {
            differ("other_log", format!("the paper is for log {}", paper.log));
        }
        if let Some((last, digest)) = self.last {
            if paper.seq != last + 1 {
                differ("paper_gap", format!("paper {} follows paper {last}", paper.seq));
            } else if digest.is_some_and(|digest| digest != paper.previous_sha256) {
                let detail = format!("paper {} does not name the digest of the one before", paper.seq);
                differ("paper_chain_broken", detail);
            }
        }
        self.last = Some((paper.seq, Some(paper.content_sha256)));
    }

    /// Goes on after one that cannot be read, so that it is one difference.
    pub(super) fn skip(&mut self) {
        self.last = self.last.map(|(last, _)| (last + 1, None));
    }
}
