//! Figures of the running process: how many requests each operation answered how, and how fast.
//!
//! Kept in memory, counted without locks but for the window of minutes, and lost at the end of the
//! process, as scrapers expect. Bounds: one set of counters an operation, [`MINUTES`] minutes.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use actix_web::http::StatusCode;
use domain::kernel::Instant;
use domain::operations::{Backlog, PoolUse};
use domain::payouts::sla::RailSla;

use crate::policy::Policy;

/// For how many minutes errors are remembered.
pub const MINUTES: usize = 60;
/// Upper bounds of the histogram of latencies, in microseconds.
const BUCKETS: [u64; 12] =
    [1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 10_000_000];
/// Classes of statuses.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

#[derive(Debug, Default)]
struct Counters {
    answered: [AtomicU64; CLASSES.len()],
    buckets: [AtomicU64; BUCKETS.len()],
    micros: AtomicU64,
}

/// What was answered in one minute, or in several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answered {
    /// All requests.
    pub requests: u64,
    /// Those with a 4xx.
    pub client_errors: u64,
    /// Those with a 5xx.
    pub server_errors: u64,
}

/// The figures of one process.
#[derive(Debug)]
pub struct Figures {
    /// One for each operation of the document, and a last one for what is no operation.
    operations: Vec<(&'static str, Counters)>,
    minutes: Mutex<[(i64, Answered); MINUTES]>,
}

fn minute(at: Instant) -> i64 {
    at.timestamp().as_second().div_euclid(60)
}

fn slot(minute: i64) -> usize {
    usize::try_from(minute.rem_euclid(MINUTES as i64)).unwrap_or_default()
}

impl Figures {
    /// Figures of these operations, all zero.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        let named = policy.operations().iter().map(|operation| operation.id).chain(std::iter::once("none"));
        Self {
            operations: named.map(|id| (id, Counters::default())).collect(),
            minutes: Mutex::new([(i64::MIN, Answered::default()); MINUTES]),
        }
    }

    /// A request was answered.
    pub fn count(&self, operation: Option<usize>, status: StatusCode, took: Duration, at: Instant) {
        let last = self.operations.len().saturating_sub(1);
        let class = usize::from(status.as_u16() / 100).saturating_sub(1).min(CLASSES.len() - 1);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some((_, counters)) = self.operations.get(operation.unwrap_or(last)) {
            counters.answered[class].fetch_add(1, Ordering::Relaxed);
            counters.micros.fetch_add(micros, Ordering::Relaxed);
            if let Some(bucket) = BUCKETS.iter().position(|bound| micros <= *bound) {
                counters.buckets[bucket].fetch_add(1, Ordering::Relaxed);
            }
        }
        let now = minute(at);
        let mut minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        let (of, answered) = &mut minutes[slot(now)];
        if *of != now {
            (*of, *answered) = (now, Answered::default());
        }
        answered.requests += 1;
        answered.client_errors += u64::from(status.is_client_error());
        answered.server_errors += u64::from(status.is_server_error());
    }

    /// What was answered in the last `window` minutes, the present one among them.
    #[must_use]
    pub fn answered(&self, window: u16, at: Instant) -> Answered {
        let now = minute(at);
        let minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        let within = minutes.iter().filter(|(of, _)| *of <= now && *of > now - i64::from(window));
        within.fold(Answered::default(), |sum, (_, one)| Answered {
            requests: sum.requests + one.requests,
            client_errors: sum.client_errors + one.client_errors,
            server_errors: sum.server_errors + one.server_errors,
        })
    }

