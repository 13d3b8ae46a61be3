//! Exceptions: what does not fit, with an owner and an age.
//!
//! | kind | of what | difference (received − expected) |
//! |---|---|---|
//! | `short_paid` | an item of which some came | negative |
//! | `missing` | an item of which nothing came, though a statement tells such items of its time in full | negative |
//! | `silently_stopped_trail` | the same of a trail that was paid before, while its deal is open | negative, or 0 where no balance is known |
//! | `over_paid` | a line that brought more than was open | positive |
//! | `unexpected` | a line for which nothing is open | the line's amount, GST included |
//!
//! Invariants: an item has at most one exception that is not resolved, and a line at most one ever; age counts from
//! when it was first seen. One that its cause leaves (the rest comes, a fact is corrected) is resolved by itself.

use jiff::civil::Date;
use uuid::Uuid;

use super::item::{Item, ItemKey};
use super::statement::LineResult;
use crate::kernel::Instant;
use crate::kernel::ids::{
    ExceptionId, OrganisationId, ProviderStatementId, ProviderStatementLineId, UserId, WriteOffId,
};

macro_rules! words {
    ($(#[doc = $what:literal])+ $name:ident { $($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)+ }) => {
        $(#[doc = $what])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[doc = $doc])+ $variant,)+ }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// As it is stored and shown.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Reads what was stored.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|word| word.as_str() == text)
            }
        }
    };
}

words! {
    /// What does not fit.
    ExceptionKind {
        /// Some of an item came.
        ShortPaid = "short_paid",
        /// More came than was open.
        OverPaid = "over_paid",
        /// Nothing of an item came.
        Missing = "missing",
        /// Something came for which nothing is open.
        Unexpected = "unexpected",
        /// A trail that was paid is not any more.
        SilentlyStoppedTrail = "silently_stopped_trail",
    }
}

words! {
    /// Where an exception stands.
    ExceptionStatus {
        /// Somebody must look at it.
        Open = "open",
        /// It waits: for the provider, or for a second person.
        Waiting = "waiting",
        /// It is over.
        Resolved = "resolved",
    }
}

words! {
    /// How an exception ends, or what it waits for.
    Resolution {
        /// The difference is given up: a write-off is proposed, and ends it once approved.
        AcceptDifference = "accept_difference",
        /// The provider is to make up for it.
        Wait = "wait",
        /// A fact was corrected, and the difference is gone.
        CorrectedFact = "corrected_fact",
        /// The provider is right: what we expect is to be corrected.
        OursIsWrong = "ours_is_wrong",
        /// The rest came by itself.
        Received = "received",
    }
}

/// What an exception is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum About {
    /// An item of a deal.
    Item(ItemKey),
    /// A line, and the item that it took from if there is one.
    Line(ProviderStatementLineId, Option<ItemKey>),
}

impl About {
    /// The item.
    #[must_use]
    pub const fn item(&self) -> Option<ItemKey> {
        match self {
            Self::Item(item) => Some(*item),
            Self::Line(_, item) => *item,
        }
    }

    /// The line.
    #[must_use]
    pub const fn line(&self) -> Option<ProviderStatementLineId> {
        match self {
            Self::Item(_) => None,
            Self::Line(line, _) => Some(*line),
        }
    }
}

/// One exception.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderException {
    /// Its id.
    pub id: ExceptionId,
    /// Whose statement.
    pub provider: OrganisationId,
    /// The statement that first showed it.
    pub statement: ProviderStatementId,
    /// The statement that last showed it.
    pub last_statement: ProviderStatementId,
    /// What does not fit.
    pub kind: ExceptionKind,
    /// What it is about.
    pub about: About,
    /// What the ledger expected, in cents.
    pub expected_minor: i64,
    /// What came.
    pub received_minor: i64,
    /// Where it stands.
    pub status: ExceptionStatus,
    /// Who looks after it.
    pub owner: Option<UserId>,
    /// How it ended, or what it waits for.
    pub resolution: Option<Resolution>,
    /// Until when it waits.
    pub wait_until: Option<Date>,
    /// In somebody's words.
    pub note: Option<String>,
    /// The write-off that is to end it.
    pub write_off: Option<WriteOffId>,
    /// When it was first seen.
    pub opened_at: Instant,
    /// When it ended.
    pub resolved_at: Option<Instant>,
    /// Who ended it; none = it ended by itself.
    pub resolved_by: Option<Uuid>,
    /// Its version, from 1.
    pub version: u32,
}

impl ProviderException {
    /// Received − expected.
    #[must_use]
    pub const fn difference_minor(&self) -> i64 {
        self.received_minor - self.expected_minor
    }

    /// How many days it has been there, up to its end or to `today` (Sydney).
    #[must_use]
    pub fn age_days(&self, today: Date) -> i64 {
        let until = self.resolved_at.map_or(today, |at| at.sydney_date());
        until.since(self.opened_at.sydney_date()).map_or(0, |span| i64::from(span.get_days()).max(0))
    }

    /// The same, over: by somebody, or by itself.
    #[must_use]
    pub fn resolved(mut self, how: Resolution, by: Option<Uuid>, at: Instant) -> Self {
        self.status = ExceptionStatus::Resolved;
        self.resolution = Some(how);
        self.wait_until = None;
        self.resolved_at = Some(at);
        self.resolved_by = by;
        self.version += 1;
        self
    }
}

/// What a line that did not match, or an item that is late, says of an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// What does not fit.
    pub kind: ExceptionKind,
    /// What it is about.
    pub about: About,
    /// What was expected.
    pub expected_minor: i64,
    /// What came.
    pub received_minor: i64,
}

/// A line of a statement after all of it is posted, with its item as it stands then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PostedLine {
    /// The line.
    pub line: ProviderStatementLineId,
    /// Its result so far.
    pub result: LineResult,
    /// Its item.
    pub item: Option<Item>,
    /// What of it is unapplied, GST included.
    pub unapplied_minor: i64,
}

/// What a posted line comes to in the end: a short line whose item is settled by another one is matched; the rest of
/// one that was too long, or of one that found nothing, stays a finding while it is unapplied.
#[must_use]
pub fn judged(posted: &PostedLine) -> (LineResult, Option<Finding>) {
    let of_item = |item: &Item, kind| Finding {
        kind,
        about: About::Item(item.key),
        expected_minor: item.expected_minor - item.written_off_minor,
        received_minor: item.received_minor,
    };
    let of_line = |kind| Finding {
        kind,
        about: About::Line(posted.line, posted.item.map(|item| item.key)),
        expected_minor: 0,
        received_minor: posted.unapplied_minor,
    };
    match (posted.result, posted.item) {
        (LineResult::ShortPaid, Some(item)) if item.open_minor() != 0 => {
            (LineResult::ShortPaid, Some(of_item(&item, ExceptionKind::ShortPaid)))
        }
        (LineResult::ShortPaid | LineResult::Matched, _) => (LineResult::Matched, None),
        (LineResult::Nothing, _) => (LineResult::Nothing, None),
        (LineResult::OverPaid | LineResult::Unexpected, _) if posted.unapplied_minor == 0 => {
            (LineResult::Matched, None)
        }
        (LineResult::OverPaid, _) => (LineResult::OverPaid, Some(of_line(ExceptionKind::OverPaid))),
        (LineResult::Unexpected, _) => (LineResult::Unexpected, Some(of_line(ExceptionKind::Unexpected))),
    }
}
