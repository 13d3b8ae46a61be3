//! Deals, imports and jobs over real HTTP: the way of an export, and what bad requests get.

use domain::access::Role;
use domain::chain::checkpoint::TreeHead;
use domain::chain::merkle::empty_root;
use domain::chain::registration::register;
use domain::chain::signer::Signer;
use domain::chain::statement::{
    Assurance, Declared, ImportDeclaration, KeyRegistration, PartyId, Salt, Statement, VERSION,
};
use domain::kernel::Digest;
use domain::kernel::ids::OrganisationId;
use harness::platform::{MemorySigner, ORIGIN, Platform};
use harness::server::{Reply, Service};
use serde_json::{Value, json};

use super::{EXAMPLE, EXAMPLE_MEMBERS, file};

/// A service with members, and the introducer's registered key.
pub(super) struct World {
    pub(super) service: Service,
    key: MemorySigner,
}

impl World {
    pub(super) fn new() -> Self {
        let platform = Platform::new();
        platform.onboard(EXAMPLE_MEMBERS);
        let key = MemorySigner::new(21);
        let statement = Statement::KeyRegistration(KeyRegistration {
            assurance: Assurance::Own,
            jwk: key.public_key().jwk(),
            kid: key.kid(),
            log: ORIGIN.to_owned(),
            next: None,
            party: PartyId::organisation(platform.introducer),
            salt: Salt([5; 32]),
            v: VERSION,
        });
        let envelope = statement.sign(&key).expect("an envelope");
        platform.store().transaction(|uow| register(uow, &platform.env(), &envelope)).expect("the key is registered");
        Self { service: Service::over(platform), key }
    }

    /// The introducer's declaration for a file.
    pub(super) fn declaration(&self, bytes: &[u8]) -> String {
        let declared = || Declared { declared: true, text_sha256: None };
        let statement = ImportDeclaration {
            consent: declared(),
            disclosure: declared(),
            file_sha256: Digest::of(bytes),
            import: None,
            kid: self.key.kid(),
            log: ORIGIN.to_owned(),
            organisation: PartyId::organisation(self.service.platform.introducer),
            salt: Salt(*Digest::of(bytes).bytes()),
            seen: TreeHead { size: 0, root: empty_root() },
            v: VERSION,
        };
        Statement::ImportDeclaration(statement).sign(&self.key).expect("an envelope")
    }

    pub(super) fn path(&self, provider: OrganisationId) -> String {
        format!("/v1/deals/imports?provider_id={provider}")
    }

    pub(super) fn send(&self, key: &str, bytes: &[u8], declaration: &str) -> Reply {
        let authorization = format!("Bearer {}", self.partner());
        let headers = [
            ("authorization", authorization.as_str()),
            ("idempotency-key", key),
            ("content-type", "text/csv"),
            ("flip360-declaration", declaration),
        ];
        self.service.send("POST", &self.path(self.service.platform.provider), &headers, Some(bytes))
    }

    /// The introducer's administrator, the same caller each time.
    pub(super) fn partner(&self) -> String {
        let introducer = Some(self.service.platform.introducer);
        self.service.token_of(uuid::Uuid::from_u128(41), &[Role::PartnerAdmin], introducer, None)
    }

    pub(super) fn provider(&self) -> String {
        self.service.token(&[Role::PartnerAdmin], Some(self.service.platform.provider), None)
    }

    /// Imports a file and gives the import's path.
    pub(super) fn import(&self, key: &str, bytes: &[u8]) -> String {
        let accepted = self.send(key, bytes, &self.declaration(bytes));
        let job = accepted.expect(202);
        assert_eq!(accepted.header("location"), Some(format!("/v1/jobs/{}", job["id"].as_str().expect("id")).as_str()));
        assert_eq!(job["status"], "queued");
        self.service.platform.work();
        let job = self.service.get(accepted.header("location").expect("a location"), &self.partner()).expect(200);
        assert_eq!((&job["status"], &job["failure"]), (&json!("succeeded"), &Value::Null), "{job}");
        job["result"].as_str().expect("a result").to_owned()
    }

