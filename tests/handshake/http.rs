//! Keys, referrals and handshakes over HTTP: the whole way, and what a bad request gets.

use domain::access::Role;
use domain::chain::encoding::b64url;
use domain::chain::signer::Signer;
use domain::chain::statement::PartyId;
use domain::kernel::ids::MemberId;
use harness::platform::{MemorySigner, ORIGIN};
use harness::server::{Reply, Service};
use harness::signing::{registration, signed};
use serde_json::{Value, json};

const MEMBERS: &str = "member_ref,upline_ref\nA1,\nA2,A1\nA3,A2\n";

/// A service with both partners' keys registered over HTTP.
struct Site {
    service: Service,
    introducer: String,
    provider: String,
    member: MemberId,
    keyless: MemberId,
    member_key: MemorySigner,
    provider_key: MemorySigner,
}

impl Site {
    fn open() -> Self {
        let service = Service::start();
        service.platform.onboard(MEMBERS);
        let of = |reference: &str| {
            let refs = [reference.to_owned()];
            let introducer = service.platform.introducer;
            let found = service.platform.store().transaction(|uow| uow.directory().find_members(introducer, &refs));
            found.expect("the members")[0].id
        };
        let site = Self {
            introducer: service.partner(),
            provider: service.token(&[Role::PartnerAdmin], Some(service.platform.provider), None),
            member: of("A2"),
            keyless: of("A3"),
            member_key: MemorySigner::new(21),
            provider_key: MemorySigner::new(23),
            service,
        };
        let provider = PartyId::organisation(site.service.platform.provider);
        let itself = site.itself();
        for (token, party, key) in
            [(&itself, PartyId::member(site.member), &site.member_key), (&site.provider, provider, &site.provider_key)]
        {
            let body = json!({"registration": registration(party, key, ORIGIN)});
            let made = site.service.post("/v1/signing-keys", token, &body);
            assert_eq!(made.expect(201)["kid"], key.kid());
        }
        site
    }

    /// A token of the member.
    fn itself(&self) -> String {
        self.service.token(&[Role::Member], Some(self.service.platform.introducer), Some(self.member))
    }

    fn terms(&self, external_ref: &str) -> Value {
        json!({
            "member_id": self.member.to_string(), "provider_id": self.service.platform.provider.to_string(),
            "product": "FIXED-3Y", "external_ref": external_ref, "referred_on": "2026-11-20",
            "consent": {"declared": true}, "disclosure": {"declared": true}
        })
    }

    fn prepared(&self, external_ref: &str) -> Value {
        let draft = with(&self.terms(external_ref), &[("type", json!("offer")), ("kid", json!(self.member_key.kid()))]);
        self.service.post("/v1/handshakes", &self.introducer, &draft).expect(200)
    }

    /// The body of a referral that the member signed.
    fn referral(&self, external_ref: &str) -> Value {
        let offer = signed(&self.prepared(external_ref), &self.member_key);
        self.with_offer(external_ref, &offer)
    }

    fn with_offer(&self, external_ref: &str, offer: &str) -> Value {
        let client = json!({"kind": "person", "name": "Zoë Client", "email": "zoe@example.com"});
        with(&self.terms(external_ref), &[("client", client), ("offer", json!(offer))])
    }

    fn refer(&self, body: &Value) -> Reply {
        self.service.post("/v1/referrals", &self.introducer, body)
    }

    fn accept(&self, handshake: &str) -> Value {
        let draft = json!({"type": "accept", "kid": self.provider_key.kid(), "handshake_id": handshake});
        let prepared = self.service.post("/v1/handshakes", &self.provider, &draft).expect(200);
        json!({"accept": signed(&prepared, &self.provider_key)})
    }

    fn rows(&self) -> Vec<i64> {
        let tables =
            ["deal", "contact", "personal_data", "deal_fact", "handshake", "handshake_statement", "signing_key"];
        let count = |table: &&str| self.service.platform.number(&format!("select count(*) from {table}"));
        tables.iter().map(count).collect()
    }
}

fn with(body: &Value, fields: &[(&str, Value)]) -> Value {
    let mut body = body.clone();
    for (name, value) in fields {
        body[*name] = value.clone();
    }
    body
}

