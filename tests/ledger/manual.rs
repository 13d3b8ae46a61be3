//! Entries by hand: four eyes, one outcome each, reversed once, never of lines.

use domain::access::Role;
use domain::kernel::ids::{ApiClientId, EntryId};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{World, alone, entry, side, text};

const ON: &str = "2026-11-20";

fn opening(world: &World, cents: i64) -> Value {
    alone("opening", ON, &[world.cash(cents), side("opening_balance", -cents)])
}

#[test]
fn one_person_proposes_another_posts() {
    let world = World::new();
    let proposal = world.propose(&opening(&world, 100_000)).expect(201);
    assert_eq!((text(&proposal, "state").as_str(), proposal["debit"]["amount"].as_i64()), ("proposed", Some(100_000)));
    assert_eq!(world.count("select count(*) from ledger_entry"), 0, "nothing is posted before it is approved");
    let path = format!("/v1/ledger/entries/{}/approve", text(&proposal, "id"));
    let seen = json!({"content_sha256": proposal["content_sha256"]});
    let _ = world.service.post(&path, &world.finance, &seen).problem(403, "insufficient_scope");
    let same = world.service.token_of(Uuid::from_u128(21), &[Role::OperatorAdmin], None, None);
    let _ = world.service.post(&path, &same, &seen).problem(422, "same_person");
    // Nor does a client that finance made under another name.
    let made = world.service.post("/v1/api-clients", &same, &json!({"name": "Me again", "roles": ["approver"]}));
    let id = ApiClientId::parse(&text(&made.expect(201), "id")).expect("an id").uuid();
    let again = world.service.token_of(id, &[Role::Approver], None, None);
    let _ = world.service.post(&path, &again, &seen).problem(422, "same_person");
    let other = json!({"content_sha256": "00".repeat(32)});
    let _ = world.service.post(&path, &world.approver, &other).problem(409, "content_changed");
    let posted = world.service.post_as(&path, &world.approver, "once", &seen);
    assert_eq!(posted.expect(200)["state"], "posted");
    let replayed = world.service.post_as(&path, &world.approver, "once", &seen);
    assert_eq!((replayed.status, replayed.body), (200, posted.body));
    let _ = world.service.post(&path, &world.approver, &seen).problem(409, "wrong_state");
    let items = world.items(&proposal);
    let id = text(&items[0], "entry_id");
    let shown = world.service.get(&format!("/v1/ledger/entries/{id}"), &world.finance).expect(200);
    assert_eq!((shown["kind"].as_str(), shown["effective_on"].as_str()), (Some("opening"), Some(ON)));
    assert_eq!(shown["source_id"], proposal["id"]);
    assert_eq!(world.count("select count(*) from ledger_entry"), 1);
    world.service.sequence();
    let receipt = world.service.get(&format!("/v1/receipts/entries/{id}"), &world.finance);
    assert_eq!(receipt.status, 200);
}

#[test]
fn two_approvers_at_once_post_once() {
    let world = World::new();
    let proposal = world.propose(&opening(&world, 100_000)).expect(201);
    let path = format!("/v1/ledger/entries/{}/approve", text(&proposal, "id"));
    let seen = json!({"content_sha256": proposal["content_sha256"]});
    let others: Vec<String> =
        (31..39).map(|n| world.service.token_of(Uuid::from_u128(n), &[Role::Approver], None, None)).collect();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asked: Vec<_> =
            others.iter().map(|token| scope.spawn(|| world.service.post(&path, token, &seen).status)).collect();
        asked.into_iter().map(|asked| asked.join().expect("an answer")).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 7, "{statuses:?}");
    assert_eq!(world.count("select count(*) from ledger_entry"), 1);
}

#[test]
fn what_is_rejected_is_never_posted() {
    let world = World::new();
    let proposal = world.propose(&opening(&world, 100_000)).expect(201);
    let path = format!("/v1/ledger/entries/{}/reject", text(&proposal, "id"));
    let rejected = world.service.post(&path, &world.approver, &json!({"reason": "Wrong account"})).expect(200);
    assert_eq!(
        (rejected["state"].as_str(), rejected["rejected_because"].as_str()),
        (Some("rejected"), Some("Wrong account"))
    );
    let _ = world.approve(&proposal).problem(409, "wrong_state");
    assert_eq!(world.count("select count(*) from ledger_entry"), 0);
}