    pub(super) fn deal(&self, external_ref: &str) -> String {
        let page = self.service.get(&format!("/v1/deals?external_ref={external_ref}"), &self.partner()).expect(200);
        page["data"][0]["id"].as_str().expect("the deal").to_owned()
    }

    pub(super) fn count(&self, table: &str) -> i64 {
        self.service.platform.number(&format!("select count(*) from {table}"))
    }
}

#[test]
fn an_export_goes_in_and_its_report_comes_out() {
    let world = World::new();
    let import = world.import("k-1", EXAMPLE);
    let found = world.service.get(&import, &world.partner()).expect(200);
    assert_eq!(found["status"], "done");
    assert_eq!(found["file_sha256"], Digest::of(EXAMPLE).to_string());
    let counts = &found["counts"];
    assert_eq!(
        (&counts["rows"], &counts["created"], &counts["superseded"], &counts["refused"]),
        (&json!(18), &json!(14), &json!(1), &json!(3))
    );
    let rows = world.service.get(&format!("{import}/rows?outcome=refused&limit=2"), &world.partner());
    let first = rows.expect(200);
    assert_eq!(first["data"].as_array().map(Vec::len), Some(2));
    assert!(first["data"][0]["faults"][0]["code"].is_string() && first["data"][0]["line"].is_u64());
    let next = format!("{import}/rows?outcome=refused&limit=2&cursor={}", first["next_cursor"].as_str().expect("more"));
    assert_eq!(world.service.get(&next, &world.partner()).expect(200)["data"].as_array().map(Vec::len), Some(1));
    // The same request again has the first answer; the same file under another key changes nothing.
    let declaration = world.declaration(EXAMPLE);
    let again = world.send("k-1", EXAMPLE, &declaration);
    assert_eq!((again.status, again.header("idempotency-replayed")), (202, Some("true")));
    let second = world.import("k-2", EXAMPLE);
    assert_eq!(world.service.get(&second, &world.partner()).expect(200)["counts"]["unchanged"], 14);
    let other = file(&["A,M016,Ann,FIXED-3Y,2026-01-01,,,,,"]);
    let _ = world.send("k-1", &other, &world.declaration(&other)).problem(422, "idempotency_key_reused");
    assert_eq!((world.count("deal"), world.count("deal_import_chunk")), (14, 0));
    assert_eq!(world.count("deal_import where state = 'uploading'"), 0);
    // Strangers see none of it.
    let stranger = world.service.stranger();
    let _ = world.service.get(&import, &stranger).problem(404, "not_found");
    let _ = world.service.get(&format!("{import}/rows"), &stranger).problem(404, "not_found");
    assert_eq!(world.service.get("/v1/deals", &stranger).expect(200)["data"], json!([]));
    assert_eq!(world.service.get("/v1/jobs", &stranger).expect(200)["data"], json!([]));
}

