//! A member with a payee and a login, all made over HTTP, is erased: no column, no answer and no replay tells of them.

use std::collections::BTreeSet;

use domain::chain::signer::Signer as _;
use domain::guarantees::run::{RunLabel, examine};
use domain::kernel::id::IdSource as _;
use domain::kernel::ids::GuaranteeRunId;
use harness::platform::Platform;
use harness::server::Service;
use serde_json::{Value, json};

use crate::support::{audit_of, example, exported, holding};

const WORDS: [&str; 5] = ["Quillon", "Brabazon", "491570156", "51824753556", "062-000"];

fn id(made: &Value) -> String {
    made["id"].as_str().expect("an id").to_owned()
}

fn delete(service: &Service, path: &str, token: &str, etag: &str) -> u16 {
    let authorization = format!("Bearer {token}");
    service.send("DELETE", path, &[("authorization", authorization.as_str()), ("if-match", etag)], None).status
}

#[test]
fn a_member_with_a_payee_and_a_login_is_gone_and_replays_tell_nothing() {
    let service = Service::start();
    let (partner, operator) = (service.partner(), service.operator());
    let organisation = service.platform.introducer.to_string();
    let person = json!({"organisation_id": organisation, "kind": "person", "name": "Quillon Brabazon", "email": "quillon@example.com", "phone": "+61 491 570 156"});
    let contact = id(&service.post_as("/v1/contacts", &partner, "contact", &person).expect(201));
    let member = json!({"organisation_id": organisation, "contact_id": contact, "member_ref": "Z1"});
    let member = id(&service.post("/v1/members", &partner, &member).expect(201));
    let account = json!({"bsb": "062-000", "account_number": "491570156", "account_name": "Quillon Brabazon"});
    let payee = json!({"organisation_id": organisation, "legal_name": "Quillon Brabazon", "abn": "51 824 753 556", "bank_account": account, "member_id": member});
    let payee_id = id(&service.post_as("/v1/payees", &partner, "payee", &payee).expect(201));
    let user = json!({"email": "quillon@example.com", "password": "correct horse battery", "roles": ["member"], "organisation_id": organisation, "member_id": member});
    let user_id = id(&service.post_as("/v1/users", &operator, "user", &user).expect(201));
    let login = "grant_type=password&username=quillon@example.com&password=correct+horse+battery";
    let token = service.form("/oauth/token", login).expect(200)["access_token"].as_str().expect("a token").to_owned();
    assert_eq!(service.get("/v1/me", &token).status, 200);
    let found = holding(&service.platform, &WORDS);
    for column in ["personal_data.email", "payee.abn", "payee_bank_details.account_title", "payee_bank_details.bsb"] {
        assert!(found.contains(column), "{found:?}");
    }

    let path = format!("/v1/contacts/{contact}");
    assert_eq!(delete(&service, &path, &partner, "\"1\""), 204);
    assert_eq!(holding(&service.platform, &WORDS), BTreeSet::new());
    let told = service.get(&format!("{path}/erasures"), &partner).expect(200)["data"][0].clone();
    assert_eq!((&told["payees"], &told["users"], &told["kept"]), (&json!(1), &json!(1), &json!([])));
    // Whoever asks again with the same key is told what is there now.
    let again = service.post_as("/v1/contacts", &partner, "contact", &person).expect(201);
    assert_eq!(again, service.get(&path, &partner).expect(200));
    let again = service.post_as("/v1/payees", &partner, "payee", &payee).expect(201);
    assert_eq!(again, service.get(&format!("/v1/payees/{payee_id}"), &partner).expect(200));
    assert_eq!((&again["legal_name"], again.get("abn"), again.get("bank_account")), (&json!("Erased"), None, None));
    let again = service.post_as("/v1/users", &operator, "user", &user).expect(201);
    assert_eq!(again, service.get(&format!("/v1/users/{user_id}"), &operator).expect(200));
    assert_eq!(again.get("email"), None);
    // The session is over, and nobody logs in by that address any more.
    assert_eq!(service.get("/v1/me", &token).status, 401);
    assert_eq!(service.form("/oauth/token", login).status, 400);
    // The address is free again, for whoever is somebody else.
    let another = json!({"email": "quillon@example.com", "password": "correct horse battery", "roles": ["finance"]});
    let _ = service.post("/v1/users", &operator, &another).expect(201);
}

