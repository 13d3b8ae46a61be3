//! The client against real sockets: what passes the wall, what never leaves, what is cut off.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::address::Ban;
use super::resolver::Later;
use super::*;
use crate::tests::scratch;

/// Answers with the next list each time it is asked, and with the last one for ever.
struct Rebinding {
    answers: Vec<Vec<IpAddr>>,
    asked: AtomicUsize,
}

impl Rebinding {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let answers = answers.iter().map(|list| list.iter().map(|a| a.parse().expect("an address")).collect());
        Arc::new(Self { answers: answers.collect(), asked: AtomicUsize::new(0) })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Resolve for Rebinding {
    fn resolve(&self, _: &str) -> Later<io::Result<Vec<IpAddr>>> {
        let n = self.asked.fetch_add(1, Ordering::SeqCst).min(self.answers.len() - 1);
        Box::pin(std::future::ready(Ok(self.answers[n].clone())))
    }
}

fn config(allow_private: bool, port: u16) -> OutboundConfig {
    let limits = Limits { total: Duration::from_secs(5), ..Limits::default() };
    OutboundConfig { wall: Wall { allow_private, ports: vec![443, port] }, limits, extra_roots: Vec::new() }
}

fn request(url: String) -> OutboundRequest {
    let headers = vec![("content-type", "application/json".to_owned())];
    OutboundRequest { verb: Verb::Post, url, headers, body: b"{}".to_vec(), keep: 16 }
}

fn send(client: &Outbound, url: String) -> Result<OutboundAnswer, OutboundError> {
    tokio::runtime::Runtime::new().expect("a runtime").block_on(client.send(request(url)))
}

/// A host that gives one answer to each connection and tells what it was sent.
fn host(answers: Vec<Vec<u8>>) -> (u16, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let thread = std::thread::spawn(move || {
        let mut heard = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().expect("a connection");
            let mut bytes = Vec::new();
            let mut chunk = [0; 1024];
            while !bytes.ends_with(b"{}") {
                let n = stream.read(&mut chunk).expect("a request");
                bytes.extend_from_slice(&chunk[..n]);
            }
            // Whoever has read enough hangs up.
            let _ = stream.write_all(&answer);
            heard.push(String::from_utf8(bytes).expect("a text"));
        }
        heard
    });
    (port, thread)
}

#[test]
fn a_name_that_leads_inside_is_refused_before_anything_is_connected() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a setting");
    let port = listener.local_addr().expect("an address").port();
    for (answers, why) in [
        (&["127.0.0.1"][..], Ban::Loopback),
        (&["10.1.2.3", "127.0.0.1"], Ban::Loopback),
        (&["169.254.169.254"], Ban::LinkLocal),
        (&["::1"], Ban::Loopback),
        (&["::ffff:127.0.0.1"], Ban::Embedded),
        (&["fd00:ec2::254"], Ban::Private),
    ] {
        let resolver = Rebinding::new(&[answers]);
        let client = Outbound::with_resolver(config(false, port), resolver.clone()).expect("a client");
        let refused = send(&client, format!("https://hooks.example:{port}/")).expect_err("a wall");
        assert_eq!(refused, OutboundError::Refused(Refusal::Address(why)), "{answers:?}");
        assert_eq!((refused.code(), resolver.asked()), ("target_refused", 1));
    }
    assert_eq!(listener.accept().expect_err("nobody came").kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn a_name_that_changes_its_mind_gains_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.set_nonblocking(true).expect("a setting");
    let port = listener.local_addr().expect("an address").port();
    let resolver = Rebinding::new(&[&["93.184.216.34"], &["127.0.0.1"]]);
    let client = Outbound::with_resolver(config(false, port), resolver.clone()).expect("a client");
    // Whoever looked at the name before would have found it public; what counts is the answer at the connect.
    let url = format!("https://hooks.example:{port}/");
    assert!(client.wall().check(&url).is_ok());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let looked_at = runtime.block_on(resolver.resolve("hooks.example")).expect("an answer");
    assert!(looked_at.into_iter().all(|address| client.wall().address(address).is_ok()));
    let refused = send(&client, url).expect_err("a wall");
    assert_eq!(refused, OutboundError::Refused(Refusal::Address(Ban::Loopback)));
    assert_eq!(listener.accept().expect_err("nobody came").kind(), io::ErrorKind::WouldBlock);
    // Where it is let through it is looked up once, and that answer is the one that is connected to.
    let (port, heard) = host(vec![b"HTTP/1.1 204 No Content\r\n\r\n".to_vec()]);
    let resolver = Rebinding::new(&[&["127.0.0.1"], &["192.0.2.1"]]);
    let client = Outbound::with_resolver(config(true, port), resolver.clone()).expect("a client");
    assert_eq!(send(&client, format!("http://hooks.example:{port}/a?b=c")).expect("an answer").status, 204);
    assert_eq!(resolver.asked(), 1);
    let heard = heard.join().expect("a host");
    assert!(heard[0].starts_with("POST /a?b=c HTTP/1.1\r\n"), "{}", heard[0]);
    assert!(heard[0].contains(&format!("host: hooks.example:{port}\r\n")), "{}", heard[0]);
}