#[test]
fn a_referral_is_prepared_signed_made_countersigned_and_looked_at() {
    let site = Site::open();
    let body = site.referral("W-1");
    let made = site.service.post_as("/v1/referrals", &site.introducer, "once", &body);
    let referral = made.expect(201);
    assert_eq!(referral["assurance"], "self");
    let location = format!("/v1/deals/{}", referral["deal_id"].as_str().expect("an id"));
    assert_eq!(made.header("location"), Some(location.as_str()));
    let replayed = site.service.post_as("/v1/referrals", &site.introducer, "once", &body);
    assert_eq!((replayed.status, &replayed.body), (201, &made.body));
    assert_eq!(replayed.header("idempotency-replayed"), Some("true"));
    // The same offer under another key is the same referral.
    assert_eq!(site.refer(&body).expect(200), referral);
    let handshake = referral["handshake_id"].as_str().expect("an id").to_owned();
    let path = format!("/v1/handshakes/{handshake}");
    let open = site.service.get(&path, &site.provider).expect(200);
    assert_eq!((&open["stage"], &open["assurance"]), (&json!("referred"), &json!("self")));
    let accept = site.accept(&handshake);
    let countersign = format!("{path}/countersign");
    let sealed = site.service.post(&countersign, &site.provider, &accept).expect(200);
    assert_eq!(sealed["agreement_version"], 1);
    assert_eq!(site.service.post(&countersign, &site.provider, &accept).expect(200), sealed);
    let other = site.service.post(&countersign, &site.provider, &site.accept(&handshake));
    let _ = other.problem(409, "already_countersigned");
    let whole = site.service.get(&path, &site.introducer).expect(200);
    let types: Vec<&Value> = whole["statements"].as_array().expect("statements").iter().map(|s| &s["type"]).collect();
    assert_eq!(types, ["offer", "accept", "seal"]);
    assert_eq!(whole["stage"], "accepted");
    let _ = site.service.get(&path, &site.service.stranger()).problem(404, "not_found");
    // The provider sees its own key and the one that signed its offer; a stranger sees none.
    let keys = |token: &str| site.service.get("/v1/signing-keys", token).expect(200)["data"].as_array().map(Vec::len);
    assert_eq!((keys(&site.provider), keys(&site.service.stranger())), (Some(2), Some(0)));
    let page = site.service.get("/v1/signing-keys?limit=1", &site.provider).expect(200);
    let next = page["next_cursor"].as_str().expect("a cursor");
    let rest = site.service.get(&format!("/v1/signing-keys?limit=1&cursor={next}"), &site.provider).expect(200);
    assert_ne!(page["data"][0]["id"], rest["data"][0]["id"]);
    let key = format!("/v1/signing-keys/{}", page["data"][0]["id"].as_str().expect("an id"));
    assert_eq!(site.service.get(&key, &site.provider).expect(200), page["data"][0]);
    let _ = site.service.get(&key, &site.service.stranger()).problem(404, "not_found");
}

#[test]
fn a_custodial_referral_is_shown_as_such() {
    let site = Site::open();
    let body = with(
        &site.terms("K-1"),
        &[
            ("member_id", json!(site.keyless.to_string())),
            ("client", json!({"kind": "company", "name": "Client Pty Ltd"})),
            ("assurance", json!("custodial")),
        ],
    );
    let made = site.refer(&body).expect(201);
    assert_eq!(made["assurance"], "custodial");
    let handshake = made["handshake_id"].as_str().expect("an id");
    let countersign = format!("/v1/handshakes/{handshake}/countersign");
    let _ = site.service.post(&countersign, &site.provider, &site.accept(handshake)).expect(200);
    let whole = site.service.get(&format!("/v1/handshakes/{handshake}"), &site.provider).expect(200);
    let said: Vec<&Value> =
        whole["statements"].as_array().expect("statements").iter().map(|s| &s["assurance"]).collect();
    assert_eq!(
        (said, &whole["assurance"]),
        (vec![&json!("custodial"), &json!("self"), &json!("custodial")], &json!("custodial"))
    );
    let keyed = with(&body, &[("member_id", json!(site.member.to_string())), ("external_ref", json!("K-2"))]);
    let at = site.refer(&keyed).problem(422, "validation_failed");
    assert_eq!(at, [("/assurance".to_owned(), "member_has_key".to_owned())]);
}

