//! Between them the default agreements use every construct that an agreement can have, and each keeps to what its
//! vertical's guardrails count in months.

#![expect(clippy::expect_used, reason = "a test fails loudly")]

use std::collections::BTreeSet;

use domain::agreements::GoverningVersion;
use domain::agreements::model::{Clawback, ComponentRate, FundingRule, ShareSize, TierBasis, Trigger, Unwound};
use domain::agreements::reference::{self, Shipped};
use domain::catalogue::guardrail::{self, Limit};
use serde_json::Value;

/// Every tag and name in the JSON of a version, under its field: `kind flat`, `op not`, `of premium` …
fn gather(at: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(field, value)| gather(field, value, found)),
        Value::Array(items) => items.iter().for_each(|item| gather(at, item, found)),
        Value::String(text) => {
            let _ = found.insert(format!("{at} {text}"));
        }
        _ => {}
    }
}

/// What a version's components use that no single word of the JSON tells.
fn constructs(version: &GoverningVersion, found: &mut BTreeSet<String>) {
    for accumulator in &version.content().accumulators {
        let unwound = if accumulator.unwound == Unwound::LeftOut { "left_out" } else { "counted" };
        let _ = found.insert(format!("accumulator {unwound}"));
    }
    for component in &version.content().components {
        if let ComponentRate::Tiered { mode, by, .. } = &component.rate {
            let by = if matches!(by, TierBasis::Deal {}) { "deal" } else { "accumulator" };
            let _ = found.insert(format!("tiered {} by {by}", serde_json::to_value(mode).expect("JSON")));
        }
        if let Trigger::DealEvent { event } = &component.trigger {
            let _ = found.insert(format!("trigger {}", serde_json::to_value(event).expect("JSON")));
        }
        for limit in &component.limits {
            let whose = if limit.role.is_some() { "role" } else { "whole" };
            let bounds =
                [("cap", limit.cap.is_some()), ("floor", limit.floor.is_some()), ("count", limit.max_count.is_some())];
            for (bound, _) in bounds.iter().filter(|(_, there)| *there) {
                let _ = found.insert(format!("{bound} of {whose}"));
            }
        }
        for share in &component.split {
            let size = if share.share == ShareSize::Remainder { "remainder" } else { "fixed" };
            let _ = found.insert(format!("share {size}"));
            for (there, what) in [(share.absent_to.is_some(), "absent_to"), (share.excess_to.is_some(), "excess_to")] {
                if there {
                    let _ = found.insert(format!("share with {what}"));
                }
            }
        }
        let clawback = match &component.clawback {
            None => "none",
            Some(Clawback::Step { .. }) => "step",
            Some(Clawback::StraightLine { .. }) => "straight_line",
            Some(Clawback::Custom { .. }) => "custom",
        };
        let funding = if component.hold.funding_rule == FundingRule::OnReceipt { "on_receipt" } else { "on_expiry" };
        found.extend([format!("clawback {clawback}"), format!("funding {funding}")]);
    }
    for key in version.tables().iter().flat_map(|table| &table.table.keys) {
        let _ = found.insert(format!("table {}", serde_json::to_value(key.matching).expect("JSON")));
    }
}

const CONSTRUCTS: &str = "
    governing_date referred, governing_date contracted, governing_date settled,
    trigger \"referred\", trigger \"contracted\", trigger \"settled\", kind milestone, kind trail, kind component,
    op all, op any, op not, op compare, op in, op between, is eq, is ne, is lt, is lte, is gt, is gte,
    kind flat, kind flat_per_unit, kind percent, kind percent_of_component, kind lookup, kind milestone_bonus, kind per_unit,
    tiered \"marginal\" by deal, tiered \"marginal\" by accumulator, tiered \"whole\" by deal, tiered \"whole\" by accumulator,
    tiered \"whole_with_true_up\" by accumulator, table \"exact\", table \"band\",
    per deal, per day, per week, per month, per quarter, per financial_year, per lifetime, proration days_in_force,
    cap of whole, cap of role, floor of whole, floor of role, count of whole,
    mode first, mode best, mode sum, mode stack,
    share fixed, share remainder, share with absent_to, share with excess_to,
    role member, role upline_1, role upline_2, role upline_3, role participant_1, role platform,
    clawback none, clawback step, clawback straight_line, clawback custom, funding on_expiry, funding on_receipt,
    scope member, scope organisation, scope product, scope vertical, scope cohort,
    window week, window month, window quarter, window financial_year, window lifetime,
    accumulator counted, accumulator left_out,
    of settled_amount, of net_balance, of premium, of fee, of salary, of rent, of margin, of units, of connections,
    of kilowatts, of policies, of travellers, measure deals";

#[test]
fn between_them_they_use_every_construct() {
    let mut found = BTreeSet::new();
    for Shipped { version, .. } in reference::all().expect("the reference") {
        gather("", &serde_json::to_value(version.content()).expect("JSON"), &mut found);
        constructs(&version, &mut found);
    }
    // Measures that only a running total adds up stand under `measure`.
    let also: Vec<String> =
        found.iter().filter_map(|f| f.strip_prefix("measure ")).map(|m| format!("of {m}")).collect();
    found.extend(also);
    let missing: Vec<&str> = CONSTRUCTS.split(',').map(str::trim).filter(|wanted| !found.contains(*wanted)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn nothing_is_taken_back_later_than_the_guardrail_says() {
    let mut held = 0;
    for Shipped { name, version } in reference::all().expect("the reference") {
        let rails = guardrail::of(version.content().vertical);
        let rail = rails.iter().find(|rail| rail.code == "clawback_months_at_most");
        let Some(Limit::Months(most)) = rail.and_then(|rail| rail.limit) else { continue };
        for component in &version.content().components {
            let months = match &component.clawback {
                None => 0,
                Some(Clawback::Step { steps }) => steps.last().map_or(0, |step| step.before_months),
                Some(Clawback::StraightLine { months }) => *months,
                Some(Clawback::Custom { fractions }) => u16::try_from(fractions.len()).expect("few months"),
            };
            assert!(months <= most, "{name}: {}: {months} months, at most {most}", component.key);
            held += 1;
        }
    }
    assert!(held >= 15, "{held}");
}
