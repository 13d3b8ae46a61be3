//! Rotation, revocation and hand-over over HTTP: the whole way, what is shown, what a bad request gets; and custodial
//! signatures, which are shown as such wherever a signature is shown.

use domain::access::Role;
use domain::chain::receipt::Receipt;
use domain::chain::signer::Signer;
use domain::chain::statement::{
    Assurance, KeyRegistration, KeyRevocation, KeyRotation, PartyId, RevocationReason, Salt, Statement, VERSION,
};
use domain::chain::trust::Trust;
use domain::chain::verify::{Findings, verify};
use harness::platform::{MemorySigner, ORIGIN};
use harness::server::Service;
use harness::signing::{registration, signed};
use serde_json::{Value, json};

use crate::world::nothing;

/// The provider's side of a service.
struct Site {
    service: Service,
    provider: String,
    introducer: String,
}

impl Site {
    fn open() -> Self {
        let service = Service::start();
        service.platform.onboard("member_ref,upline_ref\nA1,\nA2,A1\n");
        let provider = service.token(&[Role::PartnerAdmin], Some(service.platform.provider), None);
        Self { introducer: service.partner(), provider, service }
    }

    fn party(&self) -> PartyId {
        PartyId::organisation(self.service.platform.provider)
    }

    /// Registers a key for the provider; its id.
    fn registered(&self, key: &MemorySigner) -> String {
        let body = json!({"registration": registration(self.party(), key, ORIGIN)});
        let made = self.service.post("/v1/signing-keys", &self.provider, &body).expect(201);
        assert_eq!(
            (&made["status"], &made["end"], &made["replaced_by"]),
            (&json!("active"), &Value::Null, &Value::Null)
        );
        made["id"].as_str().expect("an id").to_owned()
    }

    fn rotation(&self, old: &MemorySigner, new: &MemorySigner) -> Value {
        let mut rotation = KeyRotation {
            assurance: Assurance::Own,
            jwk: new.public_key().jwk(),
            kid: old.kid(),
            log: ORIGIN.to_owned(),
            next: None,
            party: self.party(),
            proof: String::new(),
            salt: Salt([6; 32]),
            seen: nothing(),
            v: VERSION,
        };
        rotation.prove(new).expect("a proof");
        json!({"rotation": Statement::KeyRotation(Box::new(rotation)).sign(old).expect("an envelope")})
    }

    fn revocation(&self, key: &MemorySigner) -> Value {
        let revocation = Statement::KeyRevocation(KeyRevocation {
            asked_by: None,
            assurance: Assurance::Own,
            key: key.kid(),
            kid: key.kid(),
            log: ORIGIN.to_owned(),
            party: self.party(),
            reason: RevocationReason::Retired,
            salt: Salt([7; 32]),
            seen: nothing(),
            v: VERSION,
        });
        json!({"revocation": revocation.sign(key).expect("an envelope")})
    }

    /// A referral on instruction: the member has no key.
    fn referred(&self, external_ref: &str) -> Value {
        let members = self.service.platform.ids_of("select id from member where member_ref = 'A2'");
        let body = json!({
            "member_id": domain::kernel::ids::MemberId::new(members[0]).to_string(),
            "provider_id": self.service.platform.provider.to_string(), "product": "FIXED-3Y",
            "external_ref": external_ref, "referred_on": "2026-11-20", "assurance": "custodial",
            "client": {"kind": "person", "name": "Zoë Client"},
            "consent": {"declared": true}, "disclosure": {"declared": true}
        });
        self.service.post("/v1/referrals", &self.introducer, &body).expect(201)
    }

    fn countersigned(&self, handshake: &str, token: &str, key: &MemorySigner) -> Value {
        let draft = json!({"type": "accept", "kid": key.kid(), "handshake_id": handshake});
        let prepared = self.service.post("/v1/handshakes", token, &draft).expect(200);
        let path = format!("/v1/handshakes/{handshake}/countersign");
        self.service.post(&path, token, &json!({"accept": signed(&prepared, key)})).expect(200)
    }