#[test]
fn a_bad_referral_gets_its_problem_and_leaves_nothing() {
    let site = Site::open();
    let before = site.rows();
    let good = site.referral("B-1");
    let prepared = site.prepared("B-1");
    let one = |pointer: &str, code: &str| vec![(pointer.to_owned(), code.to_owned())];
    let faults = site.refer(&json!({})).problem(422, "validation_failed");
    assert_eq!(faults.len(), 8, "{faults:?}");
    let cases = [
        (
            with(&good, &[("client", json!({"kind": "person", "name": "A\0B"}))]),
            one("/client/name", "control_character"),
        ),
        (with(&good, &[("external_ref", json!("A\0"))]), one("/external_ref", "control_character")),
        (with(&good, &[("member_id", good["provider_id"].clone())]), one("/member_id", "invalid_id")),
        (with(&good, &[("referred_on", json!("2026-02-30"))]), one("/referred_on", "invalid_date")),
        (with(&good, &[("product", json!("NONE"))]), one("/product", "unknown_product")),
        (with(&good, &[("assurance", json!("attested"))]), one("/assurance", "unknown_value")),
        (with(&good, &[("consent", json!({"declared": false}))]), one("/consent/declared", "not_declared")),
        (with(&good, &[("offer", json!("\0"))]), one("/offer", "envelope_malformed")),
        (with(&good, &[("offer", json!("a".repeat(70_000)))]), one("/offer", "envelope_malformed")),
        // Signed for other terms than these.
        (with(&good, &[("external_ref", json!("B-2"))]), one("/offer", "terms_mismatch")),
        (site.with_offer("B-1", &signed(&prepared, &site.provider_key)), one("/offer", "signature_invalid")),
        (
            site.with_offer("B-1", &bent(&site, &prepared, |s| s["log"] = json!("another.example/log"))),
            one("/offer", "log_mismatch"),
        ),
        (site.with_offer("B-1", &bent(&site, &prepared, |s| s["x"] = json!(1))), one("/offer", "statement_malformed")),
        (
            site.with_offer("B-1", &bent(&site, &prepared, |s| s["v"] = json!(i64::MAX))),
            one("/offer", "payload_not_canonical"),
        ),
        (
            site.with_offer("B-1", &bent(&site, &prepared, |s| s["seen"]["size"] = json!(9))),
            one("/offer", "seen_in_the_future"),
        ),
    ];
    for (body, expected) in cases {
        assert_eq!(site.refer(&body).problem(422, "validation_failed"), expected, "{body}");
    }
    let unknown = site.refer(&with(&good, &[("surprise", json!(1))]));
    let _ = unknown.problem(400, "unknown_field");
    let _ = site.refer(&with(&good, &[("consent", json!(1))])).problem(400, "invalid_value");
    let _ = site.service.post("/v1/referrals", &site.service.stranger(), &good).problem(404, "not_found");
    let _ = site.service.post("/v1/referrals", &site.provider, &good).problem(404, "not_found");
    let investor = site.service.token(&[Role::Investor], None, None);
    let _ = site.service.post("/v1/referrals", &investor, &good).problem(403, "insufficient_scope");
    let bearer = format!("Bearer {}", site.introducer);
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let keyless = site.service.send("POST", "/v1/referrals", &headers, Some(good.to_string().as_bytes()));
    let _ = keyless.problem(400, "idempotency_key_missing");
    assert_eq!(site.rows(), before);
    let _ = site.refer(&good).expect(201);
}

/// An offer whose statement was bent, signed by the right key all the same.
fn bent(site: &Site, prepared: &Value, bend: impl FnOnce(&mut Value)) -> String {
    let mut statement = prepared["statement"].clone();
    bend(&mut statement);
    let header = prepared["signing_input"].as_str().and_then(|input| input.split('.').next()).expect("a header");
    let sorted: std::collections::BTreeMap<String, Value> = serde_json::from_value(statement).expect("an object");
    let payload = serde_json::to_string(&sorted).expect("JSON");
    signed(&json!({"signing_input": format!("{header}.{}", b64url(payload.as_bytes()))}), &site.member_key)
}

