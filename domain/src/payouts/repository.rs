//! The ports of payouts.

use jiff::civil::Date;
use uuid::Uuid;

use super::bank_account::BankAccount;
use super::bank_file::{BankFile, RunFile};
use super::content::FrozenContent;
use super::payout::{Payout, PayoutState};
use super::recovery::Terms;
use super::run::{PayoutRun, RunSummary};
use super::sla::{self, DayCount};
use super::stripe::names::AccountName;
use crate::directory::bank::BankDetails;
use crate::directory::number::Abn;
use crate::directory::payee::{GstTimeline, Rail};
use crate::kernel::ids::{BankAccountId, LineId, OrganisationId, PayeeId, PayoutId, PayoutRunId};
use crate::kernel::{Digest, Instant, Page, PageRequest};
use crate::ledger::line::CommissionLine;
use crate::store::StoreError;

/// The newest bank details of a payee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingBank {
    /// Their id.
    pub id: Uuid,
    /// Random; keeps commitments from being guessed.
    pub salt: Uuid,
    /// From when they may be used.
    pub usable_from: Instant,
    /// Whether the bank sent payments to them back for good.
    pub is_blocked: bool,
    /// The account.
    pub details: BankDetails,
}

/// The account of a payee at Stripe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingStripe {
    /// Its id there.
    pub account: AccountName,
    /// Whether transfers may go there.
    pub payable: bool,
    /// Whether part of a transfer to it is being taken back, and nobody knows yet what came of it.
    pub reversal_open: bool,
}

/// What a run needs to know of a payee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayeeStanding {
    /// The payee.
    pub id: PayeeId,
    /// Through whom it earns.
    pub organisation: OrganisationId,
    /// Its ABN.
    pub abn: Option<Abn>,
    /// Its registration for GST.
    pub gst: GstTimeline,
    /// How it is paid.
    pub rail: Rail,
    /// The least that it wants to be paid at a time, in cents.
    pub minimum_minor: i64,
    /// Its bank details.
    pub bank: Option<StandingBank>,
    /// Its account at Stripe.
    pub stripe: Option<StandingStripe>,
    /// What bounds how much clawbacks take of a run.
    pub recovery: Terms,
}

/// One step of a run's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStep {
    /// The run.
    pub run: PayoutRunId,
    /// Its version after it: the place in the history.
    pub n: u32,
    /// `previewed`, `proposed`, `approved`, `rejected`, `executed`, `cancelled`, `voided`.
    pub step: &'static str,
    /// Who did it.
    pub actor: Uuid,
    /// When.
    pub at: Instant,
    /// To which content.
    pub content_sha256: Digest,
    /// Why, where somebody says so.
    pub reason: Option<String>,
}

/// Payouts, inside a transaction.
pub trait PayoutRepository {
    /// Keeps an own account.
    ///
    /// # Errors
    /// `bank_account_taken`.
    fn insert_bank_account(&mut self, account: &BankAccount, at: Instant) -> Result<(), StoreError>;

    /// An own account.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_bank_account(&mut self, id: BankAccountId) -> Result<Option<BankAccount>, StoreError>;

    /// Every payee that has something available which may be paid on or before a date, in the order of their ids.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_payable_payees(&mut self, on: Date) -> Result<Vec<PayeeId>, StoreError>;

    /// The lines of payees with something available or to be got back, in the order of their ids; they may change meanwhile.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_payable_lines(&mut self, payees: &[PayeeId]) -> Result<Vec<CommissionLine>, StoreError>;

    /// Locks payees against change, and then these lines and all lines of theirs with something available or to be got
    /// back, each in the order of their ids, whatever their number. These lines are locked whatever lies on them: it may
    /// change before they are looked at.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_payees(&mut self, payees: &[PayeeId], lines: &[LineId]) -> Result<(), StoreError>;

    /// Locks the lines of payees with something available or to be got back, in the order of their ids.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_payable_lines(&mut self, payees: &[PayeeId]) -> Result<Vec<CommissionLine>, StoreError>;

    /// How payees stand, in the order of their ids; they may change meanwhile.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_standings(&mut self, payees: &[PayeeId]) -> Result<Vec<PayeeStanding>, StoreError>;

    /// Locks payees against change, in the order of their ids, and tells how they stand.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_standings(&mut self, payees: &[PayeeId]) -> Result<Vec<PayeeStanding>, StoreError>;

    /// Keeps a new run.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_run(&mut self, run: &PayoutRun) -> Result<(), StoreError>;

    /// Locks a run.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_run(&mut self, id: PayoutRunId) -> Result<Option<RunSummary>, StoreError>;

    /// What a run does.
    ///
    /// # Errors
    /// The failure of the store.
    fn run_content(&mut self, id: PayoutRunId) -> Result<FrozenContent, StoreError>;

    /// Writes a run as it stands now.
    ///
    /// # Errors
    /// The failure of the store.
    fn update_run(&mut self, run: &PayoutRun) -> Result<(), StoreError>;

    /// Keeps the bank files of an executed run, after its payouts.
    ///
    /// # Errors
    /// `bank_file_payout_once` when a payout is in a file already.
    fn append_files(&mut self, run: PayoutRunId, files: &[BankFile], at: Instant) -> Result<(), StoreError>;

    /// Adds to the history of runs.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_step(&mut self, step: &RunStep) -> Result<(), StoreError>;

