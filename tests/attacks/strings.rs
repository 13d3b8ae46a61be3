//! Hostile text in every parameter and every field of a body: never a failure of the server, never another partner's
//! data, and a refusal that says what is wrong.

use api::policy::Operation;
use harness::asking::{Asking, Request, SIGNED_BY_STRIPE};
use harness::partners::{Asker, Site};
use harness::server::Reply;
use serde_json::Value;

/// Text that somebody once got in with.
fn hostile() -> Vec<String> {
    let written = [
        "' or '1'='1",
        "1'; drop table deal cascade; --",
        "\") or (\"a\"=\"a",
        "deal_01k0w4q7v8e2rtf3k2m9x5c6dz' union select id from app_user --",
        "\0",
        "a\0b",
        "\u{202e}\u{feff}\u{200d}e\u{301}\u{1f468}\u{200d}\u{1f469}\u{ffff}",
        "\r\nX-Injected: 1",
        "../../../../etc/passwd",
        "-9223372036854775809",
        "{\"$ne\":null}",
        "%25%32%37\\x27\\",
    ];
    written.into_iter().map(str::to_owned).chain(["a".repeat(6_000), "\u{10ffff}".repeat(1_500)]).collect()
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// The request with hostile text in each place of it: what stands there, and the request.
fn bent(asking: &Asking<'_>, operation: &Operation, good: &Request, text: &str) -> Vec<Request> {
    let mut bent = Vec::new();
    let template: Vec<&str> = operation.pattern.split('/').collect();
    for place in (0..template.len()).filter(|n| template[*n].starts_with('{')) {
        let mut parts: Vec<String> = good.path.split('/').map(str::to_owned).collect();
        parts[place] = encoded(text);
        bent.push(Request { path: parts.join("/"), ..good.clone() });
    }
    for parameter in asking.parameters(operation, "query") {
        let given = format!("{}={}", parameter["name"].as_str().expect("a name"), encoded(text));
        bent.push(Request { query: Some(given), ..good.clone() });
    }
    let plain: String = text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
    for parameter in asking.parameters(operation, "header") {
        let name = parameter["name"].as_str().expect("a name").to_ascii_lowercase();
        let mut headers = good.headers.clone();
        headers.retain(|(given, _)| *given != name);
        headers.push((name, plain.clone()));
        bent.push(Request { headers, ..good.clone() });
    }
    bent.extend(bodies(good, text));
    bent
}

/// The body with hostile text in each of its strings.
fn bodies(good: &Request, text: &str) -> Vec<Request> {
    let with = |body: String, kind| Request { body: Some((kind, body)), ..good.clone() };
    match &good.body {
        Some(("application/json", body)) => {
            let body: Value = serde_json::from_str(body).expect("JSON");
            let set = |pointer: &String| {
                let mut body = body.clone();
                *body.pointer_mut(pointer).expect("it is there") = Value::from(text);
                with(body.to_string(), "application/json")
            };
            leaves(&body, "").iter().map(set).collect()
        }
        Some(("application/x-www-form-urlencoded", body)) => {
            let pairs: Vec<&str> = body.split('&').collect();
            let set = |n: usize| {
                let mut pairs: Vec<String> = pairs.iter().map(|pair| (*pair).to_owned()).collect();
                let name = pairs[n].split('=').next().unwrap_or_default().to_owned();
                pairs[n] = format!("{name}={}", encoded(text));
                with(pairs.join("&"), "application/x-www-form-urlencoded")
            };
            (0..pairs.len()).map(set).collect()
        }
        Some((kind, _)) => vec![with(text.to_owned(), kind)],
        None => Vec::new(),
    }
}

/// Pointers to every value that holds no others.
fn leaves(value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::Object(members) => members.iter().flat_map(|(name, v)| leaves(v, &format!("{at}/{name}"))).collect(),
        Value::Array(items) => items.iter().enumerate().flat_map(|(n, v)| leaves(v, &format!("{at}/{n}"))).collect(),
        _ => vec![at.to_owned()],
    }
}

fn check(site: &Site, asker: Asker, request: &Request, reply: &Reply) {
    let body = String::from_utf8_lossy(&reply.body);
    let at = || format!("{request:.600} as {asker:?}: {} {body:.600}", reply.status);
    assert!(reply.status < 500 && reply.status != 429, "{}", at());
    assert!(!reply.headers.contains_key("x-injected"), "{}", at());
    for leaked in ["diesel", "postgres", "syntax error", "panicked", "app_user", "flip360_reader"] {
        assert!(reply.status < 400 || !body.contains(leaked) || request.to_string().contains(leaked), "{}", at());
    }
    if reply.status >= 400 && !request.path.starts_with("/oauth/") {
        assert_eq!(reply.header("content-type"), Some("application/problem+json"), "{}", at());
        assert!(reply.json()["code"].is_string(), "{}", at());
    }
    if !asker.sees_everything() {
        assert!(!site.theirs.own.iter().any(|id| body.contains(id.as_str())), "{}", at());
    }
}

#[test]
fn hostile_text_anywhere_is_refused_or_kept_as_text() {
    let site = Site::open();
    let asking = Asking::of(&site);
    let hostile = hostile();
    let deals = "select count(*) from deal where external_ref like 'LN-%' or external_ref like 'TWO-%'";
    let before = site.service.platform.number(deals);
    let mut asked = 0_usize;
    for asker in [Asker::Has(domain::access::Role::OperatorAdmin), Asker::Has(domain::access::Role::PartnerAdmin)] {
        for operation in
            site.service.app.policy.operations().iter().filter(|operation| operation.id != SIGNED_BY_STRIPE)
        {
            let token = site.token(asker);
            for text in &hostile {
                let good = asking.request(operation, &site.ours.ids);
                for request in bent(&asking, operation, &good, text) {
                    let reply = asking.send(&request, token.as_deref());
                    check(&site, asker, &request, &reply);
                    asked += 1;
                }
            }
        }
    }
    assert!(asked > 8_000, "{asked} requests");
    assert_eq!(site.service.platform.number(deals), before, "deals that were imported stay");
}
