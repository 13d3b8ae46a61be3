//! Months: closed in order by two people, frozen, and shut for whoever writes.

use domain::access::Role;
use domain::kernel::Instant;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{World, alone, import, side, text};

fn reason() -> Value {
    json!({"reason": "It is complete"})
}

fn fee(on: &str, cents: i64) -> Value {
    alone("fee", on, &[side("rail_fees", cents), side("opening_balance", -cents)])
}

#[test]
fn a_month_is_closed_by_two_people_on_what_both_saw() {
    let world = World::with_deals(&[("C-1", "")]);
    let period = world.period("2026-09");
    let asked = world.act(&period, "close", &world.finance, &reason()).expect(200);
    assert_eq!(asked["status"], "closing");
    let debit: i64 =
        asked["trial_balance"].as_array().expect("rows").iter().filter_map(|row| row["debit"]["amount"].as_i64()).sum();
    let credit: i64 = asked["trial_balance"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|row| row["credit"]["amount"].as_i64())
        .sum();
    assert!(debit > 0 && debit == credit);
    let said = world.service.get("/v1/ledger/trial-balance?effective_as_of=2026-09-30", &world.finance).expect(200);
    assert_eq!(said["debit"]["amount"].as_i64(), Some(debit));
    let seen = json!({"content_sha256": asked["content_sha256"]});
    let _ = world.act(&period, "approve", &world.finance, &seen).problem(403, "insufficient_scope");
    let same = world.service.token_of(Uuid::from_u128(21), &[Role::OperatorAdmin], None, None);
    let _ = world.act(&period, "approve", &same, &seen).problem(422, "same_person");
    // Until it is approved it takes entries, and then what was seen is no longer what stands.
    let _ = world.posted(&fee("2026-09-30", 700));
    let _ = world.act(&period, "approve", &world.approver, &seen).problem(409, "content_changed");
    let asked = world.act(&period, "close", &world.finance, &reason()).expect(200);
    let seen = json!({"content_sha256": asked["content_sha256"]});
    let closed = world.act(&period, "approve", &world.approver, &seen).expect(200);
    assert_eq!((closed["status"].as_str(), &closed["content_sha256"]), (Some("closed"), &asked["content_sha256"]));
    let _ = world.act(&period, "close", &world.finance, &reason()).problem(409, "wrong_state");
    let told = world.propose(&fee("2026-09-30", 1)).problem(422, "validation_failed");
    assert_eq!(told, [("/effective_on".into(), "period_closed".into())]);
    // Nor around the service: neither an entry, nor opening the month, nor closing one alone.
    let entry = "insert into chain_pending (source_id, kind, lane, n, leaf, created_at)
        values ('00000000-0000-7000-8000-000000000001', 'ledger_entry', sha256('lane'), 0, 'leaf', now());
      insert into ledger_entry (seq, id, kind, source_id, effective_on, recorded_at, canonical, sha256, previous_sha256, visible_to)
        select h.last_seq + 1, '00000000-0000-7000-8000-000000000001', 'adjustment', '00000000-0000-7000-8000-000000000002',
          '2026-09-30', now(), 'c', sha256('c'), h.last_sha256, '{}' from ledger_head h";
    let refused = world.service.platform.refusal_of(entry);
    assert!(refused.as_deref().is_some_and(|why| why.contains("period is closed")), "{refused:?}");
    let refused = world.service.platform.refusal_of("update ledger_head set closed_through_on = null");
    assert!(refused.is_some_and(|why| why.contains("what the periods say")));
    let alone = "insert into accounting_period_step (period_id, n, step, actor_id, at, last_seq)
      select period_id, max(n) + 1, 'closed', (array_agg(actor_id))[1], now(), 1 from accounting_period_step group by 1";
    assert!(world.service.platform.refusal_of(alone).is_some_and(|why| why.contains("two people")));
}

