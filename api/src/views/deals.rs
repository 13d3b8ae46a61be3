//! Deals and what happens to them, as they go in and out.

use std::collections::BTreeMap;

use domain::agreements::facts::{Measures, Settlement};
use domain::deals::advance::Advanced;
use domain::deals::deal::{Deal, Transition};
use domain::deals::lookup::{FoundDeal, PipelineStage};
use domain::kernel::Instant;
use domain::kernel::ids::{CalculationId, MemberId};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::MoneyView;
use crate::extract::ListQuery;

/// Which deals.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct DealQuery {
    /// `referred`, `accepted`, `in_progress`, `contracted`, `settled`, `declined`, `withdrawn`, `lost`, `reversed`.
    #[param(example = "settled")]
    pub status: Option<String>,
    /// The code of a vertical.
    #[param(example = "V01")]
    pub vertical: Option<String>,
    /// The member who referred.
    #[param(example = "member_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub member: Option<String>,
    /// What the source calls it.
    #[param(example = "LN-69-000844")]
    pub external_ref: Option<String>,
}

impl ListQuery for DealQuery {}

/// A month as it is written: YYYY-MM.
pub fn month(first: Date) -> String {
    first.strftime("%Y-%m").to_string()
}

/// Further amounts and counts that agreements ask for; what is not told is absent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Measures)]
pub struct MeasuresView {
    /// The first year's premium.
    #[serde(skip_serializing_if = "Option::is_none")]
    premium: Option<MoneyView>,
    /// The provider's fee.
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<MoneyView>,
    /// The salary of the person placed.
    #[serde(skip_serializing_if = "Option::is_none")]
    salary: Option<MoneyView>,
    /// A year's rent.
    #[serde(skip_serializing_if = "Option::is_none")]
    rent: Option<MoneyView>,
    /// The provider's margin.
    #[serde(skip_serializing_if = "Option::is_none")]
    margin: Option<MoneyView>,
    /// Units sold.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 2)]
    units: Option<i64>,
    /// Connections.
    #[serde(skip_serializing_if = "Option::is_none")]
    connections: Option<i64>,
    /// Kilowatts installed.
    #[serde(skip_serializing_if = "Option::is_none")]
    kilowatts: Option<i64>,
    /// Policies issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    policies: Option<i64>,
    /// People who travel.
    #[serde(skip_serializing_if = "Option::is_none")]
    travellers: Option<i64>,
}

impl From<Measures> for MeasuresView {
    fn from(told: Measures) -> Self {
        let Measures { premium, fee, salary, rent, margin, units, connections, kilowatts, policies, travellers } = told;
        let [premium, fee, salary, rent, margin] =
            [premium, fee, salary, rent, margin].map(|amount| amount.map(MoneyView::from));
        Self { premium, fee, salary, rent, margin, units, connections, kilowatts, policies, travellers }
    }
}

/// A settlement.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Settlement)]
pub struct SettlementView {
    /// The day.
    #[schema(example = "2026-09-10")]
    on: String,
    /// What settled.
    amount: MoneyView,
    /// The balance of the offset account.
    offset: MoneyView,
    /// What else was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    measures: Option<MeasuresView>,
}

impl From<Settlement> for SettlementView {
    fn from(settlement: Settlement) -> Self {
        let Settlement { on, amount, offset, measures } = settlement;
        let measures = (!measures.is_empty()).then(|| measures.into());
        Self { on: on.to_string(), amount: amount.into(), offset: offset.into(), measures }
    }
}

/// The version that a deal is sealed under.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AgreementRef)]
pub struct AgreementRefView {
    /// The agreement.
    #[schema(example = "agreement_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    pub id: String,
    /// Its version.
    #[schema(example = 1)]
    pub version: u32,
}

/// A deal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Deal)]
pub struct DealView {
    /// Its id.
    #[schema(example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// What the source calls it.
    #[schema(example = "LN-69-000844")]
    external_ref: Option<String>,
    /// Where it stands.
    #[schema(example = "settled")]
    status: &'static str,
    /// Who sells.
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    provider_id: String,
    /// Whose member referred.
    #[schema(example = "org_01k0w4q7v8e2rtf3k2m9x5c6e0")]
    introducer_id: String,
    /// Who referred.
    #[schema(example = "member_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    member_id: String,
    /// Who stood above the member when the deal was sealed.
    #[schema(example = "member_01k0w4q7v8e2rtf3k2m9x5c6e0")]
    upline_id: Option<String>,
    /// Who was referred.
    #[schema(example = "contact_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    client_id: String,
    /// What is sold.
    #[schema(example = "FIXED-3Y")]
    product: String,
    /// Its vertical.
    #[schema(example = "V01")]
    vertical: String,
    /// The version that it is sealed under.
    agreement: Option<AgreementRefView>,
    /// The day of referral.
    #[schema(example = "2026-06-25")]
    referred_on: String,
    /// The day of contract.
    #[schema(example = "2026-07-31")]
    contracted_on: Option<String>,
    /// The settlement.
    settlement: Option<SettlementView>,
    /// The milestones that were reached, by their names.
    #[schema(example = json!({"slab_poured": "2026-10-02"}))]
    milestones: BTreeMap<String, String>,
    /// The day on which it unwound.
    #[schema(example = "2027-02-02")]
    discharged_on: Option<String>,
    /// When we learned of it.
    #[schema(example = "2026-11-25T02:00:00Z")]
    created_at: String,
    /// When something last changed.
    #[schema(example = "2026-11-25T02:00:00Z")]
    updated_at: String,
}

