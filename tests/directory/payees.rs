//! Payees: numbers that are checked, accounts that are hidden, mappings with a date.

use harness::server::Service;
use serde_json::{Value, json};

use crate::{id, member, told};

fn request(service: &Service) -> Value {
    json!({
        "organisation_id": service.platform.introducer.to_string(), "legal_name": "José Núñez", "abn": "51 824 753 556",
        "bank_account": {"bsb": "062000", "account_number": "1234-5678", "account_name": "José Núñez"}
    })
}

#[test]
fn a_payee_is_paid_for_a_member_from_a_day_on() {
    let service = Service::start();
    let partner = service.partner();
    let m = member(&service, "M001", None);
    let mut body = request(&service);
    body["member_id"] = json!(m);
    body["from_on"] = json!("2026-07-01");
    body["gst_registered_from"] = json!("2026-07-01");
    body["minimum_payout"] = json!({"amount": 5000, "currency": "AUD"});
    let made = service.post("/v1/payees", &partner, &body).expect(201);
    let path = format!("/v1/payees/{}", id(&made));
    let read = service.get(&path, &partner).expect(200);
    assert_eq!(read, made);
    assert_eq!(
        read["bank_account"],
        json!({"bsb": "062-000", "account_number": "*****678", "account_name": "Jose Nunez"})
    );
    assert_eq!(read["members"], json!([{"member_id": m, "from_on": "2026-07-01"}]));
    assert_eq!(
        (&read["abn"], &read["rail"], &read["minimum_payout"]["amount"]),
        (&json!("51824753556"), &json!("aba"), &json!(5000))
    );
    body["legal_name"] = json!("Núñez Holdings Pty Ltd");
    body.as_object_mut().expect("an object").remove("from_on");
    let today = service.post("/v1/payees", &partner, &body).expect(201);
    assert_eq!(today["members"][0]["from_on"], "2026-11-23");
    let of_member = service.get(&format!("/v1/payees?member_id={m}"), &partner).expect(200);
    assert_eq!(of_member["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(service.get("/v1/payees?rail=stripe", &partner).expect(200)["data"], json!([]));
    for foreign in [
        service.get(&path, &service.stranger()),
        service.patch(&path, &service.stranger(), "\"1\"", &json!({"abn": null})),
    ] {
        let _ = foreign.problem(404, "not_found");
    }
}

#[test]
fn every_number_is_checked_and_every_fault_told() {
    let service = Service::start();
    let partner = service.partner();
    let mut bad = request(&service);
    bad["abn"] = json!("51824753557");
    bad["rail"] = json!("cash");
    bad["bank_account"] = json!({"bsb": "999-999", "account_number": "000", "account_name": "李 明"});
    bad["minimum_payout"] = json!({"amount": -1, "currency": "USD"});
    bad["member_id"] = json!("org_1");
    bad["from_on"] = json!("2026-02-30");
    assert_eq!(
        told(&service.post("/v1/payees", &partner, &bad).problem(422, "validation_failed")),
        [
            "/abn invalid_abn_checksum",
            "/rail unknown_value",
            "/bank_account/bsb unknown_bsb",
            "/bank_account/account_number account_number_all_zeros",
            "/bank_account/account_name not_in_bank_character_set",
            "/minimum_payout/amount negative",
            "/member_id invalid_id",
            "/from_on invalid_date",
            "/minimum_payout/currency unknown_value",
        ]
    );
    let mut foreign = request(&service);
    foreign["organisation_id"] = json!(service.platform.provider.to_string());
    let refused = service.post("/v1/payees", &partner, &foreign).problem(422, "validation_failed");
    assert_eq!(told(&refused), ["/organisation_id not_found"]);
    let mut stranger = request(&service);
    stranger["member_id"] = json!("member_00000000000000000000000001");
    let refused = service.post("/v1/payees", &partner, &stranger).problem(422, "validation_failed");
    assert_eq!(told(&refused), ["/member_id not_found"]);
    for amount in ["9223372036854775808", "1e3", "1.5", "\"1\"", "null"] {
        let text = request(&service).to_string().replacen(
            '{',
            &format!("{{\"minimum_payout\":{{\"amount\":{amount},\"currency\":\"AUD\"}},"),
            1,
        );
        let authorization = format!("Bearer {partner}");
        let headers = [
            ("authorization", authorization.as_str()),
            ("idempotency-key", amount),
            ("content-type", "application/json"),
        ];
        let reply = service.send("POST", "/v1/payees", &headers, Some(text.as_bytes()));
        let faults = reply.expect(400);
        assert_eq!(faults["errors"][0]["pointer"], "/minimum_payout/amount", "{amount}");
    }
    assert_eq!(service.platform.number("select count(*) from payee"), 0);
    assert_eq!(service.platform.number("select count(*) from payee_bank_details"), 0);
}

#[test]
fn a_payee_changes_by_version_but_never_its_account() {
    let service = Service::start();
    let partner = service.partner();
    let made = service.post("/v1/payees", &partner, &request(&service)).expect(201);
    let path = format!("/v1/payees/{}", id(&made));
    let changed = service.patch(&path, &partner, "\"1\"", &json!({"legal_name": "Ann", "gst_registered_from": "2026-01-01", "minimum_payout": {"amount": 1, "currency": "AUD"}}));
    let view = changed.expect(200);
    assert_eq!(
        (&view["legal_name"], &view["gst_registered_from"], &view["minimum_payout"]["amount"]),
        (&json!("Ann"), &json!("2026-01-01"), &json!(1))
    );
    assert_eq!(service.get(&path, &partner).expect(200), view);
    let refused = service.patch(&path, &partner, "\"2\"", &json!({"abn": null}));
    assert_eq!(told(&refused.problem(422, "validation_failed")), ["/abn required"]);
    let cleared =
        service.patch(&path, &partner, "\"2\"", &json!({"abn": null, "gst_registered_from": null})).expect(200);
    assert_eq!((cleared.get("abn"), cleared.get("gst_registered_from")), (None, None));
    let account = service.patch(&path, &partner, "\"3\"", &json!({"bank_account": {"bsb": "062-001"}}));
    let _ = account.problem(400, "unknown_field");
    let names = "select count(*) from payee p where p::text ilike '%ann%'";
    assert_eq!(service.platform.number(names), 0);
}

#[test]
fn of_two_payees_that_begin_on_one_day_the_second_is_refused() {
    let service = Service::start();
    let partner = service.partner();
    let mut body = request(&service);
    body["member_id"] = json!(member(&service, "M001", None));
    body["from_on"] = json!("2026-07-01");
    let _ = service.post("/v1/payees", &partner, &body).expect(201);
    body["legal_name"] = json!("Núñez Holdings Pty Ltd");
    let _ = service.post("/v1/payees", &partner, &body).problem(409, "payee_on_that_day");
    assert_eq!(service.platform.number("select count(*) from payee"), 1);
    assert_eq!(service.platform.number("select count(*) from member_payee"), 1);
    body["from_on"] = json!("2026-07-02");
    let _ = service.post("/v1/payees", &partner, &body).expect(201);
}

#[test]
fn who_is_paid_for_a_member_is_replaced_by_two_people_only() {
    let service = Service::start();
    let partner = service.partner();
    let member = crate::member(&service, "M001", None);
    let mut body = request(&service);
    body["member_id"] = json!(member);
    body["from_on"] = json!("2026-01-01");
    let first = service.post("/v1/payees", &partner, &body).expect(201);
    assert!(first["bank_account"].is_object());
    body["from_on"] = json!("2026-08-01");
    body["legal_name"] = json!("Somebody Else");
    let second = service.post("/v1/payees", &partner, &body).expect(201);
    assert!(second["bank_account"].is_null(), "{second}");
    let changes = service.get(&format!("/v1/payees/{}/bank-details", id(&second)), &partner).expect(200);
    assert_eq!(changes["data"][0]["status"], "proposed");
    let accounts = format!(
        "select count(*) from payee_bank_details where payee_id = '{}'",
        domain::kernel::id::decode(id(&second).rsplit_once('_').expect("an id").1).expect("an id")
    );
    assert_eq!(service.platform.number(&accounts), 0);
    let path = format!("/v1/payees/{}/bank-details/approve", id(&second));
    let again = json!({
        "bank_change_id": changes["data"][0]["id"], "bsb": body["bank_account"]["bsb"],
        "account_number": body["bank_account"]["account_number"]
    });
    let approver = service.token(&[domain::access::Role::Approver], None, None);
    assert_eq!(service.post(&path, &approver, &again).expect(200)["status"], "approved");
    assert_eq!(service.platform.number(&accounts), 1);
    let at_once = format!("{accounts} and usable_from_at < created_at + interval '48 hours'");
    assert_eq!(service.platform.number(&at_once), 0);
}
