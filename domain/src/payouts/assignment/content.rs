//! What an assignment says, frozen: canonical JSON whose SHA-256 is what gets approved.

use serde::{Deserialize, Serialize};

use super::total_minor;
use crate::directory::text::{DeedReference, Grounds};
use crate::kernel::ids::{AssignmentId, LineId, MemberId, PayeeId};
use crate::kernel::{Cents, Frozen};

/// The version of every content so far.
const VERSION: u8 = 1;

/// One line, and what is unpaid of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssignedLine {
    /// What lies in `accrued` and `available` together.
    pub amount: Cents,
    /// The line.
    pub line: LineId,
}

/// The one type of this content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum ContentType {
    #[serde(rename = "assignment")]
    Assignment,
}

/// What an assignment says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssignmentContent {
    deed_reference: DeedReference,
    from_payee: PayeeId,
    id: AssignmentId,
    /// In the order of their ids.
    pub lines: Vec<AssignedLine>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    member: Option<MemberId>,
    reason: Grounds,
    to_payee: PayeeId,
    total: Cents,
    r#type: ContentType,
    v: u8,
}

impl AssignmentContent {
    /// Of lines in the order of their ids.
    #[must_use]
    pub fn new(
        id: AssignmentId,
        (from_payee, to_payee): (PayeeId, PayeeId),
        member: Option<MemberId>,
        (deed_reference, reason): (DeedReference, Grounds),
        lines: Vec<AssignedLine>,
    ) -> Self {
        Self {
            total: total_minor(&lines),
            deed_reference,
            from_payee,
            id,
            lines,
            member,
            reason,
            to_payee,
            r#type: ContentType::Assignment,
            v: VERSION,
        }
    }

    /// The sum of its lines, in cents.
    #[must_use]
    pub const fn total_minor(&self) -> i64 {
        self.total.0
    }
}

/// The same with its exact bytes and their digest.
pub type FrozenAssignment = Frozen<AssignmentContent>;