impl From<FoundDeal> for DealView {
    fn from(found: FoundDeal) -> Self {
        let deal = found.deal;
        Self {
            id: deal.id.to_string(),
            external_ref: deal.external_ref,
            status: deal.stage.as_str(),
            provider_id: deal.provider.to_string(),
            introducer_id: deal.introducer.to_string(),
            member_id: deal.member.to_string(),
            upline_id: deal.upline.as_ref().map(MemberId::to_string),
            client_id: deal.client.to_string(),
            product: found.product.as_str().to_owned(),
            vertical: found.vertical.to_string(),
            agreement: deal.agreement.map(|(id, version)| AgreementRefView { id: id.to_string(), version }),
            referred_on: deal.facts.referred_on.to_string(),
            contracted_on: deal.facts.contracted_on.map(|on| on.to_string()),
            settlement: deal.facts.settlement.map(SettlementView::from),
            milestones: deal.milestones.iter().map(|(name, on)| (name.to_string(), on.to_string())).collect(),
            discharged_on: deal.facts.discharged_on.map(|on| on.to_string()),
            created_at: found.created_at.to_string(),
            updated_at: found.updated_at.to_string(),
        }
    }
}

/// A move of a deal.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DealTransition)]
pub struct TransitionView {
    /// From where; null for the first.
    #[schema(example = "contracted")]
    from: Option<&'static str>,
    /// To where.
    #[schema(example = "settled")]
    to: &'static str,
    /// Why.
    #[schema(example = "settlement")]
    reason: &'static str,
    /// When it happened.
    #[schema(example = "2026-09-10")]
    occurred_on: String,
}

impl From<Transition> for TransitionView {
    fn from(transition: Transition) -> Self {
        let Transition { from, to, reason, occurred_on, .. } = transition;
        Self { from: from.map(|s| s.as_str()), to: to.as_str(), reason, occurred_on: occurred_on.to_string() }
    }
}

/// What a fact or a decision came to.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DealStep)]
pub struct StepView {
    /// The deal.
    #[schema(example = "deal_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    deal_id: String,
    /// Where it stands now.
    #[schema(example = "settled")]
    status: &'static str,
    /// The fact that was kept; null for a decision, and when it was known already.
    #[schema(example = "fact_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    fact_id: Option<String>,
    /// The calculation that the commission stands on now, if the step touched it.
    #[schema(example = "calc_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    calculation_id: Option<String>,
    /// The moves that it made.
    transitions: Vec<TransitionView>,
    /// The settlement as it is known now.
    settlement: Option<SettlementView>,
}

impl From<Advanced> for StepView {
    fn from(advanced: Advanced) -> Self {
        let Advanced { deal, fact, calculation, transitions } = advanced;
        let Deal { id, stage, facts, .. } = deal;
        Self {
            deal_id: id.to_string(),
            status: stage.as_str(),
            fact_id: fact.map(fact_id),
            calculation_id: calculation.as_ref().map(CalculationId::to_string),
            transitions: transitions.into_iter().map(TransitionView::from).collect(),
            settlement: facts.settlement.map(SettlementView::from),
        }
    }
}

/// Which part of the pipeline.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct PipelineQuery {
    /// The code of a vertical.
    #[param(example = "V01")]
    pub vertical: Option<String>,
}

/// One stage of the pipeline.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PipelineStage)]
pub struct PipelineStageView {
    /// The stage.
    #[schema(example = "contracted")]
    status: &'static str,
    /// Deals that stand there.
    #[schema(example = 12)]
    deals: u64,
    /// What settled; nothing before settlement.
    settled: MoneyView,
    /// Deals that have stood there for at most 30 days.
    #[schema(example = 7)]
    up_to_30_days: u64,
    /// For 31 to 90 days.
    #[schema(example = 4)]
    up_to_90_days: u64,
    /// For longer.
    #[schema(example = 1)]
    over_90_days: u64,
    /// The longest, in days.
    #[schema(example = 121)]
    oldest_days: u32,
}

impl From<PipelineStage> for PipelineStageView {
    fn from(row: PipelineStage) -> Self {
        let PipelineStage { stage, deals, settled_minor, up_to_30_days, up_to_90_days, over_90_days, oldest_days } =
            row;
        let settled = MoneyView::aud(settled_minor);
        Self { status: stage.as_str(), deals, settled, up_to_30_days, up_to_90_days, over_90_days, oldest_days }
    }
}

/// How many deals stand where.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Pipeline)]
pub struct PipelineView {
    /// The moment of the figures.
    #[schema(example = "2026-11-25T02:00:00Z")]
    pub as_of: String,
    /// Stages with deals, in their order.
    pub stages: Vec<PipelineStageView>,
}

impl PipelineView {
    /// The view of these stages.
    #[must_use]
    pub fn new(as_of: Instant, stages: Vec<PipelineStage>) -> Self {
        Self { as_of: as_of.to_string(), stages: stages.into_iter().map(PipelineStageView::from).collect() }
    }
}

/// The id of a fact, with its prefix.
pub fn fact_id(id: uuid::Uuid) -> String {
    format!("fact_{}", domain::kernel::id::encode(id))
}