#[test]
fn an_import_that_nobody_answers_for_is_not_taken() {
    let world = World::new();
    let other = file(&["A,M016,Ann,FIXED-3Y,2026-01-01,,,,,"]);
    let refused = world.send("k-1", EXAMPLE, &world.declaration(&other)).problem(422, "validation_failed");
    assert_eq!(refused, [("#Flip360-Declaration".to_owned(), "file_mismatch".to_owned())]);
    let _ = world.send("k-2", EXAMPLE, "no.envelope.").problem(422, "validation_failed");
    let _ = world.send("k-3", EXAMPLE, "").problem(422, "validation_failed");
    let token = format!("Bearer {}", world.partner());
    let path = world.path(world.service.platform.provider);
    let send = |path: &str, headers: &[(&str, &str)]| {
        let mut all = vec![("authorization", token.as_str())];
        all.extend(headers);
        world.service.send("POST", path, &all, Some(EXAMPLE))
    };
    let key = ("idempotency-key", "k-4");
    let declared = world.declaration(EXAMPLE);
    let declaration = ("flip360-declaration", declared.as_str());
    let csv = ("content-type", "text/csv");
    let _ = send(&path, &[csv, declaration]).problem(400, "idempotency_key_missing");
    let _ = send(&path, &[csv, key]).problem(400, "declaration_missing");
    let _ = send(&path, &[key, declaration]).problem(415, "unsupported_media_type");
    let _ = send(&path, &[key, declaration, csv, ("content-encoding", "gzip")]).problem(415, "unsupported_media_type");
    let _ = send("/v1/deals/imports", &[key, declaration, csv]).problem(400, "required");
    let _ = send("/v1/deals/imports?provider_id=x", &[key, declaration, csv]).problem(400, "invalid_filter");
    let _ = send(&format!("{path}&more=1"), &[key, declaration, csv]).problem(400, "invalid_query");
    let nobody = world.path(OrganisationId::new(uuid::Uuid::from_u128(3)));
    let refused = send(&nobody, &[key, declaration, csv]).problem(422, "validation_failed");
    assert_eq!(refused, [("#provider_id".to_owned(), "unknown_provider".to_owned())]);
    let foreign = format!("{path}&organisation_id={}", world.service.platform.provider);
    let refused = send(&foreign, &[key, declaration, csv]).problem(422, "validation_failed");
    assert_eq!(refused, [("#organisation_id".to_owned(), "unknown_organisation".to_owned())]);
    assert_eq!((world.count("job"), world.count("deal"), world.count("deal_import_chunk")), (0, 0, 0));
    assert_eq!(world.count("deal_import where state <> 'failed'"), 0);
}

#[test]
fn a_file_that_is_no_export_fails_its_job_with_a_code() {
    let world = World::new();
    for (n, bytes) in [&b""[..], b"a,b\n1,2\n", &[0; 70_000], b"external_ref\xE9"].into_iter().enumerate() {
        let accepted = world.send(&format!("k-{n}"), bytes, &world.declaration(bytes));
        let location = accepted.header("location").expect("a location").to_owned();
        let _ = accepted.expect(202);
        world.service.platform.work();
        let job = world.service.get(&location, &world.partner()).expect(200);
        assert_eq!((&job["status"], &job["failure"]["code"]), (&json!("failed"), &json!("wrong_header")));
    }
    assert_eq!(world.count("deal_import_chunk"), 0);
}

#[test]
fn jobs_are_listed_looked_up_and_cancelled() {
    let world = World::new();
    let accepted = world.send("k-1", EXAMPLE, &world.declaration(EXAMPLE));
    let path = accepted.header("location").expect("a location").to_owned();
    let listed = world.service.get("/v1/jobs?status=queued&kind=deal_import", &world.partner()).expect(200);
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(1));
    let _ = world.service.get("/v1/jobs?status=idle", &world.partner()).problem(400, "invalid_filter");
    let _ = world.service.get("/v1/jobs?cursor=AAAA", &world.partner()).problem(400, "invalid_cursor");
    let _ = world.service.get("/v1/jobs/job_x", &world.partner()).problem(404, "not_found");
    let cancel = |token: &str| {
        let authorization = format!("Bearer {token}");
        world.service.send("DELETE", &path, &[("authorization", authorization.as_str())], None)
    };
    let _ = cancel(&world.service.stranger()).problem(404, "not_found");
    let _ = cancel(&world.service.token(&[Role::Auditor], None, None)).problem(403, "insufficient_scope");
    assert_eq!(cancel(&world.partner()).expect(200)["status"], "cancelled");
    let _ = cancel(&world.partner()).problem(409, "job_ended");
    world.service.platform.work();
    assert_eq!((world.count("deal"), world.count("deal_import_chunk")), (0, 0));
    assert_eq!(world.count("audit_record where action = 'cancel_job'"), 1);
}

