//! Every signed checkpoint to every witness, round by round.
//!
//! A round asks all witnesses that can be asked for the newest checkpoint, each in a task of its own; another one begins when the quorum
//! has cosigned, or nobody is left to wait for. So all of them meet at the same checkpoint, however fast the log grows, and
//! a slow one is left behind where the quorum does not need it. What fails is tried again later and later.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::web::Data;
use domain::chain::witness::record::{self, Evidence, EvidenceKind, Kept};
use domain::kernel::ids::EvidenceId;
use domain::store::StoreError;
use integrations::durable;
use tokio::task::JoinSet;
use tokio::time::{Instant as Tick, sleep_until};

use super::exchange::{Candidate, Outcome, ask, candidate};
use super::{Clearance, Witnessing};
use crate::app::{App, blocking};

/// How long it sleeps when nobody wakes it.
const IDLE: Duration = Duration::from_secs(1);

/// One answer: of which witness, to which checkpoint.
type Answer = (usize, Arc<Candidate>, Outcome);

/// A checkpoint that is being cosigned.
struct Round {
    candidate: Arc<Candidate>,
    /// Who is still to answer.
    open: usize,
    /// How many cosigned it in this round.
    cosigned: usize,
}

impl Round {
    /// Whether nobody is to be waited for: enough have cosigned, or all have answered.
    fn is_over(&self, quorum: usize) -> bool {
        self.open == 0 || self.cosigned >= quorum.max(1)
    }
}

/// The rounds of one process.
struct Rounds<'a> {
    app: &'a Data<App>,
    asking: JoinSet<Answer>,
    round: Option<Round>,
}

/// Asks until it is told to stop.
pub async fn run(app: &Data<App>, stopping: &AtomicBool) {
    let mut rounds = Rounds { app, asking: JoinSet::new(), round: None };
    while !stopping.load(Ordering::Acquire) {
        let began = app.witnessing.is_ours() && rounds.begin().await;
        let due = app.witnessing.standings().iter().filter_map(super::Standing::due).min();
        let idle = Tick::now() + IDLE;
        let until = due.filter(|due| began && *due < idle).unwrap_or(idle);
        tokio::select! {
            Some(answered) = rounds.asking.join_next() => rounds.take(answered.ok()).await,
            () = app.witnessing.wanted.notified() => {}
            () = sleep_until(until) => {}
        }
    }
}

/// Asks everybody once for the newest checkpoint and waits for every answer: one round, for whoever has no thread for it.
pub async fn settle(app: &Data<App>) {
    let mut rounds = Rounds { app, asking: JoinSet::new(), round: None };
    app.witnessing.standings().iter_mut().for_each(super::Standing::begin_again);
    let _ = rounds.begin().await;
    while let Some(answered) = rounds.asking.join_next().await {
        rounds.take(answered.ok()).await;
    }
}

