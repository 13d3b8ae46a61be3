//! Assignments: what is wholly unpaid of a payee goes to another payee of the same organisation.
//!
//! The payee of a line is fixed at accrual. When a sole trader becomes a company, what they earned before goes on
//! only by a deed that is recorded, and by two people: one proposes, and the lines and amounts are frozen
//! ([`content`]); another approves the digest, and all of it moves in one transaction, or nothing does ([`service`]).
//! Only a line goes of which everything lies in `accrued` and `available`, that no active hold is on and no tax paper
//! names: what was paid, or invoiced, stays whose it was, and a clawback of it too. The frozen amount of a line is what
//! is unpaid of it in all: that a hold by agreement expires meanwhile changes neither whose it is nor how much.
//! Bounds: [`MAX_LINES`] lines, [`LINES_PER_ENTRY`] in one entry; statements do not grow with their number.
//! Source: the domain document, "Directory".

use crate::directory::text::{DeedReference, Grounds};
use crate::kernel::ids::{AssignmentId, LineId, MemberId, OrganisationId, PayeeId};
use crate::kernel::page::INVALID_CURSOR;
use crate::kernel::{Cents, Digest, Order, Page, PageRequest};
use crate::ledger::line::CommissionLine;
use crate::payouts::run::Act;
use crate::store::StoreError;

pub mod command;
pub mod content;
pub mod error;
mod moves;
pub mod service;

pub use command::{ProposeAssignment, ProposeAssignmentInput};
pub use content::{AssignedLine, FrozenAssignment};
pub use error::AssignmentError;

/// Lines in one assignment, at most.
pub const MAX_LINES: usize = 10_000;
/// Lines of one deal in one entry, at most: the postings of an entry are numbered in 16 bits, and a line has four.
pub const LINES_PER_ENTRY: usize = 5_000;

/// Where an assignment stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssignmentState {
    /// It waits for a second person.
    Proposed,
    /// A second person agreed, and its lines moved.
    Approved(Act),
    /// It was refused, and why.
    Rejected(Act, Grounds),
}

impl AssignmentState {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved(_) => "approved",
            Self::Rejected(..) => "rejected",
        }
    }

    /// Who decided.
    #[must_use]
    pub const fn decided(&self) -> Option<Act> {
        match self {
            Self::Proposed => None,
            Self::Approved(act) | Self::Rejected(act, _) => Some(*act),
        }
    }

    /// Why it was refused.
    #[must_use]
    pub const fn because(&self) -> Option<&Grounds> {
        match self {
            Self::Rejected(_, because) => Some(because),
            Self::Proposed | Self::Approved(_) => None,
        }
    }
}

/// Lines, counted and summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// How many.
    pub lines: u32,
    /// What is unpaid of them, in cents.
    pub total_minor: i64,
}

/// One assignment, without the list of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Its id.
    pub id: AssignmentId,
    /// Whose lines.
    pub from: PayeeId,
    /// Whose they become.
    pub to: PayeeId,
    /// The organisation of both.
    pub organisation: OrganisationId,
    /// Only lines of this member.
    pub member: Option<MemberId>,
    /// The deed by which they go.
    pub deed_reference: DeedReference,
    /// Why.
    pub reason: Grounds,
    /// What is approved.
    pub content_sha256: Digest,
    /// What moves.
    pub moves: Sum,
    /// What had something unpaid and stayed, when it was proposed.
    pub left_out: Sum,
    /// Where it stands.
    pub state: AssignmentState,
    /// Who proposed it.
    pub proposed: Act,
    /// Its version, from 1.
    pub version: u32,
}

/// What of a payee can be assigned, and what has something unpaid and cannot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assignable {
    /// In the order of their ids; one more than [`MAX_LINES`] when there are more.
    pub lines: Vec<AssignedLine>,
    /// What stays.
    pub left_out: Sum,
}

/// Assignments, inside a transaction.
pub trait AssignmentRepository {
    /// What of a payee, or of one member's lines of it, can be assigned. Nothing is locked.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_assignable(&mut self, payee: PayeeId, member: Option<MemberId>) -> Result<Assignable, StoreError>;

    /// Which of these lines an active hold is on, or a tax paper names; the lines are locked before.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_bound(&mut self, lines: &[LineId]) -> Result<Vec<LineId>, StoreError>;

    /// Keeps a proposal.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_assignment(&mut self, assignment: &Assignment, content: &FrozenAssignment) -> Result<(), StoreError>;

    /// Locks an assignment, with what it says.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_assignment(&mut self, id: AssignmentId) -> Result<Option<(Assignment, FrozenAssignment)>, StoreError>;

    /// Writes a decision.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_assignment(&mut self, assignment: &Assignment) -> Result<(), StoreError>;

    /// Makes lines those of the new payee, and keeps whose they are: it may hold the money of several members now.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_payee_of(&mut self, lines: &[CommissionLine], assignment: &Assignment) -> Result<(), StoreError>;
}

/// Assignments, to look up.
pub trait AssignmentQueries {
    /// The assignments from and to a payee, newest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_assignments(&mut self, payee: PayeeId, page: &PageRequest) -> Result<Page<Assignment>, StoreError>;

    /// One assignment.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_assignment(&mut self, id: AssignmentId) -> Result<Option<Assignment>, StoreError>;

    /// The lines of an assignment.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_assignment_content(&mut self, id: AssignmentId) -> Result<Option<FrozenAssignment>, StoreError>;
}

/// A page of the lines of an assignment, in the order of their ids; the key is the line.
///
/// # Errors
/// [`INVALID_CURSOR`] when the key is no line.
pub fn page_of(content: &FrozenAssignment, page: &PageRequest) -> Result<Page<AssignedLine>, StoreError> {
    let mut lines = content.content().lines.clone();
    let descending = page.order == Some(Order::Descending);
    if descending {
        lines.reverse();
    }
    if let Some(key) = &page.after {
        let after = uuid::Uuid::from_slice(key).map_err(|_| StoreError::Violates(INVALID_CURSOR.to_owned()))?;
        lines.retain(|line| if descending { line.line.uuid() < after } else { line.line.uuid() > after });
    }
    lines.truncate(usize::from(page.limit) + 1);
    Ok(Page::cut(lines, page.limit, |line| line.line.uuid().as_bytes().to_vec()))
}

/// The sum of lines.
fn total_minor(lines: &[AssignedLine]) -> Cents {
    Cents(lines.iter().map(|line| line.amount.0).sum())
}
