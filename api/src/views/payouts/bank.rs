//! Bank statements and the reconciliation, as they go in and out.

use domain::payouts::bank::reconcile::{AccountReconciliation, Reconciliation};
use domain::payouts::bank::repository::{KeptLine, KeptStatement, LineMatch};
use domain::payouts::returns::repository::ReturnException;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::views::MoneyView;

/// Which account is asked about.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AccountQuery {
    /// One of our own accounts. A CSV needs it; a camt.053 document says it itself.
    #[param(example = "bank_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub bank_account_id: Option<String>,
}

/// Which account and date are asked about.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReconciliationQuery {
    /// One of our own accounts; all of them if absent.
    #[param(example = "bank_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub bank_account_id: Option<String>,
    /// As of the end of this date; today (Sydney) if absent.
    #[param(example = "2026-11-25")]
    pub on: Option<String>,
}

/// A statement of one of our own bank accounts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankStatement)]
pub struct BankStatementView {
    /// Its id.
    #[schema(example = "bstatement_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// The account.
    #[schema(example = "bank_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    bank_account_id: String,
    /// SHA-256 of the document that it stood in.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    document_sha256: String,
    /// `camt.053` or `csv`.
    #[schema(example = "camt.053")]
    format: &'static str,
    /// What the bank calls it.
    #[schema(example = "STMT-2026-11-25")]
    reference: String,
    /// Its first day.
    #[schema(example = "2026-11-25")]
    from_on: String,
    /// Its last day.
    #[schema(example = "2026-11-25")]
    to_on: String,
    /// The balance before its lines, if the document tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    opening_balance: Option<MoneyView>,
    /// The balance after them, if the document tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    closing_balance: Option<MoneyView>,
    /// How many lines it has.
    #[schema(example = 12)]
    lines: u32,
    /// How many of them are matched or explained.
    #[schema(example = 11)]
    matched: u32,
    /// When it was taken in.
    #[schema(example = "2026-11-26T02:00:00Z")]
    created_at: String,
}

impl From<KeptStatement> for BankStatementView {
    fn from(kept: KeptStatement) -> Self {
        Self {
            id: kept.id.to_string(),
            bank_account_id: kept.account.to_string(),
            document_sha256: kept.sha256.to_string(),
            format: kept.format.code(),
            reference: kept.reference,
            from_on: kept.from_on.to_string(),
            to_on: kept.to_on.to_string(),
            opening_balance: kept.opening_minor.map(MoneyView::aud),
            closing_balance: kept.closing_minor.map(MoneyView::aud),
            lines: kept.lines,
            matched: kept.matched,
            created_at: kept.created_at.to_string(),
        }
    }
}

/// The statements of a document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankStatements)]
pub struct BankStatementsView {
    /// The statements, in their order.
    data: Vec<BankStatementView>,
}

impl From<Vec<KeptStatement>> for BankStatementsView {
    fn from(statements: Vec<KeptStatement>) -> Self {
        Self { data: statements.into_iter().map(Into::into).collect() }
    }
}

/// What a line is.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = LineMatch)]
pub struct LineMatchView {
    /// `bank_file`, `payout`, `bank_return`, or `explained`.
    #[schema(example = "bank_file")]
    kind: &'static str,
    /// What it was matched to; absent where it was explained otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "bankfile_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: Option<String>,
    /// Whether somebody said so by hand.
    #[schema(example = false)]
    by_hand: bool,
    /// Why, in the words of who did it by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<LineMatch> for LineMatchView {
    fn from(found: LineMatch) -> Self {
        Self {
            kind: found.target.map_or("explained", |target| target.kind()),
            id: found.target.map(|target| target.name()),
            by_hand: found.by.is_some(),
            reason: found.reason,
        }
    }
}

/// A line of a bank statement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankStatementLine)]
pub struct BankStatementLineView {
    /// Its id.
    #[schema(example = "bline_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Its place in the statement, from 1.
    #[schema(example = 1)]
    n: u32,
    /// When it was booked.
    #[schema(example = "2026-11-25")]
    booked_on: String,
    /// Positive: money came in.
    amount: MoneyView,
    /// What it says.
    #[schema(example = "COMMISSION FLIP 360 PTY LTD")]
    text: String,
    /// `matched` or `unmatched`.
    #[schema(example = "matched")]
    state: &'static str,
    /// What it is.
    matches: Vec<LineMatchView>,
}

impl From<KeptLine> for BankStatementLineView {
    fn from(line: KeptLine) -> Self {
        Self {
            id: line.id.to_string(),
            n: line.n,
            booked_on: line.booked_on.to_string(),
            amount: MoneyView::aud(line.amount_minor),
            text: line.text,
            state: if line.matches.is_empty() { "unmatched" } else { "matched" },
            matches: line.matches.into_iter().map(Into::into).collect(),
        }
    }
}

