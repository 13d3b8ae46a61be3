//! The trail: a line for each month with a balance, as the facts come and as they are corrected.

use domain::agreements::facts::Period;
use domain::deals::advance::AdvanceDealError;
use domain::deals::step::{Balance, Correction, Step, StepError};
use domain::kernel::Money;
use domain::kernel::ids::DealId;
use domain::ledger::release;
use harness::platform::Platform;
use harness::server::Service;
use serde_json::{Value, json};

use super::{day, deal, file, govern, lines_of, settlement, step, take};

/// 0.5 % up front; 0.12 % of the balance a year, monthly, once the provider has paid.
pub fn lending() -> Value {
    let component = |key: &str, trigger: Value, rate: Value, hold: Value| {
        json!({
            "key": key, "name": key, "trigger": trigger, "predicate": {"op": "all", "of": []}, "rate": rate,
            "split": [
                {"role": "member", "share": "0.6"},
                {"role": "upline_1", "share": "0.1", "absent_to": "platform"},
                {"role": "platform", "share": "0.3"}
            ],
            "hold": hold, "combine": {"group": key, "mode": "sum"}
        })
    };
    let upfront = json!({"kind": "percent", "of": "settled_amount", "rate": "0.005"});
    let trail = json!({"kind": "trail", "annual_rate": "0.0012", "periods_per_year": 12});
    let settled = json!({"kind": "deal_event", "event": "settled"});
    json!({
        "vertical": "V02", "governing_date": "settled", "effective_from": "2020-01-01",
        "components": [
            component("trail", json!({"kind": "trail"}), trail, json!({"days": 5, "funding_rule": "on_receipt"})),
            component("upfront", settled, upfront, json!({"days": 10, "funding_rule": "on_expiry"})),
        ]
    })
}

/// A platform with `count` settled loans `T-0`, `T-1` … of $600,000.00.
pub fn loans(count: usize) -> (Platform, Vec<DealId>) {
    let platform = Platform::new();
    platform.onboard("member_ref,upline_ref\nA1,\nA2,A1\n");
    govern(&platform, &lending());
    let row = |n| format!("T-{n},A2,Ann,COMMERCIAL-PROPERTY,2026-04-01,,2026-05-10,600000.00,,");
    let rows: Vec<String> = (0..count).map(row).collect();
    let report = platform.import(&file(&rows.iter().map(String::as_str).collect::<Vec<_>>()));
    assert_eq!(report.created, count as u64, "{report:?}");
    let deals = (0..count).map(|n| deal(&platform, &format!("T-{n}"))).collect();
    (platform, deals)
}

pub fn balance(month: &str, cents: i64, correction: bool) -> Step {
    let period = Period { month: day(&format!("{month}-01")), balance: Money::aud(cents) };
    Step::Balance(Balance { period, correction })
}

fn trail_of(platform: &Platform, id: DealId) -> Vec<String> {
    lines_of(platform, id).into_iter().filter(|line| line.starts_with("trail member")).collect()
}

fn calculations(platform: &Platform) -> i64 {
    platform.number("select count(*) from calculation where period is not null")
}

#[test]
fn each_balance_earns_the_line_of_its_month_and_none_is_released_before_the_provider_paid() {
    let (platform, deals) = loans(1);
    let id = deals[0];
    step(&platform, id, balance("2026-05", 60_000_000, false)).expect("May");
    step(&platform, id, balance("2026-06", 59_000_001, false)).expect("June");
    // 0.12 % ÷ 12 of $600,000.00 is $60.00; of $590,000.01 it is $59.000001, rounded once: $59.00.
    let wanted = [
        "trail member 2026-05 3600",
        "trail platform 2026-05 1800",
        "trail upline 1 2026-05 600",
        "trail member 2026-06 3540",
        "trail platform 2026-06 1770",
        "trail upline 1 2026-06 590",
        "upfront member 180000",
        "upfront platform 90000",
        "upfront upline 1 30000",
    ];
    assert_eq!(lines_of(&platform, id), wanted);
    assert_eq!(calculations(&platform), 2);
    let on_month_end = "select count(*) from ledger_entry e join calculation c on c.id = e.source_id
        where e.kind = 'accrual' and e.effective_on = (c.period + interval '1 month - 1 day')::date";
    assert_eq!(platform.number(on_month_end), 2);
    while platform.store().transaction(|uow| release::due(uow, &platform.env())).expect("a release") > 0 {}
    let lying = |bucket: &str, key: &str| {
        platform
            .number(&format!("select sum({bucket}) from commission_line where component = '{key}' and role = 'member'"))
    };
    assert_eq!((lying("accrued_minor", "trail"), lying("available_minor", "trail")), (7_140, 0));
    assert_eq!((lying("accrued_minor", "upfront"), lying("available_minor", "upfront")), (0, 180_000));
}

