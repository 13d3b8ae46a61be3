//! Own accounts, payout runs, payouts, statements, as they go in and out.

pub mod account;
pub mod payout;
pub mod run;
pub mod statement;

pub use account::{BankAccountView, CreateBankAccountRequest};
pub use payout::{PayoutDetailView, PayoutView};
pub use run::{ApproveRunRequest, DecideRunRequest, PayoutRunDetailView, PayoutRunView, PreviewRunRequest};
pub use statement::StatementView;
