//! Made-up deals as a finding shows them.

use jiff::ToSpan;

use super::deal::{MadeUpDeal, Trial};
use crate::agreements::model::ComponentKey;

/// The same deal, unwound so many calendar months after it settled.
pub(super) fn unwound(deal: &MadeUpDeal, months: i64) -> Option<MadeUpDeal> {
    let on = deal.facts.settlement?.on.checked_add(months.months()).ok()?;
    let mut deal = deal.clone();
    deal.facts.discharged_on = Some(on);
    Some(deal)
}

/// The made-up deals of a finding, with what each component earns by them and what is taken back.
pub(super) fn shown(trial: &Trial<'_>, deals: &[MadeUpDeal]) -> Option<serde_json::Value> {
    let one = |deal: &MadeUpDeal| {
        let output = trial.output(deal)?;
        let mut earned = serde_json::Map::new();
        let mut taken_back = serde_json::Map::new();
        let add = |to: &mut serde_json::Map<String, serde_json::Value>, key: &ComponentKey, minor: i64| {
            let before = to.get(key.as_str()).and_then(serde_json::Value::as_i64).unwrap_or(0);
            to.insert(key.to_string(), before.saturating_add(minor).into());
        };
        for component in &trial.content.components {
            add(&mut earned, &component.key, 0);
        }
        for line in &output.lines {
            add(&mut earned, &line.component, line.earned.minor());
            if !line.clawed_back.is_zero() {
                add(&mut taken_back, &line.component, line.clawed_back.minor());
            }
        }
        Some(serde_json::json!({"deal": deal.told(), "earned": earned, "clawed_back": taken_back}))
    };
    let deals = deals.iter().map(one).collect::<Option<Vec<_>>>()?;
    Some(serde_json::json!({ "deals": deals }))
}