/// A member with a payee and no deal, over HTTP: contact, member, payee.
fn living(service: &Service, legal_name: &str) -> [String; 3] {
    let partner = service.partner();
    let organisation = service.platform.introducer.to_string();
    let person = json!({"organisation_id": organisation, "kind": "person", "name": "Quillon Brabazon"});
    let contact = id(&service.post("/v1/contacts", &partner, &person).expect(201));
    let member = json!({"organisation_id": organisation, "contact_id": contact, "member_ref": "Z1"});
    let member = id(&service.post("/v1/members", &partner, &member).expect(201));
    let account = json!({"bsb": "062-000", "account_number": "491570156", "account_name": "Quillon Brabazon"});
    let payee = json!({"organisation_id": organisation, "legal_name": legal_name, "bank_account": account, "member_id": member});
    let payee = id(&service.post("/v1/payees", &partner, &payee).expect(201));
    [contact, member, payee]
}

#[test]
fn nothing_new_is_kept_of_somebody_who_is_erased() {
    let service = Service::start();
    let (partner, operator) = (service.partner(), service.operator());
    let organisation = service.platform.introducer.to_string();
    // Whoever is called what the erased are called is erased like everybody else.
    let [contact, member, payee] = living(&service, "Erased");
    let path = format!("/v1/contacts/{contact}");
    assert_eq!(delete(&service, &path, &partner, "\"1\""), 204);
    assert_eq!(holding(&service.platform, &WORDS), BTreeSet::new());
    let told = service.get(&format!("{path}/erasures"), &partner).expect(200)["data"][0].clone();
    assert_eq!(told["payees"], json!(1));

    let account = json!({"bsb": "062-000", "account_number": "491570156", "account_name": "Quillon Brabazon"});
    let at = |pointer: &str, code: &str| vec![(pointer.to_owned(), code.to_owned())];
    let details = service.post(&format!("/v1/payees/{payee}/bank-details"), &partner, &account);
    let _ = details.problem(409, "payee_erased");
    let renamed =
        service.patch(&format!("/v1/payees/{payee}"), &partner, "\"2\"", &json!({"legal_name": "Quillon Brabazon"}));
    let _ = renamed.problem(409, "payee_erased");
    let another = json!({"organisation_id": organisation, "legal_name": "Quillon Brabazon", "bank_account": account, "member_id": member});
    let refused = service.post("/v1/payees", &partner, &another).problem(422, "validation_failed");
    assert_eq!(refused, at("/member_id", "erased"));
    let again = json!({"organisation_id": organisation, "contact_id": contact, "member_ref": "Z2"});
    let refused = service.post("/v1/members", &partner, &again).problem(422, "validation_failed");
    assert_eq!(refused, at("/contact_id", "erased"));
    let acting = json!({"roles": ["member"], "organisation_id": organisation, "member_id": member});
    let with = |fields: Value| {
        let mut body = acting.clone();
        body.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        body
    };
    let user = with(json!({"email": "quillon@example.com", "password": "correct horse battery"}));
    let client = with(json!({"name": "Quillon portal"}));
    for (path, body) in [("/v1/users", &user), ("/v1/api-clients", &client)] {
        let refused = service.post(path, &operator, body).problem(422, "validation_failed");
        assert_eq!(refused, at("/member_id", "not_found"), "{path}");
    }
    let embed = json!({"member_id": member, "scopes": ["deals:read"]});
    let refused = service.post("/v1/embed-tokens", &partner, &embed).problem(422, "validation_failed");
    assert_eq!(refused, at("/member_id", "suspended"));
    assert_eq!(holding(&service.platform, &WORDS), BTreeSet::new());

    // The service's own role does not get past the database either.
    let of = |table: &str, id: &str| {
        let uuid =
            service.platform.ids_of(&format!("select id from {table} order by created_at desc, id desc limit 1"));
        assert!(id.ends_with(&domain::kernel::id::encode(uuid[0])), "{table}");
        uuid[0]
    };
    let (member, payee) = (of("member", &member), of("payee", &payee));
    let other = service.platform.ids_of("select id from organisation limit 1")[0];
    let living_payee = format!(
        "insert into payee (created_at, id, organisation_id, rail) values (now(), '{}', '{other}', 'aba')",
        uuid::Uuid::from_u128(7)
    );
    let mapping = |member: uuid::Uuid, payee: uuid::Uuid| {
        format!(
            "insert into member_payee (recorded_at, member_id, effective_on, payee_id) values (now(), '{member}', '2027-01-01', '{payee}')"
        )
    };
    let bank = format!(
        "insert into payee_bank_details (id, payee_id, bsb, account_number, account_title, usable_from_at, created_at) values (gen_random_uuid(), '{payee}', '062-000', '1', 'X', now(), now())"
    );
    let acts = format!(
        "insert into api_client (id, name, secret_sha256, roles, organisation_id, member_id, created_at, version) values (gen_random_uuid(), 'x', sha256('x'), '{{member}}', '{}', '{member}', now(), 1)",
        service.platform.introducer.uuid()
    );
    let cases = [
        (format!("{living_payee}; {}", mapping(member, uuid::Uuid::from_u128(7))), "the member is erased"),
        (mapping(member, payee), "is erased"),
        (bank, "the payee is erased"),
        (format!("update payee set abn = '51824753556' where id = '{payee}'"), "the payee is erased"),
        (format!("update payee set erased_at = null where id = '{payee}'"), "the payee is erased"),
        (format!("update personal_data set name = 'Quillon' where subject_id = '{payee}'"), "the payee is erased"),
        (acts, "the member is erased"),
    ];
    for (sql, why) in cases {
        let refusal = service.platform.refusal_of(&format!("begin; {sql}; rollback"));
        assert!(refusal.as_ref().is_some_and(|refusal| refusal.contains(why)), "{sql}: {refusal:?}");
    }
}

