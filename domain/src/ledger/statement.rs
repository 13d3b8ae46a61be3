//! The statement of a payee over a period: where it stood, what moved, where it stands, to the cent.
//!
//! By business date, both days included. Invariant: for each bucket and for what is owed in all, opening + movements =
//! closing; the closing of a period is the opening of the next, and the account's balance as of its last day. What moves
//! between buckets (released, held, sent, recovered) changes nothing of what is owed. Bounds: one sum over the payee's
//! own postings, a page of entries.

use jiff::civil::Date;

use super::entry::EntryKind;
use crate::access::{Actor, ownership};
use crate::kernel::ids::{DealId, EntryId, LineId, PayeeId};
use crate::kernel::{Faults, Instant, Page, PageRequest};
use crate::store::StoreError;
use uuid::Uuid;

/// Where the money of a payee lies, or by how much that changes; cents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PayeeBuckets {
    /// Earned, on hold.
    pub accrued_minor: i64,
    /// In dispute.
    pub held_minor: i64,
    /// May be paid.
    pub available_minor: i64,
    /// Sent, not confirmed.
    pub in_transit_minor: i64,
    /// To be got back.
    pub recoverable_minor: i64,
}

impl PayeeBuckets {
    /// What is owed to the payee in all; negative when it owes.
    #[must_use]
    pub const fn owed_minor(&self) -> i64 {
        self.accrued_minor + self.held_minor + self.available_minor + self.in_transit_minor - self.recoverable_minor
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            accrued_minor: self.accrued_minor + other.accrued_minor,
            held_minor: self.held_minor + other.held_minor,
            available_minor: self.available_minor + other.available_minor,
            in_transit_minor: self.in_transit_minor + other.in_transit_minor,
            recoverable_minor: self.recoverable_minor + other.recoverable_minor,
        }
    }
}

/// What happened to a payee's money, in the order in which it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Movement {
    /// Commission was earned.
    Earned,
    /// What was earned or taken back was corrected.
    Adjusted,
    /// GST of an invoice, or of an adjustment note.
    Gst,
    /// A hold expired.
    Released,
    /// Put aside while a dispute is open.
    Held,
    /// No longer put aside.
    Unheld,
    /// Taken back.
    ClawedBack,
    /// A clawback was set off against what may be paid.
    Recovered,
    /// Withheld for the tax office.
    Withheld,
    /// Sent to a rail.
    Sent,
    /// Arrived.
    Paid,
    /// Came back.
    Returned,
    /// Became this payee's, from another one.
    AssignedIn,
    /// Became another payee's.
    AssignedOut,
    /// Anything else: what was written off or undone.
    Other,
}

impl Movement {
    /// Every movement.
    pub const ALL: [Self; 15] = [
        Self::Earned,
        Self::Adjusted,
        Self::Gst,
        Self::Released,
        Self::Held,
        Self::Unheld,
        Self::ClawedBack,
        Self::Recovered,
        Self::Withheld,
        Self::Sent,
        Self::Paid,
        Self::Returned,
        Self::AssignedIn,
        Self::AssignedOut,
        Self::Other,
    ];

    /// As it is shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Earned => "earned",
            Self::Adjusted => "adjusted",
            Self::Gst => "gst",
            Self::Released => "released",
            Self::Held => "held",
            Self::Unheld => "unheld",
            Self::ClawedBack => "clawed_back",
            Self::Recovered => "recovered",
            Self::Withheld => "withheld",
            Self::Sent => "sent",
            Self::Paid => "paid",
            Self::Returned => "returned",
            Self::AssignedIn => "assigned_in",
            Self::AssignedOut => "assigned_out",
            Self::Other => "other",
        }
    }

    /// What an entry of a kind is to a payee of whom it takes, or does not.
    #[must_use]
    pub const fn of(kind: EntryKind, takes: bool) -> Self {
        match kind {
            EntryKind::Accrual => Self::Earned,
            EntryKind::Adjustment => Self::Adjusted,
            EntryKind::Gst => Self::Gst,
            EntryKind::Release => Self::Released,
            EntryKind::Hold => Self::Held,
            EntryKind::Unhold => Self::Unheld,
            EntryKind::Clawback => Self::ClawedBack,
            EntryKind::ClawbackRecovery => Self::Recovered,
            EntryKind::Withholding => Self::Withheld,
            EntryKind::PayoutInitiated => Self::Sent,
            EntryKind::PayoutSettled => Self::Paid,
            EntryKind::PayoutReturned => Self::Returned,
            EntryKind::Assignment if takes => Self::AssignedOut,
            EntryKind::Assignment => Self::AssignedIn,
            EntryKind::ProviderReceipt
            | EntryKind::WriteOff
            | EntryKind::TaxRemittance
            | EntryKind::Fee
            | EntryKind::FundsTransfer
            | EntryKind::Opening
            | EntryKind::Reversal => Self::Other,
        }
    }
}

