//! Statements of members.

use domain::ledger::line::Buckets;
use domain::payouts::statement::{MemberStatement, StatementLine};
use serde::Serialize;
use utoipa::ToSchema;

use super::PayoutView;
use crate::views::MoneyView;

/// Where money lies: earned − clawed back = suspense + accrued + held + available + in transit + paid + set off − recoverable.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Buckets)]
pub struct BucketsView {
    /// Earned, and nobody to pay yet.
    suspense: MoneyView,
    /// Earned, on hold.
    accrued: MoneyView,
    /// In dispute.
    held: MoneyView,
    /// May be paid.
    available: MoneyView,
    /// Sent, not confirmed.
    in_transit: MoneyView,
    /// Paid.
    paid: MoneyView,
    /// Paid by setting off clawbacks of other lines; negative where a clawback was got back so.
    set_off: MoneyView,
    /// Withheld for the tax office.
    withheld: MoneyView,
    /// To be got back.
    recoverable: MoneyView,
}

impl From<Buckets> for BucketsView {
    fn from(buckets: Buckets) -> Self {
        Self {
            suspense: MoneyView::aud(buckets.suspense_minor),
            accrued: MoneyView::aud(buckets.accrued_minor),
            held: MoneyView::aud(buckets.held_minor),
            available: MoneyView::aud(buckets.available_minor),
            in_transit: MoneyView::aud(buckets.in_transit_minor),
            paid: MoneyView::aud(buckets.paid_minor),
            set_off: MoneyView::aud(buckets.set_off_minor),
            withheld: MoneyView::aud(buckets.withheld_minor),
            recoverable: MoneyView::aud(buckets.recoverable_minor),
        }
    }
}

/// One line of a statement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatementLine)]
pub struct StatementLineView {
    /// The commission line.
    #[schema(example = "line_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    line_id: String,
    /// The deal.
    #[schema(example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    deal_id: String,
    /// What the source calls the deal.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_ref: Option<String>,
    /// The component of the agreement.
    #[schema(example = "upfront")]
    component: String,
    /// `member` or `upline`.
    #[schema(example = "member")]
    role: String,
    /// Who is paid; absent while there is nobody to pay.
    #[serde(skip_serializing_if = "Option::is_none")]
    payee_id: Option<String>,
    /// From when it may be paid.
    #[schema(example = "2026-03-03")]
    payable_on: String,
    /// Earned.
    earned: MoneyView,
    /// Taken back, positive.
    clawed_back: MoneyView,
    /// Where it lies.
    #[serde(flatten)]
    buckets: BucketsView,
}

impl From<StatementLine> for StatementLineView {
    fn from(line: StatementLine) -> Self {
        Self {
            line_id: line.id.to_string(),
            deal_id: line.deal.to_string(),
            external_ref: line.external_ref,
            component: line.component,
            role: line.role,
            payee_id: line.payee.map(|id| id.to_string()),
            payable_on: line.payable_on.to_string(),
            earned: MoneyView::aud(line.earned_minor),
            clawed_back: MoneyView::aud(line.clawed_back_minor),
            buckets: line.buckets.into(),
        }
    }
}

/// The sums over all lines of a statement, on this page or not.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatementTotals)]
pub struct StatementTotalsView {
    /// How many lines there are.
    #[schema(example = 31)]
    lines: i64,
    /// Earned.
    earned: MoneyView,
    /// Taken back, positive.
    clawed_back: MoneyView,
    /// Where it lies.
    #[serde(flatten)]
    buckets: BucketsView,
}

/// A payout on a statement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = StatementPayout)]
pub struct StatementPayoutView {
    /// The payout, which may pay lines of several members.
    payout: PayoutView,
    /// What it paid of this member's lines.
    own: MoneyView,
}

/// The statement of a member.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Statement)]
pub struct StatementView {
    /// The member.
    #[schema(example = "member_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    member_id: String,
    /// What the organisation calls the member.
    #[schema(example = "M016")]
    member_ref: String,
    /// Who is paid for what the member earns now.
    #[serde(skip_serializing_if = "Option::is_none")]
    payee_id: Option<String>,
    /// The sums over all lines.
    totals: StatementTotalsView,
    /// Lines, newest first.
    data: Vec<StatementLineView>,
    /// Give this as `cursor` for the next page of lines; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
    /// The newest payouts, at most 200.
    payouts: Vec<StatementPayoutView>,
}

impl StatementView {
    /// The statement with the cursor of its next page; payouts as they stand on a day (Sydney).
    #[must_use]
    pub fn new(statement: MemberStatement, next_cursor: Option<String>, today: jiff::civil::Date) -> Self {
        let totals = statement.totals;
        let paid = |(payout, own_minor): (domain::payouts::repository::PayoutRecord, i64)| StatementPayoutView {
            payout: PayoutView::new(payout, today),
            own: MoneyView::aud(own_minor),
        };
        Self {
            member_id: statement.member.id.to_string(),
            member_ref: statement.member.member_ref,
            payee_id: statement.member.payee.map(|id| id.to_string()),
            totals: StatementTotalsView {
                lines: totals.lines,
                earned: MoneyView::aud(totals.earned_minor),
                clawed_back: MoneyView::aud(totals.clawed_back_minor),
                buckets: totals.buckets.into(),
            },
            next_cursor,
            data: statement.lines.data.into_iter().map(Into::into).collect(),
            payouts: statement.payouts.into_iter().map(paid).collect(),
        }
    }
}
