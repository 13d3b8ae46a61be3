//! Assignments over HTTP: who may, once each, who reads, and what the statements of both payees say.

use domain::access::Role;
use domain::kernel::ids::PayeeId;
use harness::server::Service;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::assignments::company;
use crate::recovery::payee_of;
use crate::runs::{import, with_deals};

struct World {
    service: Service,
    finance: String,
    approver: String,
    old: PayeeId,
    new: PayeeId,
}

fn world() -> World {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let env = platform.env();
    let released = platform.store().transaction(|uow| domain::ledger::release::due(uow, &env)).expect("a release");
    assert_eq!(released, 1);
    import(&platform, &[("C-2", "M016", "")]);
    let (old, new) = (payee_of(&platform, "M016"), company(&platform, platform.introducer, 1));
    let service = Service::over(platform);
    let finance = service.token_of(Uuid::from_u128(21), &[Role::Finance], None, None);
    let approver = service.token_of(Uuid::from_u128(22), &[Role::Approver], None, None);
    World { service, finance, approver, old, new }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key}: {value}")).to_owned()
}

fn cents(value: &Value) -> i64 {
    value["amount"].as_i64().unwrap_or_else(|| panic!("no amount: {value}"))
}

fn deed(to: PayeeId) -> Value {
    json!({"to_payee_id": to.to_string(), "deed_reference": "Deed of 20 November 2026, folio 12", "reason": "It became a company"})
}

#[test]
fn it_is_proposed_once_read_by_the_organisation_and_approved_once() {
    let World { service, finance, approver, old, new } = world();
    let all = format!("/v1/payees/{old}/assignments");
    let made = service.post_as(&all, &finance, "once", &deed(new));
    assert_eq!(made.header("etag"), Some("\"1\""));
    let made = made.expect(201);
    assert_eq!(service.post_as(&all, &finance, "once", &deed(new)).expect(201), made);
    assert_eq!((text(&made, "status").as_str(), made["moves"]["lines"].as_u64()), ("proposed", Some(2)));
    assert_eq!((cents(&made["moves"]["total"]), cents(&made["left_out"]["total"])), (156_000, 0));
    let path = format!("/v1/assignments/{}", text(&made, "id"));
    let (partner, stranger) = (service.partner(), service.stranger());
    for reader in [&finance, &partner] {
        assert_eq!(service.get(&path, reader).expect(200), made);
        for payee in [old, new] {
            let listed = service.get(&format!("/v1/payees/{payee}/assignments"), reader).expect(200);
            assert_eq!(listed["data"], json!([made]));
        }
        let first = service.get(&format!("{path}/lines?limit=1"), reader).expect(200);
        let next = format!("{path}/lines?limit=1&cursor={}", text(&first, "next_cursor"));
        let second = service.get(&next, reader).expect(200);
        assert_eq!((cents(&first["data"][0]["amount"]), cents(&second["data"][0]["amount"])), (78_000, 78_000));
        assert_eq!((second["next_cursor"].as_str(), second["data"].as_array().map(Vec::len)), (None, Some(1)));
        let whole = service.get(&format!("{path}/lines"), reader).expect(200);
        assert_eq!(whole["data"], json!([first["data"][0], second["data"][0]]));
    }
    for hidden in [path.clone(), format!("{path}/lines"), all.clone()] {
        let _ = service.get(&hidden, &stranger).problem(404, "not_found");
    }
    let at = |act: &str| format!("{path}/{act}");
    let seen = json!({"content_sha256": made["content_sha256"]});
    for outsider in [&partner, &stranger, &finance] {
        let _ = service.post(&at("approve"), outsider, &seen).problem(403, "insufficient_scope");
    }
    let _ = service.post(&all, &partner, &deed(new)).problem(403, "insufficient_scope");
    let same = service.token_of(Uuid::from_u128(21), &[Role::OperatorAdmin], None, None);
    let _ = service.post(&at("approve"), &same, &seen).problem(422, "same_person");
    let other = json!({"content_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"});
    let _ = service.post(&at("approve"), &approver, &other).problem(409, "content_changed");
    let approved = service.post_as(&at("approve"), &approver, "twice", &seen);
    assert_eq!(approved.header("etag"), Some("\"2\""));
    let approved = approved.expect(200);
    assert_eq!(text(&approved, "status"), "approved");
    assert_eq!(service.post_as(&at("approve"), &approver, "twice", &seen).expect(200), approved);
    let _ = service.post(&at("approve"), &approver, &seen).problem(409, "wrong_state");
    let _ = service.post(&at("reject"), &approver, &json!({"reason": "Too late"})).problem(409, "wrong_state");
    let entries = service.get("/v1/ledger/entries?kind=assignment", &partner).expect(200);
    let entries = entries["data"].as_array().expect("entries");
    assert_eq!(entries.len(), 2, "their organisation sees both");
    assert!(entries.iter().all(|entry| entry["source_id"] == made["id"]));
    let undo = format!("/v1/ledger/entries/{}/reverse", text(&entries[0], "id"));
    let admin = service.operator();
    let _ = service.post(&undo, &admin, &json!({"reason": "Not so"})).problem(409, "not_reversible");
    let kept = "select count(*) from audit_record where action in ('create_assignment', 'approve_assignment') and refused is null";
    assert_eq!(service.platform.number(kept), 2);
    let _ = service.tell();
    let told = |kind: &str| {
        service.platform.number(&format!(
            "select count(*) from event where type = 'assignment.{kind}' and visible_to = array['{}'::uuid]",
            service.platform.introducer.uuid()
        ))
    };
    assert_eq!(["proposed", "approved", "rejected"].map(told), [1, 1, 0]);
}

