//! Further amounts and counts of a settlement: over HTTP, in imports, corrected; and everybody above the member.

use domain::agreements::facts::{Measures, Settlement};
use domain::deals::import::COLUMNS;
use domain::deals::step::Step;
use domain::kernel::Money;
use harness::platform::Platform;
use harness::server::Service;
use serde_json::{Value, json};

use super::{day, deal, file, govern, lines_of, settlement, step};

/// 60 % of the first year's premium, 10 % of it to each of three levels above; and $30 for each policy.
fn life() -> Value {
    let split = json!([
        {"role": "member", "share": "0.6"},
        {"role": "upline_1", "share": "0.1", "absent_to": "platform"},
        {"role": "upline_2", "share": "0.1", "absent_to": "platform"},
        {"role": "upline_3", "share": "0.1", "absent_to": "platform"},
        {"role": "platform", "share": "0.1"}
    ]);
    let component = |key: &str, rate: Value, split: &Value| {
        json!({
            "key": key, "name": key, "trigger": {"kind": "deal_event", "event": "settled"},
            "predicate": {"op": "all", "of": []}, "rate": rate, "split": split,
            "hold": {"days": 10, "funding_rule": "on_expiry"},
            "clawback": {"kind": "step", "steps": [{"before_months": 12, "fraction": "1"}]},
            "combine": {"group": key, "mode": "sum"}
        })
    };
    let flat = json!({"kind": "flat_per_unit", "amount": {"amount": 3_000, "currency": "AUD"}, "of": "policies"});
    json!({
        "vertical": "V05", "governing_date": "settled", "effective_from": "2020-01-01",
        "components": [
            component("premium", json!({"kind": "percent", "of": "premium", "rate": "0.6"}), &split),
            component("policies", flat, &json!([{"role": "member", "share": "1"}])),
        ]
    })
}

const MEMBERS: &str = "member_ref,upline_ref\nA1,\nA2,A1\nA3,A2\nA4,A3\nA5,A4\n";

/// A platform on which A5 stands below four others, with the deal `L-1` of A5.
fn platform() -> Platform {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    govern(&platform, &life());
    let report = platform.import(&file(&["L-1,A5,Ann,TERM-LIFE,2026-01-05,,,,,"]));
    assert_eq!(report.created, 1, "{report:?}");
    platform
}

fn insured(premium: i64, policies: i64) -> Settlement {
    let measures = Measures { premium: Some(Money::aud(premium)), policies: Some(policies), ..Measures::NONE };
    Settlement { measures, ..settlement("2026-02-01", 0) }
}

#[test]
fn a_premium_is_shared_with_three_levels_above_and_each_payee_is_paid() {
    let platform = platform();
    let id = deal(&platform, "L-1");
    step(&platform, id, Step::Settlement(insured(200_000, 2))).expect("settled");
    // 60 % of $2,000.00 is $1,200.00: 60 % to the member, 10 % to each level, 10 % to the platform.
    let wanted = [
        "policies member 6000",
        "premium member 72000",
        "premium platform 12000",
        "premium upline 1 12000",
        "premium upline 2 12000",
        "premium upline 3 12000",
    ];
    assert_eq!(lines_of(&platform, id), wanted);
    let paid_to = platform.number(
        "select count(distinct l.payee_id) from commission_line l join member_payee p on p.member_id = l.member_id and p.payee_id = l.payee_id
         join member m on m.id = l.member_id where (l.role, l.level, m.member_ref) in (('upline', 1, 'A4'), ('upline', 2, 'A3'), ('upline', 3, 'A2'))",
    );
    assert_eq!(paid_to, 3);
    // What the seal says is what the deal has: four levels, though three are paid.
    let levels = platform.number(&format!("select cardinality(upline_ids) from deal where id = '{}'", id.uuid()));
    assert_eq!(levels, 4);
}

#[test]
fn an_upline_who_is_the_referrer_in_another_guise_gives_its_share_to_the_platform() {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    govern(&platform, &life());
    // The second level is paid through the referrer's own payee, the third is the referrer's own contact.
    diesel::connection::SimpleConnection::batch_execute(
        &mut platform.owner(),
        "insert into member_payee (member_id, effective_on, payee_id, recorded_at)
         select a.id, '2026-01-01', p.payee_id, now() from member a, member b join member_payee p on p.member_id = b.id where a.member_ref = 'A3' and b.member_ref = 'A5';
         update member set contact_id = (select contact_id from member where member_ref = 'A5') where member_ref = 'A2'",
    )
    .expect("the guises");
    let report = platform.import(&file(&["L-1,A5,Ann,TERM-LIFE,2026-01-05,,,,,"]));
    assert_eq!(report.created, 1);
    let id = deal(&platform, "L-1");
    let own = platform.number(&format!("select (own_uplines = '{{2,3}}')::int from deal where id = '{}'", id.uuid()));
    assert_eq!(own, 1);
    step(&platform, id, Step::Settlement(insured(200_000, 1))).expect("settled");
    let wanted = ["policies member 3000", "premium member 72000", "premium platform 36000", "premium upline 1 12000"];
    assert_eq!(lines_of(&platform, id), wanted);
}

