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
    // The address is free again.
    let _ = service.post("/v1/users", &operator, &user).expect(201);
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
    assert_eq!(report.erased, 3);
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
    assert_eq!(report.erased, 0);
}