#[test]
fn every_fault_of_an_entry_is_told_at_once() {
    let world = World::new();
    let wrong = json!({
        "kind": "accrual", "effective_on": "20 November", "reason": " ",
        "postings": [
            {"account": {"kind": "payee_available"}, "amount": {"amount": 5, "currency": "AUD"}},
            {"account": {"kind": "commission_revenue"}, "amount": {"amount": 0, "currency": "USD"}},
            {"account_id": "account_1"}
        ]
    });
    let mut told = world.propose(&wrong).problem(422, "validation_failed");
    told.sort();
    let expected = [
        ("/effective_on", "unknown_value"),
        ("/kind", "unknown_value"),
        ("/postings/0/account/kind", "account_of_lines"),
        ("/postings/1/account/vertical", "required"),
        ("/postings/1/amount", "amount_out_of_range"),
        ("/postings/1/amount/currency", "unsupported_currency"),
        ("/postings/2/account_id", "invalid_id"),
        ("/postings/2/amount", "required"),
        ("/reason", "required"),
    ];
    assert_eq!(told, expected.map(|(pointer, code)| (pointer.to_owned(), code.to_owned())));
    let crooked = alone("fee", ON, &[side("rail_fees", 5), side("opening_balance", -4)]);
    assert_eq!(
        world.propose(&crooked).problem(422, "validation_failed"),
        [("/postings".into(), "not_balanced".into())]
    );
    let late = alone("fee", "2026-11-25", &[side("rail_fees", 5), side("opening_balance", -5)]);
    assert_eq!(world.propose(&late).problem(422, "validation_failed"), [("/effective_on".into(), "in_future".into())]);
    let nobody = json!({"account": {"kind": "provider_receivable", "party_id": "org_01k0w4q7v8e2rtf3k2m9x5c6dz"}, "amount": {"amount": 5, "currency": "AUD"}});
    let nobody = alone("adjustment", ON, &[nobody, side("rounding_difference", -5)]);
    let told = world.propose(&nobody).problem(422, "validation_failed");
    assert_eq!(told, [("/postings/0/account/party_id".into(), "not_found".into())]);
    assert_eq!(world.count("select count(*) from manual_entry"), 0);
}

#[test]
fn what_payees_are_owed_is_never_written_by_hand_also_not_by_the_accounts_id() {
    let world = World::with_deals(&[("C-1", "")]);
    let accounts = world.service.get("/v1/ledger/accounts?kind=payee_accrued", &world.finance).expect(200);
    let account = &accounts["data"][0]["id"];
    let body = alone(
        "adjustment",
        ON,
        &[json!({"account_id": account, "amount": {"amount": -5, "currency": "AUD"}}), side("rounding_difference", 5)],
    );
    let told = world.propose(&body).problem(422, "validation_failed");
    assert_eq!(told, [("/postings/0/account_id".into(), "account_of_lines".into())]);
}

#[test]
fn an_entry_by_hand_is_undone_once_by_its_mirror() {
    let world = World::new();
    let first = world.posted(&opening(&world, 100_000));
    let path = format!("/v1/ledger/entries/{first}/reverse");
    let one = world.service.post(&path, &world.finance, &json!({"reason": "Twice"})).expect(201);
    let two = world.service.post(&path, &world.finance, &json!({"reason": "Twice"})).expect(201);
    assert_eq!(one["kind"], "reversal");
    let _ = world.approve(&one).expect(200);
    let _ = world.approve(&two).problem(409, "already_reversed");
    let _ = world.service.post(&path, &world.finance, &json!({"reason": "Twice"})).problem(409, "already_reversed");
    assert_eq!(world.count("select count(*) from ledger_entry"), 2);
    assert_eq!(world.count("select coalesce(sum(abs(balance_minor)), 0) from ledger_balance"), 0);
    let shown = world.service.get(&format!("/v1/ledger/entries/{first}"), &world.finance).expect(200);
    let mirror = text(&shown, "reversed_by_id");
    let shown = world.service.get(&format!("/v1/ledger/entries/{mirror}"), &world.finance).expect(200);
    assert_eq!((shown["kind"].as_str(), shown["reverses_id"].as_str()), (Some("reversal"), Some(first.as_str())));
    // A reversal is not undone: the entry is proposed again.
    let again =
        world.service.post(&format!("/v1/ledger/entries/{mirror}/reverse"), &world.finance, &json!({"reason": "No"}));
    let _ = again.problem(409, "not_reversible");
    // Nor around the service: the mirror is exact, and an entry is undone once.
    let to_id = |text: &str| EntryId::parse(text).expect("an id").uuid();
    let twice = format!("insert into ledger_reversal values ('{}', '{}')", to_id(&first), to_id(&first));
    assert!(world.service.platform.refusal_of(&twice).is_some());
}

