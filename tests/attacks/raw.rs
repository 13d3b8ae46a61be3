//! What no client library sends: control characters in headers, and paths spelt to be somewhere else.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use domain::access::Role;
use harness::server::Service;

/// Sends bytes as they are; the answer's bytes until the server closes.
fn send(service: &Service, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(service.url.trim_start_matches("http://")).expect("a connection");
    stream.write_all(request).expect("it is sent");
    let mut answer = Vec::new();
    // A server that cuts the line has answered before, or says nothing: both are looked at.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(400)
}

#[test]
fn control_characters_in_headers_reach_neither_the_answer_nor_the_audit_log() {
    let service = Service::start();
    let token = service.operator();
    let body = r#"{"kind":"introducer","name":"Injected Pty Ltd"}"#;
    let hostile: [&[u8]; 9] = [
        b"a\r\nX-Injected: 1",
        b"a\nX-Injected: 1",
        b"a\rX-Injected: 1",
        b"a\0b",
        b"a\x1bb",
        b"a\x7fb",
        b"\xff\xfe",
        b"a%0d%0aX-Injected: 1",
        b"\t",
    ];
    for (n, value) in hostile.into_iter().enumerate() {
        for header in ["x-request-id", "idempotency-key", "traceparent", "accept", "origin", "if-none-match"] {
            let key = if header == "idempotency-key" {
                String::new()
            } else {
                format!("idempotency-key: k-{n}-{header}\r\n")
            };
            let head = format!(
                "POST /v1/organisations HTTP/1.1\r\nhost: flip360.test\r\nconnection: close\r\nauthorization: Bearer {token}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n{key}{header}: ",
                body.len()
            );
            let answer = send(&service, &[head.as_bytes(), value, b"\r\n\r\n", body.as_bytes()].concat());
            let at = format!("{header}: {value:?}: {answer}");
            assert!(status(&answer) < 500, "{at}");
            let answered = answer.split("\r\n\r\n").next().unwrap_or_default().to_ascii_lowercase();
            assert!(!answered.contains("x-injected"), "{at}");
        }
    }
    let odd = "select count(*) from audit_record where request_id !~ '^[A-Za-z0-9_-]{1,64}$'";
    assert_eq!(service.platform.number(odd), 0);
}

#[test]
fn no_spelling_of_a_path_goes_round_the_scopes() {
    let service = Service::start();
    let partner = service.token(&[Role::PartnerAdmin], Some(service.platform.introducer), None);
    let spellings = [
        "/v1/deals/../users",
        "/v1/deals/%2e%2e/users",
        "/v1/deals/..%2fusers",
        "/v1/deals/..%5cusers",
        "/v1/./users",
        "//v1/users",
        "/v1//users",
        "/V1/users",
        "/v1/USERS",
        "/v1/users/",
        "/v1/users;a=b",
        "/v1/users%00",
        "/v1/users%2f",
        "/v1/users%20",
        "/v1/%75sers",
        "/v1/us%65rs?limit=1",
        "/docs/../v1/users",
        "/docs/..%2f..%2fCargo.toml",
        "/docs/%2e%2e/%2e%2e/etc/passwd",
        "/docs//etc/passwd",
        "/tile/../v1/users",
        "/tile/%2e%2e/v1/users",
        "/tile/0/..%2f..%2fv1/users",
        "http://flip360.test/v1/users",
        "/v1/users#/v1/products",
    ];
    for path in spellings {
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: flip360.test\r\nconnection: close\r\nauthorization: Bearer {partner}\r\n\
             x-original-url: /v1/users\r\nx-rewrite-url: /v1/users\r\nx-http-method-override: DELETE\r\n\r\n"
        );
        let answer = send(&service, request.as_bytes());
        assert!((400..500).contains(&status(&answer)), "{path}: {answer}");
        assert!(!answer.contains("root:") && !answer.contains("[workspace]"), "{path}");
    }
}

#[test]
fn a_method_is_what_it_says() {
    let service = Service::start();
    let auditor = service.token(&[Role::Auditor], None, None);
    let path = format!("/v1/organisations/{}", service.platform.introducer);
    for method in ["PATCH", "DELETE", "PUT", "TRACE", "CONNECT", "get", "PROPFIND"] {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: flip360.test\r\nconnection: close\r\nauthorization: Bearer {auditor}\r\n\
             if-match: \"1\"\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        let answer = send(&service, request.as_bytes());
        assert!((400..500).contains(&status(&answer)), "{method}: {answer}");
    }
}
