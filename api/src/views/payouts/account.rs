//! Own bank accounts.

use domain::directory::payee::BankAccountInput;
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
        }
    }
}