/// A request to match a line by hand: to a bank file, to a payout, or to neither with a reason.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MatchBankStatementLine, example = json!({"bank_file_id": "bankfile_01k0w4q7v8e2rtf3k2m9x5c6dz", "reason": "Two files over one amount: the bank confirmed by telephone"}))]
pub struct MatchLineRequest {
    /// The bank file that it paid.
    pub bank_file_id: Option<String>,
    /// The payout that came back by it.
    pub payout_id: Option<String>,
    /// Why.
    #[schema(required = true, nullable = false)]
    pub reason: Option<String>,
}

/// One of our own accounts beside the ledger: difference = unmatched + timing + unexplained.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccountReconciliation)]
pub struct AccountReconciliationView {
    /// The account.
    #[schema(example = "bank_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    bank_account_id: String,
    /// The newest statement that tells its closing balance.
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_statement_id: Option<String>,
    /// The last day of that statement.
    #[serde(skip_serializing_if = "Option::is_none")]
    statement_on: Option<String>,
    /// What the bank says at the end of that day.
    #[serde(skip_serializing_if = "Option::is_none")]
    bank_balance: Option<MoneyView>,
    /// What the ledger says at the end of that day, or of the date that was asked for.
    ledger_balance: MoneyView,
    /// The bank less the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    difference: Option<MoneyView>,
    /// What lines that nobody has matched come to.
    unmatched: MoneyView,
    /// How many lines that are.
    #[schema(example = 1)]
    unmatched_lines: u64,
    /// What is a matter of days: matched at the bank on another day than the payouts moved, or not yet.
    timing: MoneyView,
    /// What nothing explains.
    #[serde(skip_serializing_if = "Option::is_none")]
    unexplained: Option<MoneyView>,
    /// Statements that do not begin where the one before ended.
    #[schema(example = 0)]
    statement_gaps: u64,
}

impl From<AccountReconciliation> for AccountReconciliationView {
    fn from(beside: AccountReconciliation) -> Self {
        let standing = beside.standing;
        let statement = standing.statement.as_ref();
        Self {
            bank_account_id: standing.account.to_string(),
            bank_statement_id: statement.map(|statement| statement.id.to_string()),
            statement_on: statement.map(|statement| statement.to_on.to_string()),
            bank_balance: statement.and_then(|statement| statement.closing_minor).map(MoneyView::aud),
            ledger_balance: MoneyView::aud(standing.ledger_minor),
            difference: beside.difference_minor.map(MoneyView::aud),
            unmatched: MoneyView::aud(standing.unmatched_minor),
            unmatched_lines: standing.unmatched,
            timing: MoneyView::aud(beside.timing_minor),
            unexplained: beside.unexplained_minor.map(MoneyView::aud),
            statement_gaps: standing.gaps,
        }
    }
}

/// A line that nobody has matched.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UnmatchedLine)]
pub struct UnmatchedLineView {
    /// The line.
    #[serde(flatten)]
    line: BankStatementLineView,
    /// The account.
    #[schema(example = "bank_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    bank_account_id: String,
    /// Days since it was booked.
    #[schema(example = 3)]
    age_days: i32,
}

/// A returned payment that is no payout.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UnmatchedReturn)]
pub struct UnmatchedReturnView {
    /// The file.
    #[schema(example = "breturn_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    bank_return_id: String,
    /// Its place in the file, from 1.
    #[schema(example = 1)]
    n: u32,
    /// How much.
    amount: MoneyView,
    /// Its reference.
    #[schema(example = "FLIP-7V8E2RTF3K2M")]
    reference: String,
    /// Why it is no payout: `no_such_payment`, `other_amount`, `other_account`, `already_returned`.
    #[schema(example = "other_amount")]
    unmatched: &'static str,
    /// Days since it was taken in.
    #[schema(example = 3)]
    age_days: i32,
}

fn unmatched((exception, age_days): (ReturnException, i32)) -> UnmatchedReturnView {
    UnmatchedReturnView {
        bank_return_id: exception.file.to_string(),
        n: exception.item.n,
        amount: MoneyView::aud(exception.item.amount_minor),
        reference: exception.item.reference,
        unmatched: exception.item.payout.err().map_or("", |why| why.code()),
        age_days,
    }
}

/// The bank beside the ledger.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Reconciliation)]
pub struct ReconciliationView {
    /// As of the end of this date.
    #[schema(example = "2026-11-25")]
    on: String,
    /// Our own accounts.
    accounts: Vec<AccountReconciliationView>,
    /// Lines that nobody has matched, oldest first, at most 500.
    unmatched_lines: Vec<UnmatchedLineView>,
    /// Returned payments that are no payout, oldest first, at most 500.
    unmatched_returns: Vec<UnmatchedReturnView>,
}

impl From<Reconciliation> for ReconciliationView {
    fn from(report: Reconciliation) -> Self {
        let line = |(line, age_days): (KeptLine, i32)| UnmatchedLineView {
            bank_account_id: line.account.to_string(),
            line: line.into(),
            age_days,
        };
        Self {
            on: report.on.to_string(),
            accounts: report.accounts.into_iter().map(Into::into).collect(),
            unmatched_lines: report.unmatched.into_iter().map(line).collect(),
            unmatched_returns: report.returned.into_iter().map(unmatched).collect(),
        }
    }
}
