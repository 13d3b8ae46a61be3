//! Facts of deals and decisions about them, as they come in.

use domain::deals::step_input::{DecisionInput, FactInput, MeasuresInput, MoneyInput, SettlementInput};
use serde::Deserialize;
use utoipa::ToSchema;

use super::MoneyRequest;

/// An amount and a day.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SettlementInput)]
pub struct SettlementRequest {
    /// The day of settlement.
    #[schema(required = true, nullable = false)]
    on: Option<String>,
    /// What settled.
    #[schema(required = true, nullable = false)]
    amount: Option<MoneyRequest>,
    /// The balance of the offset account; nothing when absent.
    offset: Option<MoneyRequest>,
    /// What else the agreement asks for.
    measures: Option<MeasuresRequest>,
}

/// Further amounts and counts, none of them negative.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = MeasuresInput, example = json!({"premium": {"amount": 240_000, "currency": "AUD"}, "policies": 1}))]
pub struct MeasuresRequest {
    /// The first year's premium.
    premium: Option<MoneyRequest>,
    /// The provider's fee.
    fee: Option<MoneyRequest>,
    /// The salary of the person placed.
    salary: Option<MoneyRequest>,
    /// A year's rent.
    rent: Option<MoneyRequest>,
    /// The provider's margin.
    margin: Option<MoneyRequest>,
    /// Units sold.
    units: Option<i64>,
    /// Connections.
    connections: Option<i64>,
    /// Kilowatts installed.
    kilowatts: Option<i64>,
    /// Policies issued.
    policies: Option<i64>,
    /// People who travel.
    travellers: Option<i64>,
}

impl From<MeasuresRequest> for MeasuresInput {
    fn from(raw: MeasuresRequest) -> Self {
        let MeasuresRequest { premium, fee, salary, rent, margin, units, connections, kilowatts, policies, travellers } =
            raw;
        let amounts = [premium, fee, salary, rent, margin].map(|amount| amount.map(money));
        Self { amounts, counts: [units, connections, kilowatts, policies, travellers] }
    }
}

impl From<SettlementRequest> for SettlementInput {
    fn from(raw: SettlementRequest) -> Self {
        let SettlementRequest { on, amount, offset, measures } = raw;
        Self { on, amount: amount.map(money), offset: offset.map(money), measures: measures.map(Into::into) }
    }
}

/// An amount, unchecked.
pub fn money(raw: MoneyRequest) -> MoneyInput {
    MoneyInput { amount: raw.amount, currency: raw.currency }
}

/// A fact about a deal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateDealFact, example = json!({"kind": "settlement", "on": "2026-09-10", "amount": {"amount": 106_085_383, "currency": "AUD"}, "offset": {"amount": 0, "currency": "AUD"}}))]
pub struct CreateDealFactRequest {
    /// `contract` (`on`), `settlement` (`on`, `amount`, `offset`, `measures`), `discharge` (`on`), `milestone` (`name`, `on`),
    /// `balance` (`month`, `balance`), `correction` (every fact of the deal itself anew).
    #[schema(required = true, nullable = false)]
    kind: Option<String>,
    /// When it happened; not with a correction or a balance. A milestone that is corrected without a day was not reached.
    on: Option<String>,
    /// What settled; with a settlement.
    amount: Option<MoneyRequest>,
    /// The balance of the offset account; with a settlement.
    offset: Option<MoneyRequest>,
    /// What else the agreement asks for; with a settlement.
    measures: Option<MeasuresRequest>,
    /// With a correction: the day of referral; as it was when absent.
    referred_on: Option<String>,
    /// With a correction: the day of contract; none when absent.
    contracted_on: Option<String>,
    /// With a correction: the settlement; none when absent.
    settlement: Option<SettlementRequest>,
    /// With a correction: the day on which it unwound; it did not when absent.
    discharged_on: Option<String>,
    /// With a milestone: its name, as the agreement calls it.
    name: Option<String>,
    /// With a balance: the month at whose end it stood so, YYYY-MM; the month must have ended.
    month: Option<String>,
    /// With a balance: the balance.
    balance: Option<MoneyRequest>,
    /// With a milestone or a balance: true when it is to take the place of what is known.
    correction: Option<bool>,
}

impl From<CreateDealFactRequest> for FactInput {
    fn from(raw: CreateDealFactRequest) -> Self {
        let CreateDealFactRequest { kind, on, amount, offset, measures, .. } = raw;
        let measures = measures.map(MeasuresInput::from);
        Self {
            kind,
            single: SettlementInput { on, amount: amount.map(money), offset: offset.map(money), measures },
            referred_on: raw.referred_on,
            contracted_on: raw.contracted_on,
            settlement: raw.settlement.map(SettlementInput::from),
            discharged_on: raw.discharged_on,
            name: raw.name,
            month: raw.month,
            balance: raw.balance.map(money),
            correction: raw.correction,
        }
    }
}

/// A move that somebody decides on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateDealTransition, example = json!({"to": "lost", "on": "2026-08-01", "reason": "competitor"}))]
pub struct CreateDealTransitionRequest {
    /// `accepted`, `in_progress`, `contracted`, `declined`, `withdrawn`, `lost`.
    #[schema(required = true, nullable = false)]
    to: Option<String>,
    /// When it was decided; today in Sydney when absent. A contract needs its day.
    on: Option<String>,
    /// `client_changed_mind`, `competitor`, `no_contact`, `not_approved`, `out_of_policy`, `documents_missing`, `duplicate`, `other`.
    reason: Option<String>,
}

impl From<CreateDealTransitionRequest> for DecisionInput {
    fn from(raw: CreateDealTransitionRequest) -> Self {
        let CreateDealTransitionRequest { to, on, reason } = raw;
        Self { to, on, reason }
    }
}
