//! What a run is about to do, frozen: canonical JSON whose SHA-256 is what gets proposed and approved.
//!
//! It names payees, lines and bank details by id; bank details carry a salted commitment besides, so
//! that a swapped account is noticed and nobody learns it from the content. Amounts are strings of cents.
//! Invariants: per payout, sent over its lines = net, set off over its lines = settled = recovered, gross + GST =
//! net + recovered + withheld, and so on each line; payouts and lines stand in a fixed order. What is nothing
//! is left out, so that contents of before GST, withholding and Stripe still read byte for byte.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::aba::LodgementReference;
use crate::directory::bank::BankDetails;
use crate::directory::payee::Rail;
use crate::kernel::ids::{BankAccountId, LineId, PayeeId, PayoutId, PayoutRunId};
use crate::kernel::{Cents, Currency, Digest, Frozen};

/// The version of every content so far.
pub const VERSION: u8 = 1;
const COMMITMENT: &[u8] = b"flip360/bank-details/v1\0";

/// What bank details a payout uses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankDetailsRef {
    /// SHA-256 over salt and details.
    pub commitment: Digest,
    /// Their id.
    pub id: Uuid,
}

impl BankDetailsRef {
    /// Commits to details.
    #[must_use]
    pub fn new(id: Uuid, salt: Uuid, details: &BankDetails) -> Self {
        let parts = [details.bsb.compact(), details.account.to_string(), details.title.to_string()];
        let said = parts.join("\0");
        Self { commitment: Digest::of_parts(&[COMMITMENT, salt.as_bytes(), said.as_bytes()]), id }
    }
}

/// What a payout takes from a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineShare {
    /// GST that an invoice adds to it.
    #[serde(default, skip_serializing_if = "Cents::is_zero")]
    pub gst: Cents,
    /// The line.
    pub line: LineId,
    /// What is sent.
    pub sent: Cents,
    /// What is set off against clawbacks of other lines.
    pub set_off: Cents,
    /// What is withheld for the tax office.
    #[serde(default, skip_serializing_if = "Cents::is_zero")]
    pub withheld: Cents,
}

/// A clawback that is got back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettledLine {
    /// How much.
    pub amount: Cents,
    /// The line that had been paid too much.
    pub line: LineId,
}

/// One payment to be made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedPayout {
    /// The bank account that it goes to, if it goes by bank file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bank_details: Option<BankDetailsRef>,
    /// What was available, without GST.
    pub gross: Cents,
    /// GST on it, if an invoice is written.
    #[serde(default, skip_serializing_if = "Cents::is_zero")]
    pub gst: Cents,
    /// Its id.
    pub id: PayoutId,
    /// From which lines.
    pub lines: Vec<LineShare>,
    /// What is paid.
    pub net: Cents,
    /// Who is paid.
    pub payee: PayeeId,
    /// What of it clawbacks take.
    pub recovered: Cents,
    /// What the payee reads.
    pub reference: LodgementReference,
    /// The payout that came back and is sent again by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_of: Option<PayoutId>,
    /// Which clawbacks.
    pub settled: Vec<SettledLine>,
    /// The account at Stripe that it goes to, if it goes that way: `acct_…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stripe_account: Option<String>,
    /// What of it is withheld for the tax office.
    #[serde(default, skip_serializing_if = "Cents::is_zero")]
    pub withheld: Cents,
}

impl PlannedPayout {
    /// How it goes.
    #[must_use]
    pub const fn rail(&self) -> Rail {
        if self.stripe_account.is_some() { Rail::Stripe } else { Rail::Aba }
    }
}

/// Why a payee is left out of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Skip {
    /// No ABN. Of contents from before tax was withheld.
    NoAbn,
    /// Registered for GST. Of contents from before tax invoices were written.
    GstDocumentMissing,
    /// Registered for GST at the supply and not at issue, or the other way round: for somebody to look at.
    GstStatusChanged,
    /// Registered for GST, and no agreement is in force that we write its invoices.
    RctiAgreementMissing,
    /// Registered for GST, and the operator has no ABN to write an invoice under.
    RecipientUnknown,
    /// Paid by Stripe, and has no account there.
    StripeAccountMissing,
    /// Its account at Stripe takes no transfers, or pays nothing out.
    StripeAccountRestricted,
    /// Part of a transfer to it is being taken back at Stripe: what is to be got back is not known before that ends.
    ReversalOpen,
    /// Not paid by bank file: how runs before Stripe said it.
    OtherRail,
    /// No bank details.
    NoBankDetails,
    /// The bank details are too new.
    BankDetailsCoolingOff,
    /// The bank sent payments to these bank details back for good.
    BankDetailsBlocked,
    /// Clawbacks take all of it; they stay to be got back.
    NothingNet,
    /// Less than the payee wants to be paid at a time.
    BelowMinimum,
    /// More than a line of the file carries.
    AmountTooLarge,
    /// The one file of a run was full. Contents of before runs had several files say so; none does now.
    FileFull,
}

impl Skip {
    /// The code in the API and in the content.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoAbn => "no_abn",
            Self::GstDocumentMissing => "gst_document_missing",
            Self::StripeAccountMissing => "stripe_account_missing",
            Self::StripeAccountRestricted => "stripe_account_restricted",
            Self::ReversalOpen => "reversal_open",
            Self::GstStatusChanged => "gst_status_changed",
            Self::RctiAgreementMissing => "rcti_agreement_missing",
            Self::RecipientUnknown => "recipient_unknown",
            Self::OtherRail => "other_rail",
            Self::NoBankDetails => "no_bank_details",
            Self::BankDetailsCoolingOff => "bank_details_cooling_off",
            Self::BankDetailsBlocked => "bank_details_blocked",
            Self::NothingNet => "nothing_net",
            Self::BelowMinimum => "below_minimum",
            Self::AmountTooLarge => "amount_too_large",
            Self::FileFull => "file_full",
        }
    }
}

/// A payee with something available that is not paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkippedPayee {
    /// Why.
    pub code: Skip,
    /// What was available.
    pub gross: Cents,
    /// The payee.
    pub payee: PayeeId,
    /// What clawbacks would take.
    pub recoverable: Cents,
}

/// Everything that a run does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunContent {
    /// From which of our accounts.
    pub bank_account: BankAccountId,
    /// AUD.
    pub currency: Currency,
    /// What may be paid on or before this date.
    pub cut_off_on: Date,
    /// The payments, by payee.
    pub payouts: Vec<PlannedPayout>,
    /// The run.
    pub run: PayoutRunId,
    /// Who is left out, by payee.
    pub skipped: Vec<SkippedPayee>,
    /// The sum of the payments.
    pub total: Cents,
    /// `payout_run`.
    pub r#type: ContentType,
    /// [`VERSION`].
    pub v: u8,
}

impl RunContent {
    /// A run that does nothing yet.
    #[must_use]
    pub const fn nothing(run: PayoutRunId, bank_account: BankAccountId, cut_off_on: Date) -> Self {
        Self {
            bank_account,
            currency: Currency::Aud,
            cut_off_on,
            payouts: Vec::new(),
            run,
            skipped: Vec::new(),
            total: Cents(0),
            r#type: ContentType::PayoutRun,
            v: VERSION,
        }
    }
}

/// The one type of this content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContentType {
    /// A payout run.
    #[serde(rename = "payout_run")]
    PayoutRun,
}

/// A content with its exact bytes and their digest.
pub type FrozenContent = Frozen<RunContent>;