    fn judged(&self, handshake: &str, token: &str) -> Findings {
        let trust = Trust::parse(&self.service.get("/v1/chain/keys", token).body).expect("a trust file");
        let receipt = self.service.get(&format!("/v1/handshakes/{handshake}/receipt"), token);
        let _ = receipt.expect(200);
        verify(&trust, &Receipt::parse(&receipt.body).expect("a receipt"))
    }

    fn told(&self, kind: &str) -> Vec<Value> {
        let _ = self.service.tell();
        let events = self.service.get(&format!("/v1/events?type={kind}"), &self.provider).expect(200);
        events["data"].as_array().expect("events").clone()
    }
}

fn one(pointer: &str, code: &str) -> Vec<(String, String)> {
    vec![(pointer.to_owned(), code.to_owned())]
}

#[test]
fn a_key_is_rotated_and_revoked_and_shown_with_its_leaves() {
    let site = Site::open();
    let (old, new) = (MemorySigner::new(61), MemorySigner::new(62));
    let id = site.registered(&old);
    let (rotate, rotation) = (format!("/v1/signing-keys/{id}/rotate"), site.rotation(&old, &new));
    let made = site.service.post_as(&rotate, &site.provider, "once", &rotation);
    let next = made.expect(201);
    let next_id = next["id"].as_str().expect("an id").to_owned();
    assert_eq!(made.header("location"), Some(format!("/v1/signing-keys/{next_id}").as_str()));
    assert_eq!(
        (&next["kid"], &next["replaces_id"], &next["status"]),
        (&json!(new.kid()), &json!(id), &json!("active"))
    );
    let replayed = site.service.post_as(&rotate, &site.provider, "once", &rotation);
    assert_eq!((replayed.status, replayed.header("idempotency-replayed")), (201, Some("true")));
    // The same rotation under another key of idempotency is the same rotation.
    assert_eq!(site.service.post(&rotate, &site.provider, &rotation).expect(200)["id"], json!(next_id));
    let revoke = format!("/v1/signing-keys/{next_id}/revoke");
    let revoked = site.service.post(&revoke, &site.provider, &site.revocation(&new)).expect(200);
    assert_eq!(revoked["status"], "revoked");
    assert_eq!(site.service.post(&revoke, &site.provider, &site.revocation(&new)).expect(200)["status"], "revoked");
    site.service.sequence();
    let shown = |id: &str| site.service.get(&format!("/v1/signing-keys/{id}"), &site.provider).expect(200);
    let (first, second) = (shown(&id), shown(&next_id));
    assert_eq!((&first["status"], &first["replaced_by"]), (&json!("rotated"), &json!(next_id)));
    assert_eq!((&first["end"]["type"], &first["end"]["kid"]), (&json!("rotation"), &json!(old.kid())));
    assert_eq!(first["end"]["index"], second["index"]);
    assert_eq!((&second["end"]["type"], &second["end"]["reason"]), (&json!("revocation"), &json!("retired")));
    assert_eq!((&second["end"]["assurance"], &second["replaced_by"]), (&json!("self"), &Value::Null));
    let places = [&first["index"], &second["index"], &second["end"]["index"]].map(|n| n.as_u64().expect("an index"));
    assert!(places[0] < places[1] && places[1] < places[2], "{places:?}");
    let page = site.service.get("/v1/signing-keys", &site.provider).expect(200);
    assert_eq!(page["data"], json!([first, second]));
    assert_eq!(site.told("signing_key.rotated")[0]["data"]["id"], json!(id));
    assert_eq!(site.told("signing_key.revoked")[0]["data"]["id"], json!(next_id));
    assert_eq!(site.told("signing_key.registered").len(), 2);
}