#[test]
fn addresses_in_the_place_of_names_are_refused_at_the_connect_too() {
    use hyper_util::client::legacy::connect::HttpConnector;
    use tower_service::Service as _;
    let wall = Arc::new(Wall::default());
    let resolver: Arc<dyn Resolve> = Rebinding::new(&[&["8.8.8.8"]]);
    let walled = super::resolver::Walled { wall: Arc::clone(&wall), resolver };
    let mut gate = super::resolver::Gate { wall, connector: HttpConnector::new_with_resolver(walled) };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for uri in
        ["https://127.0.0.1/", "https://[::1]/", "https://[::ffff:10.0.0.1]/", "http://8.8.8.8/", "https://8.8.8.8:22/"]
    {
        let refused = runtime.block_on(gate.call(uri.parse().expect("a URI"))).expect_err("a wall");
        assert!(refused.is::<Refusal>(), "{uri}: {refused}");
    }
}

#[test]
fn redirects_are_answers_and_answers_are_bounded() {
    let redirect = b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n".to_vec();
    let long = [b"HTTP/1.1 200 OK\r\ncontent-length: 1048576\r\n\r\n".to_vec(), vec![b'x'; 1 << 20]].concat();
    let head = [b"HTTP/1.1 200 OK\r\nx: ".to_vec(), vec![b'x'; 100_000], b"\r\n\r\n".to_vec()].concat();
    let (port, heard) = host(vec![redirect, long, head, b"nonsense\r\n\r\n".to_vec()]);
    let client = Outbound::with_resolver(config(true, port), Rebinding::new(&[&["127.0.0.1"]])).expect("a client");
    let url = format!("http://hooks.example:{port}/");
    let answer = send(&client, url.clone()).expect("an answer");
    assert_eq!((answer.status, answer.body.len(), answer.cut), (302, 0, false));
    let answer = send(&client, url.clone()).expect("an answer");
    assert_eq!((answer.status, answer.body.len(), answer.cut), (200, 16, true));
    assert_eq!(send(&client, url.clone()).expect_err("too large"), OutboundError::Broken);
    assert_eq!(send(&client, url).expect_err("not HTTP"), OutboundError::Broken);
    assert_eq!(heard.join().expect("a host").len(), 4, "nobody followed the redirect");
}

#[test]
fn who_never_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let limits = Limits { total: Duration::from_millis(50), ..Limits::default() };
    let client = Outbound::new(OutboundConfig { limits, ..config(true, port) }).expect("a client");
    assert_eq!(send(&client, format!("http://127.0.0.1:{port}/")).expect_err("silence"), OutboundError::TimedOut);
    drop(listener);
    let client = Outbound::new(config(true, port)).expect("a client");
    assert_eq!(send(&client, format!("http://127.0.0.1:{port}/")).expect_err("closed"), OutboundError::Unreachable);
}

/// OpenSSL's server with a certificate for `hooks.example`.
struct TlsHost {
    child: Child,
    port: u16,
    root: Vec<u8>,
}

impl Drop for TlsHost {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn tls_host() -> TlsHost {
    let folder = scratch("outbound-tls");
    let run = |arguments: &[&str]| {
        let made = Command::new("openssl").args(arguments).current_dir(&folder).output().expect("openssl");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    };
    let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    let root = ["req", "-x509", "-subj", "/CN=root", "-keyout", "root.key", "-out", "root.pem"];
    run(&[root.as_slice(), &key].concat());
    let leaf = ["req", "-x509", "-CA", "root.pem", "-CAkey", "root.key", "-subj", "/CN=hooks", "-keyout", "key.pem"];
    let about = ["-addext", "basicConstraints=CA:FALSE", "-addext", "subjectAltName=DNS:hooks.example"];
    run(&[leaf.as_slice(), &about, &["-out", "cert.pem"], &key].concat());
    run(&["x509", "-in", "root.pem", "-outform", "DER", "-out", "root.der"]);
    // A port that was free a moment ago: s_server does not tell which one it took.
    let port = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address").port();
    let accept = format!("127.0.0.1:{port}");
    let child = Command::new("openssl")
        .args(["s_server", "-accept", &accept, "-cert", "cert.pem", "-key", "key.pem", "-www"])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("openssl");
    while std::net::TcpStream::connect(&accept).is_err() {
        std::thread::yield_now();
    }
    TlsHost { child, port, root: std::fs::read(folder.join("root.der")).expect("a certificate") }
}

#[test]
fn a_certificate_counts_only_when_it_is_trusted_and_for_this_name() {
    let host = tls_host();
    let ask = |name: &str, roots: Vec<Vec<u8>>| {
        let config = OutboundConfig { extra_roots: roots, ..config(true, host.port) };
        let client = Outbound::with_resolver(config, Rebinding::new(&[&["127.0.0.1"]])).expect("a client");
        let get =
            OutboundRequest { verb: Verb::Get, body: Vec::new(), ..request(format!("https://{name}:{}/", host.port)) };
        tokio::runtime::Runtime::new().expect("a runtime").block_on(client.send(get))
    };
    assert_eq!(ask("hooks.example", vec![host.root.clone()]).expect("an answer").status, 200);
    assert_eq!(ask("hooks.example", Vec::new()).expect_err("unknown"), OutboundError::Tls);
    assert_eq!(ask("other.example", vec![host.root.clone()]).expect_err("another name"), OutboundError::Tls);
    assert!(
        Outbound::new(OutboundConfig { extra_roots: vec![b"none".to_vec()], ..OutboundConfig::default() }).is_err()
    );
}