#[test]
fn a_bad_registration_or_accept_gets_its_problem_and_leaves_nothing() {
    let site = Site::open();
    let made = site.refer(&site.referral("C-1")).expect(201);
    let other = site.refer(&site.referral("C-2")).expect(201);
    let before = site.rows();
    let id = |made: &Value| made["handshake_id"].as_str().expect("an id").to_owned();
    let countersign = format!("/v1/handshakes/{}/countersign", id(&made));
    let accept = site.accept(&id(&made));
    let of = |reply: Reply| reply.problem(422, "validation_failed");
    let one = |pointer: &str, code: &str| vec![(pointer.to_owned(), code.to_owned())];
    let replayed = site.service.post(&countersign, &site.provider, &site.accept(&id(&other)));
    assert_eq!(of(replayed), one("/accept", "handshake_mismatch"));
    let offer = json!({"accept": site.referral("C-3")["offer"]});
    assert_eq!(of(site.service.post(&countersign, &site.provider, &offer)), one("/accept", "statement_type_mismatch"));
    let nul = json!({"accept": "a.b\0.c"});
    assert_eq!(of(site.service.post(&countersign, &site.provider, &nul)), one("/accept", "envelope_malformed"));
    let _ = site.service.post(&countersign, &site.introducer, &accept).problem(403, "not_counterparty");
    let _ = site.service.post(&countersign, &site.service.stranger(), &accept).problem(404, "not_found");
    let _ = site.service.post(&countersign, &site.provider, &json!({})).problem(400, "required");
    let _ = site.service.post("/v1/handshakes/deal_x/countersign", &site.provider, &accept).problem(404, "not_found");

    let key = MemorySigner::new(40);
    let provider = || PartyId::organisation(site.service.platform.provider);
    let register = |token: &str, envelope: String| {
        site.service.post("/v1/signing-keys", token, &json!({"registration": envelope}))
    };
    let foreign = registration(provider(), &key, "another.example/log");
    assert_eq!(of(register(&site.provider, foreign)), one("/registration", "log_mismatch"));
    let _ = register(&site.introducer, registration(provider(), &key, ORIGIN)).problem(404, "not_found");
    // Whose key it is to sign with as its own, only the member says.
    let members = || registration(PartyId::member(site.member), &key, ORIGIN);
    for token in [&site.introducer, &site.service.operator()] {
        assert_eq!(of(register(token, members())), one("/registration", "not_own_key"));
    }
    let known = registration(provider(), &site.provider_key, ORIGIN);
    assert_eq!(register(&site.provider, known).expect(200)["kid"], site.provider_key.kid());
    let taken = registration(PartyId::organisation(site.service.platform.introducer), &site.provider_key, ORIGIN);
    let _ = register(&site.introducer, taken).problem(409, "key_taken");
    let draft = json!({"type": "accept", "kid": "short", "member_id": "x", "handshake_id": "y"});
    let faults = of(site.service.post("/v1/handshakes", &site.provider, &draft));
    let pointers: Vec<&str> = faults.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/kid", "/member_id", "/handshake_id"]);
    let _ =
        site.service.post("/v1/handshakes", &site.provider, &json!({"type": "gift"})).problem(422, "validation_failed");
    assert_eq!(site.rows(), before);
}

#[test]
fn many_referrals_at_once_each_get_their_own_answer() {
    let site = Site::open();
    let bodies: Vec<Value> = (0..12).map(|n| site.referral(&format!("M-{}", n / 2))).collect();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let site = &site;
        let runs: Vec<_> = bodies.iter().map(|body| scope.spawn(move || site.refer(body).status)).collect();
        runs.into_iter().map(|run| run.join().expect("no panic")).collect()
    });
    // Each reference was offered twice, by two offers: one is first, the other meets it.
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 6, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 6, "{statuses:?}");
    assert_eq!(site.service.platform.number("select count(*) from deal"), 6);
}