#[test]
fn months_are_closed_in_order_after_they_ended_and_reopened_last_first() {
    let world = World::with_deals(&[("C-1", "")]);
    let _ = world.act(&world.period("2026-11"), "close", &world.finance, &reason()).problem(409, "month_not_ended");
    let _ = world.close("2026-08");
    let _ = world.act(&world.period("2026-10"), "close", &world.finance, &reason()).problem(409, "out_of_order");
    let _ = world.act(&world.period("2026-07"), "close", &world.finance, &reason()).problem(409, "out_of_order");
    let _ = world.close("2026-09");
    let august = world.period("2026-08");
    let _ = world.act(&august, "reopen", &world.finance, &reason()).problem(409, "out_of_order");
    let september = world.period("2026-09");
    let asked = world.act(&september, "reopen", &world.finance, &reason()).expect(200);
    assert_eq!(asked["status"], "reopening");
    let told = world.propose(&fee("2026-09-30", 1)).problem(422, "validation_failed");
    assert_eq!(told, [("/effective_on".into(), "period_closed".into())]);
    let kept = world.act(&september, "reject", &world.approver, &json!({"reason": "No"})).expect(200);
    assert_eq!(kept["status"], "closed");
    let asked = world.act(&september, "reopen", &world.finance, &reason()).expect(200);
    let seen = json!({"content_sha256": asked["content_sha256"]});
    let reopened = world.act(&september, "approve", &world.approver, &seen).expect(200);
    assert_eq!(reopened["status"], "open");
    let _ = world.posted(&fee("2026-09-30", 1));
    let told = world.propose(&fee("2026-08-31", 1)).problem(422, "validation_failed");
    assert_eq!(told, [("/effective_on".into(), "period_closed".into())]);
    let steps = "select count(*) from accounting_period_step";
    assert_eq!(world.count(steps), 8);
    let _ = world.close("2026-09");
}

#[test]
fn a_late_fact_goes_into_the_first_open_month_and_says_where_it_belonged() {
    let mut world = World::with_deals(&[("C-1", "")]);
    let _ = world.close("2026-10");
    let before = world.service.get("/v1/ledger/trial-balance?effective_as_of=2026-10-31", &world.finance).expect(200);
    world.service.platform.now = Instant::new("2026-11-24T12:00:00Z".parse().expect("a time"));
    // C-1 unwound in June, C-2 settled in February: both are told now.
    import(&world.service.platform, &[("C-1", "2026-06-01"), ("C-2", "")]);
    let late = world.service.get("/v1/ledger/entries?effective_from=2026-11-01&limit=200", &world.finance).expect(200);
    let moved: Vec<(String, String, String)> = late["data"]
        .as_array()
        .expect("entries")
        .iter()
        .filter(|entry| entry["moved_from_on"].is_string())
        .map(|entry| (text(entry, "kind"), text(entry, "effective_on"), text(entry, "moved_from_on")))
        .collect();
    let clawback = ("clawback".to_owned(), "2026-11-01".to_owned(), "2026-06-01".to_owned());
    let accrual = ("accrual".to_owned(), "2026-11-01".to_owned(), "2026-02-01".to_owned());
    assert!(moved.contains(&clawback) && moved.contains(&accrual), "{moved:?}");
    let after = world.service.get("/v1/ledger/trial-balance?effective_as_of=2026-10-31", &world.finance).expect(200);
    assert_eq!(before, after, "a closed month stays as it was frozen");
    assert_eq!(
        world.count(
            "select count(*) from ledger_entry where effective_on <= '2026-10-31' and recorded_at > '2026-11-24'"
        ),
        0
    );
}

#[test]
fn what_was_proposed_before_its_month_was_closed_is_refused_when_it_is_approved() {
    let world = World::new();
    let _ = world.posted(&fee("2026-10-01", 5));
    let waiting = world.propose(&fee("2026-10-31", 5)).expect(201);
    let _ = world.close("2026-10");
    let _ = world.approve(&waiting).problem(409, "period_closed");
    let seen =
        world.service.get(&format!("/v1/ledger/manual-entries/{}", text(&waiting, "id")), &world.finance).expect(200);
    assert_eq!(seen["state"], "proposed");
    assert_eq!(world.count("select count(*) from ledger_entry"), 1);
}
