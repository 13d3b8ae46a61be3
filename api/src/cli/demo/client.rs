//! A small client of the API: a token, keys that make retries safe, problems as errors.

use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use ureq::http::{Response, StatusCode, header};

use super::DemoError;

/// The most bytes of an answer: a bank file or journal of a large demonstration fits.
const LARGEST_ANSWER: u64 = 512 * 1024 * 1024;

/// A caller of the API.
pub struct Client {
    agent: ureq::Agent,
    base: String,
    token: String,
    /// Differs from one demonstration to the next: keys belong to a request of one of them.
    prefix: String,
    keys: AtomicU64,
}

/// Id and secret of an API client.
pub struct Credentials {
    /// `client_…`
    pub id: String,
    /// The secret.
    pub secret: String,
}

impl Client {
    /// Logs an API client in.
    ///
    /// # Errors
    /// When the service is away or refuses.
    pub fn log_in(base: &str, credentials: &Credentials, prefix: &str) -> Result<Self, DemoError> {
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &credentials.id),
            ("client_secret", &credentials.secret),
        ];
        let url = format!("{base}/oauth/token");
        let mut answer = agent.post(&url).send_form(form).map_err(|e| DemoError::away(&url, &e))?;
        let answered = answer.body_mut().read_json::<Value>().map_err(|e| DemoError::away(&url, &e))?;
        let Some(token) = answered["access_token"].as_str().map(str::to_owned) else {
            return Err(DemoError::Step(format!("no access token for {}: {}", credentials.id, answered["error"])));
        };
        let prefix = format!("{prefix}-{}", credentials.id);
        Ok(Self { agent, base: base.to_owned(), token, prefix, keys: AtomicU64::new(0) })
    }

    /// GET as JSON.
    ///
    /// # Errors
    /// What the service answered, when it is no success.
    pub fn get(&self, path: &str) -> Result<Value, DemoError> {
        Ok(serde_json::from_slice(&self.get_bytes(path)?)?)
    }

    /// GET as bytes.
    ///
    /// # Errors
    /// What the service answered, when it is no success.
    pub fn get_bytes(&self, path: &str) -> Result<Vec<u8>, DemoError> {
        let request = self.agent.get(self.url(path)).header(header::AUTHORIZATION, self.bearer());
        bytes(path, request.call().map_err(|e| DemoError::away(path, &e))?)
    }

    /// Every row of a list.
    ///
    /// # Errors
    /// What the service answered, when it is no success.
    pub fn list(&self, path: &str) -> Result<Vec<Value>, DemoError> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let (mut rows, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let after = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
            let mut page = self.get(&format!("{path}{separator}limit=200{after}"))?;
            if let Value::Array(data) = page["data"].take() {
                rows.extend(data);
            }
            cursor = page["next_cursor"].as_str().map(str::to_owned);
            if cursor.is_none() {
                return Ok(rows);
            }
        }
    }

    /// POST of JSON under a key of its own.
    ///
    /// # Errors
    /// What the service answered, when it is no success.
    pub fn post(&self, path: &str, body: &Value) -> Result<Value, DemoError> {
        let request = self
            .agent
            .post(self.url(path))
            .header(header::AUTHORIZATION, self.bearer())
            .header("Idempotency-Key", self.key())
            .header(header::CONTENT_TYPE, "application/json");
        let sent = request.send(body.to_string()).map_err(|e| DemoError::away(path, &e))?;
        json(path, sent)
    }

    /// POST of a file, streamed from the disk.
    ///
    /// # Errors
    /// What the service answered, when it is no success.
    pub fn upload(&self, path: &str, headers: &[(&str, &str)], file: impl Read) -> Result<Value, DemoError> {
        let mut request = self
            .agent
            .post(self.url(path))
            .header(header::AUTHORIZATION, self.bearer())
            .header("Idempotency-Key", self.key())
            .header(header::CONTENT_TYPE, "text/csv");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut file = file;
        let sent = request.send(ureq::SendBody::from_reader(&mut file));
        json(path, sent.map_err(|e| DemoError::away(path, &e))?)
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    fn key(&self) -> String {
        format!("{}-{}", self.prefix, self.keys.fetch_add(1, Ordering::Relaxed))
    }
}

fn json(path: &str, answer: Response<ureq::Body>) -> Result<Value, DemoError> {
    let bytes = bytes(path, answer)?;
    if bytes.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&bytes)?) }
}

fn bytes(path: &str, mut answer: Response<ureq::Body>) -> Result<Vec<u8>, DemoError> {
    let status: StatusCode = answer.status();
    let body = answer.body_mut().with_config().limit(LARGEST_ANSWER).read_to_vec();
    let body = body.map_err(|e| DemoError::away(path, &e))?;
    if status.is_success() {
        return Ok(body);
    }
    Err(DemoError::Step(format!("{path} answered {status}: {}", String::from_utf8_lossy(&body))))
}