#[test]
fn a_balance_said_again_changes_nothing_and_another_one_takes_a_correction() {
    let (platform, deals) = loans(1);
    let id = deals[0];
    step(&platform, id, balance("2026-05", 60_000_000, false)).expect("May");
    let entries = || platform.number("select count(*) from ledger_entry");
    let before = (entries(), calculations(&platform));
    for correction in [false, true] {
        let again = step(&platform, id, balance("2026-05", 60_000_000, correction)).expect("known");
        assert_eq!((again.fact, again.calculation), (None, None));
    }
    let other = step(&platform, id, balance("2026-05", 50_000_000, false));
    assert_eq!(other, Err(AdvanceDealError::Step(StepError::KnownOtherwise("balance"))));
    assert_eq!((entries(), calculations(&platform)), before);
    step(&platform, id, balance("2026-05", 50_000_000, true)).expect("corrected");
    assert_eq!(trail_of(&platform, id), ["trail member 2026-05 3000"]);
    assert_eq!((entries(), calculations(&platform)), (before.0 + 1, before.1 + 1));
    let adjusted = "select count(*) from ledger_entry e join calculation c on c.id = e.source_id
        where e.kind = 'adjustment' and c.period = '2026-05-01' and e.recorded_at = c.known_at";
    assert_eq!(platform.number(adjusted), 1);
    assert_eq!(platform.number("select balance_minor from deal_balance"), 50_000_000);
    assert_eq!(platform.number("select count(*) from deal_fact where kind = 'balance'"), 2);
}

