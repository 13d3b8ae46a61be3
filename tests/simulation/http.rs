//! As a client asks: a job, a report, the deals that change, with their traces.

use domain::access::Role;
use harness::server::Service;
use serde_json::{Value, json};

use super::{higher, imported};

fn service() -> Service {
    Service::over(imported())
}

fn asked() -> Value {
    json!({"candidates": [{"name": "higher", "content": higher()}], "seed": 3})
}

/// Asks for a simulation; its path.
fn created(service: &Service, body: &Value) -> String {
    let reply = service.post("/v1/simulations", &service.operator(), body);
    let path = reply.header("location").expect("a location").to_owned();
    let job = reply.expect(202);
    assert_eq!((&job["kind"], &job["status"]), (&json!("simulation"), &json!("queued")));
    path
}

#[test]
fn it_is_asked_for_done_and_read() {
    let service = service();
    let operator = service.operator();
    let path = created(&service, &asked());
    let _ = service.get(&format!("{path}/report"), &operator).problem(409, "no_report");
    service.work();
    let done = service.get(&path, &operator).expect(200);
    let deals = service.platform.number("select count(*) from deal");
    assert_eq!(done["status"], "succeeded");
    assert_eq!(done["progress"], json!({"done": deals, "total": deals}));
    assert_eq!((&done["candidates"], &done["seed"]), (&json!(["higher"]), &json!(3)));
    let report = service.get(&format!("{path}/report"), &operator).expect(200);
    let earned = service.platform.number("select sum(earned_minor) from commission_line");
    assert_eq!(report["scenarios"][0]["totals"]["earned_minor"], json!(earned));
    assert_eq!(report["scenarios"][1]["name"], "higher");
    let listed = service.get("/v1/simulations", &operator).expect(200);
    assert_eq!(listed["data"][0], done);
    let _ = service.tell();
    let events = service.get("/v1/events?type=simulation.finished", &operator).expect(200);
    assert_eq!(events["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(service.platform.number("select count(*) from audit_record where action = 'create_simulation'"), 1);
}

#[test]
fn each_changed_deal_is_explained_in_every_scenario() {
    let service = service();
    let operator = service.operator();
    let path = created(&service, &asked());
    service.work();
    let plain = service.get(&format!("{path}/changes?limit=3"), &operator).expect(200);
    assert!(plain["data"][0].get("outcomes").is_none());
    let page = service.get(&format!("{path}/changes?limit=3&traces=true"), &operator).expect(200);
    let rows = page["data"].as_array().expect("rows");
    assert_eq!(rows.iter().map(|row| row["rank"].as_u64()).collect::<Vec<_>>(), [Some(1), Some(2), Some(3)]);
    for row in rows {
        for (scenario, name) in ["active", "higher"].into_iter().enumerate() {
            let outcome = &row["outcomes"][scenario];
            assert_eq!((&outcome["scenario"], &outcome["reproduced"]), (&json!(name), &json!(true)));
            let minor = |line: &Value, what: &str| line[what]["amount"].as_i64().expect("an amount");
            let lines =
                outcome["lines"].as_array().expect("lines").iter().filter(|line| line.get("member_id").is_some());
            let net: i64 = lines.map(|line| minor(line, "earned") - minor(line, "clawed_back")).sum();
            assert_eq!(row["net_minor"][scenario], json!(net));
            assert!(outcome["trace"].as_array().is_some_and(|steps| steps.iter().any(|step| step["step"] == "rate")));
        }
    }
    let next = page["next_cursor"].as_str().expect("more");
    let second = service.get(&format!("{path}/changes?limit=3&traces=true&cursor={next}"), &operator).expect(200);
    assert_eq!(second["data"][0]["rank"], 4);
    let _ = service.get(&format!("{path}/changes?traces=maybe"), &operator).problem(400, "invalid_filter");
}

#[test]
fn one_that_is_cancelled_finds_nothing() {
    let service = service();
    let operator = service.operator();
    let path = created(&service, &json!({"population": {"kind": "synthetic", "months": 3, "runs": 2}}));
    let cancel = || service.send("DELETE", &path, &[("authorization", &format!("Bearer {operator}"))], None);
    assert_eq!(cancel().expect(200)["status"], "cancelled");
    let _ = cancel().problem(409, "simulation_ended");
    service.work();
    assert_eq!(service.get(&path, &operator).expect(200)["status"], "cancelled");
    let _ = service.get(&format!("{path}/report"), &operator).problem(409, "no_report");
}

#[test]
fn what_cannot_be_simulated_is_refused_with_every_fault() {
    let service = service();
    let mut wrong = serde_json::to_value(higher()).expect("JSON");
    wrong["components"][0]["split"][0]["share"] = "0.9".into();
    let body = json!({"candidates": [{"content": wrong}]});
    let faults = service.post("/v1/simulations", &service.operator(), &body).problem(422, "validation_failed");
    assert!(faults.iter().all(|(pointer, _)| pointer.starts_with("/candidates/0/content/components/0")), "{faults:?}");
    let body = json!({"candidates": [{"agreement_id": domain::agreements::reference::V01_AGREEMENT.to_string(), "version": 99}, {}],
        "shocks": {"volume": "-1"}, "population": {"kind": "future"}});
    let faults = service.post("/v1/simulations", &service.operator(), &body).problem(422, "validation_failed");
    let pointers: Vec<&str> = faults.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/candidates/1", "/population/kind", "/shocks/volume"]);
    let body = json!({"candidates": [{"agreement_id": domain::agreements::reference::V01_AGREEMENT.to_string(), "version": 99}]});
    let faults = service.post("/v1/simulations", &service.operator(), &body).problem(422, "validation_failed");
    assert_eq!(faults[0].0, "/candidates/0/version");
}

#[test]
fn a_version_that_is_kept_can_be_named() {
    let service = service();
    let body = json!({"candidates": [{"name": "itself", "agreement_id": domain::agreements::reference::V01_AGREEMENT.to_string(), "version": 1}]});
    let path = created(&service, &body);
    service.work();
    let report = service.get(&format!("{path}/report"), &service.operator()).expect(200);
    assert_eq!(report["comparisons"][0]["changed_deals"], 0);
    assert_eq!(report["comparisons"][0]["name"], "itself");
}

#[test]
fn partners_and_investors_are_not_let_in() {
    let service = service();
    let path = created(&service, &asked());
    for token in
        [service.partner(), service.token(&[Role::Investor], None, None), service.token(&[Role::Support], None, None)]
    {
        let _ = service.get(&path, &token).problem(403, "insufficient_scope");
        let _ = service.post("/v1/simulations", &token, &asked()).problem(403, "insufficient_scope");
    }
    let auditor = service.token(&[Role::Auditor], None, None);
    assert_eq!(service.get(&path, &auditor).expect(200)["status"], "queued");
    let _ = service.post("/v1/simulations", &auditor, &asked()).problem(403, "insufficient_scope");
}

#[test]
fn changes_are_forgotten_when_they_are_old_and_reports_are_not() {
    let service = service();
    let _ = created(&service, &asked());
    service.work();
    let kept = || service.platform.number("select count(*) from simulation_change");
    assert!(kept() > 0);
    let forget = || assert_eq!(service.platform.refusal_of("select forget_simulation_changes(current_date)"), None);
    forget();
    assert!(kept() > 0);
    service.platform.tamper("update simulation set created_at = now() - interval '100 days'");
    forget();
    assert_eq!((kept(), service.platform.number("select count(*) from simulation_report")), (0, 1));
    let refused = service.platform.refusal_of("delete from simulation_report");
    assert!(refused.is_some_and(|text| text.contains("permission denied")));
}
