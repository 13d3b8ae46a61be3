//! Calculations of made-up deals, as they go in and out.

use std::collections::BTreeMap;

use domain::agreements::dry_run::{DryRun, DryRunInput, DryRunOutcome};
use domain::agreements::explain;
use domain::agreements::facts::{Counter, Period, Standing};
use domain::agreements::version::{GoverningVersion, TableVersion};
use domain::agreements::{VersionContent, model::LookupTable};
use domain::deals::step::check_settlement;
use domain::deals::step_input::{self, SettlementInput};
use domain::kernel::Faults;
use domain::kernel::ids::{AgreementId, LookupTableId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::MoneyRequest;
use super::agreements::{CalculatedLineView, NonAwardView, SectionView, TraceStepView};
use super::deal_requests::{SettlementRequest, money};

/// A version of a lookup table that is made up with the content.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DryRunTable)]
pub struct TableRequest {
    /// Its id, as the content names it.
    #[schema(example = "table_01k0w4q7v8e2rtf3k2m9x5c6dz")]
    id: String,
    /// Its number, as the content names it.
    #[schema(example = 1)]
    number: u32,
    /// What it says; the content names the SHA-256 of its canonical JSON.
    #[schema(value_type = Object)]
    content: Value,
}

/// The period of a trail.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DryRunPeriod)]
pub struct PeriodRequest {
    /// The month, YYYY-MM.
    #[schema(required = true, nullable = false, example = "2026-07")]
    month: Option<String>,
    /// The balance at its end.
    #[schema(required = true, nullable = false)]
    balance: Option<MoneyRequest>,
}

/// Where a counter stood before the deal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DryRunCounter)]
pub struct StandingRequest {
    /// What was measured: minor units, or a count.
    #[serde(default)]
    #[schema(example = 250_000_000)]
    total: i64,
    /// What was paid after limits, in minor units.
    #[serde(default)]
    #[schema(example = 0)]
    paid: i64,
    /// In how many deals.
    #[serde(default)]
    #[schema(example = 4)]
    awards: i64,
}

/// A made-up deal, and the version to work it out under: one that exists (`agreement_id`, `version`), or `content`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CreateCalculation, example = json!({"agreement_id": "agreement_01k0000000e008004000000001", "version": 1, "product": "FIXED-3Y", "referred_on": "2026-01-05", "settlement": {"on": "2026-02-01", "amount": {"amount": 50_000_000, "currency": "AUD"}}, "discharged_on": "2026-10-15", "roles": ["upline_1"]}))]
pub struct CreateCalculationRequest {
    /// The agreement.
    pub agreement_id: Option<String>,
    /// Its version, in whatever state.
    pub version: Option<u32>,
    /// The content of a version that need not exist; in place of the two.
    #[schema(value_type = Option<Object>)]
    content: Option<Value>,
    /// The lookup tables that the content names.
    #[serde(default)]
    tables: Vec<TableRequest>,
    /// The product.
    #[schema(required = true, nullable = false)]
    product: Option<String>,
    /// The day of referral.
    #[schema(required = true, nullable = false)]
    referred_on: Option<String>,
    /// The day of contract.
    contracted_on: Option<String>,
    /// The settlement.
    settlement: Option<SettlementRequest>,
    /// The day on which it unwound.
    discharged_on: Option<String>,
    /// When milestones were reached, by their names.
    #[serde(default)]
    #[schema(example = json!({"slab_poured": "2026-10-02"}))]
    milestones: BTreeMap<String, String>,
    /// A month of its trail; without it the deal itself is worked out.
    period: Option<PeriodRequest>,
    /// Who is there beside the member: `upline_1` to `upline_9`, `participant_1` to `participant_9`, none left out between.
    #[serde(default)]
    roles: Vec<String>,
    /// The levels of upline that are the referrer's own, from 1.
    #[serde(default)]
    own_uplines: Vec<u8>,
    /// The code of the member's cohort.
    cohort: Option<String>,
    /// The day on which the member joined.
    joined_on: Option<String>,
    /// Where running totals (`accumulator.<key>`) and limits (`limit.<component>.<place>`) stood before the deal; nothing when absent.
    #[serde(default)]
    counters: BTreeMap<String, StandingRequest>,
}

/// The version to work under.
#[derive(Debug, Clone)]
pub enum Under {
    /// One that exists.
    Stored(AgreementId, u32),
    /// One that is made up.
    MadeUp(Box<GoverningVersion>),
}

impl CreateCalculationRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// Every fault at once.
    pub fn parse(self) -> Result<(Under, DryRun), Faults> {
        let mut faults = Faults::default();
        let under = self.under(&mut faults);
        let settlement = self.settlement.map(SettlementInput::from);
        let settlement = settlement.and_then(|raw| step_input::settlement(&mut faults, "/settlement", &raw));
        if let Some(settlement) = &settlement {
            check_settlement(settlement, "/settlement", &mut faults);
        }
        let period = self.period.and_then(|raw| period(&mut faults, raw));
        let standing = |raw: StandingRequest| Standing { total: raw.total, paid: raw.paid, awards: raw.awards };
        let raw = DryRunInput {
            product: self.product,
            referred_on: self.referred_on,
            contracted_on: self.contracted_on,
            discharged_on: self.discharged_on,
            milestones: self.milestones,
            roles: self.roles,
            own_uplines: self.own_uplines,
            cohort: self.cohort,
            joined_on: self.joined_on,
            counters: self.counters.into_iter().map(|(name, raw)| (name, standing(raw))).collect(),
        };
        let run = DryRun::parse(&raw, settlement, period, faults)?;
        // A version that cannot be read has left a fault, and the deal was not read then.
        under.map(|under| (under, run)).ok_or_else(Faults::default)
    }

    fn under(&self, faults: &mut Faults) -> Option<Under> {
        let Some(content) = &self.content else {
            if !self.tables.is_empty() {
                faults.push("/tables", "unexpected", "tables come with content; a version that exists has its own");
            }
            let agreement = match self.agreement_id.as_deref() {
                Some(id) => faults.keep("/agreement_id", AgreementId::parse(id)),
                None => {
                    faults.push("/agreement_id", "one_required", "name a version, or give content");
                    None
                }
            };
            if self.agreement_id.is_some() && self.version.is_none() {
                faults.push("/version", "required", "this field is required");
            }
            return agreement.zip(self.version).map(|(agreement, number)| Under::Stored(agreement, number));
        };
        for (pointer, given) in [("/agreement_id", self.agreement_id.is_some()), ("/version", self.version.is_some())] {
            if given {
                faults.push(pointer, "unexpected", "name a version or give content, not both");
            }
        }
        let content = faults.keep("/content", VersionContent::parse(content.to_string().as_bytes()))?;
        let mut tables = Vec::with_capacity(self.tables.len());
        for (n, raw) in self.tables.iter().enumerate() {
            let id = faults.keep(&format!("/tables/{n}/id"), LookupTableId::parse(&raw.id));
            let said = LookupTable::parse(raw.content.to_string().as_bytes());
            let said = faults.keep(&format!("/tables/{n}/content"), said);
            let version = id.zip(said).map(|(id, said)| TableVersion::try_new(id, raw.number, said));
            tables.extend(version.and_then(|version| out_of_range(faults, &format!("/tables/{n}/content"), version)));
        }
        let nobody = AgreementId::new(Uuid::nil());
        let version = GoverningVersion::with_tables(nobody, 1, content, tables);
        out_of_range(faults, "/content", version).map(|version| Under::MadeUp(Box::new(version)))
    }
}

