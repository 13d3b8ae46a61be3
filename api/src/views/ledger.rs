//! The ledger as a book: accounts, entries, sums.

use domain::ledger::book::party_text;
use domain::ledger::book::{AccountPosting, AccountRecord, AccrualRow, EntryRecord, PostingRecord, TrialRow};
use serde::Serialize;
use utoipa::ToSchema;

use super::MoneyView;

/// An account. Debit is positive.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerAccount)]
pub struct AccountView {
    /// Its id.
    #[schema(example = "account_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Its kind.
    #[schema(example = "payee_available")]
    kind: &'static str,
    /// The provider, payee or member.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    party_id: Option<String>,
    /// The vertical.
    #[serde(skip_serializing_if = "Option::is_none")]
    vertical: Option<String>,
    /// Its balance, as of the moment that was asked for.
    balance: MoneyView,
    /// How many postings that balance has.
    #[schema(example = 12)]
    postings: i64,
    /// When it was opened.
    #[schema(example = "2026-11-25T02:00:00Z")]
    created_at: String,
}

impl From<AccountRecord> for AccountView {
    fn from(account: AccountRecord) -> Self {
        Self {
            id: account.id.to_string(),
            kind: account.key.kind.as_str(),
            party_id: party_text(&account.key),
            vertical: account.vertical_code,
            balance: MoneyView::aud(account.balance_minor),
            postings: account.postings,
            created_at: account.created_at.to_string(),
        }
    }
}

/// A posting of one account.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountEntry)]
pub struct AccountPostingView {
    /// Its place in the account, from 1 without gaps.
    #[schema(example = 12)]
    account_seq: i64,
    /// The entry.
    #[schema(example = "entry_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    entry_id: String,
    /// The entry's sequence number.
    #[schema(example = 4711)]
    seq: i64,
    /// The entry's kind.
    #[schema(example = "release")]
    kind: String,
    /// The business date.
    #[schema(example = "2026-11-25")]
    effective_on: String,
    /// When it was written.
    #[schema(example = "2026-11-25T02:00:00Z")]
    recorded_at: String,
    /// How much; debit is positive.
    amount: MoneyView,
    /// The account's balance after it.
    balance_after: MoneyView,
    /// The commission line.
    #[serde(skip_serializing_if = "Option::is_none")]
    line_id: Option<String>,
}

impl From<AccountPosting> for AccountPostingView {
    fn from(posting: AccountPosting) -> Self {
        Self {
            account_seq: posting.account_seq,
            entry_id: posting.entry.to_string(),
            seq: posting.entry_seq,
            kind: posting.kind,
            effective_on: posting.effective_on.to_string(),
            recorded_at: posting.recorded_at.to_string(),
            amount: MoneyView::aud(posting.amount_minor),
            balance_after: MoneyView::aud(posting.balance_after_minor),
            line_id: posting.line.map(|id| id.to_string()),
        }
    }
}

/// One side of an entry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Posting)]
pub struct PostingView {
    /// The account.
    #[schema(example = "account_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    account_id: String,
    /// The account's kind.
    #[schema(example = "payee_available")]
    account_kind: &'static str,
    /// The provider, payee or member.
    #[serde(skip_serializing_if = "Option::is_none")]
    party_id: Option<String>,
    /// The vertical.
    #[serde(skip_serializing_if = "Option::is_none")]
    vertical: Option<String>,
    /// How much; debit is positive.
    amount: MoneyView,
    /// The commission line.
    #[serde(skip_serializing_if = "Option::is_none")]
    line_id: Option<String>,
}

impl From<PostingRecord> for PostingView {
    fn from(posting: PostingRecord) -> Self {
        Self {
            account_id: posting.account.to_string(),
            account_kind: posting.key.kind.as_str(),
            party_id: party_text(&posting.key),
            vertical: posting.vertical_code,
            amount: MoneyView::aud(posting.amount_minor),
            line_id: posting.line.map(|id| id.to_string()),
        }
    }
}

