//! No secret, no bank account and no name of a person stands in a log, however much is logged.
//!
//! One test in a process of its own: what it listens to belongs to the whole process. The service logs as it
//! does with `FLIP360_LOG=trace`, the database server as it always does.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diesel::connection::SimpleConnection as _;
use domain::access::Role;
use harness::cluster::server_log;
use harness::server::{Reply, Service};
use serde_json::{Value, json};

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
const PASSWORD: &str = "quite unguessable zebra crossing";
const NEW_PASSWORD: &str = "another unguessable giraffe crossing";
const WRONG_PASSWORD: &str = "mistaken ostrich crossing";

/// Everything that was logged.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Heard {
    fn everything(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no panic")).into_owned()
    }
}

/// What must stand in no log.
#[derive(Default)]
struct Secrets(BTreeSet<String>);

impl Secrets {
    fn add(&mut self, text: &str) {
        assert!(text.len() > 5, "{text} is too short to be looked for");
        self.0.insert(text.to_owned());
        self.0.insert(STANDARD.encode(text));
        self.0.insert(text.replace(' ', "+"));
        self.0.insert(text.replace(' ', "%20"));
    }

    /// Every secret that an answer holds.
    fn of(&mut self, reply: &Reply) -> Value {
        let answer = reply.json();
        for name in ["client_secret", "secret", "access_token", "refresh_token", "previous_secret"] {
            if let Some(secret) = answer[name].as_str() {
                self.add(secret);
                // Also what a signature is made of, and a token without its signature.
                secret.split(['.', '_']).filter(|part| part.len() > 20).for_each(|part| {
                    let _ = self.0.insert(part.to_owned());
                });
            }
        }
        answer
    }
}

fn text(answer: &Value, name: &str) -> String {
    answer[name].as_str().unwrap_or_else(|| panic!("no {name} in {answer}")).to_owned()
}

fn form(service: &Service, path: &str, form: &str, extra: &[(&str, &str)]) -> Reply {
    service.send("POST", path, &[&[FORM], extra].concat(), Some(form.as_bytes()))
}

/// Logins of people, good and bad; sessions, and their ends.
fn people(service: &Service, secrets: &mut Secrets) {
    let operator = service.operator();
    secrets.add(&operator);
    let email = "quirin.unmistakable@example.com";
    [email, PASSWORD, NEW_PASSWORD, WRONG_PASSWORD].iter().for_each(|text| secrets.add(text));
    let user = json!({"email": email, "password": PASSWORD, "roles": ["finance"]});
    let _ = service.post("/v1/users", &operator, &user).expect(201);
    // The database refuses it, and may say why in its own log.
    let _ = service.post("/v1/users", &operator, &user).problem(409, "email_taken");
    let login = |password: &str| {
        let body = format!("grant_type=password&username={email}&password={}", password.replace(' ', "+"));
        form(service, "/oauth/token", &body, &[])
    };
    let _ = login(WRONG_PASSWORD).expect(400);
    let session = secrets.of(&login(PASSWORD));
    let refresh = format!("grant_type=refresh_token&refresh_token={}", text(&session, "refresh_token"));
    let next = secrets.of(&form(service, "/oauth/token", &refresh, &[]));
    let change = json!({"current_password": PASSWORD, "new_password": NEW_PASSWORD});
    let _ = service.post("/v1/me/password", &text(&next, "access_token"), &change);
    let _ = form(service, "/oauth/token", &refresh, &[]).expect(400);
    let _ = secrets.of(&login(NEW_PASSWORD));
    let _ = form(service, "/oauth/revoke", &format!("token={}", text(&next, "refresh_token")), &[]);
    let _ = service.get("/v1/me", "x.y.unmistakable-token-of-nobody").problem(401, "unauthenticated");
    secrets.add("unmistakable-token-of-nobody");
}

/// API clients and webhook endpoints, with secrets that are shown once, used, changed.
fn machines(service: &Service, secrets: &mut Secrets) {
    let operator = service.operator();
    let made = service.post("/v1/api-clients", &operator, &json!({"name": "Portal", "roles": ["auditor"]}));
    let client = secrets.of(&made);
    let (id, secret) = (text(&client, "id"), text(&client, "client_secret"));
    let basic = STANDARD.encode(format!("{id}:{secret}"));
    secrets.0.insert(basic.clone());
    let header = format!("Basic {basic}");
    let _ = secrets.of(&form(service, "/oauth/token", "grant_type=client_credentials", &[("authorization", &header)]));
    let body = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}x");
    let _ = form(service, "/oauth/token", &body, &[]);
    let rotated = secrets.of(&service.post(&format!("/v1/api-clients/{id}/rotate-secret"), &operator, &json!({})));
    assert_ne!(rotated["client_secret"], client["client_secret"]);
    for signing in ["v1", "v1a"] {
        let hook = json!({"url": "http://127.0.0.1:1/hooks", "event_types": ["*"], "signing": signing});
        let endpoint = secrets.of(&service.post("/v1/webhook-endpoints", &operator, &hook));
        let at = format!("/v1/webhook-endpoints/{}", text(&endpoint, "id"));
        let _ = secrets.of(&service.post(&format!("{at}/rotate-secret"), &operator, &json!({})));
        let _ = service.post(&format!("{at}/test"), &operator, &json!({})).expect(202);
    }
    // Nobody listens there: the failure is logged, and kept.
    assert!(service.dispatch() > 0);
}

