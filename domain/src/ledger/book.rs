//! The ledger as a book to read: accounts with balances, entries with postings, sums.
//!
//! `as_of` looks at what was recorded by a moment, `effective_as_of` at what took effect by a date; both
//! together are the sum of postings of entries within both bounds. Amounts are cents, debit positive.
//! Bounds: a page of rows; a sum reads the postings of the accounts it is over.

use jiff::civil::Date;
use uuid::Uuid;

use super::account::{AccountKey, AccountKind};
use super::entry::EntryKind;
use crate::access::{Actor, MissingScope, Scope, ownership};
use crate::kernel::ids::{
    AccountId, AssignmentId, BankAccountId, CalculationId, DealId, EntryId, HoldId, LineId, ManualEntryId, MemberId,
    OrganisationId, PayeeId, PayoutId, ProviderStatementLineId, TaxDocumentId, TaxRemittanceId, VerticalId, WriteOffId,
};
use crate::kernel::{Digest, Instant, Page, PageRequest};
use crate::store::StoreError;

/// A moment in both times; nothing means now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AsOf {
    /// What was recorded by then.
    pub recorded_at: Option<Instant>,
    /// What took effect on or before then.
    pub effective_on: Option<Date>,
}

/// An account with what belongs to showing it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRecord {
    /// Its id.
    pub id: AccountId,
    /// Which one it is.
    pub key: AccountKey,
    /// The code of its vertical, e.g. `V01`.
    pub vertical_code: Option<String>,
    /// Its balance.
    pub balance_minor: i64,
    /// How many postings it has.
    pub postings: i64,
    /// When it was opened.
    pub created_at: Instant,
}

/// Which accounts are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AccountFilter {
    /// Of one kind.
    pub kind: Option<AccountKind>,
    /// Of one party.
    pub party: Option<Uuid>,
    /// Of one vertical.
    pub vertical: Option<VerticalId>,
}

/// An entry as it stands in the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRecord {
    /// Its sequence number.
    pub seq: i64,
    /// Its id.
    pub id: EntryId,
    /// Its kind.
    pub kind: String,
    /// The deal.
    pub deal: Option<DealId>,
    /// The payee.
    pub payee: Option<PayeeId>,
    /// What caused it.
    pub source: Uuid,
    /// The business date.
    pub effective_on: Date,
    /// When it would have taken effect, had its period not been closed.
    pub moved_from: Option<Date>,
    /// What it undoes.
    pub reverses: Option<EntryId>,
    /// What undoes it.
    pub reversed_by: Option<EntryId>,
    /// When it was written.
    pub recorded_at: Instant,
    /// The hash of its canonical bytes.
    pub sha256: Digest,
    /// The hash of the entry before.
    pub previous_sha256: Digest,
    /// Its sides, as far as the viewer may see them.
    pub postings: Vec<PostingRecord>,
}

/// One side of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostingRecord {
    /// The account.
    pub account: AccountId,
    /// Which one it is.
    pub key: AccountKey,
    /// The code of the account's vertical.
    pub vertical_code: Option<String>,
    /// How much.
    pub amount_minor: i64,
    /// The commission line.
    pub line: Option<LineId>,
}

/// A posting of one account, in the account's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPosting {
    /// Its place in the account, from 1 without gaps.
    pub account_seq: i64,
    /// The entry.
    pub entry: EntryId,
    /// The entry's sequence number.
    pub entry_seq: i64,
    /// The entry's kind.
    pub kind: String,
    /// The business date.
    pub effective_on: Date,
    /// When it was written.
    pub recorded_at: Instant,
    /// How much.
    pub amount_minor: i64,
    /// The account's balance after it.
    pub balance_after_minor: i64,
    /// The commission line.
    pub line: Option<LineId>,
}

/// Which entries are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct EntryFilter {
    /// Of one kind.
    pub kind: Option<EntryKind>,
    /// Of one deal.
    pub deal: Option<DealId>,
    /// Of one payee.
    pub payee: Option<PayeeId>,
    /// Of one cause: a calculation, a payout …
    pub source: Option<Uuid>,
    /// Effective on or after.
    pub effective_from: Option<Date>,
    /// Effective on or before.
    pub effective_to: Option<Date>,
}

/// One kind of account in a trial balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TrialRow {
    /// The kind.
    pub kind: AccountKind,
    /// Accounts of the kind with postings.
    pub accounts: i64,
    /// The sum of the accounts that stand in debit.
    pub debit_minor: i64,
    /// The sum of the accounts that stand in credit, positive.
    pub credit_minor: i64,
}

/// What accruals are summed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccrualBy {
    /// The vertical of the deal.
    Vertical,
    /// The cohort of the member.
    Cohort,
    /// The provider of the deal.
    Partner,
    /// The product of the deal.
    Product,
}

impl AccrualBy {
    /// Reads the word of the API.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "vertical" => Some(Self::Vertical),
            "cohort" => Some(Self::Cohort),
            "partner" => Some(Self::Partner),
            "product" => Some(Self::Product),
            _ => None,
        }
    }
}

/// One sum of accruals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccrualRow {
    /// The code of the vertical or product, the cohort's name (empty for none), the provider's id.
    pub key: String,
    /// Deals with a line.
    pub deals: i64,
    /// Earned in all, the platform's part included.
    pub earned_minor: i64,
    /// Taken back in all, positive.
    pub clawed_back_minor: i64,
    /// The payees' part of what was earned.
    pub payee_earned_minor: i64,
    /// The payees' part of what was taken back.
    pub payee_clawed_back_minor: i64,
}

