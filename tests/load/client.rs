//! A kept-alive HTTP connection that costs next to nothing: client and server share two cores.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// One connection.
pub struct Connection(BufReader<TcpStream>);

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
impl Connection {
    /// Connects to `host:port`, with or without `http://` before it.
    pub fn open(url: &str) -> Self {
        let stream = TcpStream::connect(url.trim_start_matches("http://")).expect("the service listens");
        stream.set_nodelay(true).expect("a socket");
        Self(BufReader::new(stream))
    }

    /// Sends a request that was written out in full, and reads the answer, which must have this status.
    pub fn ask(&mut self, request: &[u8], status: &str) -> Vec<u8> {
        self.0.get_mut().write_all(request).expect("it is sent");
        let (said, length) = self.head();
        let mut answer = vec![0; length];
        self.0.read_exact(&mut answer).expect("a body");
        assert!(said.starts_with(&format!("HTTP/1.1 {status}")), "{said}{}", String::from_utf8_lossy(&answer));
        answer
    }

    /// Reads the head of an answer: its first line, and how long the body is.
    pub fn head(&mut self) -> (String, usize) {
        let (mut status, mut length) = (String::new(), 0);
        self.0.read_line(&mut status).expect("a status");
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).expect("a header");
            if line.trim().is_empty() {
                return (status, length);
            }
            if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = text.trim().parse().expect("a length");
            }
        }
    }
}

/// The value below which so many percent of the sorted latencies lie, in milliseconds.
pub fn percentile_ms(sorted: &[Duration], percent: usize) -> f64 {
    sorted[(sorted.len() - 1) * percent / 100].as_secs_f64() * 1_000.0
}
