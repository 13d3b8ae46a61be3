//! Holds and plans by which clawbacks are got back, over HTTP: who may, once each, who reads.

use domain::access::Role;
use domain::kernel::ids::LineId;
use harness::server::Service;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::holds::line;
use crate::runs::with_deals;

struct World {
    service: Service,
    finance: String,
    approver: String,
    line: LineId,
}

fn world() -> World {
    let platform = with_deals(&[("C-1", "M016", "")]);
    let line = line(&platform, "C-1", "M016");
    let service = Service::over(platform);
    let finance = service.token_of(Uuid::from_u128(21), &[Role::Finance], None, None);
    let approver = service.token_of(Uuid::from_u128(22), &[Role::Approver], None, None);
    World { service, finance, approver, line }
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_else(|| panic!("no {key}: {value}")).to_owned()
}

fn cents(value: &Value) -> i64 {
    value["amount"].as_i64().unwrap_or_else(|| panic!("no amount: {value}"))
}

#[test]
fn a_hold_is_placed_once_read_by_who_earns_and_released_once() {
    let World { service, finance, line, .. } = world();
    let asked = json!({
        "line_id": line.to_string(), "amount": {"amount": 90_000, "currency": "AUD"}, "reason": "dispute", "note": "Whose client?"
    });
    let made = service.post_as("/v1/holds", &finance, "once", &asked);
    assert_eq!(made.header("etag"), Some("\"1\""));
    let made = made.expect(201);
    assert_eq!(service.post_as("/v1/holds", &finance, "once", &asked).expect(201), made);
    assert_eq!((cents(&made["asked"]), cents(&made["held"]), cents(&made["exposure"])), (90_000, 78_000, 12_000));
    assert_eq!((cents(&made["from"]["available"]), cents(&made["from"]["accrued"])), (0, 78_000));
    let path = format!("/v1/holds/{}", text(&made, "id"));
    let member = crate::statements::member(&service.platform, "M016");
    let itself = service.token(&[Role::Member], Some(service.platform.introducer), Some(member));
    let (partner, stranger) = (service.partner(), service.stranger());
    for reader in [&finance, &partner, &itself] {
        assert_eq!(service.get(&path, reader).expect(200), made);
        let listed = service.get(&format!("/v1/holds?line_id={line}&status=active"), reader).expect(200);
        assert_eq!(listed["data"], json!([made]));
    }
    let _ = service.get(&path, &stranger).problem(404, "not_found");
    assert_eq!(service.get("/v1/holds", &stranger).expect(200)["data"], json!([]));
    let _ = service.post("/v1/holds", &partner, &asked).problem(403, "insufficient_scope");
    let entry = service.get("/v1/ledger/entries?kind=hold", &finance).expect(200)["data"][0].clone();
    assert_eq!(entry["source_id"], made["id"]);
    let release = format!("{path}/release");
    let why = json!({"reason": "It was withdrawn"});
    let missing = service.post(&release, &finance, &json!({})).problem(422, "validation_failed");
    assert_eq!(missing, [("/reason".to_owned(), "required".to_owned())]);
    let _ = service.post(&release, &partner, &why).problem(403, "insufficient_scope");
    let ended = service.post(&release, &finance, &why).expect(200);
    assert_eq!(
        (text(&ended, "status").as_str(), cents(&ended["held"]), ended["version"].as_u64()),
        ("released", 0, Some(2))
    );
    assert_eq!(cents(&ended["released"]["available"]), 78_000);
    let _ = service.post(&release, &finance, &why).problem(409, "wrong_state");
    let kept = "select count(*) from audit_record where action in ('create_hold', 'release_hold') and refused is null";
    assert_eq!(service.platform.number(kept), 2);
    let _ = service.tell();
    let told = "select count(*) from event where type in ('hold.placed', 'hold.released')";
    assert_eq!(service.platform.number(told), 2);
    let faults =
        service.post("/v1/holds", &finance, &json!({"amount": {"amount": 0, "currency": "NZD"}, "reason": "mood"}));
    let wanted = [
        ("/line_id", "required"),
        ("/amount/currency", "unknown_value"),
        ("/reason", "unknown_value"),
        ("/note", "required"),
    ];
    let wanted = wanted.map(|(pointer, code)| (pointer.to_owned(), code.to_owned()));
    assert_eq!(faults.problem(422, "validation_failed"), wanted);
}