#[test]
fn a_deal_goes_from_referral_to_settlement_and_is_looked_up_on_the_way() {
    let world = World::new();
    let _ = world.import("k-1", &file(&["R-0,M016,Ann,FIXED-3Y,2026-01-01,,,,,"]));
    let deal = world.deal("R-0");
    let path = format!("/v1/deals/{deal}");
    let (partner, provider) = (world.partner(), world.provider());
    let post = |token: &str, what: &str, body: Value| world.service.post(&format!("{path}/{what}"), token, &body);
    let forbidden = post(&partner, "transitions", json!({"to": "accepted"}));
    let _ = forbidden.problem(403, "provider_only");
    assert_eq!(post(&provider, "transitions", json!({"to": "accepted"})).expect(201)["status"], "accepted");
    let again = post(&provider, "transitions", json!({"to": "accepted"}));
    let _ = again.problem(409, "transition_not_allowed");
    let contracted = post(&provider, "transitions", json!({"to": "contracted", "on": "2026-01-20"})).expect(201);
    assert_eq!((&contracted["status"], contracted["fact_id"].is_string()), (&json!("contracted"), true));
    let money = |amount: i64| json!({"amount": amount, "currency": "AUD"});
    let settlement = json!({"kind": "settlement", "on": "2026-02-01", "amount": money(10_000_000)});
    let settled = post(&provider, "facts", settlement.clone());
    assert_eq!(settled.header("location"), Some(format!("{path}/timeline").as_str()));
    assert_eq!(settled.expect(201)["status"], "settled");
    assert_eq!(post(&provider, "facts", settlement).expect(200)["fact_id"], Value::Null);
    let other = json!({"kind": "settlement", "on": "2026-02-01", "amount": money(10_000_001)});
    let _ = post(&provider, "facts", other).problem(409, "fact_known");
    let found = world.service.get(&path, &partner);
    assert!(found.header("etag").is_some());
    let found = found.expect(200);
    assert_eq!((&found["settlement"]["amount"]["amount"], &found["vertical"]), (&json!(10_000_000), &json!("V01")));
    let commission = world.service.get(&format!("{path}/commission"), &partner).expect(200);
    let lines = commission["lines"].as_array().expect("lines");
    let member = lines.iter().find(|line| line["role"] == "member").expect("the member's line");
    assert_eq!(member["earned"], money(39_000));
    let timeline = world.service.get(&format!("{path}/timeline"), &partner).expect(200);
    let kinds: Vec<&str> =
        timeline["data"].as_array().expect("events").iter().filter_map(|e| e["to"].as_str()).collect();
    assert_eq!(kinds, ["referred", "accepted", "contracted", "settled"]);
    let parts = world.service.get(&format!("{path}/participants"), &partner).expect(200);
    assert_eq!(parts["data"][0]["role"], "provider");
    let pipeline = world.service.get("/v1/pipeline", &partner).expect(200);
    assert_eq!((&pipeline["stages"][0]["status"], &pipeline["stages"][0]["deals"]), (&json!("settled"), &json!(1)));
    for what in ["", "/timeline", "/participants", "/commission"] {
        let _ = world.service.get(&format!("{path}{what}"), &world.service.stranger()).problem(404, "not_found");
    }
    let _ = post(&world.service.stranger(), "facts", json!({"kind": "discharge", "on": "2026-03-01"}))
        .problem(404, "not_found");
}

