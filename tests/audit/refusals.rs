//! Attempts at moving money that were refused stay in the log; others do not, and neither do those of nobody.

use harness::site;
use serde_json::json;

use crate::acts;

#[test]
fn who_may_not_move_money_is_remembered_for_trying() {
    let service = site::populated();
    let ids = site::ids(&service);
    let run = &ids["run"];
    let before = service.platform.number("select count(*) from audit_record");
    let partner = service.partner();
    let approve = json!({"content_sha256": "0".repeat(64)});
    let tried = service.post(&format!("/v1/payout-runs/{run}/approve"), &partner, &approve);
    let _ = tried.problem(403, "insufficient_scope");
    let request = tried.header("x-request-id").expect("an id").to_owned();
    let found = acts(&service, &format!("?request_id={request}"));
    assert_eq!(found.len(), 1, "{found:?}");
    let said = |name: &str| found[0][name].as_str().map(str::to_owned);
    assert_eq!(said("action").as_deref(), Some("approve_payout_run"));
    assert_eq!(said("refused").as_deref(), Some("insufficient_scope"));
    assert_eq!(said("object_id").as_ref(), Some(run));
    assert_eq!(found[0]["actor"]["kind"], "api_client");
    // An operation that moves no money, somebody who is not known, a run that is not there: nothing of these is kept.
    let _ = service.get("/v1/users", &partner).problem(403, "insufficient_scope");
    let nobody = service.send("POST", &format!("/v1/payout-runs/{run}/execute"), &[("idempotency-key", "k")], None);
    let _ = nobody.problem(401, "unauthenticated");
    let missing = domain::kernel::ids::PayoutRunId::new(service.app.ids.next());
    let _ = service
        .post(&format!("/v1/payout-runs/{missing}/execute"), &service.operator(), &json!({}))
        .problem(404, "not_found");
    assert_eq!(service.platform.number("select count(*) from audit_record"), before + 1);
}
