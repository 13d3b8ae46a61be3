//! What the provider of a partner says that it paid: a statement with a line that fits nothing, its exception, and a
//! write-off that waits for a second person.

use domain::kernel::ids::OrganisationId;
use serde_json::json;

use crate::server::Service;

/// Saves a mapping, imports a statement, proposes a write-off.
pub(crate) fn by(service: &Service, provider: OrganisationId) {
    let operator = service.operator();
    let authorization = format!("Bearer {operator}");
    let mapping = json!({
        "reference_column": "Loan", "amount_column": "Paid", "gst": "none", "date_column": "Date", "date_format": "YYYY-MM-DD",
        "covers": [], "sample": "Loan,Paid,Date\nX-1,10.00,2026-08-20\n"
    });
    let headers =
        [("authorization", authorization.as_str()), ("if-match", "\"0\""), ("content-type", "application/json")];
    let path = format!("/v1/organisations/{provider}/statement-mapping");
    let _ = service.send("PUT", &path, &headers, Some(mapping.to_string().as_bytes())).expect(200);
    let bank = service.get("/v1/bank-accounts", &operator).expect(200);
    let path = format!(
        "/v1/provider-statements?provider_id={provider}&bank_account_id={}&period_from=2026-08-01&period_to=2026-08-31&paid_on=2026-09-04&payment_reference=COMM&total_minor=1000",
        bank["data"][0]["id"].as_str().expect("an id")
    );
    let key = format!("told-by-{provider}");
    let headers =
        [("authorization", authorization.as_str()), ("idempotency-key", key.as_str()), ("content-type", "text/csv")];
    let _ = service.send("POST", &path, &headers, Some(b"Loan,Paid,Date\nX-1,10.00,2026-08-20\n")).expect(202);
    service.work();
    let owed = format!(
        "select l.deal_id as id from commission_line l join deal d on d.id = l.deal_id where d.provider_id = '{}' and l.period is null
         group by l.deal_id having sum(l.earned_minor) > 100 order by 1 limit 1",
        provider.uuid()
    );
    let deal = domain::kernel::ids::DealId::new(service.platform.ids_of(&owed)[0]);
    let write_off = json!({"deal_id": deal.to_string(), "amount": {"amount": 1, "currency": "AUD"}, "reason": "Not worth a letter"});
    let _ = service.post("/v1/write-offs", &operator, &write_off).expect(201);
}

/// Has the statement of a partner matched again, which waits from then on.
pub(crate) fn again(service: &Service, statement: &str) {
    let path = format!("/v1/provider-statements/{statement}/match");
    let _ = service.post(&path, &service.operator(), &json!({})).expect(202);
}