    /// Keeps payouts, what they take from which lines and which clawbacks they settle.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_payouts(&mut self, payouts: &[Payout], at: Instant) -> Result<(), StoreError>;

    /// Whether a payout is sent again by another one.
    ///
    /// # Errors
    /// The failure of the store.
    fn is_retried(&mut self, id: PayoutId) -> Result<bool, StoreError>;

    /// Locks payouts, in the order of their ids.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_payouts(&mut self, payouts: &[PayoutId]) -> Result<Vec<LockedPayout>, StoreError>;

    /// Moves payouts on, and adds to their histories.
    ///
    /// # Errors
    /// The failure of the store.
    fn move_payouts(&mut self, steps: &[PayoutStep], at: Instant) -> Result<(), StoreError>;
}

/// A payout that is locked, with what it sent of which line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LockedPayout {
    /// Its id.
    pub id: PayoutId,
    /// The run.
    pub run: PayoutRunId,
    /// Whose money.
    pub payee: PayeeId,
    /// Where it stands.
    pub state: PayoutState,
    /// What was sent.
    pub amount_minor: i64,
    /// How it goes.
    pub rail: Rail,
    /// The account of ours that the run pays from.
    pub bank_account: BankAccountId,
    /// What the payee reads.
    pub reference: String,
    /// Who may see it.
    pub visible_to: Vec<Uuid>,
    /// What was sent, by line.
    pub lines: Vec<(LineId, i64)>,
}

/// One step of a payout's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutStep {
    /// The payout.
    pub payout: PayoutId,
    /// Where it stands after it.
    pub state: PayoutState,
    /// The date of the rail.
    pub effective_on: Date,
    /// What says so: a bank statement's line, a returned payment, an event of the rail.
    pub source: Uuid,
    /// Why, where somebody says so: the code of a return, a failure.
    pub reason: Option<String>,
}

/// A payout to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutRecord {
    /// Its id.
    pub id: PayoutId,
    /// The run.
    pub run: PayoutRunId,
    /// Who is paid.
    pub payee: PayeeId,
    /// Where it stands.
    pub state: PayoutState,
    /// What is paid, in cents.
    pub amount_minor: i64,
    /// What was available.
    pub gross_minor: i64,
    /// What of it clawbacks took.
    pub recovered_minor: i64,
    /// GST that an invoice added.
    pub gst_minor: i64,
    /// What was withheld for the tax office.
    pub withheld_minor: i64,
    /// How it goes.
    pub rail: Rail,
    /// What the payee reads.
    pub reference: String,
    /// When it was sent.
    pub created_at: Instant,
    /// The day of the rail on which it arrived or came back.
    pub ended_on: Option<Date>,
    /// The payout that came back and is sent again by it.
    pub retry_of: Option<PayoutId>,
    /// The payout by which it is sent again.
    pub retried_by: Option<PayoutId>,
}

impl PayoutRecord {
    /// The last day on which it is on time.
    #[must_use]
    pub fn due_on(&self) -> Date {
        sla::due_on(self.rail, self.created_at.sydney_date())
    }

    /// Whether it is, or was, late.
    #[must_use]
    pub fn is_late(&self, today: Date) -> bool {
        sla::is_late(self.rail, self.created_at.sydney_date(), self.state, self.ended_on, today)
    }
}

/// Amounts of a payout by line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PayoutLines {
    /// What was sent, by line.
    pub sent: Vec<(LineId, i64)>,
    /// Which clawbacks it settled.
    pub settled: Vec<(LineId, i64)>,
}

/// Which payouts are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PayoutFilter {
    /// Of one run.
    pub run: Option<PayoutRunId>,
    /// Of one payee.
    pub payee: Option<PayeeId>,
    /// In one state.
    pub state: Option<PayoutState>,
}

/// Payouts, to look up.
pub trait PayoutQueries {
    /// An own account.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_bank_account(&mut self, id: BankAccountId) -> Result<Option<BankAccount>, StoreError>;

    /// Own accounts, newest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_bank_accounts(&mut self, page: &PageRequest) -> Result<Page<BankAccount>, StoreError>;

    /// Runs, newest first; in one state when that is asked for.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_runs(&mut self, state: Option<&str>, page: &PageRequest) -> Result<Page<RunSummary>, StoreError>;

    /// A run.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_run(&mut self, id: PayoutRunId) -> Result<Option<RunSummary>, StoreError>;

    /// The canonical bytes of what a run does.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_content(&mut self, id: PayoutRunId) -> Result<Option<Vec<u8>>, StoreError>;

    /// What an executed run knows of its bank files, by their places; none of any other run.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_files(&mut self, id: PayoutRunId) -> Result<Vec<RunFile>, StoreError>;

    /// A bank file of an executed run, by its place; as it went to the bank.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_file(&mut self, id: PayoutRunId, n: u32) -> Result<Option<Vec<u8>>, StoreError>;

    /// Payouts that were sent since a day, or are on their way, counted by rail, days and state.
    ///
    /// # Errors
    /// The failure of the store.
    fn sla_counts(&mut self, since: Date) -> Result<Vec<DayCount>, StoreError>;

    /// Payouts, newest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_payouts(&mut self, filter: &PayoutFilter, page: &PageRequest) -> Result<Page<PayoutRecord>, StoreError>;

    /// A payout with its lines.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_payout(&mut self, id: PayoutId) -> Result<Option<(PayoutRecord, PayoutLines)>, StoreError>;
}