#[test]
fn a_bad_rotation_or_revocation_gets_its_problem_and_leaves_nothing() {
    let site = Site::open();
    let (old, new, other) = (MemorySigner::new(61), MemorySigner::new(62), MemorySigner::new(63));
    let id = site.registered(&old);
    let rows = || {
        site.service
            .platform
            .number("select (select count(*) from signing_key) + (select count(*) from signing_key_end)")
    };
    let (rotate, revoke) = (format!("/v1/signing-keys/{id}/rotate"), format!("/v1/signing-keys/{id}/revoke"));
    let post = |path: &str, token: &str, body: &Value| site.service.post(path, token, body);
    let refused = |path: &str, body: &Value| post(path, &site.provider, body).problem(422, "validation_failed");
    assert_eq!(refused(&rotate, &json!({"rotation": "a.b.c"})), one("/rotation", "envelope_malformed"));
    assert_eq!(
        refused(&rotate, &json!({"rotation": site.revocation(&old)["revocation"]})),
        one("/rotation", "statement_type_mismatch")
    );
    assert_eq!(refused(&rotate, &site.rotation(&other, &new)), one("/rotation", "unknown_key"));
    assert_eq!(refused(&revoke, &json!({})), one("/revocation", "required"));
    assert_eq!(refused(&revoke, &json!({"reason": "bored"})), one("/reason", "unknown_value"));
    assert_eq!(
        refused(&revoke, &json!({"reason": "lost", "revocation": "a.b.c"})),
        one("/reason", "not_with_revocation")
    );
    assert_eq!(refused(&revoke, &site.revocation(&other)), one("/revocation", "statement_malformed"));
    let _ = post(&rotate, &site.introducer, &site.rotation(&old, &new)).problem(404, "not_found");
    let _ = post(&revoke, &site.introducer, &json!({"reason": "lost"})).problem(404, "not_found");
    let agent = site.service.token(&[Role::PartnerAgent], Some(site.service.platform.provider), None);
    let _ = post(&revoke, &agent, &json!({"reason": "lost"})).problem(403, "administrators_only");
    let auditor = site.service.token(&[Role::Auditor], None, None);
    let _ = post(&revoke, &auditor, &json!({"reason": "lost"})).problem(403, "insufficient_scope");
    assert_eq!(rows(), 1);
    let lost = post(&revoke, &site.provider, &json!({"reason": "lost"})).expect(200);
    assert_eq!((&lost["end"]["assurance"], &lost["end"]["reason"]), (&json!("attested"), &json!("lost")));
    assert_ne!(lost["end"]["kid"], json!(old.kid()));
    let _ = post(&revoke, &site.provider, &json!({"reason": "lost"})).problem(409, "key_ended");
    let _ = post(&rotate, &site.provider, &site.rotation(&old, &new)).problem(409, "key_ended");
    let again = json!({"registration": registration(site.party(), &old, ORIGIN)});
    assert_eq!(post("/v1/signing-keys", &site.provider, &again).expect(200)["status"], "revoked");
    let made = site.referred("R-1");
    let draft = json!({"type": "accept", "kid": old.kid(), "handshake_id": made["handshake_id"]});
    let prepared = post("/v1/handshakes", &site.provider, &draft).problem(422, "validation_failed");
    assert_eq!(prepared, one("/kid", "key_ended"));
}

