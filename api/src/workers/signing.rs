//! Signing the log: by one process of a data directory, once its witnesses were heard; the others learn what it signed.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use actix_web::web::Data;
use domain::chain::checkpoint::TreeHead;
use domain::chain::sequence::{SequenceError, Sequencer};
use integrations::turn::Turn;

use crate::app::App;
use crate::witnessing::Clearance;

/// How long the sequencer sleeps when nobody rings: leaves of other processes wait at most so long.
const SEQUENCER_IDLE: Duration = Duration::from_secs(1);
/// Leaves of one batch gather for so long after the first.
const SEQUENCER_GATHER: Duration = Duration::from_millis(50);

/// Whether a process signs the log.
#[derive(Debug, Clone)]
pub(super) enum Signs {
    /// It does not.
    Never,
    /// While it holds this file.
    InTurn(PathBuf),
    /// It does, and nobody else.
    Always,
}

/// Signs the log while it is this process's turn; otherwise learns what another one has signed.
pub(super) fn sequence(app: &Data<App>, stopping: &AtomicBool, signs: Signs) {
    let mut turn = match signs {
        Signs::Never => None,
        Signs::Always => Some(None),
        Signs::InTurn(path) => Some(Some(Turn::new(path))),
    };
    let mut sequencer = sequencer(app);
    loop {
        let last = stopping.load(Ordering::Acquire);
        let ours = turn.as_mut().is_some_and(|turn| turn.as_mut().is_none_or(is_ours));
        app.witnessing.take_turn(ours);
        if ours {
            sign_if_cleared(app, &mut sequencer);
        } else {
            watch(app, &sequencer);
        }
        // The round after the signal takes in what requests wrote last.
        if last {
            return;
        }
        app.sequencing.wait(SEQUENCER_IDLE);
        if !stopping.load(Ordering::Acquire) {
            thread::sleep(SEQUENCER_GATHER);
        }
    }
}

fn sequencer(app: &App) -> Sequencer<'_> {
    let sequencer = Sequencer::new(&app.origin, app.log.as_ref(), app.high_water.as_ref());
    sequencer.witnessed(app.witnessing.holds_back())
}

/// Signs, unless its witnesses have seen what the log does not extend, or too few of them were heard yet.
fn sign_if_cleared(app: &App, sequencer: &mut Sequencer<'_>) {
    match app.witnessing.clearance() {
        Clearance::Cleared => sign(app, sequencer),
        Clearance::Refused(why) => app.log_failed(why),
        Clearance::Waiting { heard, quorum } => {
            tracing::info!(heard, quorum, "the log is not signed before its witnesses were heard");
        }
    }
}

/// Asks the witnesses of the log, on threads of their own.
pub(super) fn witness(app: &Data<App>, stopping: &AtomicBool) {
    match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => {
            runtime.block_on(crate::witnessing::rounds::run(app, stopping));
            // A checkpoint that is on its way is sent again by the next start.
            runtime.shutdown_background();
        }
        Err(error) => tracing::error!(%error, "witnesses are not asked: their thread cannot be had"),
    }
}

/// What the sequencer has signed is published, or goes to the witnesses first.
fn signed(app: &App, head: TreeHead) {
    app.log_is_whole();
    if !app.witnessing.holds_back() {
        app.publish(head);
    }
    app.witnessing.wake();
}

/// Learns what another process has signed, and refuses new business when the tree does not extend it any more.
fn watch(app: &App, sequencer: &Sequencer<'_>) {
    match sequencer.confirm(app.store.as_ref()) {
        Ok(()) => {
            app.log_is_whole();
            if let Err(error) = app.learn_head() {
                tracing::error!(%error, "the head of the log was not read; that is tried again");
            }
        }
        Err(error) => {
            tracing::error!(%error, "the log does not hang together; that is looked at again");
            if matches!(error, SequenceError::Guard(_)) {
                app.log_failed(error.to_string());
            }
        }
    }
}

fn is_ours(turn: &mut Turn) -> bool {
    turn.take().unwrap_or_else(|error| {
        tracing::error!(%error, "whose turn it is to sign the log is not known; that is tried again");
        false
    })
}

fn sign(app: &App, sequencer: &mut Sequencer<'_>) {
    match sequencer.catch_up(app.store.as_ref(), app.clock.now()) {
        Ok(head) => signed(app, head),
        Err(error) => {
            tracing::error!(%error, "the log is not signed; that is tried again");
            if matches!(error, SequenceError::Guard(_)) {
                app.log_failed(error.to_string());
            }
        }
    }
}

/// Integrates everything that is pending, signs the head and publishes it: one round of the sequencer.
///
/// # Errors
/// See [`SequenceError`].
pub fn catch_up(app: &App) -> Result<TreeHead, SequenceError> {
    sequencer(app).catch_up(app.store.as_ref(), app.clock.now()).inspect(|head| signed(app, *head))
}
