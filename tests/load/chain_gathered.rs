//! Single-leaf commands, committed as the application commits what is asked of it: whatever waits while a transaction
//! is being written shares the next one (`api::batch`: as many runners, as many commands at most), and each caller is
//! told when its own is durable.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, mpsc};
use std::time::Instant;

use api::batch::{LARGEST, RUNNERS};
use api::workers::{Shifts, Workers};
use harness::leaves;

use super::{Bench, COMMITS};
use crate::yardstick::Yardstick;

/// Callers that wait for their answer at once.
const CALLERS: usize = 128;

/// A command that waits: which leaf, and whom to tell.
type Waiting = (u64, mpsc::Sender<()>);

#[derive(Default)]
struct Queue {
    waiting: Mutex<(VecDeque<Waiting>, bool)>,
    came: Condvar,
}

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
impl Queue {
    fn ask(&self, n: u64) {
        let (told, tell) = mpsc::channel();
        self.waiting.lock().expect("the queue").0.push_back((n, told));
        self.came.notify_one();
        tell.recv().expect("an answer");
    }

    fn close(&self) {
        self.waiting.lock().expect("the queue").1 = true;
        self.came.notify_all();
    }

    /// What waits, at most as many as the application takes; nothing once it is closed.
    fn take(&self) -> Vec<Waiting> {
        let open = self
            .came
            .wait_while(self.waiting.lock().expect("the queue"), |(waiting, closed)| waiting.is_empty() && !*closed);
        let mut queue = open.expect("the queue");
        let count = queue.0.len().min(LARGEST);
        queue.0.drain(..count).collect()
    }
}

#[expect(clippy::expect_used, reason = "a bench fails loudly")]
impl Bench {
    /// Commands of one leaf each, from callers that wait; the sequencer works beside them.
    pub(super) fn gathered(&mut self, yardstick: &Yardstick, rounds: u64) {
        println!(
            "\n| round | yardstick/s, one a transaction | single-leaf commands/s, gathered | ratio |\n|---|---|---|---|"
        );
        let workers = Workers::start(&self.app, &Shifts::alone()).expect("workers");
        for round in 1..=rounds {
            let raw = yardstick.one_by_one();
            let rate = self.gather();
            println!("| {round} | {raw:.0} | {rate:.0} | {:.2} |", rate / raw);
        }
        workers.stop();
    }

    fn gather(&mut self) -> f64 {
        let next = AtomicU64::new(self.logged);
        let to = self.logged + 3 * COMMITS;
        let (platform, store, app) = (&self.platform, &self.writers, &self.app);
        let queue = Queue::default();
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..RUNNERS {
                scope.spawn(|| {
                    loop {
                        let taken = queue.take();
                        if taken.is_empty() {
                            return;
                        }
                        let items: Vec<_> =
                            taken.iter().flat_map(|(n, _)| leaves::items(*n, n + 1, u64::MAX, true)).collect();
                        leaves::append_to(platform, store, &items).expect("logged");
                        app.wrote();
                        for (_, told) in taken {
                            told.send(()).expect("a caller");
                        }
                    }
                });
            }
            let callers: Vec<_> = (0..CALLERS)
                .map(|_| {
                    scope.spawn(|| {
                        loop {
                            let n = next.fetch_add(1, Ordering::Relaxed);
                            if n >= to {
                                return;
                            }
                            queue.ask(n);
                        }
                    })
                })
                .collect();
            for caller in callers {
                caller.join().expect("a caller");
            }
            queue.close();
        });
        let rate = (to - self.logged) as f64 / begun.elapsed().as_secs_f64();
        self.logged = to;
        rate
    }
}