#[test]
fn a_hold_on_a_line_of_an_approved_run_voids_the_approval() {
    let World { service, finance, approver, line } = world();
    let account = json!({
        "name": "Commission account", "bank_code": "CBA", "user_name": "FLIP 360 PTY LTD", "user_number": "301500",
        "remitter": "FLIP 360", "description": "COMMISSION", "self_balancing": true,
        "account": {"bsb": "062-000", "account_number": "12345678", "account_name": "FLIP 360 PTY LTD"}
    });
    let account = service.post("/v1/bank-accounts", &finance, &account).expect(201);
    let run = service.post("/v1/payout-runs", &finance, &json!({"bank_account_id": account["id"]})).expect(201);
    let at = |act: &str| format!("/v1/payout-runs/{}/{act}", text(&run, "id"));
    let _ = service.post(&at("propose"), &finance, &json!({})).expect(200);
    let _ = service.post(&at("approve"), &approver, &json!({"content_sha256": run["content_sha256"]})).expect(200);
    let hold = json!({"line_id": line.to_string(), "reason": "suspected_fraud", "note": "The signature differs"});
    let _ = service.post("/v1/holds", &finance, &hold).expect(201);
    let _ = service.post(&at("execute"), &finance, &json!({})).problem(409, "approval_void");
    assert_eq!(service.platform.number("select count(*) from payout"), 0);
    assert_eq!(service.platform.number("select held_minor from commission_line where held_minor > 0"), 78_000);
}

#[test]
fn a_recovery_plan_is_proposed_approved_read_and_ended() {
    let World { service, finance, approver, .. } = world();
    let payee = service.platform.ids_of(
        "select p.payee_id as id from member_payee p join member m on m.id = p.member_id where m.member_ref = 'M016'",
    )[0];
    let plans = format!("/v1/payees/{}/recovery-plans", domain::kernel::ids::PayeeId::new(payee));
    let asked = json!({"max_share": "0.25", "max_amount": {"amount": 50_000, "currency": "AUD"}, "from_on": "2026-12-01", "reason": "By telephone"});
    let made = service.post(&plans, &finance, &asked).expect(201);
    assert_eq!(
        (text(&made, "status").as_str(), text(&made, "max_share").as_str(), cents(&made["max_amount"])),
        ("proposed", "0.25", 50_000)
    );
    let at = |act: &str| format!("{plans}/{}/{act}", text(&made, "id"));
    let _ = service.post(&at("approve"), &finance, &json!({})).problem(403, "insufficient_scope");
    let same = service.token_of(Uuid::from_u128(21), &[Role::OperatorAdmin], None, None);
    let _ = service.post(&at("approve"), &same, &json!({})).problem(422, "same_person");
    let approved = service.post(&at("approve"), &approver, &json!({})).expect(200);
    assert_eq!((text(&approved, "status").as_str(), approved["version"].as_u64()), ("approved", Some(2)));
    let _ = service.post(&at("reject"), &approver, &json!({})).problem(409, "wrong_state");
    let partner = service.partner();
    assert_eq!(service.get(&plans, &partner).expect(200)["data"], json!([approved]));
    let _ = service.get(&plans, &service.stranger()).problem(404, "not_found");
    let _ = service.post(&plans, &partner, &asked).problem(403, "insufficient_scope");
    let ended = service.post(&at("end"), &finance, &json!({"ended_on": "2027-01-31"})).expect(200);
    assert_eq!(text(&ended, "ended_on"), "2027-01-31");
    let nothing =
        service.post(&plans, &finance, &json!({"max_amount": {"amount": 0, "currency": "AUD"}, "max_share": "1.5"}));
    let wanted = [
        ("/max_share", "out_of_range"),
        ("/max_amount/amount", "out_of_range"),
        ("/from_on", "required"),
        ("/reason", "required"),
    ];
    let wanted = wanted.map(|(pointer, code)| (pointer.to_owned(), code.to_owned()));
    assert_eq!(nothing.problem(422, "validation_failed"), wanted);
    let none =
        service.post(&plans, &finance, &json!({"from_on": "soon", "reason": "None"})).problem(422, "validation_failed");
    assert_eq!(none.into_iter().map(|(pointer, _)| pointer).collect::<Vec<_>>(), ["/max_share", "/from_on"]);
}
