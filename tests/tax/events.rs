//! What listeners hear of papers: once, with the paper, those who may see it, by replay and by webhook alike.

use domain::access::Role;
use harness::platform::Platform;
use harness::server::Service;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::receiver::Receiver;
use crate::runs::{import, later, papers, register, with_deals, without_abn};
use crate::world::{approved, execute, keep, paid, people};

const TYPE: &str = "tax_document.issued";

fn listening(service: &Service, token: &str, receiver: &Receiver, types: &Value) {
    let body = json!({"url": receiver.url, "event_types": types});
    let _ = service.post("/v1/webhook-endpoints", token, &body).expect(201);
}

fn heard(service: &Service, token: &str) -> Vec<Value> {
    let _ = service.tell();
    let page = service.get(&format!("/v1/events?limit=200&type={TYPE}"), token).expect(200);
    page["data"].as_array().expect("a list").clone()
}

/// An invoice, a statement, a statement with a summary.
fn platform() -> Platform {
    let platform = with_deals(&[("C-1", "M016", ""), ("C-2", "M001", "")]);
    register(&platform, "M016");
    without_abn(&platform, "M001");
    platform
}

#[test]
fn every_paper_is_told_as_it_is_to_whoever_may_see_it() {
    let platform = platform();
    let people = people();
    let account = keep(&platform, &people.finance, false);
    let service = Service::over(platform);
    let (partner, finance) = (service.partner(), service.token(&[Role::Finance], None, None));
    let stranger = service.stranger_of(service.platform.provider);
    let [ours, theirs, staff] = [Receiver::start(), Receiver::start(), Receiver::start()];
    for (token, receiver) in [(&partner, &ours), (&stranger, &theirs), (&service.operator(), &staff)] {
        listening(&service, token, receiver, &json!([TYPE]));
    }
    let run = approved(&service.platform, &people, &account);
    assert_eq!(heard(&service, &finance), Vec::<Value>::new(), "a paper that is not written is not told");
    let _ = execute(&service.platform, &people.finance, &run).expect("executed");
    // The clawback of the invoice brings a note.
    import(&service.platform, &[("C-1", "M016", "2026-06-01")]);
    let told = heard(&service, &finance);
    let written = papers(&service.platform);
    assert_eq!(written.len(), 5);
    assert_eq!(told.len(), written.len());
    for (record, _, content) in &written {
        let of: Vec<&Value> = told.iter().filter(|event| event["subject_id"] == json!(record.id.to_string())).collect();
        let [event] = of.as_slice() else { panic!("{} is told {} times", record.number, of.len()) };
        let expected = json!({
            "tax_document_id": record.id.to_string(),
            "kind": record.kind.code(),
            "number": content.number,
            "payee_id": content.payee.to_string(),
            "payout_id": content.payout.map(|id| id.to_string()),
            "issued_on": "2026-11-23",
            "net_minor": content.net.0,
            "gst_minor": content.gst.0,
            "withheld_minor": content.withheld.0,
            "sha256": record.sha256.to_string(),
        });
        assert_eq!(event["data"], expected);
        assert!(!event.to_string().contains("Member M0"), "no name is told: {event}");
    }
    assert_eq!(told.iter().filter(|e| e["data"]["kind"] == "adjustment_note").count(), 1);
    // The payees' organisation hears what it may read, nobody else does.
    assert_eq!(heard(&service, &partner), told);
    assert_eq!(heard(&service, &stranger), Vec::<Value>::new());
    let _ = service.dispatch();
    for (receiver, expected) in [(&ours, told.len()), (&staff, told.len()), (&theirs, 0)] {
        assert_eq!(receiver.heard().len(), expected);
    }
    let sent = ours.heard().remove(0).json();
    assert!(told.contains(&sent), "the same as is replayed: {sent}");
    let paper = service.get(&format!("/v1/tax-documents/{}", sent["subject_id"].as_str().expect("an id")), &partner);
    assert_eq!(paper.expect(200)["sha256"], sent["data"]["sha256"]);
}

#[test]
fn what_is_paid_to_the_tax_office_is_told_to_the_operator_when_it_is_approved() {
    let mut platform = platform();
    let people = people();
    let account = keep(&platform, &people.finance, false);
    let _ = paid(&platform, &people, &account);
    later(&mut platform, "2027-02-10T02:00:00Z");
    let service = Service::over(platform);
    let finance = service.token_of(Uuid::from_u128(21), &[Role::Finance], None, None);
    let approver = service.token_of(Uuid::from_u128(22), &[Role::Approver], None, None);
    let body =
        json!({"bank_account_id": account.id.to_string(), "quarter_from": "2026-10-01", "paid_on": "2027-02-28"});
    let made = service.post("/v1/tax-remittances", &finance, &body).expect(201);
    let id = made["id"].as_str().expect("an id");
    let list = |token: &str| {
        let _ = service.tell();
        let page = service.get("/v1/events?type=tax_remittance.approved", token).expect(200);
        page["data"].as_array().expect("a list").clone()
    };
    assert_eq!(list(&finance).len(), 0);
    let _ = service.post(&format!("/v1/tax-remittances/{id}/approve"), &approver, &json!({})).expect(200);
    let told = list(&finance);
    assert_eq!(told.iter().map(|event| event["subject_id"].clone()).collect::<Vec<_>>(), [json!(id)]);
    assert_eq!(list(&service.partner()).len(), 0);
}
