//! What the store is asked as a whole, by comparing its tables: one check each, with the word that a broken one is
//! told by and the kind of thing that it is told of.

use crate::kernel::ids::{DealId, EntryId, LineId};

/// Checks that the store answers as a whole, by comparing its tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// A deal with accrued money and no sealed handshake.
    AccruedUnsealed,
    /// A statement that has no leaf, or two.
    StatementUnlogged,
    /// A leaf that waits longer than a minute.
    LeafStalled,
    /// A leaf whose columns or envelope are not what its bytes say.
    LeafDiffers,
    /// A leaf without the row that it stands for.
    LeafWithoutRow,
    /// A statement whose envelope is not the one that was kept.
    StatementDiffers,
    /// A deal that does not stand where its last move brought it, or whose moves do not follow one another.
    DealStage,
    /// A deal whose counters do not begin where the deal before it left them, or where its last calculation began.
    CounterChain,
    /// An approved run without an approval that names its content and its approver.
    RunUnapproved,
    /// A line whose buckets are not what its postings come to.
    LineBuckets,
    /// A line whose money lies with another payee than its own.
    LineElsewhere,
    /// A party whose lines do not add up: earned − clawed back is not what lies anywhere.
    PartyLines,
    /// A deal whose expense or revenue is not what its lines say.
    DealAccrual,
    /// An import that told of one deal twice.
    FactTwice,
    /// One calculation that was accrued, or clawed back, twice.
    AccruedTwice,
    /// A payout with other than one entry that sends it.
    PayoutEntry,
    /// A payout whose amount is not what its entry sends.
    PayoutPosted,
    /// A payout whose amount is not the sum of its lines.
    PayoutLines,
    /// A line of which payouts sent more or less than it has in transit and paid.
    LineSent,
    /// A run whose total or count is not that of its payouts.
    RunTotal,
    /// A payout by Stripe whose entries move our balance there by other than its transfer and reversals did.
    StripeBalance,
    /// An entry that sends money without a payout.
    EntryWithoutPayout,
    /// An executed run with payouts by bank file that are in none, or with others that are in one.
    FileMissing,
    /// An entry by hand that nobody else approved, or a reversal that is not the mirror of what it undoes.
    EntryUnapproved,
    /// An entry in a month that was closed when it was written.
    EntryInClosedPeriod,
    /// A line of a provider's statement whose entry is not what was matched, or an entry without one.
    ReceiptPosted,
    /// A provider whose receivable is not what was expected less what was received and written off.
    ReceivableAddsUp,
    /// A payout with GST and without an invoice over just that, or that withholds without a payment summary.
    PayoutPapers,
    /// A tax paper that is not what its bytes say, or whose lines do not come to it.
    PaperDiffers,
    /// Tax papers with a gap in their numbers or in the chain of their digests.
    PaperGap,
    /// A line whose GST in the books is not the GST on its papers.
    PaperGst,
    /// A tax paper that has no leaf, or two, since papers are logged.
    PaperUnlogged,
    /// A tax paper that is not what its statement in the log says, or whose leaf commits to another one.
    PaperStatement,
}

impl Check {
    /// A stable reason.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::AccruedUnsealed => "accrued_unsealed",
            Self::StatementUnlogged => "statement_not_logged_once",
            Self::LeafStalled => "leaf_not_published_in_time",
            Self::LeafDiffers => "leaf_differs_from_row",
            Self::LeafWithoutRow => "leaf_without_row",
            Self::StatementDiffers => "statement_differs_from_envelope",
            Self::DealStage => "deal_differs_from_moves",
            Self::CounterChain => "counter_not_chained",
            Self::RunUnapproved => "run_without_approval",
            Self::LineBuckets => "line_differs_from_postings",
            Self::LineElsewhere => "line_lies_with_another",
            Self::PartyLines => "lines_do_not_add_up",
            Self::DealAccrual => "deal_differs_from_lines",
            Self::FactTwice => "fact_twice",
            Self::AccruedTwice => "accrued_twice",
            Self::PayoutEntry => "payout_not_posted_once",
            Self::PayoutPosted => "payout_differs_from_entry",
            Self::PayoutLines => "payout_differs_from_lines",
            Self::LineSent => "line_differs_from_payouts",
            Self::RunTotal => "run_differs_from_payouts",
            Self::StripeBalance => "stripe_balance_differs",
            Self::EntryWithoutPayout => "entry_without_payout",
            Self::FileMissing => "bank_file_missing",
            Self::EntryUnapproved => "entry_without_approval",
            Self::EntryInClosedPeriod => "entry_in_closed_period",
            Self::ReceiptPosted => "receipt_differs_from_line",
            Self::ReceivableAddsUp => "receivable_does_not_add_up",
            Self::PayoutPapers => "payout_differs_from_papers",
            Self::PaperDiffers => "paper_differs_from_bytes",
            Self::PaperGap => "paper_missing",
            Self::PaperGst => "gst_differs_from_papers",
            Self::PaperUnlogged => "paper_not_logged_once",
            Self::PaperStatement => "paper_differs_from_statement",
        }
    }

    /// The prefix of the ids of its counterexamples.
    #[must_use]
    pub const fn subject(self) -> &'static str {
        match self {
            Self::AccruedUnsealed
            | Self::DealAccrual
            | Self::DealStage
            | Self::CounterChain
            | Self::FactTwice
            | Self::AccruedTwice => DealId::PREFIX,
            Self::LeafDiffers
            | Self::LeafStalled
            | Self::LeafWithoutRow
            | Self::StatementDiffers
            | Self::StatementUnlogged => "source",
            Self::LineBuckets | Self::LineElsewhere | Self::LineSent | Self::PaperGst => LineId::PREFIX,
            Self::PaperDiffers | Self::PaperGap | Self::PaperUnlogged | Self::PaperStatement => {
                crate::kernel::ids::TaxDocumentId::PREFIX
            }
            Self::PartyLines => "party",
            Self::PayoutEntry | Self::PayoutPosted | Self::PayoutLines | Self::PayoutPapers | Self::StripeBalance => {
                crate::kernel::ids::PayoutId::PREFIX
            }
            Self::RunTotal | Self::RunUnapproved | Self::FileMissing => crate::kernel::ids::PayoutRunId::PREFIX,
            Self::EntryWithoutPayout | Self::EntryUnapproved | Self::EntryInClosedPeriod => EntryId::PREFIX,
            Self::ReceiptPosted => crate::kernel::ids::ProviderStatementLineId::PREFIX,
            Self::ReceivableAddsUp => crate::kernel::ids::OrganisationId::PREFIX,
        }
    }
}
