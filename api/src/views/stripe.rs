//! The Stripe rail as it comes in and goes out.

use domain::kernel::Instant;
use domain::kernel::ids::PayoutId;
use domain::payouts::stripe::KeptAccount;
use domain::payouts::stripe::book::{Comparison, Difference};
use domain::payouts::stripe::rail::AccountLink;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::MoneyView;

/// A payee's account at Stripe.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StripeAccount)]
pub struct StripeAccountView {
    /// Whose.
    #[schema(example = "payee_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    payee_id: String,
    /// Its id at Stripe.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "acct_1PgafTB7WZ01zgkW")]
    account: Option<String>,
    /// `onboarding`, `enabled` (the payee may be paid) or `restricted`.
    #[schema(example = "onboarding")]
    status: &'static str,
    /// Whether transfers may go there: `active`, `inactive` or `pending`.
    #[schema(example = "active")]
    transfers: &'static str,
    /// Whether its money gets to its bank.
    payouts_enabled: bool,
    /// Why not, in Stripe's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "requirements.past_due")]
    disabled_reason: Option<String>,
    /// When Stripe was asked for this.
    #[schema(example = "2026-11-23T12:00:00Z")]
    seen_at: String,
    /// Where a person gives Stripe what it asks; good once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "https://connect.stripe.com/setup/e/acct_1PgafTB7WZ01zgkW/kFq4")]
    url: Option<String>,
    /// Until when the link is good.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-11-23T12:05:00Z")]
    expires_at: Option<String>,
}

impl From<KeptAccount> for StripeAccountView {
    fn from(kept: KeptAccount) -> Self {
        Self {
            payee_id: kept.payee.to_string(),
            status: kept.standing(),
            transfers: kept.transfers.code(),
            payouts_enabled: kept.payouts_enabled,
            seen_at: kept.seen_at.to_string(),
            account: kept.account.map(|account| account.to_string()),
            disabled_reason: kept.disabled_reason,
            url: None,
            expires_at: None,
        }
    }
}

impl StripeAccountView {
    /// With a link to Stripe's pages.
    #[must_use]
    pub fn with_link(kept: KeptAccount, link: AccountLink) -> Self {
        Self { url: Some(link.url), expires_at: Some(link.expires_at.to_string()), ..Self::from(kept) }
    }
}

/// An event of Stripe's is kept.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ReceivedEvent)]
pub struct ReceivedEventView {
    /// Always.
    pub received: bool,
}

/// One thing in which the two books differ.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StripeDifference)]
struct DifferenceView {
    /// `not_booked` (a movement that is no transfer and has no entry), `not_ours` (a transfer that no payout is),
    /// `not_at_stripe` (a payout whose transfer Stripe's book lacks), `other_amount`, `reversals` (in sum).
    #[schema(example = "not_booked")]
    code: String,
    /// The movement of Stripe's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "txn_1PgaxNB7WZ01zgkWEV3TLf40")]
    transaction_id: Option<String>,
    /// The payout.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "payout_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    payout_id: Option<String>,
    /// What Stripe's book has.
    stripe: MoneyView,
    /// What the ledger has.
    ledger: MoneyView,
}

impl From<Difference> for DifferenceView {
    fn from(difference: Difference) -> Self {
        Self {
            code: difference.code,
            transaction_id: difference.transaction,
            payout_id: difference.payout.map(|id| PayoutId::new(id).to_string()),
            stripe: MoneyView::aud(difference.stripe_minor),
            ledger: MoneyView::aud(difference.ledger_minor),
        }
    }
}

/// Stripe's book and the ledger, side by side.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StripeReconciliation)]
pub struct StripeReconciliationView {
    /// The account `stripe_balance`.
    ledger: MoneyView,
    /// The sum of the movements that Stripe has.
    stripe: MoneyView,
    /// Whether both say the same, movement by movement.
    agrees: bool,
    /// How many movements were read.
    #[schema(example = 128)]
    movements: i64,
    /// When the last new one was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "2026-11-23T12:00:00Z")]
    read_at: Option<String>,
    /// Where they differ; the first 200.
    differences: Vec<DifferenceView>,
}

impl From<Comparison> for StripeReconciliationView {
    fn from(compared: Comparison) -> Self {
        Self {
            agrees: compared.agrees(),
            ledger: MoneyView::aud(compared.ledger_minor),
            stripe: MoneyView::aud(compared.stripe_minor),
            movements: compared.movements,
            read_at: compared.read_at.as_ref().map(Instant::to_string),
            differences: compared.differences.into_iter().map(DifferenceView::from).collect(),
        }
    }
}

/// Books a movement of the Stripe balance.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[schema(as = BookStripeMovement, example = json!({"transaction_id": "txn_1PgaxNB7WZ01zgkWEV3TLf40", "bank_account_id": "bank_01k0w4q7v8e2rtf3k2m9x5c6dz"}))]
#[serde(deny_unknown_fields)]
pub struct BookMovementRequest {
    /// The movement.
    #[schema(example = "txn_1PgaxNB7WZ01zgkWEV3TLf40")]
    pub transaction_id: Option<String>,
    /// The bank account of ours that the money came from or goes to.
    #[schema(example = "bank_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub bank_account_id: Option<String>,
}

/// The entry of a movement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StripeBooking)]
pub struct BookingView {
    /// The entry.
    #[schema(example = "entry_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub entry_id: String,
}