#[test]
fn a_deal_is_handed_over_prepared_signed_and_countersigned() {
    let site = Site::open();
    let (ours, theirs) = (MemorySigner::new(61), MemorySigner::new(64));
    let _ = site.registered(&ours);
    let operator = site.service.operator();
    let body = json!({"kind": "provider", "name": "Next Provider Bank Ltd"});
    let other = site.service.post("/v1/organisations", &operator, &body).expect(201);
    let other_id = other["id"].as_str().expect("an id").to_owned();
    let organisation = domain::kernel::ids::OrganisationId::parse(&other_id).expect("an id");
    let other = site.service.token(&[Role::PartnerAdmin], Some(organisation), None);
    let theirs_registered = json!({"registration": registration(PartyId::organisation(organisation), &theirs, ORIGIN)});
    let _ = site.service.post("/v1/signing-keys", &other, &theirs_registered).expect(201);
    let first = site.referred("R-1");
    let handshake = first["handshake_id"].as_str().expect("an id").to_owned();
    let draft = json!({"type": "hand_over", "kid": ours.kid(), "handshake_id": handshake, "provider_id": other_id});
    let prepare = |token: &str, draft: &Value| site.service.post("/v1/handshakes", token, draft);
    let _ = prepare(&site.provider, &draft).problem(409, "handshake_not_sealed");
    let _ = site.countersigned(&handshake, &site.provider, &ours);
    let _ = prepare(&site.introducer, &draft).problem(403, "not_holder");
    let _ = prepare(&other, &draft).problem(404, "not_found");
    let wrong = json!({"type": "hand_over", "kid": ours.kid(), "product": "FIXED-3Y"});
    let faults: Vec<String> =
        prepare(&site.provider, &wrong).problem(422, "validation_failed").into_iter().map(|f| f.0).collect();
    assert_eq!(faults, ["/product", "/handshake_id", "/provider_id"]);
    let prepared = prepare(&site.provider, &draft).expect(200);
    let path = format!("/v1/handshakes/{handshake}/hand-over");
    let offer = json!({"offer": signed(&prepared, &ours)});
    let _ = site.service.post(&path, &site.introducer, &offer).problem(403, "not_holder");
    let _ = site.service.post(&path, &other, &offer).problem(404, "not_found");
    let made = site.service.post(&path, &site.provider, &offer);
    let over = made.expect(201);
    assert_eq!((&over["handshake_id"], &over["previous_id"]), (&prepared["handshake_id"], &json!(handshake)));
    assert_eq!((&over["deal_id"], &over["assurance"]), (&first["deal_id"], &json!("self")));
    assert_eq!(site.service.post(&path, &site.provider, &offer).expect(200), over);
    let next = over["handshake_id"].as_str().expect("an id").to_owned();
    assert_eq!(made.header("location"), Some(format!("/v1/handshakes/{next}").as_str()));
    let sealed = site.countersigned(&next, &other, &theirs);
    assert_eq!((&sealed["assurance"], &sealed["deal_id"]), (&json!("self"), &first["deal_id"]));
    site.service.sequence();
    let shown = site.service.get(&format!("/v1/handshakes/{next}"), &other).expect(200);
    assert_eq!((&shown["previous_id"], &shown["stage"]), (&json!(handshake), &json!("accepted")));
    let findings = site.judged(&next, &other);
    assert!(findings.holds(), "{:?}", findings.faults);
    let _ = site.service.get(&format!("/v1/handshakes/{handshake}"), &other).problem(404, "not_found");
    let deal = first["deal_id"].as_str().expect("an id");
    let _ = site.service.get(&format!("/v1/deals/{deal}"), &other).problem(404, "not_found");
    let again = site.service.post(
        &path,
        &site.provider,
        &json!({"offer": signed(&prepare(&site.provider, &draft).expect(200), &ours)}),
    );
    let _ = again.problem(409, "handed_over");
}