/// Owed, accrued, available.
fn lies(buckets: &Value) -> [i64; 3] {
    ["owed", "accrued", "available"].map(|bucket| cents(&buckets[bucket]))
}

#[test]
fn the_statements_of_both_payees_add_up_and_say_what_came_and_went() {
    let World { service, finance, approver, old, new } = world();
    let made = service.post(&format!("/v1/payees/{old}/assignments"), &finance, &deed(new)).expect(201);
    let path = format!("/v1/assignments/{}", text(&made, "id"));
    let seen = json!({"content_sha256": made["content_sha256"]});
    let _ = service.post(&format!("{path}/approve"), &approver, &seen).expect(200);
    let partner = service.partner();
    let statement = |payee: PayeeId| {
        let path = format!("/v1/payees/{payee}/statements?from=2026-11-01&to=2026-11-30");
        service.get(&path, &partner).expect(200)
    };
    let (gave, got) = (statement(old), statement(new));
    let moved = |statement: &Value, movement: &str| {
        let all = statement["movements"].as_array().expect("movements");
        let found: Vec<&Value> = all.iter().filter(|m| m["movement"] == movement).collect();
        assert_eq!(found.len(), 1, "{movement}: {statement}");
        (found[0]["entries"].as_i64(), cents(&found[0]["moved"]), lies(&found[0]["change"]))
    };
    assert_eq!(moved(&gave, "assigned_out"), (Some(2), 156_000, [-156_000, -78_000, -78_000]));
    assert_eq!(moved(&got, "assigned_in"), (Some(2), 156_000, [156_000, 78_000, 78_000]));
    // All of it was earned in February, and the hold of C-1 expired before November.
    assert_eq!((lies(&gave["opening"]), lies(&gave["closing"])), ([156_000, 78_000, 78_000], [0, 0, 0]));
    assert_eq!((lies(&got["opening"]), lies(&got["closing"])), ([0, 0, 0], [156_000, 78_000, 78_000]));
    let entries = got["data"].as_array().expect("entries");
    assert_eq!((entries.len(), got["movements"].as_array().map(Vec::len)), (2, Some(1)));
    assert!(entries.iter().all(|entry| entry["explanation"] == path && cents(&entry["change"]["owed"]) == 78_000));
    // What goes back makes the statement say both.
    let back = service.post(&format!("/v1/payees/{new}/assignments"), &finance, &deed(old)).expect(201);
    let seen = json!({"content_sha256": back["content_sha256"]});
    let _ = service.post(&format!("/v1/assignments/{}/approve", text(&back, "id")), &approver, &seen).expect(200);
    let gave = statement(old);
    assert_eq!(moved(&gave, "assigned_out"), (Some(2), 156_000, [-156_000, -78_000, -78_000]));
    assert_eq!(moved(&gave, "assigned_in"), (Some(2), 156_000, [156_000, 78_000, 78_000]));
    assert_eq!(lies(&gave["closing"]), [156_000, 78_000, 78_000]);
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let World { service, finance, approver, old, new } = world();
    let all = format!("/v1/payees/{old}/assignments");
    let told = |body: &Value| service.post(&all, &finance, body).problem(422, "validation_failed");
    let faults = |wanted: &[(&str, &str)]| {
        wanted.iter().map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned())).collect::<Vec<_>>()
    };
    let required = [("/to_payee_id", "required"), ("/deed_reference", "required"), ("/reason", "required")];
    assert_eq!(told(&json!({})), faults(&required));
    let wrong = json!({"to_payee_id": "deal_01k0w4q7v8e2rtf3k2m9x5c6dz", "member_id": "nobody", "deed_reference": "x".repeat(201), "reason": "a\u{202e}b"});
    let pointers: Vec<String> = told(&wrong).into_iter().map(|(pointer, _)| pointer).collect();
    assert_eq!(pointers, ["/to_payee_id", "/member_id", "/deed_reference", "/reason"]);
    assert_eq!(told(&deed(old)), faults(&[("/to_payee_id", "same_payee")]));
    let _ =
        service.post(&format!("/v1/payees/{new}/assignments"), &finance, &deed(old)).problem(409, "nothing_to_assign");
    let made = service.post(&all, &finance, &deed(new)).expect(201);
    let at = |act: &str| format!("/v1/assignments/{}/{act}", text(&made, "id"));
    let missing = service.post(&at("reject"), &approver, &json!({})).problem(422, "validation_failed");
    assert_eq!(missing, faults(&[("/reason", "required")]));
    let missing = service.post(&at("approve"), &approver, &json!({})).problem(422, "validation_failed");
    assert_eq!(missing, faults(&[("/content_sha256", "required")]));
    let hold = json!({"line_id": service.get(&format!("/v1/assignments/{}/lines", text(&made, "id")), &finance).expect(200)["data"][0]["line_id"], "reason": "documents", "note": "Which deed?"});
    let _ = service.post("/v1/holds", &finance, &hold).expect(201);
    let seen = json!({"content_sha256": made["content_sha256"]});
    let _ = service.post(&at("approve"), &approver, &seen).problem(409, "lines_changed");
    let refused = service.post(&at("reject"), &approver, &json!({"reason": "The deed is not signed"})).expect(200);
    assert_eq!(
        (text(&refused, "status").as_str(), text(&refused, "rejected_because").as_str()),
        ("rejected", "The deed is not signed")
    );
    assert_eq!(service.platform.number("select count(*) from ledger_entry where kind = 'assignment'"), 0);
}