impl Rounds<'_> {
    /// Asks whom it can, for the checkpoint of the round, or for the newest one when that round is over. `false` when that
    /// cannot be read.
    async fn begin(&mut self) -> bool {
        let witnessing = &self.app.witnessing;
        if self.round.as_ref().is_none_or(|round| round.is_over(witnessing.policy().quorum())) {
            match candidate(self.app).await {
                Ok(candidate) => self.round = Some(Round { candidate: Arc::new(candidate), open: 0, cosigned: 0 }),
                Err(error) => {
                    tracing::error!(error, "the newest checkpoint was not read; that is tried again");
                    return false;
                }
            }
        }
        let Some(round) = &mut self.round else { return false };
        let mut standings = witnessing.standings();
        let known = witnessing.policy().witnesses().iter().zip(&witnessing.witnesses.urls);
        for (place, ((witness, url), standing)) in known.zip(standings.iter_mut()).enumerate() {
            if !standing.is_free() || standing.size == Some(round.candidate.head.size) {
                continue;
            }
            standing.busy = true;
            round.open += 1;
            let asking = ask(self.app.clone(), witness.clone(), url.clone(), Arc::clone(&round.candidate));
            let candidate = Arc::clone(&round.candidate);
            self.asking.spawn(async move { (place, candidate, asking.await) });
        }
        true
    }

    /// Takes an answer in.
    async fn take(&mut self, answered: Option<Answer>) {
        let Some((place, candidate, outcome)) = answered else {
            // A task that panicked: nobody knows whose it was, so all are free again.
            tracing::error!("asking a witness panicked");
            self.app.witnessing.standings().iter_mut().for_each(|standing| standing.busy = false);
            self.round = None;
            return;
        };
        let before = self.app.witnessing.clearance();
        let Kept { counts, met } = self.recorded(place, &candidate, outcome).await;
        if let Some(round) = self.round.as_mut().filter(|round| Arc::ptr_eq(&round.candidate, &candidate)) {
            round.open = round.open.saturating_sub(1);
            round.cosigned += usize::from(counts);
        }
        if met && let Err(error) = self.learned().await {
            tracing::error!(%error, "what was published was not read; that is tried again");
        }
        let after = self.app.witnessing.clearance();
        if after != before {
            if let Clearance::Refused(why) = &after {
                tracing::error!(why, "the log is not signed any more");
            }
            self.app.sequencing.ring();
        }
        self.app.witnessing.tell();
    }

    async fn learned(&self) -> Result<(), StoreError> {
        let app = self.app.clone();
        blocking(move || app.learn_head()).await.map_err(|_| StoreError::Unavailable)?
    }

    /// Keeps what a witness said; whether that counts, and whether its checkpoint is published by it.
    async fn recorded(&self, place: usize, candidate: &Arc<Candidate>, outcome: Outcome) -> Kept {
        const NOTHING: Kept = Kept { counts: false, met: false };
        let (app, size) = (self.app, candidate.head.size);
        let now = app.clock.now();
        let Some(witness) = app.witnessing.policy().witnesses().get(place).cloned() else { return NOTHING };
        let (name, key) = (witness.name().to_owned(), witness.to_string());
        let failed = |code, refusal| {
            if let Some(standing) = app.witnessing.standings().get_mut(place) {
                standing.failed(code, refusal, now);
            }
        };
        match outcome {
            Outcome::Cosigned { line, time } => {
                let (keeping, head, kept) = (app.clone(), candidate.head, candidate.kept);
                let keep = move || {
                    let policy = keeping.witnessing.policy();
                    if !kept {
                        return Ok(Kept { counts: true, met: false });
                    }
                    keeping.store.transaction(|uow| record::keep(uow, policy, &witness, &head, (&line, time), now))
                };
                match blocking(keep).await {
                    Ok(Ok(kept_now)) => {
                        if let Some(standing) = app.witnessing.standings().get_mut(place) {
                            standing.agreed(kept.then_some(size), kept_now.counts);
                        }
                        return kept_now;
                    }
                    Ok(Err(error)) => tracing::error!(%error, witness = name, "a cosignature was not kept"),
                    Err(error) => tracing::error!(%error, witness = name, "a cosignature was not kept"),
                }
                failed("database_away", None);
            }
            Outcome::Refused { kind, told, old, reply } => {
                let evidence = Evidence {
                    id: EvidenceId::new(app.ids.next()),
                    kind,
                    witness: key,
                    old_size: old,
                    size,
                    note: candidate.note.to_string(),
                    status: reply.status,
                    response: reply.body,
                    at: now,
                };
                let keeping = app.clone();
                let keep = move || keeping.store.transaction(|uow| uow.witnesses().append_evidence(&evidence));
                match blocking(keep).await {
                    Ok(Ok(_)) => {
                        tracing::error!(witness = name, kind = kind.as_str(), size, "a witness refused a checkpoint")
                    }
                    Ok(Err(error)) => tracing::error!(%error, witness = name, "evidence was not kept"),
                    Err(error) => tracing::error!(%error, witness = name, "evidence was not kept"),
                }
                if kind == EvidenceKind::Behind
                    && let Some(standing) = app.witnessing.standings().get_mut(place)
                {
                    standing.discredited();
                }
                failed(kind.as_str(), refusal(kind, &name, told, size));
            }
            Outcome::Failed(code) => {
                tracing::warn!(witness = name, code, size, "a witness did not cosign; that is tried again");
                failed(code, None);
            }
        }
        NOTHING
    }
}

/// Why the log must not be signed, and what to do.
fn refusal(kind: EvidenceKind, name: &str, told: u64, size: u64) -> Option<String> {
    const PUT_BACK: &str = "put the newest data back; if it is lost for good, begin another log with a name and a key of its own; if the witness is at fault, take it out of the file of witnesses";
    match kind {
        EvidenceKind::Ahead => Some(format!(
            "the witness {name} has cosigned {told} leaves and this database has signed {size}: it is an older copy, or the log was signed elsewhere; {PUT_BACK}"
        )),
        EvidenceKind::Fork => Some(format!(
            "the witness {name} has cosigned {told} leaves that the {size} leaves of this database do not extend: the log was forked; {PUT_BACK}"
        )),
        EvidenceKind::Refused | EvidenceKind::Behind => None,
    }
}

impl Witnessing {
    /// Writes how the witnesses stand, when that has changed.
    fn tell(&self) {
        let Some(path) = &self.status_file else { return };
        let names = self.policy().witnesses().iter();
        let kept: Vec<_> =
            names.zip(self.standings().iter()).map(|(key, standing)| standing.kept(key.name())).collect();
        let Ok(bytes) = serde_json::to_vec(&kept) else { return };
        let mut told = self.told.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if *told != bytes {
            match durable::replace(path, &bytes, 0o600) {
                Ok(()) => *told = bytes,
                Err(error) => tracing::error!(%error, path = %path.display(), "how witnesses stand was not written"),
            }
        }
    }
}
