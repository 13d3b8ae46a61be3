//! Signatures, verified by code that nobody here wrote: the crate, npm's and PyPI's `standardwebhooks`, and
//! Node's own Ed25519. Where one is not installed the test says so.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use domain::kernel::time::Clock as _;
use harness::server::Service;
use harness::skip::{installed, skip};
use integrations::clock::SystemClock;
use jiff::SignedDuration;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::receiver::{Heard, Receiver};
use crate::{Made, create, create_as, later};

/// A service whose time is now: verifiers look at the timestamp.
fn today() -> Service {
    let service = Service::start();
    service.clock.set(SystemClock.now());
    service
}

fn tested(service: &Service, endpoint: &Made, receiver: &Receiver) -> Heard {
    let before = receiver.heard().len();
    let path = format!("/v1/webhook-endpoints/{}/test", endpoint.id);
    let _ = service.post(&path, &service.partner(), &json!({})).expect(202);
    let _ = service.dispatch();
    let heard = receiver.heard();
    assert_eq!(heard.len(), before + 1);
    heard.last().expect("a request").clone()
}

fn crate_says(secret: &str, heard: &Heard) -> bool {
    let mut headers = ureq::http::HeaderMap::new();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        headers.insert(name, heard.header(name).parse().expect("a value"));
    }
    Webhook::new(secret).expect("a secret").verify(&heard.body, &headers).is_ok()
}

/// The request as it came, and altered in every part that is signed.
fn altered(heard: &Heard) -> Vec<Heard> {
    let with = |change: &dyn Fn(&mut Heard)| {
        let mut other = heard.clone();
        change(&mut other);
        other
    };
    let set = |name: &'static str, value: String| {
        move |other: &mut Heard| {
            other.headers.insert(name.to_owned(), value.clone());
        }
    };
    let timestamp: i64 = heard.header("webhook-timestamp").parse().expect("a number");
    let signature = heard.header("webhook-signature");
    let middle = signature.len() / 2;
    let flipped = if &signature[middle..=middle] == "A" { "B" } else { "A" };
    vec![
        with(&|other| other.body[20] ^= 1),
        with(&|other| other.body.push(b' ')),
        with(&set("webhook-id", format!("{}x", heard.id()))),
        with(&set("webhook-timestamp", (timestamp + 1).to_string())),
        with(&set("webhook-timestamp", (timestamp - 3_600).to_string())),
        with(&set("webhook-signature", format!("{}{flipped}{}", &signature[..middle], &signature[middle + 1..]))),
        with(&set("webhook-signature", signature.replace("v1", "v2"))),
    ]
}

fn line(key: &str, heard: &Heard) -> String {
    let header = |name| heard.header(name).to_owned();
    json!({"key": key, "id": heard.id(), "timestamp": header("webhook-timestamp"), "signature": header("webhook-signature"),
        "body": String::from_utf8_lossy(&heard.body)})
    .to_string()
}

