//! What HTTP asks of every operation: forms that can be served, HEAD beside GET, OPTIONS, methods that are
//! not there, bodies of another kind. Driven by the document, over all of it.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use harness::asking::SIGNED_BY_STRIPE;
use harness::server::{Reply, Service};
use harness::site;
use serde_json::Value;

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

struct Asked {
    id: &'static str,
    method: String,
    path: String,
    /// What the document says of it.
    said: Value,
}

fn all(service: &Service) -> Vec<Asked> {
    let document = serde_json::to_value(api::openapi::document()).expect("a document");
    let ids = site::ids(service);
    let asked = service.app.policy.operations().iter().map(|operation| Asked {
        id: operation.id,
        method: operation.method.to_string(),
        path: site::path(operation, &document, &ids),
        said: document["paths"][&operation.pattern][operation.method.as_str().to_ascii_lowercase()].clone(),
    });
    asked.collect()
}

fn ask(service: &Service, asked: &Asked, token: &str, extra: &[(&str, &str)], body: Option<&[u8]>) -> Reply {
    let authorization = format!("Bearer {token}");
    let mut headers = vec![("authorization", authorization.as_str()), ("if-match", "\"999\"")];
    headers.extend(extra);
    service.send(&asked.method, &asked.path, &headers, body)
}

fn streams(asked: &Asked) -> bool {
    asked.said["responses"]["200"]["content"].get("text/event-stream").is_some()
}

#[test]
fn what_cannot_be_answered_as_wanted_is_refused_before_anything_is_done() {
    let service = site::populated();
    let token = service.operator();
    let before = service.platform.number("select count(*) from audit_record");
    let mut refused = 0;
    for asked in all(&service) {
        let successes =
            asked.said["responses"].as_object().expect("answers").iter().filter(|(s, _)| s.starts_with('2'));
        let served: BTreeSet<String> = successes
            .flat_map(|(_, r)| r["content"].as_object().cloned().unwrap_or_default().into_iter().map(|(m, _)| m))
            .collect();
        let key = format!("k-{}", asked.id);
        let wanting = |accept: &str| {
            ask(&service, &asked, &token, &[("accept", accept), ("idempotency-key", &key)], Some(b"{\"nonsense\": 1}"))
        };
        if served.is_empty() {
            assert_ne!(wanting("image/png").status, 406, "{}", asked.id);
            continue;
        }
        for accept in ["image/png", "text/html;q=0.9, image/*", "*/json", "nonsense"] {
            let _ = wanting(accept).problem(406, "not_acceptable");
        }
        let media = served.first().expect("one");
        let _ = wanting(&format!("{media};q=0, image/png")).problem(406, "not_acceptable");
        refused += 1;
        for accept in
            [media.as_str(), "*/*", "image/png, */*;q=0.1", &format!("{}/*", media.split('/').next().expect("a type"))]
        {
            assert_ne!(wanting(accept).status, 406, "{} {accept}", asked.id);
        }
    }
    assert!(refused > 80, "{refused}");
    assert_eq!(service.platform.number("select count(*) from audit_record"), before);
}

#[test]
fn every_get_has_a_head_and_every_path_says_what_it_answers() {
    let service = site::populated();
    let token = service.operator();
    let all = all(&service);
    for asked in &all {
        let options = service.send("OPTIONS", &asked.path, &[], None);
        let allow: BTreeSet<&str> = options.header("allow").unwrap_or_default().split(", ").collect();
        assert_eq!(options.status, 204, "{}", asked.id);
        assert!(allow.contains(asked.method.as_str()) && allow.contains("OPTIONS"), "{}: {allow:?}", asked.id);
        assert_eq!(allow.contains("GET"), allow.contains("HEAD"), "{}", asked.id);
        for method in METHODS.iter().filter(|method| !allow.contains(**method)) {
            let refused = service.send(method, &asked.path, &[("authorization", &format!("Bearer {token}"))], None);
            let _ = refused.problem(405, "method_not_allowed");
            assert_eq!(refused.header("allow"), options.header("allow"), "{method} {}", asked.path);
        }
        if asked.method != "GET" {
            continue;
        }
        let head = service.send("HEAD", &asked.path, &[("authorization", &format!("Bearer {token}"))], None);
        let get = ask(&service, asked, &token, &[], None);
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{}", asked.id);
        for name in ["content-type", "etag", "link", "cache-control"] {
            assert_eq!(head.header(name), get.header(name), "{} {name}", asked.id);
        }
        // Nothing of a body is on the wire, and the connection is good for the next request, also after a stream.
        assert_eq!(after_head(&service, &asked.path, &token), "HTTP/1.1 200 OK", "{}", asked.id);
    }
}