/// Who a party of an account is: the kind of account tells.
#[must_use]
pub fn party_text(key: &AccountKey) -> Option<String> {
    let party = key.party?;
    Some(match key.kind {
        AccountKind::ProviderReceivable | AccountKind::UnappliedReceipts => OrganisationId::new(party).to_string(),
        AccountKind::Cash => BankAccountId::new(party).to_string(),
        AccountKind::PayeeAccrued
        | AccountKind::PayeeHeld
        | AccountKind::PayeeAvailable
        | AccountKind::PayeeInTransit
        | AccountKind::ClawbackRecoverable => PayeeId::new(party).to_string(),
        AccountKind::MemberSuspense => MemberId::new(party).to_string(),
        AccountKind::CommissionRevenue
        | AccountKind::CommissionExpense
        | AccountKind::GstCollected
        | AccountKind::GstPaid
        | AccountKind::WithholdingPayable
        | AccountKind::StripeBalance
        | AccountKind::WriteOff
        | AccountKind::RoundingDifference
        | AccountKind::RailFees
        | AccountKind::OpeningBalance => party.to_string(),
    })
}

/// Reads the id of a party: an organisation, payee or member.
#[must_use]
pub fn parse_party(text: &str) -> Option<Uuid> {
    let organisation = OrganisationId::parse(text).map(OrganisationId::uuid);
    let payee = PayeeId::parse(text).map(PayeeId::uuid);
    let member = MemberId::parse(text).map(MemberId::uuid);
    organisation.or(payee).or(member).ok()
}

impl EntryRecord {
    /// What caused it, as an id: what the deals' facts adjust has a deal, what somebody adjusts by hand has none.
    #[must_use]
    pub fn source_text(&self) -> String {
        match (EntryKind::parse(&self.kind), self.deal) {
            (Some(EntryKind::Adjustment), None) => ManualEntryId::new(self.source).to_string(),
            (Some(_) | None, _) => source_text(&self.kind, self.source),
        }
    }
}

/// What caused an entry, as an id: payouts, holds and assignments by their own, what somebody wrote by hand by its proposal,
/// everything else by the calculation.
#[must_use]
fn source_text(kind: &str, source: Uuid) -> String {
    match EntryKind::parse(kind) {
        Some(
            EntryKind::PayoutInitiated
            | EntryKind::PayoutSettled
            | EntryKind::PayoutReturned
            | EntryKind::ClawbackRecovery
            | EntryKind::Withholding,
        ) => PayoutId::new(source).to_string(),
        Some(EntryKind::Gst) => TaxDocumentId::new(source).to_string(),
        Some(EntryKind::ProviderReceipt) => ProviderStatementLineId::new(source).to_string(),
        Some(EntryKind::WriteOff) => WriteOffId::new(source).to_string(),
        Some(EntryKind::TaxRemittance) => TaxRemittanceId::new(source).to_string(),
        Some(EntryKind::Fee | EntryKind::FundsTransfer | EntryKind::Opening | EntryKind::Reversal) => {
            ManualEntryId::new(source).to_string()
        }
        Some(EntryKind::Hold | EntryKind::Unhold) => HoldId::new(source).to_string(),
        Some(EntryKind::Assignment) => AssignmentId::new(source).to_string(),
        Some(EntryKind::Accrual | EntryKind::Release | EntryKind::Clawback | EntryKind::Adjustment) | None => {
            CalculationId::new(source).to_string()
        }
    }
}

/// Why the book stays closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BookError {
    /// The actor lacks the scope.
    #[error(transparent)]
    MissingScope(#[from] MissingScope),
    /// Sums over everybody are for those who see everything.
    #[error("there is no such thing here")]
    Hidden,
}

/// Lets those read the whole book who see everything: a part of it would not balance.
///
/// # Errors
/// See [`BookError`].
pub fn whole(actor: &Actor) -> Result<(), BookError> {
    actor.require(Scope::LedgerRead)?;
    if ownership::has(actor, None) { Ok(()) } else { Err(BookError::Hidden) }
}

/// The book, to look up.
pub trait BookQueries {
    /// Accounts, in the order of their ids.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_accounts(&mut self, filter: &AccountFilter, page: &PageRequest) -> Result<Page<AccountRecord>, StoreError>;

    /// An account, with its balance as of a moment.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_account(&mut self, id: AccountId, as_of: AsOf) -> Result<Option<AccountRecord>, StoreError>;

    /// The postings of an account, newest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn account_postings(&mut self, id: AccountId, page: &PageRequest) -> Result<Page<AccountPosting>, StoreError>;

    /// Entries with their postings, newest first.
    ///
    /// # Errors
    /// The failure of the store.
    fn list_entries(&mut self, filter: &EntryFilter, page: &PageRequest) -> Result<Page<EntryRecord>, StoreError>;

    /// An entry with its postings.
    ///
    /// # Errors
    /// The failure of the store.
    fn find_entry(&mut self, id: EntryId) -> Result<Option<EntryRecord>, StoreError>;

    /// Entries with their postings in the order of the book, after a sequence number.
    ///
    /// # Errors
    /// The failure of the store.
    fn entries_after(&mut self, seq: i64, limit: u32) -> Result<Vec<EntryRecord>, StoreError>;

    /// The trial balance as of a moment, by kind of account.
    ///
    /// # Errors
    /// The failure of the store.
    fn trial_balance(&mut self, as_of: AsOf) -> Result<Vec<TrialRow>, StoreError>;

    /// Sums of what was earned and taken back.
    ///
    /// # Errors
    /// The failure of the store.
    fn accruals(&mut self, by: AccrualBy) -> Result<Vec<AccrualRow>, StoreError>;
}
