//! Who dawdles and who hoards, over real sockets: neither keeps others from being answered.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use api::config::EdgeArgs;
use api::http::connections::{Connections, WHEN_SCARCE};
use diesel::connection::SimpleConnection as _;
use harness::server::Service;
use serde_json::json;
use tokio::io::AsyncReadExt as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpSocket;

/// What a request looks like whose head never ends.
const UNENDING: &[u8] = b"GET /health/live HTTP/1.1\r\nhost: flip360\r\nx-slow: ";
/// A request that is answered, after which the connection ends.
const ASKING: &[u8] = b"GET /health/live HTTP/1.1\r\nhost: flip360\r\nconnection: close\r\n\r\n";

fn guarded() -> Service {
    Service::edged(EdgeArgs { connections_per_peer: 512, ..EdgeArgs::default() })
}

fn address(service: &Service) -> SocketAddr {
    service.url.trim_start_matches("http://").parse().expect("an address")
}

/// A connection from one of the addresses of this machine.
async fn connect(from: Ipv4Addr, to: SocketAddr) -> tokio::net::TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_reuseaddr(true).expect("an option");
    socket.bind((from, 0).into()).expect("an address of this machine");
    socket.connect(to).await.expect("a connection")
}

/// Somebody who has nothing to do with it asks on a new connection.
fn answered(to: SocketAddr) -> bool {
    let mut stream = TcpStream::connect(to).expect("a connection");
    stream.write_all(b"GET /health/live HTTP/1.1\r\nhost: flip360\r\nconnection: close\r\n\r\n").expect("it is taken");
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer.starts_with("HTTP/1.1 200 OK\r\n")
}

#[test]
fn ten_thousand_slow_connections_from_forty_addresses_keep_nobody_else_waiting() {
    let service = guarded();
    let to = address(&service);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let slow = runtime.block_on(async {
        let mut slow = Vec::new();
        for n in 0..10_000_u32 {
            let from = Ipv4Addr::from(u32::from(Ipv4Addr::new(127, 0, 1, 1)) + n / 250);
            let mut stream = connect(from, to).await;
            // One that was shut already takes nothing.
            let _ = stream.write_all(UNENDING).await;
            slow.push(stream);
        }
        slow
    });
    assert_eq!(slow.len(), 10_000);
    for n in 0..20 {
        assert!(answered(to), "request {n}");
    }
    assert_eq!(service.get("/v1/me", &service.operator()).status, 200);
}

#[test]
fn one_address_holds_so_many_connections_and_the_rest_are_shut() {
    let service = guarded();
    let to = address(&service);
    let hoarder = Ipv4Addr::new(127, 0, 2, 1);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let mut held = Vec::new();
        for _ in 0..512 {
            let mut stream = connect(hoarder, to).await;
            stream.write_all(UNENDING).await.expect("it is taken");
            held.push(stream);
        }
        let mut refused = 0;
        for _ in 0..200 {
            let (mut one, mut head) = (connect(hoarder, to).await, [0; 64]);
            let _ = one.write_all(ASKING).await;
            match one.read(&mut head).await {
                Ok(0) | Err(_) => refused += 1,
                // On a machine that is slow today the first ones run out of time meanwhile, and make room.
                Ok(_) => assert!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&head)),
            }
        }
        assert!(refused > 0, "any number was let in");
        // Somebody who goes makes room.
        held.truncate(500);
        let mut again = Err(std::io::Error::other("not yet"));
        while !again.as_ref().is_ok_and(|read| *read > 0) {
            let mut stream = connect(hoarder, to).await;
            let _ = stream.write_all(ASKING).await;
            again = stream.read(&mut [0; 64]).await;
        }
    });
    assert!(answered(to));
}

#[test]
fn places_are_counted_by_peer_and_given_back() {
    let four = |n: u8| IpAddr::V4(Ipv4Addr::new(10, 0, 0, n));
    let six = |text: &str| text.parse::<IpAddr>().expect("an address");
    let connections = Connections::new(200, 50);
    let of = |address: IpAddr| std::iter::from_fn(|| connections.admit(address)).take(1_000).collect::<Vec<_>>();
    let first = of(four(1));
    assert_eq!(first.len(), 50);
    let mapped = connections.admit(six("::ffff:10.0.0.1"));
    assert!(mapped.is_none(), "the same address in another dress");
    let network = of(six("2001:db8:1:1::1"));
    assert_eq!(network.len(), 50);
    assert!(connections.admit(six("2001:db8:1:1:ffff::2")).is_none(), "another address of the same network");
    // More than half is taken from here on.
    let mut others = vec![of(four(3))];
    assert!(others[0].len() == WHEN_SCARCE || others[0].len() == WHEN_SCARCE + 1, "{}", others[0].len());
    for n in 4..200 {
        others.push(of(four(n)));
    }
    assert_eq!(connections.open(), 200);
    assert!(connections.admit(four(250)).is_none());
    drop((first, network, others));
    assert_eq!(connections.open(), 0);
    let proxied = Connections::new(200, 0);
    let all: Vec<_> = std::iter::from_fn(|| proxied.admit(four(1))).take(1_000).collect();
    assert_eq!(all.len(), 200);
}

/// What the server says to somebody who sends byte after byte and never comes to an end.
fn trickle(to: SocketAddr, head: &[u8]) -> String {
    let mut stream = TcpStream::connect(to).expect("a connection");
    stream.write_all(head).expect("it is taken");
    stream.set_read_timeout(Some(Duration::from_millis(100))).expect("an option");
    let mut answer = Vec::new();
    let mut bytes = [0; 4_096];
    loop {
        match stream.read(&mut bytes) {
            Ok(0) => break,
            Ok(read) => answer.extend_from_slice(&bytes[..read]),
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                // Once it has answered, what is sent is of no use to anybody.
                if !answer.is_empty() || stream.write_all(b"a").is_err() {
                    let _ = stream.shutdown(Shutdown::Write);
                }
            }
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_head_that_trickles_is_cut_off() {
    let service = guarded();
    let answer = trickle(address(&service), UNENDING);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[test]
fn a_body_that_trickles_is_answered_and_does_nothing() {
    let service = guarded();
    let head = format!(
        "POST /v1/users HTTP/1.1\r\nhost: flip360\r\nauthorization: Bearer {}\r\nidempotency-key: k-1\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n{{\"email\": \"",
        service.operator()
    );
    let answer = trickle(address(&service), head.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("\"code\":\"body_too_slow\""), "{answer}");
    assert_eq!(service.platform.number("select count(*) from app_user"), 0);
}

#[test]
fn a_request_that_takes_too_long_is_answered_and_its_retry_finds_what_became_of_it() {
    let service = Service::edged(EdgeArgs { request_seconds: 1, ..EdgeArgs::default() });
    let token = service.operator_of(7);
    let body = json!({"kind": "introducer", "name": "Slow Introducer Pty Ltd"});
    let mut holder = service.platform.owner();
    holder.batch_execute("begin; lock table organisation in exclusive mode").expect("a lock");
    let late = service.post_as("/v1/organisations", &token, "k-1", &body);
    let _ = late.problem(503, "unavailable");
    assert!(late.header("retry-after").is_some());
    holder.batch_execute("commit").expect("the lock is gone");
    let again = loop {
        let again = service.post_as("/v1/organisations", &token, "k-1", &body);
        if again.status != 409 && again.status != 503 {
            break again;
        }
    };
    let _ = again.expect(201);
    assert_eq!(service.platform.number("select count(*) from organisation where name like 'Slow%'"), 1);
}
