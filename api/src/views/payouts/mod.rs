//! Own accounts, payout runs, payouts, statements, as they go in and out.

pub mod account;
pub mod bank;
pub mod payout;
pub mod returned;
pub mod run;
pub mod statement;

pub use account::{BankAccountView, CreateBankAccountRequest};
pub use payout::{PayoutDetailView, PayoutView, ResentPayoutView};
pub use returned::{BankReturnDetailView, BankReturnView};
pub use run::{ApproveRunRequest, BankFilesView, DecideRunRequest, PayoutRunView, PreviewRunRequest};
pub use statement::StatementView;