fn out_of_range<T, E: std::fmt::Display>(faults: &mut Faults, pointer: &str, made: Result<T, E>) -> Option<T> {
    made.map_err(|error| faults.push(pointer, "number_out_of_range", error.to_string())).ok()
}

fn period(faults: &mut Faults, raw: PeriodRequest) -> Option<Period> {
    let mut required = |pointer: &str, given: bool| {
        if !given {
            faults.push(pointer, "required", "this field is required");
        }
    };
    required("/period/month", raw.month.is_some());
    required("/period/balance", raw.balance.is_some());
    let month = raw.month.and_then(|text| step_input::month(faults, "/period/month", &text));
    let balance = raw.balance.and_then(|raw| step_input::money(faults, "/period/balance", &money(raw)));
    if balance.is_some_and(|balance| balance.minor() < 0) {
        faults.push("/period/balance", "negative_amount", "must not be negative");
    }
    month.zip(balance).map(|(month, balance)| Period { month, balance })
}

/// Where a counter that the deal touches stands before and after it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CalculatedCounter)]
pub struct CounterView {
    /// `accumulator.<key>`, or `limit.<component>.<place>`.
    #[schema(example = "accumulator.volume")]
    counter: String,
    /// The first day of its window.
    #[schema(example = "2026-07-01")]
    window_from_on: String,
    /// What was measured before: minor units, or a count.
    #[schema(example = 250_000_000)]
    total_before: i64,
    /// And after.
    #[schema(example = 300_000_000)]
    total_after: i64,
    /// What was paid before, after limits, in minor units.
    #[schema(example = 0)]
    paid_before: i64,
    /// And after.
    #[schema(example = 0)]
    paid_after: i64,
    /// In how many deals before.
    #[schema(example = 4)]
    awards_before: i64,
    /// And after.
    #[schema(example = 5)]
    awards_after: i64,
}

impl CounterView {
    fn new(counter: &Counter, after: &Standing) -> Self {
        Self {
            counter: counter.key.counter.clone(),
            window_from_on: counter.key.window_from.to_string(),
            total_before: counter.before.total,
            total_after: after.total,
            paid_before: counter.before.paid,
            paid_after: after.paid,
            awards_before: counter.before.awards,
            awards_after: after.awards,
        }
    }
}

/// What a made-up deal comes to. Nothing of it is stored.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DryRun)]
pub struct DryRunView {
    /// The engine.
    #[schema(example = 2)]
    engine: u16,
    /// SHA-256 of the canonical JSON of the content that it was worked out under.
    #[schema(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    content_sha256: String,
    /// The lines; the members in them are made up.
    lines: Vec<CalculatedLineView>,
    /// Components that pay nothing.
    non_awards: Vec<NonAwardView>,
    /// Whether anything is taken back.
    #[schema(example = false)]
    reversed: bool,
    /// The counters that the deal touches.
    counters: Vec<CounterView>,
    /// What each component is, what it came to and why.
    components: Vec<SectionView>,
    /// Every step.
    steps: Vec<TraceStepView>,
    /// All of it as a text.
    text: String,
}

impl DryRunView {
    /// The view of an outcome.
    #[must_use]
    pub fn new(version: &GoverningVersion, outcome: &DryRunOutcome) -> Self {
        let DryRunOutcome { output, steps, counters } = outcome;
        let sections = explain::sections(version.content(), output, steps);
        let touched = counters.iter().zip(&output.counters);
        Self {
            engine: output.engine,
            content_sha256: version.content_hash().to_string(),
            lines: output.lines.iter().map(CalculatedLineView::from).collect(),
            non_awards: output.non_awards.iter().map(NonAwardView::from).collect(),
            reversed: output.reversed,
            counters: touched.map(|(counter, after)| CounterView::new(counter, after)).collect(),
            components: sections.iter().map(SectionView::from).collect(),
            steps: steps.iter().map(TraceStepView::from).collect(),
            text: explain::text(&sections),
        }
    }
}
