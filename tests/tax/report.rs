//! What the tax office is told and paid: quarters equal the books, the year's withholding, four eyes.

use domain::access::Role;
use harness::server::Service;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::runs::{later, register, with_deals, without_abn};
use crate::world::{keep, paid, people};

/// One payee with GST, one with withholding, paid in the quarter that ends on 31 December 2026; it is February.
fn world() -> (Service, String) {
    let mut platform = with_deals(&[("C-1", "M016", ""), ("C-2", "M001", "")]);
    let people = people();
    let account = keep(&platform, &people.finance, false);
    register(&platform, "M016");
    without_abn(&platform, "M001");
    let _ = paid(&platform, &people, &account);
    later(&mut platform, "2027-02-10T02:00:00Z");
    (Service::over(platform), account.id.to_string())
}

fn amounts(period: &Value) -> [i64; 4] {
    ["gst_collected", "gst_paid", "withheld", "payable"].map(|name| period[name]["amount"].as_i64().expect("an amount"))
}

#[test]
fn quarters_equal_the_books_and_are_settled_by_two_people_once() {
    let (service, account) = world();
    let finance = service.token_of(Uuid::from_u128(21), &[Role::Finance], None, None);
    let approver = service.token_of(Uuid::from_u128(22), &[Role::Approver], None, None);
    let periods = service.get("/v1/bas-periods?from=2026-07-01&to=2027-06-30", &finance).expect(200);
    let [period] = periods["data"].as_array().expect("a list").as_slice() else { panic!("one quarter: {periods}") };
    assert_eq!((period["from"].clone(), period["to"].clone()), (json!("2026-10-01"), json!("2026-12-31")));
    // 10 % of 78,000 is owed to us, 47 % of 78,000 by us.
    assert_eq!(amounts(period), [0, 7_800, 36_660, 28_860]);
    let of = |kind: &str| {
        service.platform.number(&format!(
        "select coalesce(sum(b.balance_minor), 0) from ledger_balance b join ledger_account a on a.id = b.account_id where a.kind = '{kind}'"
    ))
    };
    assert_eq!((of("gst_paid"), of("withholding_payable")), (7_800, -36_660));
    let mut body = json!({"quarter_from": "2026-11-01", "bank_account_id": account, "paid_on": "2027-02-28"});
    let problem = service.post("/v1/tax-remittances", &finance, &body).problem(422, "validation_failed");
    assert_eq!(problem, [("/quarter_from".to_owned(), "not_a_quarter".to_owned())]);
    body["quarter_from"] = json!("2026-10-01");
    let made = service.post("/v1/tax-remittances", &finance, &body).expect(201);
    assert_eq!((amounts(&made["period"]), made["state"].clone()), ([0, 7_800, 36_660, 28_860], json!("proposed")));
    let other = service.post("/v1/tax-remittances", &finance, &body).expect(201);
    let approve = |made: &Value, token: &str| {
        service.post(&format!("/v1/tax-remittances/{}/approve", made["id"].as_str().expect("an id")), token, &json!({}))
    };
    let both = service.token_of(Uuid::from_u128(21), &[Role::OperatorAdmin], None, None);
    let _ = approve(&made, &both).problem(422, "same_person");
    assert_eq!(approve(&made, &approver).expect(200)["state"], "approved");
    let _ = approve(&made, &approver).problem(409, "wrong_state");
    let _ = approve(&other, &approver).problem(409, "wrong_state");
    assert_eq!((of("gst_paid"), of("withholding_payable"), of("cash")), (0, 0, -28_860));
    // What was paid to the tax office is not tax of a quarter.
    let again = service.get("/v1/bas-periods?from=2026-07-01&to=2027-06-30", &finance).expect(200);
    assert_eq!(again, periods);
    let list = service.get("/v1/tax-remittances", &finance).expect(200);
    assert_eq!(list["data"].as_array().expect("a list").len(), 2);
}

#[test]
fn the_years_withholding_is_reported_by_payee() {
    let (service, _) = world();
    let finance = service.token(&[Role::Finance], None, None);
    let report = service.get("/v1/withholding-report?financial_year=2027", &finance).expect(200);
    assert_eq!(report["due_on"], "2027-10-31");
    assert_eq!(report["data"].as_array().expect("a list").len(), 1);
    let row = &report["data"][0];
    assert_eq!((row["name"].clone(), row["summaries"].clone()), (json!("Member M001"), json!(1)));
    assert_eq!((row["gross"]["amount"].clone(), row["withheld"]["amount"].clone()), (json!(78_000), json!(36_660)));
    assert_eq!(report["withheld"]["amount"], 36_660);
    let none = service.get("/v1/withholding-report?financial_year=2026", &finance).expect(200);
    assert_eq!((none["data"].clone(), none["withheld"]["amount"].clone()), (json!([]), json!(0)));
    let csv = service.get("/v1/withholding-report?financial_year=2027&format=csv", &finance);
    assert_eq!((csv.status, csv.header("content-type")), (200, Some("text/csv; charset=utf-8")));
    let text = String::from_utf8(csv.body.clone()).expect("text");
    let lines: Vec<&str> = text.split("\r\n").collect();
    assert_eq!(lines[0], "payee_id,name,summaries,gross_cents,withheld_cents");
    assert!(lines[1].ends_with(",Member M001,1,78000,36660"), "{text}");
    let _ = service.get("/v1/withholding-report?financial_year=27", &finance).problem(400, "invalid_filter");
}