#[test]
fn what_belongs_to_lines_is_put_right_by_its_use_case_which_the_refusal_names() {
    let world = World::with_deals(&[("C-1", "")]);
    for kind in ["accrual", "release"] {
        let listed = world.service.get(&format!("/v1/ledger/entries?kind={kind}"), &world.finance).expect(200);
        let Some(id) = listed["data"][0]["id"].as_str() else { continue };
        let refused =
            world.service.post(&format!("/v1/ledger/entries/{id}/reverse"), &world.finance, &json!({"reason": "No"}));
        let _ = refused.problem(409, "not_reversible");
        let detail = text(&refused.json(), "detail");
        assert!(detail.contains("corrected fact") || detail.contains("dispute"), "{detail}");
    }
    assert_eq!(world.count("select count(*) from manual_entry"), 0);
}

#[test]
fn an_atomic_batch_is_all_or_nothing_and_a_loose_one_leaves_out_what_is_wrong() {
    let world = World::new();
    let good = |cents| entry("opening", ON, &[world.cash(cents), side("opening_balance", -cents)]);
    let bad = entry("opening", ON, &[world.cash(5), side("opening_balance", -4)]);
    let unknown = entry(
        "opening",
        ON,
        &[
            json!({"account_id": "account_01k0w4q7v8e2rtf3k2m9x5c6dz", "amount": {"amount": 5, "currency": "AUD"}}),
            side("opening_balance", -5),
        ],
    );
    let rows = [good(1_000), bad, good(2_000), unknown, good(3_000)];
    let mut told = world.batch("atomic", &rows).problem(422, "validation_failed");
    told.sort();
    assert_eq!(told, [("/entries/1/postings".to_owned(), "not_balanced".to_owned())]);
    assert_eq!(world.count("select count(*) from manual_entry"), 0);
    let loose = world.batch("per_item", &rows).expect(201);
    let outcomes: Vec<(i64, String)> = loose["outcomes"]
        .as_array()
        .expect("outcomes")
        .iter()
        .map(|outcome| (outcome["n"].as_i64().expect("a place"), text(outcome, "outcome")))
        .collect();
    let expected = [(0, "proposed"), (1, "refused"), (2, "proposed"), (3, "refused"), (4, "proposed")];
    assert_eq!(outcomes, expected.map(|(n, outcome)| (n, outcome.to_owned())));
    assert_eq!(loose["outcomes"][3]["error"]["code"], "not_found");
    let posted = world.approve(&loose["proposal"]).expect(200);
    assert_eq!((posted["entries"].as_i64(), posted["refused"].as_i64()), (Some(3), Some(2)));
    assert_eq!(world.count("select count(*) from ledger_entry"), 3);
    let items = world.items(&loose["proposal"]);
    let states: Vec<&str> = items.iter().filter_map(|item| item["outcome"].as_str()).collect();
    assert_eq!(states, ["posted", "refused", "posted", "refused", "posted"]);
    assert_eq!(world.count("select balance_minor from ledger_balance b join ledger_account a on a.id = b.account_id where a.kind = 'cash'"), 6_000);
}

#[test]
fn ten_thousand_entries_are_one_proposal_and_one_more_is_too_many() {
    let world = World::new();
    let rows: Vec<Value> = (1..=10_000_i64)
        .map(|n| entry("opening", ON, &[side("stripe_balance", n), side("opening_balance", -n)]))
        .collect();
    let proposed = world.batch("atomic", &rows).expect(201);
    assert_eq!(proposed["proposal"]["entries"], 10_000);
    assert_eq!(world.approve(&proposed["proposal"]).expect(200)["state"], "posted");
    assert_eq!(world.count("select count(*) from ledger_entry"), 10_000);
    assert_eq!(world.count("select max(balance_minor) from ledger_balance"), 50_005_000);
    let more: Vec<Value> = rows.iter().chain(rows.first()).cloned().collect();
    let told = world.batch("atomic", &more).problem(422, "validation_failed");
    assert_eq!(told, [("/entries".into(), "too_many".into())]);
}