/// The first line of the answer to what is asked on the same connection after a HEAD.
fn after_head(service: &Service, path: &str, token: &str) -> String {
    let mut stream = TcpStream::connect(service.url.trim_start_matches("http://")).expect("a connection");
    let request = format!(
        "HEAD {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\r\nGET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("it is taken");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer).expect("answers");
    let (_, second) = answer.split_once("\r\n\r\n").expect("two answers");
    second.lines().next().unwrap_or_default().to_owned()
}

#[test]
fn a_body_of_another_kind_is_refused_by_every_operation_that_takes_one() {
    let service = site::populated();
    let token = service.operator();
    let mut asked_of = 0;
    let takes_one = |asked: &&Asked| asked.said.get("requestBody").is_some() && asked.id != SIGNED_BY_STRIPE;
    for asked in all(&service).iter().filter(takes_one) {
        let form = asked.id == "create_token" || asked.id == "revoke_token";
        let import = asked.id == "create_deal_import";
        let headers = [("idempotency-key", "k-1"), ("flip360-declaration", "x.y.z")];
        for kind in ["text/html", "application/octet-stream", "application/jsonx"] {
            let headers = [headers.as_slice(), &[("content-type", kind)]].concat();
            let path = if import {
                format!("{}?provider_id={}", asked.path, service.platform.provider)
            } else {
                asked.path.clone()
            };
            let asked = Asked { id: asked.id, method: asked.method.clone(), path, said: Value::Null };
            let reply = ask(&service, &asked, &token, &headers, Some(b"{\"a\": 1}"));
            // OAuth has a form of its own for what is wrong (RFC 6749, 5.2).
            assert_eq!(
                reply.status,
                if form { 400 } else { 415 },
                "{} {kind}: {}",
                asked.id,
                String::from_utf8_lossy(&reply.body)
            );
        }
        asked_of += 1;
    }
    assert!(asked_of > 25, "{asked_of}");
}

#[test]
fn a_gzip_bomb_is_not_unpacked() {
    let service = Service::start();
    let token = service.operator();
    // 64 MiB of blanks in 64 KiB.
    let bomb = include_bytes!("bomb.gz");
    for asked in all(&site::populated()).iter().filter(|asked| asked.said.get("requestBody").is_some()) {
        for coding in ["gzip", "deflate", "br", "zstd", "identity, gzip", "gzip, gzip"] {
            let kind = if asked.id.ends_with("_token") && asked.path.starts_with("/oauth") {
                "application/x-www-form-urlencoded"
            } else {
                "application/json"
            };
            let headers = [
                ("content-encoding", coding),
                ("content-type", kind),
                ("idempotency-key", "k-1"),
                ("flip360-declaration", "x.y.z"),
            ];
            let asked =
                Asked { id: asked.id, method: asked.method.clone(), path: asked.path.clone(), said: Value::Null };
            let reply = ask(&service, &asked, &token, &headers, Some(bomb));
            assert!((400..500).contains(&reply.status), "{} {coding}: {}", asked.id, reply.status);
        }
    }
}

#[test]
fn streams_begin_and_end_with_their_followers() {
    let service = site::populated();
    let token = service.operator();
    let followed: Vec<_> = all(&service).into_iter().filter(streams).collect();
    assert!(followed.len() >= 3, "{}", followed.len());
    for asked in followed {
        let reply = ask(&service, &asked, &token, &[("accept", "text/event-stream")], None);
        assert_eq!((reply.status, reply.header("content-type")), (200, Some("text/event-stream")), "{}", asked.id);
    }
}