    /// The text that Prometheus reads (exposition format 0.0.4).
    #[must_use]
    pub fn prometheus(&self, backlog: &Backlog, pools: &[PoolUse], in_flight: &[(&str, usize)]) -> String {
        let mut text = String::new();
        self.requests(&mut text);
        self.latencies(&mut text);
        head(
            &mut text,
            "flip360_backlog",
            "gauge",
            "What waits: events without a number, leaves outside of the log, jobs.",
        );
        for (queue, waiting) in [
            ("events", backlog.events),
            ("leaves", backlog.leaves),
            ("jobs_queued", backlog.jobs_queued),
            ("jobs_running", backlog.jobs_running),
        ] {
            line(&mut text, "flip360_backlog", &[("queue", queue)], waiting);
        }
        head(&mut text, "flip360_batch_waiting", "gauge", "Commands that wait for a batch.");
        for (batch, waiting) in in_flight {
            line(&mut text, "flip360_batch_waiting", &[("batch", batch)], *waiting as u64);
        }
        head(&mut text, "flip360_database_connections", "gauge", "Open connections, and those that nobody uses.");
        for pool in pools {
            line(&mut text, "flip360_database_connections", &[("pool", pool.name), ("state", "open")], pool.open);
            line(&mut text, "flip360_database_connections", &[("pool", pool.name), ("state", "idle")], pool.idle);
        }
        text
    }

    fn requests(&self, text: &mut String) {
        head(text, "flip360_http_requests_total", "counter", "Requests answered, by operation and class of status.");
        for (id, counters) in &self.operations {
            for (class, count) in CLASSES.iter().zip(&counters.answered) {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    line(text, "flip360_http_requests_total", &[("operation", id), ("status", class)], count);
                }
            }
        }
    }

    fn latencies(&self, text: &mut String) {
        let name = "flip360_http_request_duration_seconds";
        head(text, name, "histogram", "From the head of a request to the head of its answer.");
        for (id, counters) in &self.operations {
            let count: u64 = counters.answered.iter().map(|count| count.load(Ordering::Relaxed)).sum();
            if count == 0 {
                continue;
            }
            let mut below = 0;
            for (bound, bucket) in BUCKETS.iter().zip(&counters.buckets) {
                below += bucket.load(Ordering::Relaxed);
                line(text, &format!("{name}_bucket"), &[("operation", id), ("le", &seconds(*bound))], below);
            }
            line(text, &format!("{name}_bucket"), &[("operation", id), ("le", "+Inf")], count);
            let sum = seconds(counters.micros.load(Ordering::Relaxed));
            line(text, &format!("{name}_sum"), &[("operation", id)], sum);
            line(text, &format!("{name}_count"), &[("operation", id)], count);
        }
    }
}

/// How payouts keep to their time, by rail.
#[must_use]
pub fn payouts_in_time(rails: &[RailSla]) -> String {
    let mut text = String::new();
    head(
        &mut text,
        "flip360_payouts",
        "gauge",
        "Payouts of the last 90 days and all that are on their way, by rail and state.",
    );
    for sla in rails {
        let states = [
            ("on_time", sla.on_time),
            ("late", sla.late),
            ("open", sla.open),
            ("open_late", sla.open_late),
            ("returned", sla.returned),
        ];
        for (state, payouts) in states {
            line(&mut text, "flip360_payouts", &[("rail", sla.rail.code()), ("state", state)], payouts);
        }
    }
    head(
        &mut text,
        "flip360_payout_oldest_open_banking_days",
        "gauge",
        "Banking days since the oldest payout that is on its way was sent.",
    );
    for sla in rails {
        let days = sla.oldest.map_or(0, |oldest| oldest.banking_days);
        line(&mut text, "flip360_payout_oldest_open_banking_days", &[("rail", sla.rail.code())], days);
    }
    text
}

/// Microseconds as seconds with six places.
fn seconds(micros: u64) -> String {
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    // Writing to a text cannot fail.
    let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// One sample. Names and values of labels are words of ours: nothing in them is to be escaped.
fn line(text: &mut String, name: &str, labels: &[(&str, &str)], value: impl std::fmt::Display) {
    let labels: Vec<String> = labels.iter().map(|(label, word)| format!("{label}=\"{word}\"")).collect();
    let _ = writeln!(text, "{name}{{{}}} {value}", labels.join(","));
}
