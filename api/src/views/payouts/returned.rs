//! Files of returned payments.

use domain::payouts::returns::repository::{BankReturn, KeptItem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::views::MoneyView;

/// A file of returned payments.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankReturn)]
pub struct BankReturnView {
    /// Its id.
    #[schema(example = "breturn_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// SHA-256 of its bytes: its identity.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    sha256: String,
    /// How many payments it says came back.
    #[schema(example = 3)]
    items: u32,
    /// How many of them are payouts.
    #[schema(example = 2)]
    matched: u32,
    /// What all of them come to.
    total: MoneyView,
    /// What the payouts among them come to.
    matched_total: MoneyView,
    /// When it was taken in.
    #[schema(example = "2026-11-27T02:00:00Z")]
    created_at: String,
}

impl From<BankReturn> for BankReturnView {
    fn from(kept: BankReturn) -> Self {
        Self {
            id: kept.id.to_string(),
            sha256: kept.sha256.to_string(),
            items: kept.items,
            matched: kept.matched,
            total: MoneyView::aud(kept.total_minor),
            matched_total: MoneyView::aud(kept.matched_minor),
            created_at: kept.created_at.to_string(),
        }
    }
}

/// One returned payment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReturnedItem)]
pub struct ReturnedItemView {
    /// Its place in the file, from 1.
    #[schema(example = 1)]
    n: u32,
    /// Why it came back: `bad_bsb`, `stopped`, `closed`, `deceased`, `no_account`, `refer_to_customer`, `bad_user_id`, `technically_invalid`.
    #[schema(example = "no_account")]
    code: &'static str,
    /// How much.
    amount: MoneyView,
    /// Its reference.
    #[schema(example = "FLIP-7V8E2RTF3K2M")]
    reference: String,
    /// The date of the bank.
    #[schema(example = "2026-11-27")]
    returned_on: String,
    /// The payout that it was; absent if it is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    payout_id: Option<String>,
    /// Why it is no payout: `no_such_payment`, `other_amount`, `other_account`, `already_returned`.
    #[serde(skip_serializing_if = "Option::is_none")]
    unmatched: Option<&'static str>,
}

impl From<KeptItem> for ReturnedItemView {
    fn from(item: KeptItem) -> Self {
        Self {
            n: item.n,
            code: item.code.code(),
            amount: MoneyView::aud(item.amount_minor),
            reference: item.reference,
            returned_on: item.returned_on.to_string(),
            payout_id: item.payout.ok().map(|id| id.to_string()),
            unmatched: item.payout.err().map(|why| why.code()),
        }
    }
}

/// A file of returned payments with what is in it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BankReturnDetail)]
pub struct BankReturnDetailView {
    /// The file.
    #[serde(flatten)]
    file: BankReturnView,
    /// Its payments, in their order.
    returned: Vec<ReturnedItemView>,
}

impl From<(BankReturn, Vec<KeptItem>)> for BankReturnDetailView {
    fn from((file, items): (BankReturn, Vec<KeptItem>)) -> Self {
        Self { file: file.into(), returned: items.into_iter().map(Into::into).collect() }
    }
}
