//! Server-sent events (HTML Living Standard, 9.2): frames, heartbeats, an end.
//!
//! A stream is pulled by its socket: nothing is worked out for a client that does not read. It says
//! something at least every [`HEARTBEAT`], so that proxies keep it open and a dead peer is noticed; it ends
//! when its token does (also when that is revoked), when its source is done, and when the service stops.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::web::Bytes;
use futures_util::stream;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

/// Without news, a comment goes out this often.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a client waits before it connects again, in milliseconds.
const RETRY_MS: u32 = 2_000;

/// What a stream sends next.
pub enum Next {
    /// Frames; none when there was nothing for this client.
    Frames(Vec<Frame>),
    /// The last frames.
    Last(Vec<Frame>),
}

/// One message.
#[derive(Debug, Clone)]
pub struct Frame {
    /// What the client sends back as `Last-Event-ID`; digits only.
    pub id: u64,
    /// The name of the event; a word of ours, never of a caller.
    pub event: &'static str,
    /// One line of JSON.
    pub data: Bytes,
}

/// Where a stream's frames come from.
pub trait Source: 'static {
    /// Waits for what comes next. Dropped and called again when a heartbeat is due, so it must lose nothing.
    fn next(&mut self) -> impl Future<Output = Result<Next, crate::problem::Problem>>;
}

/// What ends a stream before its source does.
pub struct Life {
    /// It ends after so long at the latest.
    pub lifetime: Duration,
    /// Says that the service stops.
    pub stopping: watch::Receiver<bool>,
    /// Moves when tokens were revoked.
    pub revoking: watch::Receiver<()>,
    /// Whether its own was.
    pub ended: Box<dyn Fn() -> bool>,
}

impl Life {
    /// Waits until its token was revoked.
    async fn revoked(&mut self) {
        while !(self.ended)() {
            if self.revoking.changed().await.is_err() {
                return;
            }
        }
    }
}

struct State<S> {
    source: S,
    heartbeat: Duration,
    ends_at: Instant,
    life: Life,
    greeted: bool,
    over: bool,
}

impl<S> State<S> {
    fn new(source: S, heartbeat: Duration, life: Life) -> Self {
        Self { source, heartbeat, ends_at: Instant::now() + life.lifetime, life, greeted: false, over: false }
    }
}

/// Answers with a stream that ends with its life at the latest.
pub fn respond<S: Source>(source: S, life: Life) -> HttpResponse {
    let state = State::new(source, HEARTBEAT, life);
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        // Frames go out one by one; a compressor would hold them back.
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(stream::unfold(state, |state| step(state)))
}

async fn step<S: Source>(mut state: State<S>) -> Option<(Result<Bytes, actix_web::Error>, State<S>)> {
    if !state.greeted {
        state.greeted = true;
        return Some((Ok(Bytes::from(format!("retry: {RETRY_MS}\n\n"))), state));
    }
    if state.over || *state.life.stopping.borrow() {
        return None;
    }
    let beat = Instant::now() + state.heartbeat;
    loop {
        let until = beat.min(state.ends_at);
        let waited = tokio::select! {
            biased;
            () = over(&mut state.life) => return None,
            waited = timeout_at(until, state.source.next()) => waited,
        };
        match waited {
            Ok(Ok(Next::Frames(frames))) if frames.is_empty() => {}
            Ok(Ok(Next::Frames(frames))) => return Some((Ok(written(&frames)), state)),
            Ok(Ok(Next::Last(frames))) => {
                state.over = true;
                return Some((Ok(written(&frames)), state));
            }
            // The client connects again and goes on from what it has seen.
            Ok(Err(problem)) => {
                tracing::warn!(%problem, "a stream ended early");
                return None;
            }
            Err(_) if until == state.ends_at => return None,
            Err(_) => return Some((Ok(Bytes::from_static(b": still here\n\n")), state)),
        }
    }
}

/// Waits until the service stops or the token was revoked.
async fn over(life: &mut Life) {
    let mut stopping = life.stopping.clone();
    tokio::select! {
        biased;
        // Gone with the application, it has stopped as well.
        _ = stopping.wait_for(|stopping| *stopping) => {}
        () = life.revoked() => {}
    }
}

fn written(frames: &[Frame]) -> Bytes {
    let mut out = Vec::with_capacity(frames.iter().map(|frame| frame.data.len() + 64).sum());
    for frame in frames {
        out.extend_from_slice(format!("id: {}\nevent: {}\ndata: ", frame.id, frame.event).as_bytes());
        out.extend_from_slice(&frame.data);
        out.extend_from_slice(b"\n\n");
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Says what it was given, then nothing for ever.
    struct Script(Vec<Next>);

    impl Source for Script {
        async fn next(&mut self) -> Result<Next, crate::problem::Problem> {
            match self.0.pop() {
                Some(next) => Ok(next),
                None => std::future::pending().await,
            }
        }
    }

    fn frame(id: u64) -> Frame {
        Frame { id, event: "deal.settled", data: Bytes::from_static(b"{}") }
    }

    async fn sent(script: Vec<Next>, heartbeat: Duration, lifetime: Duration, most: usize) -> Vec<String> {
        let (stopping, revoking) = (watch::Sender::new(false), watch::Sender::new(()));
        let life = Life {
            lifetime,
            stopping: stopping.subscribe(),
            revoking: revoking.subscribe(),
            ended: Box::new(|| false),
        };
        let mut state = State::new(Script(script), heartbeat, life);
        let mut sent = Vec::new();
        while sent.len() < most {
            let Some((bytes, after)) = step(state).await else { break };
            sent.push(String::from_utf8(bytes.expect("bytes").to_vec()).expect("text"));
            state = after;
        }
        sent
    }

    const LONG: Duration = Duration::from_secs(600);

    #[tokio::test]
    async fn frames_look_as_the_standard_says() {
        let script = vec![Next::Last(vec![frame(3)]), Next::Frames(vec![]), Next::Frames(vec![frame(1), frame(2)])];
        let two = "id: 1\nevent: deal.settled\ndata: {}\n\nid: 2\nevent: deal.settled\ndata: {}\n\n";
        let expected = ["retry: 2000\n\n", two, "id: 3\nevent: deal.settled\ndata: {}\n\n"];
        assert_eq!(sent(script, LONG, LONG, 9).await, expected);
    }

    #[tokio::test]
    async fn silence_is_broken_and_an_expired_token_ends_it() {
        let beat = Duration::from_millis(1);
        assert_eq!(sent(Vec::new(), beat, LONG, 3).await, ["retry: 2000\n\n", ": still here\n\n", ": still here\n\n"]);
        assert_eq!(sent(Vec::new(), LONG, beat, 9).await, ["retry: 2000\n\n"]);
    }
}
