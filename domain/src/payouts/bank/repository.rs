//! The ports of bank statements.

use jiff::civil::Date;
use uuid::Uuid;

use super::matching::{Candidates, OpenLine, Target};
use super::statement::StatementFormat;
use crate::kernel::ids::{BankAccountId, BankFileId, BankReturnId, BankStatementId, BankStatementLineId, PayoutId};
use crate::kernel::{Digest, Instant, Page, PageRequest};
use crate::payouts::BankAccount;
use crate::store::StoreError;

/// A statement as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptStatement {
    /// Its id.
    pub id: BankStatementId,
    /// The account.
    pub account: BankAccountId,
    /// The document that it stood in.
    pub sha256: Digest,
    /// Its place in the document, from 1.
    pub n: u32,
    /// How it was written.
    pub format: StatementFormat,
    /// What the bank calls it.
    pub reference: String,
    /// Its first day.
    pub from_on: Date,
    /// Its last day.
    pub to_on: Date,
    /// The balance before it.
    pub opening_minor: Option<i64>,
    /// The balance after it.
    pub closing_minor: Option<i64>,
    /// How many lines it has.
    pub lines: u32,
    /// How many of them are matched; counted when it is read.
    pub matched: u32,
    /// Who sent it in.
    pub created_by: Uuid,
    /// When.
    pub created_at: Instant,
}

/// A line as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptLine {
    /// Its id.
    pub id: BankStatementLineId,
    /// The statement.
    pub statement: BankStatementId,
    /// The account.
    pub account: BankAccountId,
    /// Its place in the statement, from 1.
    pub n: u32,
    /// When it was booked.
    pub booked_on: Date,
    /// Positive: money came in.
    pub amount_minor: i64,
    /// What it says.
    pub text: String,
    /// What it is; nothing while it is unmatched.
    pub matches: Vec<LineMatch>,
}

/// What a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineMatch {
    /// The line.
    pub line: BankStatementLineId,
    /// What it was matched to; nothing where somebody explained it otherwise.
    pub target: Option<Target>,
    /// Who did it; nobody when the platform did.
    pub by: Option<Uuid>,
    /// When.
    pub at: Instant,
    /// Why, in the words of who did it.
    pub reason: Option<String>,
}

/// A bank file that the passing of days settles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueFile {
    /// Its id.
    pub id: BankFileId,
    /// The date in its header.
    pub dated_on: Date,
    /// After how many banking days without a return it counts as paid.
    pub after_days: u16,
}

/// Bank statements, inside a transaction.
pub trait BankRepository {
    /// Locks an own account: statements of one account are taken in one after the other.
    ///
    /// # Errors
    /// The failure of the store.
    fn lock_account(&mut self, id: BankAccountId) -> Result<Option<BankAccount>, StoreError>;

    /// Every own account.
    ///
    /// # Errors
    /// The failure of the store.
    fn accounts(&mut self) -> Result<Vec<BankAccount>, StoreError>;

    /// Keeps a document, unless one with the same bytes is kept: then `false`.
    ///
    /// # Errors
    /// The failure of the store.
    fn insert_document(&mut self, sha256: Digest, format: StatementFormat, bytes: &[u8]) -> Result<bool, StoreError>;

    /// The statements of a document.
    ///
    /// # Errors
    /// The failure of the store.
    fn statements_of(&mut self, sha256: Digest) -> Result<Vec<KeptStatement>, StoreError>;

    /// Keeps a statement and its lines.
    ///
    /// # Errors
    /// The failure of the store.
    fn append_statement(&mut self, kept: &KeptStatement, lines: &[KeptLine]) -> Result<(), StoreError>;

    /// What the lines of an account may be: files and returns around these dates, payouts with these references.
    ///
    /// # Errors
    /// The failure of the store.
    fn candidates(
        &mut self,
        account: BankAccountId,
        dates: (Date, Date),
        references: &[String],
    ) -> Result<Candidates, StoreError>;

    /// The payouts of bank files.
    ///
    /// # Errors
    /// The failure of the store.
    fn payouts_of(&mut self, files: &[BankFileId]) -> Result<Vec<(BankFileId, PayoutId)>, StoreError>;

