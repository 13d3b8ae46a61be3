//! Own bank accounts.

use domain::directory::payee::BankAccountInput;
use domain::payouts::bank::csv_profile::{CsvProfile, CsvProfileInput};
use domain::payouts::{BankAccount, CreateBankAccountInput};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A bank account of ours in a request.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OwnAccountInput, example = json!({"bsb": "062-000", "account_number": "12345678", "account_name": "FLIP 360 PTY LTD"}))]
pub struct OwnAccountRequest {
    /// Six digits.
    #[schema(required = true, nullable = false)]
    bsb: Option<String>,
    /// One to nine digits.
    #[schema(required = true, nullable = false)]
    account_number: Option<String>,
    /// The name of the account, at most 32 characters of the bank's set.
    #[schema(required = true, nullable = false)]
    account_name: Option<String>,
}

/// A request to keep one of our own bank accounts with the profile that its bank asks of a file.
#[derive(Debug, Clone, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateBankAccount, example = json!({"name": "Commission account", "account": {"bsb": "062-000", "account_number": "12345678", "account_name": "FLIP 360 PTY LTD"}, "bank_code": "CBA", "user_name": "FLIP 360 PTY LTD", "user_number": "301500", "remitter": "FLIP 360", "description": "COMMISSION", "self_balancing": true}))]
pub struct CreateBankAccountRequest {
    /// What we call it.
    #[schema(required = true, nullable = false)]
    name: Option<String>,
    /// Where it is.
    #[schema(required = true, nullable = false)]
    account: Option<OwnAccountRequest>,
    /// The bank's three letters.
    #[schema(required = true, nullable = false)]
    bank_code: Option<String>,
    /// Our name at the bank, at most 26 characters.
    #[schema(required = true, nullable = false)]
    user_name: Option<String>,
    /// Our number at the bank, at most six digits.
    #[schema(required = true, nullable = false)]
    user_number: Option<String>,
    /// Who pays, as payees read it, at most 16 characters.
    #[schema(required = true, nullable = false)]
    remitter: Option<String>,
    /// What the file is for, at most 12 characters.
    #[schema(required = true, nullable = false)]
    description: Option<String>,
    /// Whether the file ends with a debit of this account over its total: CBA, HSBC and Bankwest want it.
    self_balancing: Option<bool>,
    /// Which date stands in the header: `run_day` (the default) or `next_banking_day`.
    header_date: Option<String>,
    /// The most lines that the bank takes in one file.
    item_limit: Option<i64>,
    /// After how many banking days without a return a file counts as paid, 1 to 30; only a bank statement settles it if absent.
    settle_after_days: Option<i64>,
    /// How the CSV of its statements is to be read.
    csv: Option<CsvProfileRequest>,
}

/// How the CSV of a bank is to be read: columns by their names in the header line.
#[derive(Debug, Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CsvProfile, example = json!({"date": "Date", "date_format": "DD/MM/YYYY", "amount": "Amount", "text": "Description", "balance": "Balance"}))]
pub struct CsvProfileRequest {
    /// The date on which a line was booked.
    #[schema(required = true, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    /// How it is written: `DD/MM/YYYY` (the default), `YYYY-MM-DD`, `YYYYMMDD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    date_format: Option<String>,
    /// The signed amount; or else `debit` and `credit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<String>,
    /// What went out.
    #[serde(skip_serializing_if = "Option::is_none")]
    debit: Option<String>,
    /// What came in.
    #[serde(skip_serializing_if = "Option::is_none")]
    credit: Option<String>,
    /// What the line says.
    #[schema(required = true, nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// The balance after the line.
    #[serde(skip_serializing_if = "Option::is_none")]
    balance: Option<String>,
}

impl From<CsvProfileRequest> for CsvProfileInput {
    fn from(raw: CsvProfileRequest) -> Self {
        Self {
            date: raw.date,
            date_format: raw.date_format,
            amount: raw.amount,
            debit: raw.debit,
            credit: raw.credit,
            text: raw.text,
            balance: raw.balance,
        }
    }
}

impl From<CsvProfile> for CsvProfileRequest {
    fn from(profile: CsvProfile) -> Self {
        Self {
            date: Some(profile.date),
            date_format: Some(profile.date_format.code().to_owned()),
            amount: profile.amount,
            debit: profile.debit,
            credit: profile.credit,
            text: Some(profile.text),
            balance: profile.balance,
        }
    }
}

impl From<CreateBankAccountRequest> for CreateBankAccountInput {
    fn from(raw: CreateBankAccountRequest) -> Self {
        let account = raw.account.map(|a| BankAccountInput {
            bsb: a.bsb,
            account_number: a.account_number,
            account_name: a.account_name,
        });
        Self {
            name: raw.name,
            account,
            bank_code: raw.bank_code,
            user_name: raw.user_name,
            user_number: raw.user_number,
            remitter: raw.remitter,
            description: raw.description,
            self_balancing: raw.self_balancing,
            header_date: raw.header_date,
            item_limit: raw.item_limit,
            settle_after_days: raw.settle_after_days,
            csv: raw.csv.map(Into::into),
        }
    }
}

/// One of our own bank accounts.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankAccount)]
pub struct BankAccountView {
    /// Its id.
    #[schema(example = "bank_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// What we call it.
    #[schema(example = "Commission account")]
    name: String,
    /// Its branch.
    #[schema(example = "062-000")]
    bsb: String,
    /// Its number.
    #[schema(example = "12345678")]
    account_number: String,
    /// Its name.
    #[schema(example = "FLIP 360 PTY LTD")]
    account_name: String,
    /// The bank's three letters.
    #[schema(example = "CBA")]
    bank_code: String,
    /// Our name at the bank.
    user_name: String,
    /// Our number at the bank.
    #[schema(example = "301500")]
    user_number: String,
    /// Who pays, as payees read it.
    remitter: String,
    /// What the file is for.
    description: String,
    /// Whether the file ends with a debit of this account.
    self_balancing: bool,
    /// Which date stands in the header.
    #[schema(example = "run_day")]
    header_date: &'static str,
    /// The most lines in one file.
    #[schema(example = 999_999)]
    item_limit: u32,
    /// After how many banking days without a return a file counts as paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 3)]
    settle_after_days: Option<u16>,
    /// How the CSV of its statements is to be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    csv: Option<CsvProfileRequest>,
}

impl From<BankAccount> for BankAccountView {
    fn from(account: BankAccount) -> Self {
        Self {
            id: account.id.to_string(),
            name: account.name.to_string(),
            bsb: account.details.bsb.to_string(),
            account_number: account.details.account.to_string(),
            account_name: account.details.title.to_string(),
            bank_code: account.bank_code.as_str().to_owned(),
            user_name: account.user_name.to_string(),
            user_number: account.user_number.as_str().to_owned(),
            remitter: account.remitter.to_string(),
            description: account.description.to_string(),
            self_balancing: account.self_balancing,
            header_date: account.header_date.code(),
            item_limit: account.item_limit,
            settle_after_days: account.settle_after_days,
            csv: account.csv.map(Into::into),
        }
    }
}