/// What an oracle says of each line; `None` when it is not installed.
fn ask(mut command: Command, needs: &Path, lines: &[String]) -> Option<Vec<bool>> {
    let started = if needs.exists() { command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok() } else { None };
    let Some(mut child) = started else {
        skip(&format!("{} is not installed", needs.display()));
        return None;
    };
    child.stdin.take().expect("a pipe").write_all(lines.join("\n").as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    let verdict = |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["ok"] == json!(true);
    Some(String::from_utf8(output.stdout).expect("text").lines().map(verdict).collect())
}

fn node(lines: &[String], needs: &Path) -> Option<Vec<bool>> {
    let mut command = Command::new("node");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/oracles/webhook_check.js");
    command.arg(script).arg(installed("node/node_modules"));
    ask(command, needs, lines)
}

fn python(lines: &[String]) -> Option<Vec<bool>> {
    let python = installed("python/bin/python3");
    let mut command = Command::new(&python);
    command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/oracles/webhook_check.py"));
    ask(command, &python, lines)
}

#[test]
fn the_standards_own_libraries_take_our_webhooks_and_nothing_altered() {
    let service = today();
    let receiver = Receiver::start();
    let endpoint = create(&service, &service.partner(), &receiver.url, &json!(["deal.settled"]));
    let heard = tested(&service, &endpoint, &receiver);
    let all: Vec<Heard> = std::iter::once(heard.clone()).chain(altered(&heard)).collect();
    let expected: Vec<bool> = (0..all.len()).map(|n| n == 0).collect();
    let crates: Vec<bool> = all.iter().map(|heard| crate_says(&endpoint.secret, heard)).collect();
    assert_eq!(crates, expected);
    let other = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
    assert!(!crate_says(other, &heard), "another endpoint's secret");
    let mut lines: Vec<String> = all.iter().map(|heard| line(&endpoint.secret, heard)).collect();
    lines.push(line(other, &heard));
    let expected = [expected, vec![false]].concat();
    for verdicts in
        [node(&lines, &installed("node/node_modules/standardwebhooks")), python(&lines)].into_iter().flatten()
    {
        assert_eq!(verdicts, expected);
    }
}

#[test]
fn a_public_key_verifies_and_nothing_altered_does() {
    let service = today();
    let receiver = Receiver::start();
    let body = json!({"url": receiver.url, "event_types": ["deal.settled"], "signing": "v1a"});
    let endpoint = create_as(&service, &service.partner(), &body);
    let heard = tested(&service, &endpoint, &receiver);
    assert!(heard.header("webhook-signature").starts_with("v1a,"));
    let key = endpoint.view["public_key"].as_str().expect("a key");
    let mut all = vec![heard.clone()];
    // An older timestamp is a matter of the library, not of the signature.
    all.extend(altered(&heard));
    let lines: Vec<String> = all.iter().map(|heard| line(key, heard)).collect();
    let expected: Vec<bool> = (0..all.len()).map(|n| n == 0).collect();
    if let Some(verdicts) = node(&lines, Path::new(env!("CARGO_MANIFEST_DIR"))) {
        assert_eq!(verdicts, expected);
    }
}

#[test]
fn for_a_day_two_secrets_are_good() {
    let service = today();
    let receiver = Receiver::start();
    let partner = service.partner();
    let endpoint = create(&service, &partner, &receiver.url, &json!(["deal.settled"]));
    let rotate = || {
        let path = format!("/v1/webhook-endpoints/{}/rotate-secret", endpoint.id);
        service.post(&path, &service.partner(), &json!({})).expect(200)["secret"].as_str().expect("a secret").to_owned()
    };
    let second = rotate();
    let heard = tested(&service, &endpoint, &receiver);
    assert_eq!(heard.header("webhook-signature").split(' ').count(), 2);
    assert!(crate_says(&second, &heard) && crate_says(&endpoint.secret, &heard), "both are good");
    let third = rotate();
    let heard = tested(&service, &endpoint, &receiver);
    assert!(crate_says(&third, &heard) && crate_says(&second, &heard));
    assert!(!crate_says(&endpoint.secret, &heard), "two at most");
    let _ = later(&service, SignedDuration::from_hours(24));
    let heard = tested(&service, &endpoint, &receiver);
    let signature = heard.header("webhook-signature");
    assert_eq!(signature.split(' ').count(), 1, "after a day the new one stands alone");
}

/// A script of the document, run with these variables; what it says.
fn documented(name: &str, variables: &[(&str, &str)], heard: &Heard) -> String {
    let text = include_str!("../../docs/webhooks.md");
    let (_, rest) = text.split_once(&format!("<!-- verify: {name} -->\n```bash\n")).expect("the script");
    let (script, _) = rest.split_once("```").expect("its end");
    let body = std::env::temp_dir().join(format!("flip360-webhook-{name}-{}", std::process::id()));
    std::fs::write(&body, &heard.body).expect("a file");
    let output = Command::new("bash")
        .args(["-euc", script])
        .envs(variables.iter().copied())
        .env("ID", heard.id())
        .env("TIMESTAMP", heard.header("webhook-timestamp"))
        .env("SIGNATURE", heard.header("webhook-signature"))
        .env("BODY", &body)
        .output()
        .expect("bash");
    std::fs::remove_file(&body).expect("the file");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

#[test]
fn the_commands_of_the_document_tell_good_from_bad() {
    let service = today();
    let receiver = Receiver::start();
    let partner = service.partner();
    for signing in ["v1", "v1a"] {
        let body = json!({"url": receiver.url, "event_types": ["deal.settled"], "signing": signing});
        let endpoint = create_as(&service, &partner, &body);
        let key = endpoint.view["public_key"].as_str().unwrap_or_default();
        let variables = [("SECRET", endpoint.secret.as_str()), ("KEY", key)];
        let rotate = format!("/v1/webhook-endpoints/{}/rotate-secret", endpoint.id);
        let _ = service.post(&rotate, &partner, &json!({})).expect(200);
        let heard = tested(&service, &endpoint, &receiver);
        assert_eq!(documented(signing, &variables, &heard), "good", "{signing}: the secret before the rotation");
        let mut other = heard.clone();
        other.body[20] ^= 1;
        assert_eq!(documented(signing, &variables, &other), "bad", "{signing}");
    }
}
