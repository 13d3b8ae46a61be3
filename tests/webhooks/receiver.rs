//! A host that takes webhooks: answers what a test says, and remembers what came.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use serde_json::Value;

/// What came in one request.
#[derive(Debug, Clone)]
pub struct Heard {
    pub path: String,
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

impl Heard {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }
}

/// An answer: status, further header lines, body.
pub type Said = (u16, String, Vec<u8>);

/// 204 and nothing more.
pub fn taken() -> Said {
    (204, String::new(), Vec::new())
}

/// A status and nothing more.
pub fn status(status: u16) -> Said {
    (status, String::new(), Vec::new())
}

type Answers = dyn Fn(&Heard) -> Said + Send + Sync;

struct Shared {
    heard: Mutex<Vec<Heard>>,
    came: Condvar,
    answers: Mutex<Arc<Answers>>,
}

/// The host.
pub struct Receiver {
    pub url: String,
    shared: Arc<Shared>,
}

impl Receiver {
    /// Takes everything.
    pub fn start() -> Self {
        Self::answering(|_| taken())
    }

    /// Answers what the function says; it may wait.
    pub fn answering(answers: impl Fn(&Heard) -> Said + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let shared =
            Arc::new(Shared { heard: Mutex::default(), came: Condvar::new(), answers: Mutex::new(Arc::new(answers)) });
        let own = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let own = Arc::clone(&own);
                std::thread::spawn(move || serve(&own, stream));
            }
        });
        Self { url, shared }
    }

    /// From now on answers this.
    pub fn answer(&self, answers: impl Fn(&Heard) -> Said + Send + Sync + 'static) {
        *self.shared.answers.lock().expect("no panic") = Arc::new(answers);
    }

    /// What came so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.shared.heard.lock().expect("no panic").clone()
    }

    /// Waits until so many requests came.
    pub fn wait_for(&self, count: usize) -> Vec<Heard> {
        let heard = self.shared.heard.lock().expect("no panic");
        self.shared.came.wait_while(heard, |heard| heard.len() < count).expect("no panic").clone()
    }
}

fn serve(shared: &Shared, stream: TcpStream) {
    let mut reader = BufReader::new(stream);
    while let Some(heard) = read(&mut reader) {
        shared.heard.lock().expect("no panic").push(heard.clone());
        shared.came.notify_all();
        let answers = Arc::clone(&shared.answers.lock().expect("no panic"));
        let (status, lines, body) = answers(&heard);
        let length = if status == 204 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
        let head = format!("HTTP/1.1 {status} Said\r\n{length}{lines}\r\n");
        if reader.get_mut().write_all(&[head.as_bytes(), &body].concat()).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Heard> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let path = line.split(' ').nth(1).expect("a path").to_owned();
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|n| n.parse().ok()).unwrap_or_default();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Heard { path, headers, body })
}
