//! What is no fact yet, and uploads that repeat or break off, over real HTTP.

use harness::server::Reply;
use serde_json::{Value, json};

use super::http::World;
use super::{EXAMPLE, file};

#[test]
fn what_is_yet_to_come_is_no_fact() {
    let world = World::new();
    let _ = world.import("k-1", &file(&["A,M016,Ann,FIXED-3Y,2026-01-01,,,,,", "T,M016,Ann,FIXED-3Y,2027-01-01,,,,,"]));
    // A row of a day to come is refused and the rest is imported.
    assert_eq!(world.count("deal"), 1);
    assert_eq!(world.count("deal_import_row where outcome = 'refused'"), 1);
    let deal = world.deal("A");
    // A token lives for minutes: one for each request, since the clock is set.
    let post =
        |what: &str, body: Value| world.service.post(&format!("/v1/deals/{deal}/{what}"), &world.provider(), &body);
    let pointer = |reply: Reply| reply.problem(422, "validation_failed");
    // It is 23 November in Sydney until 13:00 UTC.
    world.service.clock.set(domain::kernel::Instant::new("2026-11-23T12:59:59Z".parse().expect("a time")));
    let amount = json!({"amount": 100, "currency": "AUD"});
    let at = |pointer: &str| [(pointer.to_owned(), "in_future".to_owned())];
    assert_eq!(pointer(post("facts", json!({"kind": "contract", "on": "2026-11-24"}))), at("/on"));
    assert_eq!(pointer(post("facts", json!({"kind": "settlement", "on": "2026-11-24", "amount": amount}))), at("/on"));
    assert_eq!(pointer(post("transitions", json!({"to": "accepted", "on": "2026-11-24"}))), at("/on"));
    let correction = json!({"kind": "correction", "contracted_on": "2026-11-24", "settlement": {"on": "2026-11-25", "amount": amount}});
    assert_eq!(pointer(post("facts", correction)), [at("/contracted_on"), at("/settlement/on")].concat());
    assert_eq!(world.count("deal_fact where kind <> 'referral'"), 0);
    world.service.clock.set(domain::kernel::Instant::new("2026-11-23T13:00:00Z".parse().expect("a time")));
    let _ = post("facts", json!({"kind": "contract", "on": "2026-11-24"})).expect(201);
}

#[test]
fn a_request_that_is_answered_again_leaves_no_import_and_one_that_breaks_off_ends_at_once() {
    let world = World::new();
    let _ = world.import("k-1", EXAMPLE);
    let again = world.send("k-1", EXAMPLE, &world.declaration(EXAMPLE));
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((world.count("deal_import"), world.count("deal_import_chunk")), (1, 0));
    let address = world.service.url.trim_start_matches("http://").to_owned();
    let mut socket = std::net::TcpStream::connect(address).expect("a connection");
    let head = format!(
        "POST {} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nidempotency-key: k-2\r\ncontent-type: text/csv\r\nflip360-declaration: {}\r\ncontent-length: {}\r\n\r\n",
        world.path(world.service.platform.provider),
        world.partner(),
        world.declaration(EXAMPLE),
        EXAMPLE.len()
    );
    std::io::Write::write_all(&mut socket, head.as_bytes()).expect("sent");
    std::io::Write::write_all(&mut socket, &EXAMPLE[..100]).expect("sent");
    while world.count("deal_import where state = 'uploading'") == 0 {
        std::thread::yield_now();
    }
    drop(socket);
    // No clock moves: it ends because the sender has gone.
    while world.count("deal_import where state = 'uploading'") > 0 {
        std::thread::yield_now();
    }
    assert_eq!(world.count("deal_import where state = 'failed' and fault_code = 'upload_interrupted'"), 1);
}