#[test]
fn the_trail_ends_with_the_discharge_and_follows_when_that_is_corrected() {
    let (platform, deals) = loans(2);
    for id in &deals {
        for month in ["2026-05", "2026-06", "2026-07", "2026-08"] {
            step(&platform, *id, balance(month, 60_000_000, false)).expect("a balance");
        }
    }
    let id = deals[0];
    let earning = || {
        let lines = trail_of(&platform, id);
        lines.iter().filter(|line| line.ends_with(" 3600")).map(|line| line[13..20].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(earning(), ["2026-05", "2026-06", "2026-07", "2026-08"]);
    step(&platform, id, Step::Discharge { on: day("2026-07-31") }).expect("discharged");
    assert_eq!(earning(), ["2026-05", "2026-06"]);
    let right = |on: Option<&str>, settled: bool| {
        Step::Correction(Correction {
            referred_on: None,
            contracted_on: None,
            settlement: settled.then(|| settlement("2026-05-10", 60_000_000)),
            discharged_on: on.map(day),
        })
    };
    let before = calculations(&platform);
    step(&platform, id, right(Some("2026-08-01"), true)).expect("corrected");
    assert_eq!(earning(), ["2026-05", "2026-06", "2026-07"]);
    // Only the month whose outcome is another one was worked out anew.
    assert_eq!(calculations(&platform), before + 1);
    step(&platform, id, right(None, false)).expect("it never settled");
    assert_eq!(earning(), Vec::<String>::new());
    step(&platform, id, right(None, true)).expect("it did");
    assert_eq!(earning().len(), 4);
    // A balance that comes after the discharge is kept and earns nothing.
    step(&platform, id, Step::Discharge { on: day("2026-09-15") }).expect("discharged");
    step(&platform, id, balance("2026-09", 60_000_000, false)).expect("kept");
    assert_eq!(earning().len(), 4);
    // The other loan is another matter.
    assert_eq!(trail_of(&platform, deals[1]).len(), 4);
}

#[test]
fn in_whatever_order_facts_come_the_lines_are_the_same() {
    let facts = |n: usize| -> Vec<Step> {
        let mut steps = vec![
            balance("2026-05", 60_000_000, false),
            balance("2026-06", 58_000_000, false),
            balance("2026-07", 57_000_000, false),
            Step::Discharge { on: day("2026-07-10") },
        ];
        steps.rotate_left(n);
        steps
    };
    let (platform, deals) = loans(4);
    for (n, id) in deals.iter().enumerate() {
        for said in facts(n) {
            step(&platform, *id, said).expect("a fact");
        }
    }
    let earned = |id: &DealId| {
        let lines = lines_of(&platform, *id);
        lines.into_iter().filter(|line| !line.ends_with(" 0")).collect::<Vec<_>>()
    };
    let first = earned(&deals[0]);
    assert_eq!(first.iter().filter(|line| line.starts_with("trail")).count(), 6);
    assert!(deals.iter().all(|id| earned(id) == first));
}

#[test]
fn balances_of_many_deals_are_taken_in_one_batch() {
    let (platform, deals) = loans(3);
    let commands: Vec<_> = deals
        .iter()
        .flat_map(|id| ["2026-05", "2026-06"].map(|month| (&platform.actor, *id, balance(month, 12_000_000, false))))
        .collect();
    assert!(take(&platform, &commands).iter().all(Result::is_ok));
    assert_eq!(platform.number("select sum(earned_minor) from commission_line where component = 'trail'"), 6 * 1_200);
}

#[test]
fn balances_over_http() {
    let (platform, deals) = loans(1);
    let service = Service::over(platform);
    let partner = service.partner();
    let path = format!("/v1/deals/{}", deals[0]);
    let facts = format!("{path}/facts");
    let aud = |amount: i64| json!({"amount": amount, "currency": "AUD"});
    let said = |month: &str, amount: i64| json!({"kind": "balance", "month": month, "balance": aud(amount)});
    let made = service.post(&facts, &partner, &said("2026-05", 60_000_000)).expect(201);
    assert_eq!((&made["status"], &made["transitions"]), (&json!("settled"), &json!([])));
    let calculation = made["calculation_id"].as_str().expect("a calculation").to_owned();
    let _ = service.post(&facts, &partner, &said("2026-05", 60_000_000)).expect(200);
    let _ = service.post(&facts, &partner, &said("2026-05", 1)).problem(409, "fact_known");
    let told = |body: Value| {
        let faults = service.post(&facts, &partner, &body).problem(422, "validation_failed");
        faults.into_iter().map(|(at, code)| format!("{at} {code}")).collect::<Vec<_>>()
    };
    // November 2026 has not ended on the 23rd.
    assert_eq!(told(said("2026-11", 1)), ["/month in_future"]);
    assert_eq!(told(said("2026-03", 1)), ["/month date_out_of_order"]);
    assert_eq!(told(said("2026-06", -1)), ["/balance negative_amount"]);
    assert_eq!(told(said("2026-06", 9_007_199_254_740_992)), ["/balance amount_out_of_range"]);
    for month in ["2026-13", "2026-6", "2026-06-01", "June", "-001-01"] {
        assert_eq!(told(said(month, 1)), ["/month invalid_month"], "{month}");
    }
    assert_eq!(
        told(json!({"kind": "balance", "on": "2026-06-30"})),
        ["/on unexpected", "/month required", "/balance required"]
    );
    let commission = service.get(&format!("{path}/commission"), &partner).expect(200);
    let lines = commission["lines"].as_array().expect("lines");
    let trail = lines.iter().find(|l| l["component"] == "trail" && l["role"] == "member").expect("a trail line");
    assert_eq!(
        (&trail["period"], &trail["funding_rule"], &trail["earned"]),
        (&json!("2026-05"), &json!("on_receipt"), &aud(3_600))
    );
    assert_eq!(trail["calculation_id"], json!(calculation));
    let calculations = commission["calculations"].as_array().expect("calculations");
    assert_eq!(calculations.iter().filter(|c| c["period"] == "2026-05").count(), 1);
    let explained = service.get(&format!("/v1/calculations/{calculation}"), &partner).expect(200);
    assert_eq!(explained["input"]["period"], json!({"balance": aud(60_000_000), "month": "2026-05-01"}));
    let stranger = service.stranger();
    let _ = service.post(&facts, &stranger, &said("2026-06", 1)).problem(404, "not_found");
}

/// Works on every job that waits, and gives the run as it is afterwards.
fn run(service: &Service, body: &Value) -> Value {
    let operator = service.operator();
    let accepted = service.post("/v1/trail-runs", &operator, body);
    assert_eq!(accepted.expect(202)["kind"], "trail_run");
    service.platform.work();
    let job = service.get(accepted.header("location").expect("a location"), &operator).expect(200);
    assert_eq!((&job["status"], &job["failure"]), (&json!("succeeded"), &Value::Null), "{job}");
    service.get(job["result"].as_str().expect("a result"), &operator).expect(200)
}

fn counts(run: &Value) -> [i64; 5] {
    ["due", "calculated", "changed", "missing", "stopped"].map(|name| run[name].as_i64().expect("a count"))
}

#[test]
fn a_run_lists_the_balances_that_are_missing_and_changes_nothing_that_is_complete() {
    let (platform, deals) = loans(6);
    let july = |id| (id, balance("2026-07", 60_000_000, false));
    for (id, said) in deals[..3].iter().map(july) {
        step(&platform, *id, said).expect("July");
    }
    step(&platform, deals[4], Step::Discharge { on: day("2026-07-31") }).expect("discharged by its end");
    step(&platform, deals[5], Step::Discharge { on: day("2026-08-01") }).expect("discharged after it");
    step(&platform, deals[3], balance("2026-05", 60_000_000, false)).expect("May");
    let service = Service::over(platform);
    let before = (calculations(&service.platform), service.platform.number("select count(*) from ledger_entry"));
    let found = run(&service, &json!({"vertical": "V02", "month": "2026-07"}));
    assert_eq!((&found["status"], &found["month"]), (&json!("done"), &json!("2026-07")));
    assert_eq!(counts(&found), [5, 3, 0, 2, 1]);
    let operator = service.operator();
    let missing = format!("/v1/trail-runs/{}/missing", found["id"].as_str().expect("an id"));
    let page = service.get(&format!("{missing}?limit=1"), &operator).expect(200);
    let next = page["next_cursor"].as_str().expect("another page");
    let rest = service.get(&format!("{missing}?limit=1&cursor={next}"), &operator).expect(200);
    let row = |page: &Value| page["data"].as_array().expect("rows")[0].clone();
    let told = |row: &Value| (row["external_ref"].clone(), row["last_known"].clone(), row["known_now"].clone());
    assert_eq!(told(&row(&page)), (json!("T-3"), json!("2026-05"), json!(false)));
    assert_eq!(told(&row(&rest)), (json!("T-5"), Value::Null, json!(false)));
    assert!(rest["next_cursor"].is_null());
    // What is known was worked out as it came in: neither this run nor another one has anything to do.
    assert_eq!(counts(&run(&service, &json!({"vertical": "V02", "month": "2026-07"}))), [5, 3, 0, 2, 1]);
    let after = (calculations(&service.platform), service.platform.number("select count(*) from ledger_entry"));
    assert_eq!(after, before);
    // The missing one comes in, and stands no longer as missing: in the run that missed it, and in the next.
    step(&service.platform, deals[3], balance("2026-07", 60_000_000, false)).expect("July");
    assert_eq!(service.get(&format!("{missing}?limit=1"), &operator).expect(200)["data"][0]["known_now"], true);
    let agreement = service.platform.ids_of("select agreement_id as id from deal limit 1")[0];
    let agreement = domain::kernel::ids::AgreementId::new(agreement).to_string();
    let again = run(&service, &json!({"agreement_id": agreement, "month": "2026-07"}));
    assert_eq!((counts(&again), &again["agreement_id"]), ([5, 4, 0, 1, 1], &json!(agreement)));
    // Months before the deals settled are due of nobody, nor is a vertical without a trail.
    assert_eq!(counts(&run(&service, &json!({"vertical": "V02", "month": "2026-04"}))), [0; 5]);
    assert_eq!(counts(&run(&service, &json!({"vertical": "V09", "month": "2026-07"}))), [0; 5]);
    let listed = service.get("/v1/trail-runs?status=done", &operator).expect(200);
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(5));
    assert_eq!(listed["data"][0]["vertical"], "V09");
}

#[test]
fn a_run_works_out_what_is_known_and_was_not_and_comes_to_the_lines_of_the_fact() {
    let (platform, deals) = loans(2);
    step(&platform, deals[0], balance("2026-07", 60_000_000, false)).expect("July");
    // A balance without its calculation: as if an older service had kept it, which knew no trails.
    let copied = format!(
        "insert into deal_balance (deal_id, month, balance_minor, fact_id, known_at)
         select '{}', month, balance_minor, fact_id, known_at from deal_balance",
        deals[1].uuid()
    );
    diesel::connection::SimpleConnection::batch_execute(&mut platform.owner(), &copied).expect("a balance");
    let service = Service::over(platform);
    assert_eq!(counts(&run(&service, &json!({"vertical": "V02", "month": "2026-07"}))), [2, 2, 1, 0, 0]);
    let lines = |id| lines_of(&service.platform, id);
    assert_eq!(lines(deals[0]), lines(deals[1]));
    assert_eq!(counts(&run(&service, &json!({"vertical": "V02", "month": "2026-07"}))), [2, 2, 0, 0, 0]);
}

#[test]
fn runs_are_for_those_who_keep_payouts_and_of_months_that_have_ended() {
    let (platform, _) = loans(1);
    let service = Service::over(platform);
    let (operator, partner) = (service.operator(), service.partner());
    let body = json!({"vertical": "V02", "month": "2026-07"});
    let _ = service.post("/v1/trail-runs", &partner, &body).problem(403, "insufficient_scope");
    let told = |body: Value| {
        let faults = service.post("/v1/trail-runs", &operator, &body).problem(422, "validation_failed");
        faults.into_iter().map(|(at, code)| format!("{at} {code}")).collect::<Vec<_>>()
    };
    assert_eq!(told(json!({"vertical": "V02", "month": "2026-11"})), ["/month in_future"]);
    assert_eq!(told(json!({})), ["/vertical one_required", "/month required"]);
    let unknown = "agreement_00000000000000000000000001";
    assert_eq!(told(json!({"agreement_id": unknown, "month": "2026-07"})), ["/agreement_id not_found"]);
    let found = run(&service, &body);
    let path = format!("/v1/trail-runs/{}", found["id"].as_str().expect("an id"));
    for path in [path.clone(), format!("{path}/missing")] {
        let _ = service.get(&path, &partner).problem(404, "not_found");
    }
    assert_eq!(service.get("/v1/trail-runs", &partner).expect(200)["data"], json!([]));
    assert_eq!(service.get("/v1/trail-runs?status=gone", &operator).status, 400);
    // One that is cancelled before it is worked on says so.
    let job = service.post("/v1/trail-runs", &operator, &body);
    let at = job.header("location").expect("a location").to_owned();
    let _ = service.send("DELETE", &at, &[("authorization", &format!("Bearer {operator}"))], None).expect(200);
    let stopped = service.get("/v1/trail-runs?status=failed", &operator).expect(200);
    assert_eq!(stopped["data"][0]["failure"]["code"], "cancelled");
}

#[test]
fn a_run_that_is_killed_goes_on_where_its_last_batch_ended() {
    use domain::deals::trail_run::work::{BATCH, TrailRunHandler};
    use domain::jobs::Handler as _;
    let (platform, deals) = loans(BATCH as usize + 20);
    let known: Vec<_> =
        deals[..310].iter().map(|id| (&platform.actor, *id, balance("2026-07", 60_000_000, false))).collect();
    assert!(take(&platform, &known).iter().all(Result::is_ok));
    let service = Service::over(platform);
    let accepted = service.post("/v1/trail-runs", &service.operator(), &json!({"vertical": "V02", "month": "2026-07"}));
    let _ = accepted.expect(202);
    // The first attempt commits one batch and vanishes: its lease is over, its transactions stay.
    let half = HalfWay(std::sync::atomic::AtomicU32::new(0), &service.platform);
    let interrupted = domain::jobs::work_one(service.platform.store(), &half, &[&TrailRunHandler]);
    assert!(interrupted.is_ok());
    assert_eq!(TrailRunHandler.kind().as_str(), "trail_run");
    let due = "select due from trail_run";
    assert_eq!(service.platform.number(due), i64::from(BATCH));
    service.platform.work();
    let found = service.get("/v1/trail-runs", &service.operator()).expect(200)["data"][0].clone();
    assert_eq!((&found["status"], counts(&found)), (&json!("done"), [320, 310, 0, 10, 0]));
    assert_eq!(service.platform.number("select count(*) from trail_run_missing"), 10);
}

/// The surroundings of a worker that is told to end after its first batch.
struct HalfWay<'p>(std::sync::atomic::AtomicU32, &'p Platform);

impl domain::env::Surroundings for HalfWay<'_> {
    fn env<'a>(&'a self, actor: &'a domain::access::Actor) -> domain::env::Env<'a> {
        domain::env::Surroundings::env(self.1, actor)
    }

    fn is_ending(&self) -> bool {
        self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 0
    }
}
