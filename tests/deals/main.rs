//! Everything that comes in, on real PostgreSQL: steps of deals, imports and their faults, jobs, look-ups.

mod http;
mod imports;
mod jobs;
mod lookups;
mod measures;
mod milestones;
mod ndjson;
mod permutation;
mod refused;
mod steps;
mod trail;

use domain::access::{Actor, Role};
use domain::agreements::facts::{DealFacts, Settlement};
use domain::agreements::{GoverningVersion, VersionContent};
use domain::deals::advance::{AdvanceDeal, AdvanceDealError, Advanced, advance};
use domain::deals::import::{COLUMNS, ImportReader};
use domain::deals::step::Step;
use domain::env::Asked;
use domain::kernel::Money;
use domain::kernel::id::IdSource as _;
use domain::kernel::ids::{AgreementId, DealId, OrganisationId};
use harness::platform::Platform;
use jiff::civil::Date;

pub const EXAMPLE: &[u8] = include_bytes!("../../data/v01/v01-example-deals.csv");
pub const EXAMPLE_MEMBERS: &str = include_str!("../../data/v01/v01-example-members.csv");
pub const EXAMPLE_EXPECTED: &str = include_str!("../../data/v01/v01-example-expected.json");

/// A file with the header and these rows.
pub fn file(rows: &[&str]) -> Vec<u8> {
    format!("{}\n{}\n", COLUMNS.join(","), rows.join("\n")).into_bytes()
}

pub fn day(text: &str) -> Date {
    text.parse().expect("a date")
}

pub fn settlement(on: &str, cents: i64) -> Settlement {
    Settlement::of(day(on), Money::aud(cents), Money::ZERO)
}

/// A partner's administrator.
pub fn partner(organisation: OrganisationId) -> Actor {
    let scopes = Role::PartnerAdmin.scopes().iter().copied().collect();
    let id = uuid::Uuid::from_u128(organisation.uuid().as_u128() ^ 1 << 100);
    Actor { id, roles: [Role::PartnerAdmin].into(), scopes, organisation: Some(organisation), member: None }
}

/// The deal that the introducer calls so.
pub fn deal(platform: &Platform, external_ref: &str) -> DealId {
    use domain::access::Viewer;
    use domain::deals::lookup::DealFilter;
    use domain::kernel::PageRequest;
    let filter = DealFilter { external_ref: Some(external_ref.to_owned()), ..DealFilter::default() };
    let page = platform.store().read(&Viewer::Everything, |q| q.deals().list(&filter, &PageRequest::first()));
    page.expect("the store answers").data.first().expect("the deal").deal.id
}

/// Makes content the first version that governs deals of its vertical. Of several in force the highest number does.
pub fn govern(platform: &Platform, content: &serde_json::Value) -> GoverningVersion {
    let content = VersionContent::parse(content.to_string().as_bytes()).expect("the content of a version");
    let version = GoverningVersion::try_new(AgreementId::new(platform.ids.next()), 90, content).expect("canonical");
    assert!(version.plan().is_ok(), "{:?}", version.plan().err());
    let shipped = platform.store().transaction(|uow| uow.agreements().ship("Of a test", &version, platform.now));
    shipped.expect("the version is kept");
    version
}

/// Earned and taken back of each line of a deal, by component, role, level and month.
pub fn lines_of(platform: &Platform, deal: DealId) -> Vec<String> {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        line: String,
    }
    let sql = format!(
        "select concat_ws(' ', component, role, nullif(level, 0), to_char(period, 'YYYY-MM'), earned_minor, nullif(-clawed_back_minor, 0)) as line
         from commission_line where deal_id = '{}' order by component, period nulls first, role, level",
        deal.uuid()
    );
    let rows: Vec<Row> = diesel::RunQueryDsl::load(diesel::sql_query(sql), &mut platform.owner()).expect("the lines");
    rows.into_iter().map(|row| row.line).collect()
}

/// Takes steps in one batch, each as an actor of its own.
pub fn take(platform: &Platform, steps: &[(&Actor, DealId, Step)]) -> Vec<Result<Advanced, AdvanceDealError>> {
    let commands: Vec<_> =
        steps.iter().map(|(_, deal, step)| AdvanceDeal { deal: *deal, step: step.clone() }).collect();
    let asked: Vec<_> = steps.iter().zip(&commands).map(|((actor, ..), command)| Asked { actor, command }).collect();
    platform.store().transaction(|uow| advance(uow, &platform.env(), &asked)).expect("the store answers")
}

/// Takes one step as the service itself.
pub fn step(platform: &Platform, deal: DealId, step: Step) -> Result<Advanced, AdvanceDealError> {
    take(platform, &[(&platform.actor, deal, step)]).remove(0)
}

/// The last valid row of each reference, as facts.
pub fn facts_of(export: &[u8]) -> Vec<(String, String, String, DealFacts)> {
    let mut last = std::collections::BTreeMap::new();
    for row in ImportReader::new(export).expect("an export") {
        let Ok(row) = row.expect("readable").result else { continue };
        let settlement = row
            .settled_on
            .zip(row.settled_amount)
            .map(|(on, amount)| Settlement::of(on, amount, row.offset_balance.unwrap_or(Money::ZERO)));
        let facts = DealFacts {
            referred_on: row.referred_on,
            contracted_on: row.contracted_on,
            settlement,
            discharged_on: row.discharged_on,
        };
        last.insert(row.external_ref.clone(), (row.external_ref, row.member_ref, row.product_code, facts));
    }
    last.into_values().collect()
}