#[test]
fn bad_facts_and_filters_are_told_and_nothing_is_kept() {
    let world = World::new();
    let _ = world.import("k-1", &file(&["R-0,M016,Ann,FIXED-3Y,2026-01-01,,,,,"]));
    let path = format!("/v1/deals/{}", world.deal("R-0"));
    let token = world.provider();
    let facts = world.count("deal_fact");
    let post = |what: &str, body: Value| world.service.post(&format!("{path}/{what}"), &token, &body);
    let money = |amount: Value, currency: &str| json!({"amount": amount, "currency": currency});
    let wrong =
        json!({"kind": "settlement", "on": "2026-02-30", "amount": money(json!(1), "USD"), "discharged_on": "x"});
    let told = post("facts", wrong).problem(422, "validation_failed");
    let pair = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    assert_eq!(
        told,
        [pair("/discharged_on", "unexpected"), pair("/on", "invalid_date"), pair("/amount/currency", "unknown_value")]
    );
    let early = json!({"kind": "settlement", "on": "2025-12-31", "amount": money(json!(-5), "AUD"), "offset": money(json!(3), "AUD")});
    let told = post("facts", early).problem(422, "validation_failed");
    assert_eq!(
        told,
        [
            pair("/on", "date_out_of_order"),
            pair("/amount", "negative_amount"),
            pair("/offset", "offset_exceeds_amount")
        ]
    );
    let huge = |amount: Value| json!({"kind": "settlement", "on": "2026-02-01", "amount": money(amount, "AUD")});
    assert_eq!(
        post("facts", huge(json!(i64::MAX))).problem(422, "validation_failed"),
        [pair("/amount", "amount_out_of_range")]
    );
    let _ = post("facts", huge(json!(9_223_372_036_854_775_808_u64))).problem(400, "invalid_value");
    let _ = post("facts", huge(json!(1.5))).problem(400, "invalid_value");
    let _ = post("facts", json!({"kind": "settlement", "sum": 1})).problem(400, "unknown_field");
    let _ = post("facts", json!({"kind": "sett\u{0}lement"})).problem(422, "validation_failed");
    let _ = post("facts", json!([])).problem(400, "invalid_value");
    let _ = post("facts", json!({"kind": "discharge", "on": "2026-03-01"})).problem(409, "not_settled");
    let _ = post("transitions", json!({"to": "settled"})).problem(422, "validation_failed");
    let _ = post("transitions", json!({"to": "accepted", "on": "2025-01-01"})).problem(422, "validation_failed");
    let _ = world
        .service
        .post("/v1/deals/org_01h455vb4pex5vsknk084sn02q/facts", &token, &json!({}))
        .problem(404, "not_found");
    for (query, code) in [
        ("status=idle", "invalid_filter"),
        ("vertical=V100", "invalid_filter"),
        ("member=deal_01h455vb4pex5vsknk084sn02q", "invalid_filter"),
        ("created_after=yesterday", "invalid_filter"),
        ("external_ref=%00", "invalid_filter"),
        ("cursor=AAAA", "invalid_cursor"),
        ("limit=0", "limit_out_of_range"),
        ("colour=red", "invalid_query"),
    ] {
        let _ = world.service.get(&format!("/v1/deals?{query}"), &token).problem(400, code);
    }
    let _ = world.service.get("/v1/pipeline?vertical=x", &token).problem(400, "invalid_filter");
    assert_eq!(world.count("deal_fact"), facts);
    assert_eq!(world.count("ledger_entry"), 0);
}

#[test]
fn many_settlements_at_once_are_each_recorded_once() {
    let world = World::new();
    let rows: Vec<String> = (0..24).map(|n| format!("R-{n},M016,Ann,FIXED-3Y,2026-01-01,,,,,")).collect();
    let _ = world.import("k-1", &file(&rows.iter().map(String::as_str).collect::<Vec<_>>()));
    let deals: Vec<String> = (0..24).map(|n| world.deal(&format!("R-{n}"))).collect();
    let token = world.provider();
    let body = json!({"kind": "settlement", "on": "2026-02-01", "amount": {"amount": 10_000_000, "currency": "AUD"}});
    std::thread::scope(|scope| {
        for deal in &deals {
            for copy in 0..2 {
                let (token, body, service) = (&token, &body, &world.service);
                scope.spawn(move || {
                    let key = format!("settle-{copy}-{deal}");
                    let reply = service.post_as(&format!("/v1/deals/{deal}/facts"), token, &key, body);
                    assert!(matches!(reply.status, 200 | 201), "{}", String::from_utf8_lossy(&reply.body));
                });
            }
        }
    });
    assert_eq!(world.count("deal_fact where kind = 'settlement'"), 24);
    assert_eq!(world.count("ledger_entry where kind = 'accrual'"), 24);
}
