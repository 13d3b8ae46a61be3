//! What a server answered, and what comes down a stream of it.

use std::io::{BufRead as _, BufReader};

use serde_json::Value;

/// What the server answered.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: ureq::http::HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The body as JSON, when the status is the expected one.
    #[must_use]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    /// Checks that it is a problem of this status and code; gives the pairs of pointer and code.
    #[must_use]
    pub fn problem(&self, status: u16, code: &str) -> Vec<(String, String)> {
        let problem = self.expect(status);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(problem["request_id"].as_str(), self.header("x-request-id"));
        let text = |error: &Value, key: &str| error[key].as_str().expect("a text").to_owned();
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| (text(error, "pointer"), text(error, "code"))).collect()
    }
}

/// What comes down a stream.
pub struct Frames(pub(crate) BufReader<ureq::BodyReader<'static>>);

impl Iterator for Frames {
    type Item = (u64, String, Value);

    /// The next message: id, event, data. `None` when the stream has ended.
    fn next(&mut self) -> Option<Self::Item> {
        let (mut id, mut event) = (0, String::new());
        loop {
            let mut line = String::new();
            // A connection that breaks off ends the stream like any other end.
            if self.0.read_line(&mut line).unwrap_or(0) == 0 {
                return None;
            }
            match line.trim_end().split_once(": ") {
                Some(("id", text)) => id = text.parse().expect("a number"),
                Some(("event", text)) => text.clone_into(&mut event),
                Some(("data", text)) => return Some((id, event, serde_json::from_str(text).expect("JSON"))),
                _ => {}
            }
        }
    }
}