/// People and their accounts; bodies that are wrong in every way, and a database that fails.
fn business(service: &Service, secrets: &mut Secrets) {
    let organisation = service.platform.introducer.to_string();
    let partner = service.partner();
    for text in
        ["Quirin Unmistakable", "+61 499 123 777", "Zacharias Singular", "739184625", "quirin@unmistakable.example"]
    {
        secrets.add(text);
    }
    let person = json!({"organisation_id": organisation, "kind": "person", "name": "Quirin Unmistakable", "email": "quirin@unmistakable.example", "phone": "+61 499 123 777"});
    let _ = service.post("/v1/contacts", &partner, &person).expect(201);
    let account =
        |number: &str| json!({"bsb": "062-000", "account_number": number, "account_name": "Zacharias Singular"});
    let payee = |number: &str| json!({"organisation_id": organisation, "legal_name": "Zacharias Singular", "abn": "51 824 753 556", "bank_account": account(number)});
    let _ = service.post("/v1/payees", &partner, &payee("739184625")).expect(201);
    secrets.add("7391846250000000");
    let _ = service.post("/v1/payees", &partner, &payee("7391846250000000")).problem(422, "validation_failed");
    let own = json!({
        "name": "Commission", "bank_code": "CBA", "user_name": "FLIP 360 PTY LTD", "user_number": "301500",
        "remitter": "FLIP 360", "description": "COMMISSION", "self_balancing": true, "account": account("739184625")
    });
    let _ = service.post("/v1/bank-accounts", &service.operator(), &own);
    let authorization = format!("Bearer {partner}");
    secrets.add(&partner);
    let headers =
        [("authorization", authorization.as_str()), ("content-type", "application/json"), ("idempotency-key", "k-1")];
    for body in [
        "{\"name\": \"Quirin Unmistakable\"",
        "[\"Quirin Unmistakable\"]",
        "{\"kind\": [\"Quirin Unmistakable\"]}",
        "{\"Quirin Unmistakable\": 1}",
        "{\"name\": \"Quirin Unmistakable\\u0000\", \"kind\": \"person\"}",
    ] {
        let _ = service.send("POST", "/v1/contacts", &headers, Some(body.as_bytes()));
    }
    let _ = service.get("/v1/members?member_ref=Quirin+Unmistakable&cohort=739184625", &partner);
    let _ = service.get("/v1/contacts/Quirin%20Unmistakable", &partner);
    // What the database says of its failures goes to the log.
    let mut owner = service.platform.owner();
    owner
        .batch_execute("alter table personal_data add constraint nobody check (name is null) not valid")
        .expect("a rule");
    let refused = service.post("/v1/contacts", &partner, &person);
    assert_eq!(refused.status, 500);
    owner
        .batch_execute(
            "alter table personal_data drop constraint nobody; alter table personal_data rename to elsewhere",
        )
        .expect("it is away");
    assert_eq!(service.post("/v1/contacts", &partner, &person).status, 500);
    owner.batch_execute("alter table elsewhere rename to personal_data").expect("it is back");
}

#[test]
fn no_log_holds_a_secret_an_account_or_a_name() {
    let heard = Heard::default();
    let writer = heard.clone();
    tracing_subscriber::fmt()
        .with_env_filter(api::cli::log_filter(Some("trace")))
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .init();
    let service = Service::start();
    let mut secrets = Secrets::default();
    people(&service, &mut secrets);
    machines(&service, &mut secrets);
    business(&service, &mut secrets);
    let _ = service.get("/v1/me", &service.token(&[Role::Auditor], None, None)).expect(200);
    drop(service);
    let (own, database) = (heard.everything(), server_log());
    // It was heard: what happened is there by operation, and so are the failures.
    for expected in [
        "create_user",
        "create_token",
        "create_contact",
        "rotate_api_client_secret",
        "internal error",
        "TRACE",
        "DEBUG",
    ] {
        assert!(own.contains(expected), "nothing was logged of {expected}");
    }
    assert!(database.contains("violates"), "the database server logged no refusal:\n{database}");
    assert!(secrets.0.len() > 60, "{}", secrets.0.len());
    for secret in &secrets.0 {
        for (log, name) in [(&own, "the service's log"), (&database, "the database server's log")] {
            let line = log.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(line, None, "{name} holds {secret}");
        }
    }
}