#[test]
fn a_member_who_moves_later_changes_nothing_of_a_sealed_deal() {
    let platform = platform();
    let id = deal(&platform, "L-1");
    let move_up = "update member set upline_id = null where member_ref = 'A4';
        insert into member_upline (member_id, effective_on, upline_id, recorded_at)
        select id, '2026-11-23', null, now() + interval '1 second' from member where member_ref = 'A4'";
    diesel::connection::SimpleConnection::batch_execute(&mut platform.owner(), move_up).expect("a move");
    step(&platform, id, Step::Settlement(insured(200_000, 1))).expect("settled");
    assert_eq!(lines_of(&platform, id).iter().filter(|line| line.contains("upline")).count(), 3);
    // A deal that comes later is sealed without those who are no longer above.
    let _ = platform.import(&file(&["L-2,A5,Ann,TERM-LIFE,2026-01-05,,,,,"]));
    let later = deal(&platform, "L-2");
    step(&platform, later, Step::Settlement(insured(200_000, 1))).expect("settled");
    assert_eq!(lines_of(&platform, later).iter().filter(|line| line.contains("upline")).count(), 1);
}

#[test]
fn a_deal_that_was_sealed_before_parties_were_frozen_is_worked_out_from_the_bytes_of_then() {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = diesel::sql_types::Text)]
        input: String,
    }
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    let _ = platform.import(&file(&["O-1,A5,Ann,FIXED-3Y,2026-01-05,,,,,"]));
    let id = deal(&platform, "O-1");
    let before = "update deal set upline_ids = null, own_uplines = null, participant_ids = null, cohort = null, joined_on = null";
    diesel::connection::SimpleConnection::batch_execute(&mut platform.owner(), before).expect("a deal of then");
    step(&platform, id, Step::Settlement(settlement("2026-02-01", 10_000_000))).expect("settled");
    let last = "select convert_from(input, 'UTF8') as input from calculation order by known_at desc, id desc limit 1";
    let row: Row = diesel::RunQueryDsl::get_result(diesel::sql_query(last), &mut platform.owner()).expect("an input");
    let input: Value = serde_json::from_str(&row.input).expect("JSON");
    let keys: Vec<&str> = input.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(keys, ["deal", "facts", "member", "product", "uplines", "version", "vertical"]);
    assert_eq!(input["uplines"].as_array().map(Vec::len), Some(1));
    let facts: Vec<&str> =
        input["facts"]["settlement"].as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(facts, ["amount", "offset", "on"]);
    let uplines = platform.number("select count(*) from commission_line where role = 'upline' and level = 1");
    assert_eq!(uplines, 1);
}

#[test]
fn what_was_told_wrongly_is_corrected_with_the_difference_and_a_late_discharge_takes_it_back() {
    let platform = platform();
    let id = deal(&platform, "L-1");
    step(&platform, id, Step::Settlement(insured(200_000, 1))).expect("settled");
    let entries =
        || platform.number("select count(*) from ledger_entry where kind in ('accrual', 'adjustment', 'clawback')");
    assert_eq!(entries(), 1);
    let right = domain::deals::step::Correction {
        referred_on: None,
        contracted_on: None,
        settlement: Some(insured(100_000, 1)),
        discharged_on: None,
    };
    step(&platform, id, Step::Correction(right)).expect("corrected");
    assert_eq!(lines_of(&platform, id)[1], "premium member 36000");
    // The difference is an entry of its own, whose source is the calculation that the line stands on now.
    let linked = platform.number(
        "select count(*) from ledger_entry e join calculation c on c.id = e.source_id join commission_line l on l.calculation_id = c.id
         where e.kind = 'adjustment' and l.component = 'premium' and l.role = 'member'",
    );
    assert_eq!((entries(), linked), (2, 1));
    step(&platform, id, Step::Discharge { on: day("2026-07-31") }).expect("discharged");
    assert_eq!(lines_of(&platform, id)[1], "premium member 36000 -36000");
    assert_eq!(entries(), 3);
}