/// A balanced entry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LedgerEntry)]
pub struct EntryView {
    /// Its id.
    #[schema(example = "entry_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Its sequence number, without gaps.
    #[schema(example = 4711)]
    seq: i64,
    /// Its kind.
    #[schema(example = "accrual")]
    kind: String,
    /// The deal.
    #[serde(skip_serializing_if = "Option::is_none")]
    deal_id: Option<String>,
    /// The payee.
    #[serde(skip_serializing_if = "Option::is_none")]
    payee_id: Option<String>,
    /// What caused it: a calculation, a payout, a proposal by hand.
    #[schema(example = "calc_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    source_id: String,
    /// The business date.
    #[schema(example = "2026-11-25")]
    effective_on: String,
    /// The business date that it would have, had its month not been closed: then it takes effect on the first open day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-10-31")]
    moved_from_on: Option<String>,
    /// The entry that it undoes.
    #[serde(skip_serializing_if = "Option::is_none")]
    reverses_id: Option<String>,
    /// The entry that undoes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reversed_by_id: Option<String>,
    /// When it was written.
    #[schema(example = "2026-11-25T02:00:00Z")]
    recorded_at: String,
    /// SHA-256 of its canonical bytes, to which its leaf commits.
    sha256: String,
    /// The same of the entry before.
    previous_sha256: String,
    /// Its sides: to a partner those of its own accounts only.
    postings: Vec<PostingView>,
}

impl From<EntryRecord> for EntryView {
    fn from(entry: EntryRecord) -> Self {
        Self {
            id: entry.id.to_string(),
            seq: entry.seq,
            deal_id: entry.deal.map(|id| id.to_string()),
            payee_id: entry.payee.map(|id| id.to_string()),
            source_id: entry.source_text(),
            kind: entry.kind,
            effective_on: entry.effective_on.to_string(),
            moved_from_on: entry.moved_from.map(|on| on.to_string()),
            reverses_id: entry.reverses.map(|id| id.to_string()),
            reversed_by_id: entry.reversed_by.map(|id| id.to_string()),
            recorded_at: entry.recorded_at.to_string(),
            sha256: entry.sha256.to_string(),
            previous_sha256: entry.previous_sha256.to_string(),
            postings: entry.postings.into_iter().map(Into::into).collect(),
        }
    }
}

/// One kind of account in a trial balance.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrialBalanceRow)]
pub struct TrialRowView {
    /// The kind.
    #[schema(example = "commission_revenue")]
    kind: &'static str,
    /// Accounts of the kind with postings.
    #[schema(example = 1)]
    accounts: i64,
    /// The sum of those in debit.
    debit: MoneyView,
    /// The sum of those in credit, positive.
    credit: MoneyView,
}

/// A trial balance: debits equal credits.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TrialBalance)]
pub struct TrialBalanceView {
    /// By kind of account.
    data: Vec<TrialRowView>,
    /// All debits.
    debit: MoneyView,
    /// All credits.
    credit: MoneyView,
}

impl From<Vec<TrialRow>> for TrialBalanceView {
    fn from(rows: Vec<TrialRow>) -> Self {
        let row = |row: &TrialRow| TrialRowView {
            kind: row.kind.as_str(),
            accounts: row.accounts,
            debit: MoneyView::aud(row.debit_minor),
            credit: MoneyView::aud(row.credit_minor),
        };
        Self {
            data: rows.iter().map(row).collect(),
            debit: MoneyView::aud(rows.iter().map(|r| r.debit_minor).sum()),
            credit: MoneyView::aud(rows.iter().map(|r| r.credit_minor).sum()),
        }
    }
}

/// One sum of accruals.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccrualSum)]
pub struct AccrualView {
    /// The code of the vertical or product, the cohort's name (empty for none), the provider's id.
    #[schema(example = "V01")]
    key: String,
    /// Deals with a commission line.
    #[schema(example = 1200)]
    deals: i64,
    /// Earned in all, the platform's part included.
    earned: MoneyView,
    /// Taken back in all, positive.
    clawed_back: MoneyView,
    /// The payees' part of what was earned.
    payee_earned: MoneyView,
    /// The payees' part of what was taken back.
    payee_clawed_back: MoneyView,
}

impl From<AccrualRow> for AccrualView {
    fn from(row: AccrualRow) -> Self {
        Self {
            key: row.key,
            deals: row.deals,
            earned: MoneyView::aud(row.earned_minor),
            clawed_back: MoneyView::aud(row.clawed_back_minor),
            payee_earned: MoneyView::aud(row.payee_earned_minor),
            payee_clawed_back: MoneyView::aud(row.payee_clawed_back_minor),
        }
    }
}