#[test]
fn a_custodial_signature_is_shown_as_such_everywhere() {
    let site = Site::open();
    // The provider's key is kept for it, and so is the member's.
    let kept = MemorySigner::new(65);
    let registered = Statement::KeyRegistration(KeyRegistration {
        assurance: Assurance::Custodial,
        jwk: kept.public_key().jwk(),
        kid: kept.kid(),
        log: ORIGIN.to_owned(),
        next: None,
        party: site.party(),
        salt: Salt([8; 32]),
        v: VERSION,
    });
    let body = json!({"registration": registered.sign(&kept).expect("an envelope")});
    let key = site.service.post("/v1/signing-keys", &site.provider, &body).expect(201);
    assert_eq!(key["assurance"], "custodial");
    let made = site.referred("K-1");
    assert_eq!(made["assurance"], "custodial");
    let handshake = made["handshake_id"].as_str().expect("an id").to_owned();
    let draft = json!({"type": "accept", "kid": kept.kid(), "handshake_id": handshake});
    let prepared = site.service.post("/v1/handshakes", &site.provider, &draft).expect(200);
    assert_eq!(prepared["statement"]["assurance"], "custodial");
    let path = format!("/v1/handshakes/{handshake}");
    let open = site.service.get(&path, &site.provider).expect(200);
    assert_eq!((&open["assurance"], &open["statements"][0]["assurance"]), (&json!("custodial"), &json!("custodial")));
    // A key that somebody keeps cannot claim to be its party's own.
    let mut claims = prepared.clone();
    let input = claims["signing_input"].as_str().expect("an input").to_owned();
    let (header, payload) = input.split_once('.').expect("two parts");
    let text = String::from_utf8(domain::chain::encoding::from_b64url(payload).expect("base64url")).expect("JSON");
    let text = text.replace("\"assurance\":\"custodial\"", "\"assurance\":\"self\"");
    claims["signing_input"] = json!(format!("{header}.{}", domain::chain::encoding::b64url(text.as_bytes())));
    let overstated =
        site.service.post(&format!("{path}/countersign"), &site.provider, &json!({"accept": signed(&claims, &kept)}));
    assert_eq!(overstated.problem(422, "validation_failed"), one("/accept", "assurance_mismatch"));
    let sealed = site.countersigned(&handshake, &site.provider, &kept);
    assert_eq!(sealed["assurance"], "custodial");
    site.service.sequence();
    let whole = site.service.get(&path, &site.introducer).expect(200);
    let said: Vec<&Value> =
        whole["statements"].as_array().expect("statements").iter().map(|s| &s["assurance"]).collect();
    assert_eq!((said, &whole["assurance"]), (vec![&json!("custodial"); 3], &json!("custodial")));
    let findings = site.judged(&handshake, &site.introducer);
    assert_eq!((findings.holds(), findings.assurance), (true, Some(Assurance::Custodial)));
    assert!(findings.not_proved.iter().any(|line| line.contains("custodial")));
    let deal = made["deal_id"].as_str().expect("an id");
    let timeline = site.service.get(&format!("/v1/deals/{deal}/timeline"), &site.introducer).expect(200);
    let stated: Vec<&Value> = timeline["data"]
        .as_array()
        .expect("events")
        .iter()
        .filter(|e| e["type"] == "statement")
        .map(|e| &e["assurance"])
        .collect();
    assert_eq!(stated, vec![&json!("custodial"); 3]);
    for kind in ["handshake.offered", "handshake.sealed"] {
        assert_eq!(site.told(kind)[0]["data"]["assurance"], "custodial", "{kind}");
    }
    // The member signs for itself, the provider's key is kept: what was the member's own is told from what was not.
    let member_key = MemorySigner::new(66);
    let member = PartyId::parse(made_member(&site).as_str()).expect("a party");
    let body = json!({"registration": registration(member, &member_key, ORIGIN)});
    let of_member = domain::kernel::ids::MemberId::parse(&made_member(&site)).expect("an id");
    let itself = site.service.token(&[Role::Member], Some(site.service.platform.introducer), Some(of_member));
    let _ = site.service.post("/v1/signing-keys", &itself, &body).expect(201);
    let terms = json!({
        "type": "offer", "kid": member_key.kid(), "member_id": made_member(&site),
        "provider_id": site.service.platform.provider.to_string(), "product": "FIXED-3Y", "external_ref": "K-2",
        "referred_on": "2026-11-20", "consent": {"declared": true}, "disclosure": {"declared": true}
    });
    let prepared = site.service.post("/v1/handshakes", &site.introducer, &terms).expect(200);
    let mut referral = terms.clone();
    let fields = referral.as_object_mut().expect("an object");
    let _ = (fields.remove("type"), fields.remove("kid"));
    referral["offer"] = json!(signed(&prepared, &member_key));
    referral["client"] = json!({"kind": "person", "name": "Zoë Client"});
    let mixed = site.service.post("/v1/referrals", &site.introducer, &referral).expect(201);
    let handshake = mixed["handshake_id"].as_str().expect("an id").to_owned();
    assert_eq!(site.countersigned(&handshake, &site.provider, &kept)["assurance"], "custodial");
    let whole = site.service.get(&format!("/v1/handshakes/{handshake}"), &site.introducer).expect(200);
    let said: Vec<&Value> =
        whole["statements"].as_array().expect("statements").iter().map(|s| &s["assurance"]).collect();
    assert_eq!(said, [&json!("self"), &json!("custodial"), &json!("custodial")]);
    let last = site.told("handshake.sealed");
    assert_eq!(last[last.len() - 1]["data"]["assurance"], "custodial");
}

fn made_member(site: &Site) -> String {
    let members = site.service.platform.ids_of("select id from member where member_ref = 'A2'");
    domain::kernel::ids::MemberId::new(members[0]).to_string()
}