#[test]
fn imports_carry_measures_in_columns_of_any_order_and_refuse_what_is_none() {
    let platform = Platform::new();
    platform.onboard(MEMBERS);
    govern(&platform, &life());
    let header = format!("{},policies,premium", COLUMNS.join(","));
    let rows = "L-1,A5,Ann,TERM-LIFE,2026-01-05,,2026-02-01,0.00,,,2,2000.00
L-2,A5,Ann,TERM-LIFE,2026-01-05,,2026-02-01,0.00,,,2.5,-1
L-3,A5,Ann,TERM-LIFE,2026-01-05,,,,,,,1.00
L-4,A5,Ann,TERM-LIFE,2026-01-05,,2026-02-01,0.00,,
";
    let report = platform.import(format!("{header}\n{rows}").as_bytes());
    assert_eq!((report.created, report.refused.len()), (1, 3), "{report:?}");
    let mut faults: Vec<String> = report
        .refused
        .iter()
        .flat_map(|row| row.faults.iter().map(move |(column, code)| format!("{} {column} {code}", row.line)))
        .collect();
    faults.sort();
    let wanted = [
        "3 policies invalid_count",
        "3 premium negative_amount",
        "4 premium measure_without_settlement",
        "5  wrong_column_count",
    ];
    assert_eq!(faults, wanted);
    assert_eq!(lines_of(&platform, deal(&platform, "L-1"))[..2], ["policies member 6000", "premium member 72000"]);
    // The same file again changes nothing; one that says less is a correction.
    let first = format!("{header}\n{}\n", rows.lines().next().expect("a row"));
    assert_eq!(platform.import(first.as_bytes()).unchanged, 1);
    let less = platform.import(&file(&["L-1,A5,Ann,TERM-LIFE,2026-01-05,,2026-02-01,0.00,,"]));
    assert_eq!(less.corrected, 1);
    assert_eq!(platform.number("select sum(earned_minor) from commission_line"), 0);
    for wrong in ["discount", "premium,premium"] {
        let refused = platform.import(format!("{},{wrong}\n", COLUMNS.join(",")).as_bytes());
        assert_eq!(refused.fault.as_deref(), Some("wrong_header"), "{wrong}");
    }
    // A row that the file cuts off in its last measure is not taken: half an amount is another amount.
    let cut = platform.import(format!("{header}\n{}", rows.lines().next().expect("a row")).as_bytes());
    assert_eq!(cut.refused.len(), 1);
}

#[test]
fn over_http_every_fault_of_a_measure_is_told_and_what_is_known_is_shown() {
    let service = Service::over(platform());
    let partner = service.partner();
    let path = format!("/v1/deals/{}", deal(&service.platform, "L-1"));
    let facts = format!("{path}/facts");
    let aud = |amount: i64| json!({"amount": amount, "currency": "AUD"});
    let fact =
        |measures: Value| json!({"kind": "settlement", "on": "2026-02-01", "amount": aud(0), "measures": measures});
    let told = |body: Value| {
        let faults = service.post(&facts, &partner, &body).problem(422, "validation_failed");
        faults.into_iter().map(|(at, code)| format!("{at} {code}")).collect::<Vec<_>>()
    };
    let wrong = fact(json!({"premium": aud(-1), "policies": -2, "fee": aud(1)}));
    assert_eq!(told(wrong), ["/measures/premium negative_amount", "/measures/policies negative_count"]);
    let foreign = fact(json!({"premium": {"amount": 1, "currency": "USD"}}));
    assert_eq!(told(foreign), ["/measures/premium/currency unknown_value"]);
    let _ = service.post(&facts, &partner, &fact(json!({"bonus": 1}))).problem(400, "unknown_field");
    let _ = service.post(&facts, &partner, &fact(json!({"premium": aud(200_000), "policies": 1}))).expect(201);
    let shown = service.get(&path, &partner).expect(200);
    assert_eq!(shown["settlement"]["measures"], json!({"premium": aud(200_000), "policies": 1}));
    // Another premium is another settlement: it takes a correction.
    let other = fact(json!({"premium": aud(100_000), "policies": 1}));
    let _ = service.post(&facts, &partner, &other).problem(409, "fact_known");
    let parts = service.get(&format!("{path}/participants"), &partner).expect(200);
    let uplines: Vec<&Value> =
        parts["data"].as_array().expect("parts").iter().filter(|p| p["role"] == "upline").collect();
    assert_eq!(uplines.iter().map(|p| p["level"].as_i64()).collect::<Vec<_>>(), [Some(1), Some(2), Some(3), Some(4)]);
    let commission = service.get(&format!("{path}/commission"), &partner).expect(200);
    let rule = &commission["lines"][0]["funding_rule"];
    assert_eq!(rule, "on_expiry");
}