#[test]
fn whoever_acts_as_somebody_who_is_erased_does_so_no_more() {
    let service = Service::start();
    let (partner, operator) = (service.partner(), service.operator());
    let organisation = service.platform.introducer.to_string();
    let [contact, member, _] = living(&service, "Quillon Brabazon");
    let client =
        json!({"name": "Quillon portal", "roles": ["member"], "organisation_id": organisation, "member_id": member});
    let client = service.post("/v1/api-clients", &operator, &client).expect(201);
    let login = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        client["id"].as_str().expect("an id"),
        client["client_secret"].as_str().expect("a secret")
    );
    let logged_in =
        service.form("/oauth/token", &login).expect(200)["access_token"].as_str().expect("a token").to_owned();
    let embed = json!({"member_id": member, "scopes": ["deals:read"]});
    let embedded = service.post("/v1/embed-tokens", &partner, &embed).expect(200)["access_token"].clone();
    let embedded = embedded.as_str().expect("a token").to_owned();
    for token in [&logged_in, &embedded] {
        assert_eq!(service.get("/v1/deals", token).status, 200);
    }
    let path = format!("/v1/contacts/{contact}");
    assert_eq!(delete(&service, &path, &partner, "\"1\""), 204);
    for token in [&logged_in, &embedded] {
        assert_eq!(service.get("/v1/deals", token).status, 401);
    }
    assert_eq!(service.form("/oauth/token", &login).status, 401);
    assert_eq!(holding(&service.platform, &WORDS), BTreeSet::new());
    let told = service.get(&format!("{path}/erasures"), &partner).expect(200)["data"][0].clone();
    assert_eq!(told["clients"], json!(1));
    let shown = service.get("/v1/api-clients", &operator).expect(200);
    let shown = shown["data"].as_array().expect("clients").iter().find(|one| one["id"] == client["id"]);
    let shown = shown.expect("it is there");
    assert_eq!((&shown["name"], shown["revoked_at"].is_string()), (&json!("Erased"), true));
    let rotate = format!("/v1/api-clients/{}/rotate-secret", client["id"].as_str().expect("an id"));
    assert_eq!(service.post(&rotate, &operator, &json!({})).status, 409);
    // Once more: nothing is left to do.
    assert_eq!(delete(&service, &path, &partner, "\"2\""), 204);
    assert_eq!(service.platform.number("select count(*) from chain_erasure"), 1);
}

#[test]
fn erasing_waits_for_who_is_just_adding_to_the_person_and_takes_that_too() {
    let service = Service::start();
    let [contact, member, _] = living(&service, "Quillon Brabazon");
    let contact = domain::kernel::ids::ContactId::parse(&contact).expect("an id");
    let member = domain::kernel::ids::MemberId::parse(&member).expect("an id");
    let platform = &service.platform;
    std::thread::scope(|scope| {
        let adding = platform.store().transaction(|uow| {
            assert!(!uow.erasures().is_member_erased(member)?);
            let erases = scope.spawn(|| {
                platform.store().transaction(|uow| domain::directory::erase::erase_contact(uow, &platform.env(), contact, 1))
            });
            let waits = "select count(*) from pg_locks where not granted and database = (select oid from pg_database where datname = current_database())
                or not granted and locktype = 'transactionid'";
            while platform.number(waits) == 0 {
                std::thread::yield_now();
            }
            Ok::<_, domain::store::StoreError>(erases)
        });
        assert!(adding.expect("it is added").join().expect("no panic").is_ok());
    });
    let erased = platform.store().transaction(|uow| uow.erasures().is_member_erased(member));
    assert_eq!(erased, Ok(true));
}

/// What is wrong with the attribution guarantee.
fn broken(platform: &Platform) -> Vec<String> {
    let label =
        RunLabel { id: GuaranteeRunId::new(platform.ids.next()), kid: platform.signer.kid(), taken_at: platform.now };
    let run = examine(platform.store(), &platform.trust(), &label, &mut |_| ()).expect("the store answers");
    let codes = run.guarantees.iter().flat_map(|g| g.counterexamples.iter().map(|c| c.code.clone()));
    codes.collect::<BTreeSet<_>>().into_iter().collect()
}

