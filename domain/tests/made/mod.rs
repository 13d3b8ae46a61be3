//! Contents of versions for tests, written as the JSON that a client would send.

#![allow(dead_code, reason = "each test uses some of it")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails loudly")]

use domain::agreements::finding::Finding;
use domain::agreements::lint::{LintContext, lint};
use domain::agreements::model::LookupTable;
use domain::agreements::version::TableVersion;
use domain::agreements::{GoverningVersion, VersionContent};
use domain::kernel::ids::{AgreementId, LookupTableId};
use serde_json::{Value, json};
use uuid::Uuid;

pub mod random;

/// Dollars as JSON.
pub fn aud(minor: i64) -> Value {
    json!({"amount": minor, "currency": "AUD"})
}

/// An amount as a value of a condition or a tier.
pub fn money(minor: i64) -> Value {
    json!({"type": "money", "value": aud(minor)})
}

/// A count as a value.
pub fn count(n: i64) -> Value {
    json!({"type": "integer", "value": n})
}

/// A text as a value.
pub fn text(text: &str) -> Value {
    json!({"type": "text", "value": text})
}

/// A condition on one attribute.
pub fn compare(attribute: &str, is: &str, value: Value) -> Value {
    json!({"op": "compare", "attribute": attribute, "is": is, "value": value})
}

/// A component of its own group: 0.65 % of the net balance, all to the platform.
pub fn component(key: &str) -> Value {
    json!({
        "key": key,
        "name": key,
        "trigger": {"kind": "deal_event", "event": "settled"},
        "predicate": {"op": "all", "of": []},
        "rate": {"kind": "percent", "of": "net_balance", "rate": "0.0065"},
        "split": [{"role": "platform", "share": "1"}],
        "hold": {"days": 0, "funding_rule": "on_expiry"},
        "combine": {"group": key, "mode": "sum"}
    })
}

/// A component with other fields.
pub fn with(key: &str, fields: Value) -> Value {
    let mut component = component(key);
    for (name, value) in fields.as_object().expect("fields") {
        component[name] = value.clone();
    }
    component
}

/// The content of a version of V02 from these components.
pub fn content(components: Vec<Value>) -> Value {
    json!({
        "vertical": "V02",
        "governing_date": "settled",
        "effective_from": "2026-01-01",
        "components": components
    })
}

/// The same with these accumulators.
pub fn counting(components: Vec<Value>, accumulators: Vec<Value>) -> Value {
    let mut content = content(components);
    content["accumulators"] = accumulators.into();
    content
}

/// A running total of a member's deals in a quarter.
pub fn total(key: &str, measure: &str) -> Value {
    json!({"key": key, "measure": measure, "scope": "member", "window": "quarter"})
}

/// A percentage tier from an amount on.
pub fn tier(from: i64, rate: &str) -> Value {
    json!({"from": money(from), "pays": {"kind": "percent", "rate": rate}})
}

/// A tiered rate of the settled amount, by the deal.
pub fn tiered(mode: &str, tiers: Vec<Value>) -> Value {
    json!({"kind": "tiered", "of": "settled_amount", "mode": mode, "by": {"kind": "deal"}, "tiers": tiers})
}

/// Reads content.
pub fn parsed(content: &Value) -> VersionContent {
    VersionContent::parse(content.to_string().as_bytes()).expect("content")
}

/// A version with this content.
pub fn version(content: &Value, tables: &[TableVersion]) -> GoverningVersion {
    GoverningVersion::with_tables(AgreementId::new(Uuid::from_u128(7)), 1, parsed(content), tables.to_vec())
        .expect("a version")
}

/// A table, by its number.
pub fn table(number: u128, table: &Value) -> TableVersion {
    let table = LookupTable::parse(table.to_string().as_bytes()).expect("a table");
    TableVersion::try_new(LookupTableId::new(Uuid::from_u128(number)), 1, table).expect("a table")
}

/// How a component names a table.
pub fn uses(table: &TableVersion) -> Value {
    json!({"id": table.id, "number": table.number, "content_sha256": table.content_hash})
}

/// What the lint finds with the guardrails of the vertical and no other version.
pub fn linted(content: &Value) -> Vec<Finding> {
    let content = parsed(content);
    lint(&content, &[], &alone(&content))
}

/// The first version of an agreement.
pub fn alone(content: &VersionContent) -> LintContext {
    LintContext { guardrails: domain::catalogue::guardrail::of(content.vertical), number: 1, others: Vec::new() }
}