/// The entries of one kind in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MovementSum {
    /// What happened.
    pub movement: Movement,
    /// In how many entries.
    pub entries: i64,
    /// What moved: the sum of all that was added to buckets, or of all that was taken out, whichever is more; positive.
    pub moved_minor: i64,
    /// By how much the buckets changed.
    pub change: PayeeBuckets,
}

/// One entry of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementEntry {
    /// Its sequence number.
    pub seq: i64,
    /// The entry.
    pub entry: EntryId,
    /// Its kind.
    pub kind: EntryKind,
    /// The business date.
    pub effective_on: Date,
    /// When it would have taken effect, had its period not been closed.
    pub moved_from: Option<Date>,
    /// When it was written.
    pub recorded_at: Instant,
    /// The deal.
    pub deal: Option<DealId>,
    /// What caused it.
    pub source: Uuid,
    /// The commission lines of the payee that it moves.
    pub lines: Vec<LineId>,
    /// By how much the buckets changed.
    pub change: PayeeBuckets,
}

/// The days of a statement, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Days {
    /// The first.
    pub from: Date,
    /// The last.
    pub to: Date,
}

impl Days {
    /// Reads `from` and `to`.
    ///
    /// # Errors
    /// All faults at once.
    pub fn parse(from: Option<&str>, to: Option<&str>) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let mut date = |name: &str, text: Option<&str>| {
            let read = text.and_then(|text| text.parse::<Date>().ok().filter(|date| date.to_string() == text));
            if read.is_none() {
                let code = if text.is_none() { "required" } else { "invalid_value" };
                faults.push(format!("#{name}"), code, "expected a date such as 2026-07-01");
            }
            read
        };
        match (date("from", from), date("to", to)) {
            (Some(from), Some(to)) if from <= to => Ok(Self { from, to }),
            (Some(_), Some(_)) => {
                faults.push("#to", "invalid_value", "the last day is not before the first");
                Err(faults)
            }
            _ => Err(faults),
        }
    }
}

/// A statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayeeStatement {
    /// Whose it is.
    pub payee: PayeeId,
    /// Over which days.
    pub days: Days,
    /// Where it stood before the first day.
    pub opening: PayeeBuckets,
    /// What moved, by kind.
    pub movements: Vec<MovementSum>,
    /// Where it stood at the end of the last day.
    pub closing: PayeeBuckets,
    /// The entries, in the order of the book.
    pub entries: Page<StatementEntry>,
}

/// Draws up a statement for whoever acts for the payee's organisation, and for those who see everything. `None` for
/// everybody else: entries of deals hold what others get, so a member reads its own statement.
///
/// # Errors
/// The failure of the store.
pub fn of_payee(
    queries: &mut dyn crate::store::Queries,
    actor: &Actor,
    payee: PayeeId,
    days: Days,
    page: &PageRequest,
) -> Result<Option<PayeeStatement>, StoreError> {
    let organisation = queries.directory().find_payee(payee)?.map(|found| found.payee.organisation);
    if !organisation.is_some_and(|organisation| ownership::has(actor, Some(organisation))) {
        return Ok(None);
    }
    let (opening, movements) = queries.payee_statements().payee_movements(payee, days)?;
    let closing = movements.iter().fold(opening, |sum, movement| sum.plus(movement.change));
    let entries = queries.payee_statements().payee_entries(payee, days, page)?;
    Ok(Some(PayeeStatement { payee, days, opening, movements, closing, entries }))
}

/// What statements of payees are drawn from.
pub trait PayeeStatementQueries {
    /// Where a payee stood before the days, and what moved in them, by kind.
    ///
    /// # Errors
    /// The failure of the store.
    fn payee_movements(&mut self, payee: PayeeId, days: Days) -> Result<(PayeeBuckets, Vec<MovementSum>), StoreError>;

    /// The entries of the days, in the order of the book.
    ///
    /// # Errors
    /// The failure of the store.
    fn payee_entries(
        &mut self,
        payee: PayeeId,
        days: Days,
        page: &PageRequest,
    ) -> Result<Page<StatementEntry>, StoreError>;
}