/// The example with the client of its first deal erased, all signed.
fn erased() -> Platform {
    let platform = example();
    let client = platform.ids_of("select client_id as id from deal order by id limit 1")[0];
    let client = domain::kernel::ids::ContactId::new(client);
    let gone =
        platform.store().transaction(|uow| domain::directory::erase::erase_contact(uow, &platform.env(), client, 1));
    assert!(gone.is_ok());
    platform
}

#[test]
fn guarantees_and_audit_tell_an_erasure_from_a_loss() {
    let platform = erased();
    let _ = platform.sequence();
    assert_eq!(broken(&platform), Vec::<String>::new());
    let keep = "create table spare as select s.* from chain_secret s join handshake_statement h on h.id = s.source_id order by s.source_id limit 1";
    let lose = "delete from chain_secret where source_id = (select source_id from spare)";
    for (what, cheat, code) in [
        ("an envelope is lost", lose.to_owned(), "no_receipt"),
        (
            "and called erased",
            "insert into chain_erased select source_id, (select id from chain_erasure) from spare".to_owned(),
            "erasure_differs",
        ),
        (
            "and the erasure's own words are gone",
            "delete from chain_secret where source_id = (select id from chain_erasure)".to_owned(),
            "erasure_lost",
        ),
    ] {
        platform
            .tamper(&format!("{}; {cheat}", keep.replace("create table spare", "create table if not exists spare")));
        assert!(broken(&platform).contains(&code.to_owned()), "{what}: {:?}", broken(&platform));
        assert!(!audit_of(&platform, &[]).holds(), "{what}");
    }
    let platform = erased();
    let _ = platform.sequence();
    platform.tamper("insert into chain_secret select source_id, erasure_id, 'envelope', 'kept' from chain_erased join chain_leaf using (source_id) order by index limit 1");
    assert!(broken(&platform).contains(&"not_erased".to_owned()), "{:?}", broken(&platform));
    assert!(!audit_of(&platform, &[]).holds());
}

#[test]
fn an_erasure_that_the_log_has_not_taken_yet_is_no_difference() {
    let platform = erased();
    let report = audit_of(&platform, &[]);
    assert!(report.holds(), "{:?}", report.differences);
    // Nothing but the operator's word says that the log will have it: that is counted apart, and told.
    assert_eq!((report.erased, report.erased_unlogged), (0, 3));
    let logged = erased();
    let _ = logged.sequence();
    let report = audit_of(&logged, &[]);
    assert!(report.holds(), "{:?}", report.differences);
    assert_eq!((report.erased, report.erased_unlogged), (3, 0));
    // An export that was under way when it came shows the envelopes still, and says so at its end.
    let whole = example();
    let (before, after) = (exported(&whole), exported(&platform));
    assert_eq!(before.split(|b| *b == b'\n').count() + 1, after.split(|b| *b == b'\n').count());
    let leaves = before.rsplitn(3, |b| *b == b'\n').last().expect("all but the end");
    let tail: Vec<&[u8]> = after.split(|b| *b == b'\n').rev().take(3).collect();
    let mixed = [leaves, tail[2], tail[1], b""].join(&b'\n');
    let report = platform.store().read_snapshot(&domain::access::Viewer::Everything, |queries| {
        let log = domain::chain::mirror::LiveLog::new(queries.chain());
        crate::support::audited(&platform, &log, Some(&mixed), &[])
    });
    let report = report.expect("it is read");
    assert!(report.holds(), "{:?}", report.differences);
    assert_eq!((report.erased, report.erased_unlogged), (0, 0));
}

#[test]
fn an_export_tells_of_every_erasure_that_the_log_does_not_have_yet() {
    use domain::chain::export::{ERASURES, Line};
    let service = Service::over(example());
    let partner = service.partner();
    let organisation = service.platform.introducer.to_string();
    let many = ERASURES + 3;
    for n in 0..many {
        let person = json!({"organisation_id": organisation, "kind": "person", "name": format!("Person {n}")});
        let contact = id(&service.post("/v1/contacts", &partner, &person).expect(201));
        assert_eq!(delete(&service, &format!("/v1/contacts/{contact}"), &partner, "\"1\""), 204);
    }
    let lines = crate::support::lines(&exported(&service.platform));
    let told = lines.iter().filter(|line| matches!(line, Line::Erasure { .. })).count();
    assert_eq!(told, many as usize);
    assert!(matches!(lines.last(), Some(Line::End { .. })));
    assert!(audit_of(&service.platform, &[]).holds());
    // Just as many as are read at once, and none: each piece says something.
    service.sequence();
    assert!(
        !crate::support::lines(&exported(&service.platform)).iter().any(|line| matches!(line, Line::Erasure { .. }))
    );
}