    /// Writes down what lines are.
    ///
    /// # Errors
    /// `bank_line_matched_once` when a line, or what it is matched to, is matched already.
    fn append_matches(&mut self, matches: &[LineMatch]) -> Result<(), StoreError>;

    /// A line that is not matched, locked by its account; nothing if it is matched or there is none.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_line(&mut self, id: BankStatementLineId) -> Result<Option<KeptLine>, StoreError>;

    /// The amount of a bank file of an account.
    ///
    /// # Errors
    /// The failure of the store.
    fn file_total(&mut self, account: BankAccountId, file: BankFileId) -> Result<Option<i64>, StoreError>;

    /// The amount of a payout from an account.
    ///
    /// # Errors
    /// The failure of the store.
    fn payout_amount(&mut self, account: BankAccountId, payout: PayoutId) -> Result<Option<i64>, StoreError>;

    /// Files with payouts on their way, of accounts that are configured so, up to a date; at most so many.
    ///
    /// # Errors
    /// The failure of the store.
    fn due_files(&mut self, on: Date, limit: u32) -> Result<Vec<DueFile>, StoreError>;
}

/// The bank beside the ledger, of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The account.
    pub account: BankAccountId,
    /// The newest statement with a closing balance up to the date that was asked for.
    pub statement: Option<KeptStatement>,
    /// The ledger's cash at the end of that statement's last day, or of the date that was asked for.
    pub ledger_minor: i64,
    /// What payouts moved of that cash.
    pub payouts_minor: i64,
    /// The sum of matched lines up to that day.
    pub matched_minor: i64,
    /// The sum of unmatched lines up to that day.
    pub unmatched_minor: i64,
    /// How many lines that are.
    pub unmatched: u64,
    /// Statements whose opening balance is not the closing balance of the one before.
    pub gaps: u64,
}

/// Bank statements, to look up.
pub trait BankQueries {
    /// Statements, newest first; of one account when that is asked for.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_statements(
        &mut self,
        account: Option<BankAccountId>,
        page: &PageRequest,
    ) -> Result<Page<KeptStatement>, StoreError>;

    /// A statement.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_statement(&mut self, id: BankStatementId) -> Result<Option<KeptStatement>, StoreError>;

    /// The lines of a statement, in their order.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_lines(&mut self, id: BankStatementId, page: &PageRequest) -> Result<Page<KeptLine>, StoreError>;

    /// Each own account, or one, on a date.
    ///
    /// # Errors
    /// The failure of the store.
    fn standings(&mut self, account: Option<BankAccountId>, on: Date) -> Result<Vec<Standing>, StoreError>;

    /// Unmatched lines up to a date, oldest first, at most so many.
    ///
    /// # Errors
    /// The failure of the store.
    fn unmatched(&mut self, account: Option<BankAccountId>, on: Date, limit: u32) -> Result<Vec<KeptLine>, StoreError>;
}

/// A line as the matching looks at it.
impl From<&KeptLine> for OpenLine {
    fn from(line: &KeptLine) -> Self {
        Self { id: line.id, booked_on: line.booked_on, amount_minor: line.amount_minor, text: line.text.clone() }
    }
}

impl Target {
    /// The word in the API and in storage.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::File(_) => "bank_file",
            Self::Payout(_) => "payout",
            Self::Return(_) => "bank_return",
        }
    }

    /// Its id in storage.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        match self {
            Self::File(id) => id.uuid(),
            Self::Payout(id) => id.uuid(),
            Self::Return(id) => id.uuid(),
        }
    }

    /// Its id in the API.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::File(id) => id.to_string(),
            Self::Payout(id) => id.to_string(),
            Self::Return(id) => id.to_string(),
        }
    }

    /// Reads what was stored.
    #[must_use]
    pub fn restore(kind: &str, id: Uuid) -> Option<Self> {
        match kind {
            "bank_file" => Some(Self::File(BankFileId::new(id))),
            "payout" => Some(Self::Payout(PayoutId::new(id))),
            "bank_return" => Some(Self::Return(BankReturnId::new(id))),
            _ => None,
        }
    }
}
